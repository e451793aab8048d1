//! Reads a configuration file: the keys that profiles have, their values, and the position of each.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::{ConfigError, Location, SecretSource, Sourced};
use crate::operation::catalogue::Catalogue;
use crate::operation::context::Mode;
use crate::operation::platform::Platform;
use crate::transport::address;
use crate::transport::connect_options::{PLAIN_HTTP_CONSENT, Proxy};
use crate::transport::rate_limit::Rate;
use crate::value::nearest::nearest;
use crate::value::origin::Origin;

/// The keys of a profile, in the order in which they are shown, and what reads their values. A key with a dot is in a
/// table; `*` is any key of the table. The account's own keys ([`Catalogue::account_keys`]) come besides.
const KEYS: &[(&str, Read)] = &[
    ("platform", platform),
    ("url", url),
    ("plain_http", consent),
    ("mode", mode),
    ("sandbox", |entry| entry.get("true or false").map(Setting::Flag)),
    // Each place of the list is a setting of its own.
    ("secrets_to.*", |entry| Ok(Setting::Text(entry.name.to_owned()))),
    ("settle", duration),
    ("lands_within", duration),
    ("look_for", duration),
    ("remember", duration),
    ("timeouts.connect", duration),
    ("timeouts.reply", duration),
    ("timeouts.tenant_creation", duration),
    ("timeouts.outage", duration),
    ("proxy", proxy),
    ("ca", file),
    ("client_cert", file),
    ("client_key", file),
    ("rate", rate),
    ("concurrency", concurrency),
    ("endpoints.*", endpoint),
];

/// Reads the value of a key.
type Read = fn(&Entry<'_>) -> Result<Setting, ConfigError>;

/// The maximum concurrency, higher than any platform wants.
const MAX_CONCURRENCY: usize = 1_000;

/// The settings of a profile by key. A key in a table has a dot: `timeouts.reply`.
pub(super) type Settings = BTreeMap<String, Sourced<Setting>>;

/// The value of a profile's key. Displayed as `provisor config show` shows it; never contains a secret.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Setting {
    /// The platform.
    Platform(&'static Platform),
    /// A value of the account that may be shown: `login`.
    Account(String),
    /// The source of a secret of the account: `password`.
    Secret(SecretSource),
    /// Another text: the address, an endpoint, a place for secrets.
    Text(String),
    /// The mode: what is permitted.
    Mode(Mode),
    /// Whether something is on.
    Flag(bool),
    /// A time span, at least 1 ms.
    Duration(Duration),
    /// A rate limit.
    Rate(Rate),
    /// A number, at least 1.
    Count(usize),
    /// A file; `~/…` is below the user's home folder.
    File(PathBuf),
    /// No proxy, whatever the environment sets.
    NoProxy,
    /// The proxy at this address.
    Proxy(Proxy),
    /// A proxy whose address is kept elsewhere because it contains a password.
    ProxyFrom(SecretSource),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Platform(platform) => f.write_str(platform.name),
            Setting::Account(text) | Setting::Text(text) => f.write_str(text),
            Setting::Secret(source) | Setting::ProxyFrom(source) => source.fmt(f),
            Setting::Mode(mode) => f.write_str(mode.name()),
            Setting::Flag(flag) => flag.fmt(f),
            Setting::Duration(duration) => humantime::format_duration(*duration).fmt(f),
            Setting::Rate(rate) => rate.fmt(f),
            Setting::Count(count) => count.fmt(f),
            Setting::File(file) => file.display().fmt(f),
            Setting::NoProxy => f.write_str("none"),
            Setting::Proxy(proxy) => proxy.fmt(f),
        }
    }
}

/// Returns the rank of a key in the order in which a profile's keys are shown.
pub(super) fn rank(key: &str, setting: Option<&Setting>) -> usize {
    let at = |name: &str| KEYS.iter().position(|(known, _)| *known == name);
    match setting {
        // After the address and the consent to plain http.
        Some(Setting::Account(_)) => 7,
        Some(Setting::Secret(_)) => 8,
        _ => {
            let table = key.split_once('.').map(|(table, _)| format!("{table}.*"));
            let at = at(key).or_else(|| table.and_then(|table| at(&table)));
            3 * at.unwrap_or(KEYS.len())
        }
    }
}

