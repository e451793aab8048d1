//! Reads a profile from its table.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Entry;
use super::table::Table;
use super::{ConfigError, Connection, CredentialSource, Mode, Profile, Sourced, connection};
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Platform;
use crate::transport::address;
use crate::transport::connect_options::PLAIN_HTTP_CONSENT;
use crate::value::origin::Origin;

const KEYS: [&str; 12] = [
    "platform",
    "url",
    "plain_http",
    "mode",
    "sandbox",
    "secrets_to",
    "settle",
    "lands_within",
    "look_for",
    "remember",
    "timeouts",
    "endpoints",
];

const TIMEOUTS: [&str; 4] = ["connect", "reply", "tenant_creation", "outage"];

/// Reads `[profiles.NAME]`. Unknown keys and invalid values are errors.
pub(super) fn profile(catalogue: &Catalogue, name: &str, table: &Table<'_>) -> Result<Profile, ConfigError> {
    let (texts, secrets) = catalogue.account_keys();
    let keys: Vec<&str> = KEYS
        .iter()
        .chain(&connection::KEYS)
        .copied()
        .chain(texts.iter().copied())
        .chain(secrets.iter().copied())
        .collect();
    table.check_keys(&keys)?;
    let timeouts = table.table("timeouts")?;
    if let Some(timeouts) = &timeouts {
        timeouts.check_keys(&TIMEOUTS)?;
    }
    let timeout = |key| timeouts.as_ref().map_or(Ok(None), |table| table.duration(key));
    Ok(Profile {
        name: name.to_owned(),
        platform: table
            .get("platform")
            .map(|entry| read_platform(catalogue, &entry))
            .transpose()?,
        usual: catalogue.usual(),
        url: table.get("url").map(|entry| read_url(&entry)).transpose()?,
        plain_http: table
            .get("plain_http")
            .map(|entry| read_consent(&entry))
            .transpose()?,
        texts: read_present(texts, |key| {
            table.get(key).map(|entry| entry.text_or_number()).transpose()
        })?,
        secrets: read_present(secrets, |key| {
            let entry = table.get(key);
            entry.map(|entry| CredentialSource::parse(&entry)).transpose()
        })?,
        mode: table.get("mode").map(|entry| read_mode(&entry)).transpose()?,
        sandbox: table.get("sandbox").map(|entry| entry.flag()).transpose()?,
        secrets_to: table
            .get("secrets_to")
            .map_or(Ok(Vec::new()), |entry| read_places(&entry))?,
        settle: table.duration("settle")?,
        lands_within: table.duration("lands_within")?,
        look_for: table.duration("look_for")?,
        remember: table.duration("remember")?,
        connect_timeout: timeout("connect")?,
        reply_timeout: timeout("reply")?,
        tenant_creation_timeout: timeout("tenant_creation")?,
        connection: Connection::read(table, timeouts.as_ref())?,
        endpoints: table
            .table("endpoints")?
            .map_or(Ok(BTreeMap::new()), |table| read_endpoints(&table))?,
        file: table.file().to_owned(),
        untrusted: None,
        refused: None,
    })
}

/// Reads the keys that have a value.
fn read_present<T>(
    keys: BTreeSet<&'static str>,
    read: impl Fn(&str) -> Result<Option<T>, ConfigError>,
) -> Result<BTreeMap<&'static str, T>, ConfigError> {
    let mut found = BTreeMap::new();
    for key in keys {
        if let Some(value) = read(key)? {
            found.insert(key, value);
        }
    }
    Ok(found)
}

fn read_platform(
    catalogue: &Catalogue,
    entry: &Entry<'_>,
) -> Result<Sourced<&'static Platform>, ConfigError> {
    let all: Vec<&Platform> = catalogue.with_accounts().collect();
    one_of(entry, &all, |platform| platform.name)
}

fn read_mode(entry: &Entry<'_>) -> Result<Sourced<Mode>, ConfigError> {
    let all = [Mode::Sandbox, Mode::Dev, Mode::Prod, Mode::ReadOnly];
    one_of(entry, &all, Mode::name)
}

fn one_of<T: Copy>(
    entry: &Entry<'_>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Sourced<T>, ConfigError> {
    let word = entry.text()?;
    let found = all.iter().copied().find(|item| name(*item) == word.value);
    found.map(|item| entry.sourced(item)).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|item| name(*item)).collect();
        entry.bad(&format!(
            "must be one of {}, not `{}`",
            names.join(", "),
            word.value
        ))
    })
}

/// Reads a list of hosts and profile names.
fn read_places(entry: &Entry<'_>) -> Result<Vec<Sourced<String>>, ConfigError> {
    const FORM: &str = "must be a list of hosts or names of profiles, such as [\"crm.example.com\"]";
    let places = entry.strings(FORM)?.into_iter();
    places
        .map(|place| match Origin::parse(&place) {
            Some(_) => Ok(entry.sourced(place)),
            None => Err(entry.bad(FORM)),
        })
        .collect()
}

/// Reads an address. It must not contain credentials, since it is shown in many places. Whether plain http is accepted
/// is known once the files are merged: see [`Profile::exposes`].
fn read_url(entry: &Entry<'_>) -> Result<Sourced<String>, ConfigError> {
    let text = entry.text()?;
    match check_address(&text.value, true) {
        Ok(_) => Ok(text),
        Err(problem) => Err(entry.bad(&problem)),
    }
}

/// Reads the consent to plain http, which must be the sentence and nothing else.
fn read_consent(entry: &Entry<'_>) -> Result<Sourced<&'static str>, ConfigError> {
    match entry.text() {
        Ok(text) if text.value == PLAIN_HTTP_CONSENT => Ok(entry.sourced(PLAIN_HTTP_CONSENT)),
        _ => Err(entry.bad(&format!("must be exactly \"{PLAIN_HTTP_CONSENT}\""))),
    }
}

/// Parses the account's address, with plain http beyond this machine only if that is accepted. The error completes a
/// sentence whose subject is the address.
pub(in crate::cli) fn check_address(text: &str, accepts_plain_http: bool) -> Result<url::Url, String> {
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
pub(in crate::cli) fn is_local_or_sandbox(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| address::is_loopback(&url) || url.host_str().is_some_and(address::is_sandbox_host))
}

/// Reads endpoints: paths on the profile's own address, so that no table can send a password elsewhere.
fn read_endpoints(table: &Table<'_>) -> Result<BTreeMap<String, Sourced<String>>, ConfigError> {
    let mut endpoints = BTreeMap::new();
    for (name, entry) in table.entries() {
        // A field that is left out of a request has no name.
        let path = entry.text_or_empty()?;
        if path.value.contains("://") || path.value.starts_with("//") {
            return Err(entry.bad("must be a path on the profile's own address"));
        }
        endpoints.insert(name.to_owned(), path);
    }
    Ok(endpoints)
}
