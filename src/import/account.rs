//! Environments: their variables, and the accounts that they describe.

use serde_json::Value as Json;

use super::code::name_of;
use super::collection::{self, Collection, Variable};
use super::variables::{MAX_DEPTH, Part, is_secret, parts};
use super::{ImportError, ImportOptions};
use crate::operation::catalogue::Catalogue;
use crate::operation::import::Mark;
use crate::operation::platform::{AccountKey, Platform};
use crate::value::secret::Secret;

/// A Postman environment.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Environment {
    pub(super) name: String,
    pub(super) variables: Vec<Variable>,
}

/// The account that an environment describes, in the form of a profile.
#[derive(Debug)]
pub(crate) struct ImportedProfile {
    pub(crate) name: String,
    pub(crate) platform: &'static Platform,
    /// The values of account keys that may be shown, by key.
    pub(crate) texts: Vec<(&'static str, String)>,
    /// The secrets of the account.
    pub(crate) secrets: Vec<(&'static AccountKey, Secret)>,
    /// The variable that each value was taken from, by key.
    pub(crate) taken: Vec<(&'static str, String)>,
    /// The secret variables that no key uses.
    pub(crate) unused: Vec<String>,
}

impl ImportedProfile {
    /// Returns the value of a key that may be shown; empty if it has none.
    pub(crate) fn text(&self, key: &str) -> &str {
        let found = self.texts.iter().find(|(known, _)| *known == key);
        found.map_or("", |(_, text)| text)
    }

    /// The variables that its secrets were taken from.
    pub(super) fn secret_variables(&self) -> impl Iterator<Item = &str> {
        let is_secret = |name: &str| self.secrets.iter().any(|(key, _)| key.name == name);
        let taken = self.taken.iter().filter(move |(key, _)| is_secret(key));
        taken.map(|(_, variable)| variable.as_str())
    }

    /// Whether the text is exactly the variable that this key was taken from.
    pub(super) fn is_taken_from(&self, key: &str, text: &str) -> bool {
        let [Part::Placeholder(name)] = parts(text.trim())[..] else {
            return false;
        };
        let mut taken = self.taken.iter();
        taken.any(|(known, variable)| *known == key && variable == name)
    }
}

/// Reads an environment.
pub(super) fn read(json: &Json) -> Environment {
    Environment {
        name: collection::text(&json["name"]),
        variables: collection::variables(&json["values"]),
    }
}

/// Other variable names for keys that many platforms share, in lower-case letters and digits.
const COMMON_NAMES: &[(&str, &str)] = &[
    (
        "url",
        "baseurl base host hostname server domain apiurl apibase endpoint address serverurl accounturl",
    ),
    ("login", "email username user userlogin useremail emailaddress"),
    ("password", "pass pwd passwd userpassword"),
];

/// The maximum length, in bytes, of an environment's value with its variables resolved.
const MAX_VALUE_LEN: usize = 1 << 16;

/// All keys of an account, and whether each is a secret.
pub(super) fn keys(platform: &Platform) -> impl Iterator<Item = (&'static AccountKey, bool)> + use<> {
    let texts = platform.texts().iter().map(|key| (key, false));
    texts.chain(platform.secrets().iter().map(|key| (key, true)))
}

/// Returns the account that the environment describes; `None` if it describes none. `collection_site` is the platform
/// that the collection's requests use, and the address of their account.
pub(super) fn profile(
    catalogue: &Catalogue,
    environment: &Environment,
    collection: Option<&Collection>,
    collection_site: Option<(&'static Platform, String)>,
    options: &ImportOptions,
) -> Result<Option<ImportedProfile>, ImportError> {
    for (key, variable) in &options.take {
        check_choice(catalogue, environment, key, variable)?;
    }
    let shown = options
        .platform
        .or_else(|| recognized(catalogue, environment, collection));
    let Some(platform) = shown.or(collection_site.as_ref().map(|(platform, _)| *platform)) else {
        return Ok(None);
    };
    let collection_site = collection_site.filter(|(known, _)| *known == platform);
    let collection_url = collection_site.as_ref().map(|(_, url)| url.as_str());
    let name = options.profile.map(str::to_owned);
    let mut profile = ImportedProfile {
        name: name.unwrap_or_else(|| name_of(&environment.name, "imported")),
        platform,
        texts: Vec::new(),
        secrets: Vec::new(),
        taken: Vec::new(),
        unused: Vec::new(),
    };
    let mut missing = Vec::new();
    for (key, is_secret) in keys(platform) {
        match environment.find(platform, key.name, options)? {
            None if key.required => missing.push(key.name),
            None => {}
            Some((variable, value)) => {
                profile.taken.push((key.name, variable));
                if is_secret {
                    profile.secrets.push((key, Secret::new(value)));
                } else if key.name == "url" {
                    let url = account_address(platform, &value, collection_url);
                    profile.texts.push((key.name, url));
                } else {
                    profile.texts.push((key.name, value));
                }
            }
        }
    }
    // A login without a password is not a usable credential.
    let unpaired = platform.unpaired_keys(|key| profile.taken.iter().any(|(known, _)| *known == key));
    if unpaired == ["password"] && !options.take.iter().any(|(key, _)| *key == "login") {
        profile.texts.retain(|(key, _)| *key != "login");
    } else {
        missing.extend(unpaired);
    }
    if missing.is_empty() {
        let secrets = environment.variables.iter().filter(|variable| variable.secret);
        let is_taken = |name: &str| profile.taken.iter().any(|(_, taken)| taken == name);
        let unused = secrets
            .map(|variable| &variable.key)
            .filter(|name| !is_taken(name));
        profile.unused = unused.cloned().collect();
        return Ok(Some(profile));
    }
    // Requests to a platform do not mean that the environment is a complete account on it.
    if shown.is_none() && options.take.is_empty() {
        return Ok(None);
    }
    Err(ImportError::MissingKeys {
        keys: missing,
        platform: platform.name,
        variables: environment.names(),
    })
}

fn check_choice(
    catalogue: &Catalogue,
    environment: &Environment,
    key: &str,
    variable: &str,
) -> Result<(), ImportError> {
    let (texts, secrets) = catalogue.account_keys();
    let known: Vec<&str> = ["url"].into_iter().chain(texts).chain(secrets).collect();
    if !known.contains(&key) {
        return Err(ImportError::UnknownKey {
            key: key.to_owned(),
            known: known.join(", "),
        });
    }
    if !environment.variables.iter().any(|known| known.key == variable) {
        return Err(ImportError::UnknownVariable {
            variable: variable.to_owned(),
            known: environment.names(),
        });
    }
    Ok(())
}

/// Recognizes the platform by the names and values of the variables, or by the addresses of the requests.
fn recognized(
    catalogue: &Catalogue,
    environment: &Environment,
    collection: Option<&Collection>,
) -> Option<&'static Platform> {
    let variables = &environment.variables;
    let keys: Vec<String> = variables
        .iter()
        .map(|variable| plain_name(&variable.key))
        .collect();
    let open = variables.iter().filter(|variable| !is_secret(variable));
    let requests = collection.map(|collection| collection.requests.as_slice());
    let requests = requests.unwrap_or_default();
    let addresses = requests.iter().map(|request| &request.address.base);
    let values = open.map(|variable| &variable.value).chain(addresses);
    let text = values
        .map(|text| text.to_lowercase())
        .collect::<Vec<_>>()
        .join("\n");
    let mut platforms = catalogue.platforms().iter().copied();
    platforms.find(|platform| {
        let rules = platform.import;
        let mut roots = rules.roots.iter().filter(|root| root.distinctive);
        rules.hosts.iter().any(|host| text.contains(host))
            || roots.any(|root| text.contains(root.path))
            || rules
                .marks
                .iter()
                .any(|mark| matches!(mark, Mark::Variable(name) if keys.iter().any(|key| key == name)))
    })
}

impl Environment {
    /// The names of its variables, separated by commas.
    fn names(&self) -> String {
        let names: Vec<&str> = self
            .variables
            .iter()
            .map(|variable| variable.key.as_str())
            .collect();
        names.join(", ")
    }

    /// Returns the variable for a key and its resolved value. An empty value counts as missing.
    fn find(
        &self,
        platform: &Platform,
        key: &str,
        options: &ImportOptions,
    ) -> Result<Option<(String, String)>, ImportError> {
        let chosen = options.take.iter().find(|(known, _)| *known == key);
        let variable = if let Some((_, name)) = chosen {
            self.variables.iter().find(|variable| variable.key == *name)
        } else {
            let common = COMMON_NAMES.iter().filter(|(known, _)| *known == key);
            let own = platform.import.aliases.iter().filter(|(known, _)| *known == key);
            let names = common.flat_map(|(_, names)| names.split(' '));
            let names = names.chain(own.flat_map(|(_, names)| names.iter().copied()));
            let key = plain_name(key);
            // The likeliest name first.
            [key.as_str()].into_iter().chain(names).find_map(|name| {
                let mut given = self.variables.iter();
                given.find(|known| plain_name(&known.key) == name && !known.value.trim().is_empty())
            })
        };
        let Some(variable) = variable else { return Ok(None) };
        let value = self.resolved(&variable.value, &mut vec![variable.key.clone()])?;
        Ok((!value.trim().is_empty()).then(|| (variable.key.clone(), value)))
    }

    /// Resolves the variables of a text, also secret ones. `path` are the variables that it is the value of.
    fn resolved(&self, text: &str, path: &mut Vec<String>) -> Result<String, ImportError> {
        let mut out = String::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Placeholder(name) => {
                    let is_cycle = path.iter().any(|outer| outer == name) || path.len() > MAX_DEPTH;
                    path.push(name.to_owned());
                    if is_cycle {
                        return Err(ImportError::Environment(format!(
                            "variables of the environment refer to each other in a cycle: {}",
                            path.join(" -> ")
                        )));
                    }
                    let inner = self.variables.iter().find(|variable| variable.key == name);
                    let inner = inner.map_or("", |variable| &variable.value);
                    out.push_str(&self.resolved(inner, path)?);
                    path.pop();
                }
            }
            if out.len() > MAX_VALUE_LEN {
                let problem = "the value of a variable of the environment is too large";
                return Err(ImportError::Environment(problem.to_owned()));
            }
        }
        Ok(out)
    }
}

/// Normalizes an address for a profile: adds a scheme, removes an API root that is not part of it, and appends the path
/// that the collection's requests share.
fn account_address(platform: &Platform, text: &str, collection_url: Option<&str>) -> String {
    let roots = platform.import.roots;
    let text = text.trim().trim_end_matches('/');
    let mut separate = roots.iter().filter(|root| !root.in_address);
    let text = separate
        .find_map(|root| Some(text.split_once(root.path)?.0))
        .unwrap_or(text);
    let url = collection::with_scheme(text);
    let is_root = |path: &str| roots.iter().any(|root| path.starts_with(root.path));
    match collection_url.and_then(|known| known.strip_prefix(url.as_str())) {
        Some(more) if more.starts_with('/') && !is_root(more) => format!("{url}{more}"),
        _ => url,
    }
}

/// A name in lower-case letters and digits.
fn plain_name(name: &str) -> String {
    let plain = name.chars().filter(char::is_ascii_alphanumeric);
    plain.map(|c| c.to_ascii_lowercase()).collect()
}