/// A configuration file with its text.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// The content of a file.
#[derive(Default)]
pub(super) struct Content {
    pub(super) default_profile: Option<Sourced<String>>,
    /// The settings of the profiles, by name.
    pub(super) profiles: BTreeMap<String, Settings>,
}

impl ConfigFile {
    /// Reads a file; `None` if it does not exist.
    pub(super) fn read(path: &Path) -> Result<Option<ConfigFile>, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(ConfigFile {
                path: path.to_owned(),
                text,
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ConfigError::Unreadable {
                file: path.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Parses the file. Unknown keys and invalid values are errors.
    pub(super) fn parse(&self, catalogue: &Catalogue) -> Result<Content, ConfigError> {
        let root = DeTable::parse(&self.text).map_err(|error| ConfigError::Invalid {
            origin: self.location(error.span().map_or(0, |span| span.start)),
            problem: error.message().replace('\n', ", "),
            hint: None,
        })?;
        let mut content = Content::default();
        for entry in entries(self, catalogue, "", root.get_ref()) {
            match entry.name {
                "default_profile" => content.default_profile = Some(entry.sourced(entry.text()?)),
                "profiles" => {
                    for profile in entry.entries()? {
                        let mut settings = Settings::new();
                        collect(profile.entries()?, "", &mut settings)?;
                        content.profiles.insert(profile.name.to_owned(), settings);
                    }
                }
                // What the project's scripts need: `package` reads it.
                "needs" | "use" if self.is_project() => {}
                _ => return Err(entry.unknown(["default_profile", "profiles"])),
            }
        }
        Ok(content)
    }

    fn is_project(&self) -> bool {
        self.path.file_name() == Some(super::PROJECT_FILE.as_ref())
    }

    fn location(&self, offset: usize) -> Location {
        let before = self.text.get(..offset).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        Location {
            file: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

/// Reads these entries of a profile, whose keys are below the table `above` (`timeouts.`, or empty).
fn collect(entries: Vec<Entry<'_>>, above: &str, settings: &mut Settings) -> Result<(), ConfigError> {
    for entry in entries {
        let key = format!("{above}{}", entry.name);
        let below = format!("{key}.");
        let (texts, secrets) = entry.catalogue.account_keys();
        // A quoted key with a dot is no table.
        let is_key = |known: &str| {
            let name = known.strip_prefix(above);
            name.is_some_and(|name| name == "*" || (name == entry.name && !name.contains('.')))
        };
        let setting = if let Some((_, read)) = KEYS.iter().find(|(known, _)| is_key(known)) {
            read(&entry)?
        } else if KEYS.iter().any(|(known, _)| known.starts_with(&below)) {
            let entries = if key == "secrets_to" {
                entry.places()?
            } else {
                entry.entries()?
            };
            collect(entries, &below, settings)?;
            continue;
        } else if above.is_empty() && texts.contains(entry.name) {
            Setting::Account(entry.text_or_number()?)
        } else if above.is_empty() && secrets.contains(entry.name) {
            Setting::Secret(SecretSource::read(&entry)?)
        } else {
            let known = KEYS.iter().filter_map(|(known, _)| known.strip_prefix(above));
            let mut known: Vec<&str> = known.filter_map(|known| known.split('.').next()).collect();
            known.dedup();
            let own = texts.into_iter().chain(secrets).filter(|_| above.is_empty());
            return Err(entry.unknown(known.into_iter().chain(own)));
        };
        settings.insert(key, entry.sourced(setting));
    }
    Ok(())
}

/// A value of a configuration file, with its key.
pub(super) struct Entry<'a> {
    file: &'a ConfigFile,
    catalogue: &'a Catalogue,
    /// The key.
    pub(super) name: &'a str,
    /// The key, including the tables above it.
    path: String,
    /// The offset of the key.
    start: usize,
    value: &'a Spanned<DeValue<'a>>,
}

/// The entries of a table, in the order of the file.
fn entries<'a>(
    file: &'a ConfigFile,
    catalogue: &'a Catalogue,
    above: &str,
    table: &'a DeTable<'a>,
) -> Vec<Entry<'a>> {
    let entries = table.iter().map(|(key, value)| {
        let name: &'a str = key.get_ref();
        Entry {
            file,
            catalogue,
            name,
            path: format!("{above}{name}"),
            start: key.span().start,
            value,
        }
    });
    let mut entries: Vec<Entry<'a>> = entries.collect();
    entries.sort_by_key(|entry| entry.start);
    entries
}

impl<'a> Entry<'a> {
    /// The entries below this one, which must be a table.
    pub(super) fn entries(&self) -> Result<Vec<Entry<'a>>, ConfigError> {
        match self.value.get_ref() {
            DeValue::Table(table) => {
                let above = format!("{}.", self.path);
                Ok(entries(self.file, self.catalogue, &above, table))
            }
            other => Err(self.bad(format!("must be of type table, not {}", other.type_str()))),
        }
    }

    /// The places of a list of hosts and profile names.
    fn places(&self) -> Result<Vec<Entry<'a>>, ConfigError> {
        const FORM: &str = "must be a list of hosts or names of profiles, such as [\"crm.example.com\"]";
        let items = self.value.get_ref().as_array();
        let items = items.ok_or_else(|| self.bad(FORM))?.iter();
        let place = |item: &'a Spanned<DeValue<'a>>| {
            let name = item.get_ref().as_str();
            let name = name.filter(|name| Origin::parse(name).is_some());
            Ok(Entry {
                name: name.ok_or_else(|| self.bad(FORM))?,
                path: self.path.clone(),
                value: item,
                ..*self
            })
        };
        items.map(place).collect()
    }

    /// Resolves a path: relative to the file's folder, or as `~/…` to the user's home folder.
    pub(super) fn file(&self) -> Result<PathBuf, ConfigError> {
        let text = self.text()?;
        Ok(if text.starts_with("~/") {
            text.into()
        } else {
            self.folder().join(text)
        })
    }

    /// The folder of the configuration file.
    pub(super) fn folder(&self) -> &Path {
        self.file.path.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// Reads a value of a type; the error is that it `must be` something else. It does not show the value, which may be a
    /// misplaced secret.
    pub(super) fn get<T: DeserializeOwned>(&self, must_be: &str) -> Result<T, ConfigError> {
        let value = T::deserialize(ValueDeserializer::from(self.value.clone()));
        value.map_err(|_| self.bad(format!("must be {must_be}")))
    }

    /// Reads a string, trimmed, which must not be empty.
    pub(super) fn text(&self) -> Result<String, ConfigError> {
        match self.text_or_empty()? {
            text if text.is_empty() => Err(self.bad("is empty")),
            text => Ok(text),
        }
    }

    fn text_or_empty(&self) -> Result<String, ConfigError> {
        let found = self.value.get_ref().type_str();
        let text: String = self.get(&format!("of type string, not {found}"))?;
        Ok(text.trim().to_owned())
    }

    /// Reads a string, or an integer as its digits.
    fn text_or_number(&self) -> Result<String, ConfigError> {
        match self.value.get_ref() {
            DeValue::Integer(number) => Ok(number.to_string()),
            _ => self.text(),
        }
    }

    fn sourced<T>(&self, value: T) -> Sourced<T> {
        Sourced {
            value,
            origin: self.file.location(self.value.span().start),
        }
    }

    /// The error for an invalid value; `problem` is the rest of a sentence about the key.
    pub(super) fn bad(&self, problem: impl AsRef<str>) -> ConfigError {
        let origin = self.file.location(self.value.span().start);
        ConfigError::bad_value(origin, &self.path, problem.as_ref())
    }

    /// The error for a key that is none of the known ones.
    pub(super) fn unknown<'k>(&self, known: impl IntoIterator<Item = &'k str>) -> ConfigError {
        let known: Vec<&str> = known.into_iter().collect();
        ConfigError::Invalid {
            origin: self.file.location(self.start),
            problem: format!("unknown key `{}`", self.path),
            hint: Some(match nearest(self.name, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", known.join(", ")),
            }),
        }
    }
}

fn platform(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    let all: Vec<&'static Platform> = entry.catalogue.with_accounts().collect();
    one_of(entry, &all, |platform| platform.name).map(Setting::Platform)
}

fn mode(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    one_of(entry, &Mode::ALL, Mode::name).map(Setting::Mode)
}

fn one_of<T: Copy>(entry: &Entry<'_>, all: &[T], name: fn(T) -> &'static str) -> Result<T, ConfigError> {
    let word = entry.text()?;
    let found = all.iter().copied().find(|item| name(*item) == word);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|item| name(*item)).collect();
        entry.bad(format!("must be one of {}, not `{word}`", names.join(", ")))
    })
}

