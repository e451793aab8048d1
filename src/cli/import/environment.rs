//! Environments: their variables, and the accounts they describe.

use serde_json::Value as Json;

use super::collection::{self, Variable};
use super::site::Site;
use super::values::{Part, is_secret, parts};
use crate::cli::error::CommandError;
use crate::cli::profile::fields;
use crate::operation::catalogue::Catalogue;
use crate::operation::import::{ApiRoot, Mark};
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
pub(super) struct Account {
    pub(super) platform: &'static Platform,
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) secrets: Vec<(&'static AccountKey, Secret)>,
    /// The variable that each field was taken from.
    pub(super) taken: Vec<(&'static str, String)>,
    /// The secret variables that no field uses.
    pub(super) unused: Vec<String>,
}

/// Reads an environment.
pub(super) fn read(json: &Json) -> Environment {
    Environment {
        name: collection::text(&json["name"]),
        variables: collection::variables(&json["values"]),
    }
}

/// Other variable names for keys that many platforms share, in lower-case letters and digits.
const COMMON: &[(&str, &[&str])] = &[
    (
        "url",
        &[
            "baseurl",
            "base",
            "host",
            "hostname",
            "server",
            "domain",
            "apiurl",
            "apibase",
            "endpoint",
            "address",
            "serverurl",
            "accounturl",
        ],
    ),
    (
        "login",
        &[
            "email",
            "username",
            "user",
            "userlogin",
            "useremail",
            "emailaddress",
        ],
    ),
    ("password", &["pass", "pwd", "passwd", "userpassword"]),
];

/// The names that the variable for a key may have, likeliest first.
fn names_of(platform: &Platform, key: &str) -> Vec<String> {
    let others = COMMON.iter().chain(platform.import.aliases);
    let others = others
        .filter(|(known, _)| *known == key)
        .flat_map(|(_, names)| *names);
    let others = others.map(|name| (*name).to_owned());
    [lowercase_alphanumerics(key)].into_iter().chain(others).collect()
}

/// Returns the account that the environment describes; `None` if it describes none. `chosen` maps fields to variables,
/// `requested` is the requested platform, and `collection_site` is the site that the collection's requests use.
pub(super) fn account(
    catalogue: &Catalogue,
    environment: &Environment,
    requested: Option<&'static Platform>,
    chosen: &[(String, String)],
    addresses: &str,
    collection_site: Option<&Site>,
) -> Result<Option<Account>, CommandError> {
    for (field, variable) in chosen {
        check_choice(catalogue, environment, field, variable)?;
    }
    let requested_or_guessed = requested.or_else(|| guessed(catalogue, environment, addresses));
    let Some(platform) = requested_or_guessed.or(collection_site.map(|site| site.platform)) else {
        return Ok(None);
    };
    let collection_site = collection_site.filter(|site| site.platform == platform);
    let mut account = Account {
        platform,
        texts: Vec::new(),
        secrets: Vec::new(),
        taken: Vec::new(),
        unused: Vec::new(),
    };
    let mut missing = Vec::new();
    for field in platform.texts() {
        match environment.find(platform, field.name, chosen)? {
            Some((variable, value)) => {
                let value = if field.name == "url" {
                    below(platform, address(platform, &value), collection_site)
                } else {
                    value
                };
                account.texts.push((field.name, value));
                account.taken.push((field.name, variable));
            }
            None if field.required => missing.push(field.name),
            None => {}
        }
    }
    for field in platform.secrets() {
        match environment.find(platform, field.name, chosen)? {
            Some((variable, value)) => {
                account.secrets.push((field, Secret::new(value)));
                account.taken.push((field.name, variable));
            }
            None if field.required => missing.push(field.name),
            None => {}
        }
    }
    // A login without a password is not a usable credential.
    let secrets: Vec<&str> = account.secrets.iter().map(|(field, _)| field.name).collect();
    let texts: Vec<&str> = account.texts.iter().map(|(key, _)| *key).collect();
    let unpaired = fields::unpaired(platform, |key| texts.contains(&key) || secrets.contains(&key));
    if unpaired == ["password"] && !chosen.iter().any(|(field, _)| field == "login") {
        account.texts.retain(|(key, _)| *key != "login");
    } else {
        missing.extend(unpaired);
    }
    if missing.is_empty() {
        let secrets = environment.variables.iter().filter(|variable| variable.secret);
        let unused = secrets.map(|variable| variable.key.clone());
        let is_taken = |name: &String| account.taken.iter().any(|(_, taken)| taken == name);
        account.unused = unused.filter(|name| !is_taken(name)).collect();
        return Ok(Some(account));
    }
    // Requests to a platform do not mean that the environment is a complete account on it.
    if requested_or_guessed.is_none() && chosen.is_empty() {
        return Ok(None);
    }
    Err(CommandError::usage(format!(
        "the environment has no value for {} of a {} account",
        missing.join(", "),
        platform.name
    ))
    .hint(format!(
        "name the variable: --take {}=VARIABLE; the variables with a value are {}",
        missing[0],
        environment.names()
    )))
}

fn check_choice(
    catalogue: &Catalogue,
    environment: &Environment,
    field: &str,
    variable: &str,
) -> Result<(), CommandError> {
    let (texts, secrets) = catalogue.account_keys();
    let known: Vec<&str> = ["url"].into_iter().chain(texts).chain(secrets).collect();
    if !known.contains(&field) {
        return Err(CommandError::usage(format!("--take: a profile has no `{field}`"))
            .hint(format!("the fields are {}", known.join(", "))));
    }
    if !environment.variables.iter().any(|known| known.key == variable) {
        return Err(
            CommandError::usage(format!("--take: the environment has no variable `{variable}`"))
                .hint(format!("its variables are {}", environment.names())),
        );
    }
    Ok(())
}

/// Guesses the platform from the names and values of the variables, or the addresses of the requests.
fn guessed(catalogue: &Catalogue, environment: &Environment, addresses: &str) -> Option<&'static Platform> {
    let keys = environment
        .variables
        .iter()
        .map(|variable| lowercase_alphanumerics(&variable.key));
    let keys: Vec<String> = keys.collect();
    let open = environment
        .variables
        .iter()
        .filter(|variable| !is_secret(variable));
    let values = open.map(|variable| variable.value.as_str()).chain([addresses]);
    let text = values.collect::<Vec<_>>().join("\n").to_lowercase();
    let shows = |platform: &&&Platform| {
        let rules = platform.import;
        let by_variable =
            |mark: &Mark| matches!(mark, Mark::Variable(name) if keys.iter().any(|key| key == name));
        let by_root = |root: &ApiRoot| root.distinctive && text.contains(root.path);
        rules.hosts.iter().any(|host| text.contains(host))
            || rules.roots.iter().any(by_root)
            || rules.marks.iter().any(by_variable)
    };
    catalogue.platforms().iter().find(shows).copied()
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

    /// Returns the variable for a field and its resolved value. An empty value counts as missing.
    fn find(
        &self,
        platform: &Platform,
        field: &str,
        chosen: &[(String, String)],
    ) -> Result<Option<(String, String)>, CommandError> {
        let chosen = chosen
            .iter()
            .find(|(known, _)| known == field)
            .map(|(_, variable)| variable.as_str());
        let by_name = || {
            names_of(platform, field).iter().find_map(|name| {
                let mut variables = self.variables.iter();
                variables.find(|variable| {
                    lowercase_alphanumerics(&variable.key) == *name && !variable.value.trim().is_empty()
                })
            })
        };
        let variable = match chosen {
            Some(key) => self.variables.iter().find(|variable| variable.key == key),
            None => by_name(),
        };
        let Some(variable) = variable else { return Ok(None) };
        let value = self.resolved(&variable.value, &mut vec![variable.key.clone()])?;
        Ok((!value.trim().is_empty()).then(|| (variable.key.clone(), value)))
    }

    fn resolved(&self, text: &str, path: &mut Vec<String>) -> Result<String, CommandError> {
        let mut out = String::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => out.push_str(&text),
                Part::Placeholder(name) => {
                    if path.contains(&name) || path.len() > 32 {
                        path.push(name);
                        return Err(CommandError::usage(format!(
                            "variables of the environment refer to each other in a cycle: {}",
                            path.join(" -> ")
                        )));
                    }
                    let inner = self.variables.iter().find(|variable| variable.key == name);
                    let inner = inner.map(|variable| variable.value.clone()).unwrap_or_default();
                    path.push(name);
                    out.push_str(&self.resolved(&inner, path)?);
                    path.pop();
                }
            }
            if out.len() > 1 << 16 {
                return Err(CommandError::usage(
                    "the value of a variable of the environment is too large",
                ));
            }
        }
        Ok(out)
    }
}

/// Normalizes an address for a profile: adds a scheme, and removes an API root that is not part of it.
fn address(platform: &Platform, text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    let mut roots = platform.import.roots.iter().filter(|root| !root.in_address);
    let base = roots.find_map(|root| Some(text.split_once(root.path)?.0));
    let text = base.unwrap_or(text);
    if text.contains("://") {
        text.to_owned()
    } else {
        format!("{}{text}", super::address::scheme_for(text))
    }
}

/// Appends to an account's address the path that its requests share.
fn below(platform: &Platform, url: String, collection_site: Option<&Site>) -> String {
    let more = collection_site.and_then(|site| site.base.strip_prefix(url.as_str()));
    let is_root = |path: &str| {
        platform
            .import
            .roots
            .iter()
            .any(|root| path.starts_with(root.path))
    };
    match more {
        Some(more) if more.starts_with('/') && !is_root(more) => format!("{url}{more}"),
        _ => url,
    }
}

fn lowercase_alphanumerics(name: &str) -> String {
    let lowercase_alphanumerics = name.chars().filter(char::is_ascii_alphanumeric);
    lowercase_alphanumerics.map(|c| c.to_ascii_lowercase()).collect()
}