/// Reads an address. It must not contain credentials, since it is shown in many places. Whether plain http is accepted
/// is known once the files are merged: see [`super::Profile::check_encryption`].
fn url(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    let text = entry.text()?;
    match check_address(&text, true) {
        Ok(_) => Ok(Setting::Text(text)),
        Err(problem) => Err(entry.bad(problem)),
    }
}

/// Reads the consent to plain http, which must be the sentence and nothing else.
fn consent(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    match entry.text() {
        Ok(text) if text == PLAIN_HTTP_CONSENT => Ok(Setting::Text(text)),
        _ => Err(entry.bad(format!("must be exactly \"{PLAIN_HTTP_CONSENT}\""))),
    }
}

/// Reads a duration such as `2s`, `1m 30s` or `150s`; zero is invalid.
fn duration(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    const FORM: &str = "a duration such as \"90s\" or \"2m\"";
    match humantime::parse_duration(&entry.get::<String>(FORM)?) {
        Ok(Duration::ZERO) | Err(_) => Err(entry.bad(format!("must be {FORM}"))),
        Ok(duration) => Ok(Setting::Duration(duration)),
    }
}

/// Reads a proxy: an address without credentials, `none`, or the source of an address with credentials.
fn proxy(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    if !entry.is_text() {
        return SecretSource::read(entry).map(Setting::ProxyFrom);
    }
    let text = entry.text()?;
    if text == "none" {
        return Ok(Setting::NoProxy);
    }
    match Proxy::parse(&text) {
        Ok(proxy) if proxy.has_credentials() => Err(entry.bad(
            "must not contain a user name or a password: keep the whole address elsewhere and write { env = \
             \"VARIABLE\" }",
        )),
        Ok(proxy) => Ok(Setting::Proxy(proxy)),
        Err(reason) => Err(entry.bad(reason)),
    }
}

fn file(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    entry.file().map(Setting::File)
}

fn rate(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    const FORM: &str = "a rate such as \"10/s\", \"90/min\" or \"1000/h\"";
    let rate = Rate::parse(&entry.get::<String>(FORM)?);
    rate.map(Setting::Rate)
        .ok_or_else(|| entry.bad(format!("must be {FORM}")))
}

fn concurrency(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    let form = format!("a whole number from 1 to {MAX_CONCURRENCY}");
    match entry.get(&form)? {
        count @ 1..=MAX_CONCURRENCY => Ok(Setting::Count(count)),
        _ => Err(entry.bad(format!("must be {form}"))),
    }
}

/// Reads an endpoint: a path on the profile's own address, so that no table can send a password elsewhere. It may be
/// empty: a field that is left out of a request has no name.
fn endpoint(entry: &Entry<'_>) -> Result<Setting, ConfigError> {
    let path = entry.text_or_empty()?;
    if path.contains("://") || path.starts_with("//") {
        return Err(entry.bad("must be a path on the profile's own address"));
    }
    Ok(Setting::Text(path))
}

/// Parses the account's address, with plain http beyond this machine only if that is accepted. The error completes a
/// sentence whose subject is the address.
pub(crate) fn check_address(text: &str, accepts_plain_http: bool) -> Result<url::Url, String> {
    let url = url::Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            "must begin with https:// (or http:// on this machine)".into()
        }
        error => format!("is not a web address: {error}"),
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or a password: write `login` and `password`".into());
    }
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host))
            if accepts_plain_http || address::is_loopback(&url) || address::is_sandbox_host(host) =>
        {
            Ok(url)
        }
        ("http", Some(_)) => Err(format!(
            "must begin with https:// (or http:// on this machine); if the service has no https, set its address and \
             plain_http = \"{PLAIN_HTTP_CONSENT}\" for the profile, both in your own configuration file"
        )),
        _ => Err("must begin with https:// (or http:// on this machine)".into()),
    }
}

/// Whether the address points to this machine or to the sandbox.
pub(crate) fn is_local_or_sandbox(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| address::is_loopback(&url) || url.host_str().is_some_and(address::is_sandbox_host))
}
