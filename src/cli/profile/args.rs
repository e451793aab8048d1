//! The flags that describe a profile.

use clap::Args;
use toml_edit::Value;

use super::secret_location::{FORMS, SecretLocation};
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::operation::platform::Platform;
use crate::transport::connect_options::PLAIN_HTTP_CONSENT;

/// The modes of a profile.
pub(super) const MODES: [&str; 4] = ["prod", "dev", "read-only", "sandbox"];

/// Keys that `--set` refuses because they have their own flag or command, and how to write that.
const NOT_SET: [(&str, &str); 8] = [
    ("platform", "`--platform PLATFORM` when the profile is added"),
    ("url", "--url ADDRESS"),
    ("login", "--login LOGIN"),
    ("app_id", "--app-id ID"),
    ("company", "--company COMPANY"),
    ("header", "--header NAME"),
    ("mode", "--mode MODE"),
    (
        "sandbox",
        "`provisor profile use NAME --sandbox`, or --mode sandbox",
    ),
];

/// The flags of secrets, all of which are refused.
const HIDDEN: [&str; 6] = [
    "password",
    "app_key",
    "api_token",
    "partner_token",
    "bearer",
    "header_value",
];

/// The flags of `add` and `edit`.
#[derive(Args, Debug, Default)]
pub(super) struct ProfileArgs {
    /// The account's web address.
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    /// The login.
    #[arg(long, value_name = "LOGIN")]
    login: Option<String>,
    /// The application id, for platforms that need one.
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// The company, if the login has several.
    #[arg(long, value_name = "COMPANY")]
    company: Option<String>,
    /// The header in which a web service expects a key, such as `X-Api-Key`.
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// Permissions: `prod` asks before a run changes anything, `dev` does not, `read-only` changes nothing, `sandbox`
    /// never reaches the account.
    #[arg(long, value_name = "MODE", value_parser = MODES)]
    pub(super) mode: Option<String>,
    /// Set any other key of the profile: `settle=90s`, `timeouts.reply=40s`, `endpoints.applications=/apps`.
    /// Repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    others: Vec<String>,
    /// The source of a secret: `password=env:VARIABLE`, `password=file:PATH`, `password=command:PROGRAM ARGUMENTS`,
    /// `password=keyring`, `password=keyring:ENTRY`, `password=sealed` (asks) or `password=stdin`. Repeatable; the keys
    /// are `password`, `app_key`, `api_token`, `partner_token`, `bearer` and `header_value`.
    #[arg(long = "secret", value_name = "KEY=PLACE")]
    secrets: Vec<String>,
    /// Read the password from standard input, and seal it: short for `--secret password=stdin`.
    #[arg(long)]
    password_stdin: bool,
    /// The environment variable that holds the password.
    #[arg(long, value_name = "VARIABLE")]
    password_env: Option<String>,
    /// The file that holds the password; only its owner may read it.
    #[arg(long, value_name = "PATH")]
    password_file: Option<String>,
    /// The program that prints the password, with its arguments: the rest of the command line.
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true)]
    password_command: Vec<String>,
    /// Ask nothing; a missing value is an error.
    #[arg(long)]
    pub(super) no_input: bool,
    // Always refused, and never repeated: see `refuse_secrets`.
    #[arg(long, hide = true, num_args = 0..=1, value_name = "SECRET", default_missing_value = "")]
    password: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, value_name = "SECRET", default_missing_value = "")]
    app_key: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, value_name = "SECRET", default_missing_value = "")]
    api_token: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, value_name = "SECRET", default_missing_value = "")]
    partner_token: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, value_name = "SECRET", default_missing_value = "")]
    bearer: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, value_name = "SECRET", default_missing_value = "")]
    header_value: Option<String>,
}

impl ProfileArgs {
    /// Whether no value was given.
    pub(super) fn has_no_values(&self) -> bool {
        let texts = [
            &self.url,
            &self.login,
            &self.app_id,
            &self.company,
            &self.header,
            &self.mode,
        ];
        texts.into_iter().all(Option::is_none)
            && self.others.is_empty()
            && self.secrets.is_empty()
            && !self.password_stdin
            && self.password_env.is_none()
            && self.password_file.is_none()
            && self.password_command.is_empty()
    }

    /// Returns an error for a secret on the command line, where every user of the machine can read it.
    pub(super) fn refuse_secrets(&self) -> Result<(), CommandError> {
        let written = [
            &self.password,
            &self.app_key,
            &self.api_token,
            &self.partner_token,
            &self.bearer,
            &self.header_value,
        ];
        let Some((key, value)) = HIDDEN.iter().zip(written).find(|(_, value)| value.is_some()) else {
            return Ok(());
        };
        let refused = CommandError::usage(format!(
            "--{} is not a flag: others can read a secret on the command line, and it stays in the shell's history",
            key.replace('_', "-")
        ))
        .hint(format!("name the place instead: --secret {key}=PLACE; a place is {FORMS}"));
        Err(match value {
            Some(text) if !text.is_empty() => refused.hint("if you typed a real secret, change it"),
            _ => refused,
        })
    }

    /// The text of a field, if given.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let text = match key {
            "url" => &self.url,
            "login" => &self.login,
            "app_id" => &self.app_id,
            "company" => &self.company,
            "header" => &self.header,
            _ => return self.set(key),
        };
        text.as_deref()
    }

    /// The value that `--set` gives to a key.
    fn set(&self, key: &str) -> Option<&str> {
        let mut others = self.others.iter().filter_map(|text| text.split_once('='));
        others.find(|(set, _)| *set == key).map(|(_, value)| value.trim())
    }

    /// Whether `--set` accepts plain http, in the very words that this takes.
    pub(super) fn accepts_plain_http(&self) -> bool {
        self.set("plain_http") == Some(PLAIN_HTTP_CONSENT)
    }

    /// Returns an error for a field that an account of this platform does not have.
    pub(super) fn check_platform(&self, app: &App, platform: &Platform) -> Result<(), CommandError> {
        let has = |key: &str| platform.texts().iter().any(|field| field.name == key);
        let (texts, _) = app.catalogue().account_keys();
        let unknown_key = texts
            .into_iter()
            .find(|key| self.text(key).is_some() && !has(key));
        let Some(key) = unknown_key else { return Ok(()) };
        Err(CommandError::usage(format!(
            "--{} does not apply to a {} account",
            key.replace('_', "-"),
            platform.name
        )))
    }

    /// The places of the secrets, in the order in which they were given.
    pub(super) fn places(
        &self,
        app: &App,
        platform: &Platform,
    ) -> Result<Vec<(&'static str, SecretLocation)>, CommandError> {
        let mut places = Vec::new();
        let (_, keys) = app.catalogue().account_keys();
        for text in &self.secrets {
            places.push(SecretLocation::parse_assignment(&keys, text)?);
        }
        let shorthands = [
            self.password_stdin
                .then_some(SecretLocation::Sealed { stdin: true }),
            self.password_env.clone().map(SecretLocation::Env),
            self.password_file.clone().map(SecretLocation::File),
            (!self.password_command.is_empty())
                .then(|| SecretLocation::Command(self.password_command.clone())),
        ];
        places.extend(shorthands.into_iter().flatten().map(|place| ("password", place)));
        let known = platform.secrets();
        for (at, (key, _)) in places.iter().enumerate() {
            if !known.iter().any(|field| field.name == *key) {
                return Err(CommandError::usage(format!(
                    "a {} account has no `{key}`",
                    platform.name
                )));
            }
            if places[..at].iter().any(|(earlier, _)| earlier == key) {
                return Err(CommandError::usage(format!("two places are given for `{key}`")));
            }
        }
        Ok(places)
    }

    /// The other keys, as set with `--set`.
    pub(super) fn others(&self, app: &App) -> Result<Vec<(&str, Value)>, CommandError> {
        let (_, secrets) = app.catalogue().account_keys();
        let read = |text: &'_ String| {
            let (key, value) = text
                .split_once('=')
                .ok_or_else(|| CommandError::usage("--set takes KEY=VALUE, for example --set settle=90s"))?;
            if secrets.contains(key) {
                return Err(CommandError::usage(format!("--set does not take `{key}`"))
                    .hint(format!("write --secret {key}=PLACE; a place is {FORMS}")));
            }
            if let Some((_, instead)) = NOT_SET.iter().find(|(own, _)| *own == key) {
                return Err(CommandError::usage(format!("--set does not take `{key}`"))
                    .hint(format!("write {instead}")));
            }
            let value = value.trim();
            let value = match (value.parse::<i64>(), value.parse::<bool>()) {
                (Ok(number), _) => Value::from(number),
                (_, Ok(flag)) => Value::from(flag),
                _ => Value::from(value),
            };
            Ok((key.len(), value))
        };
        let mut others = Vec::new();
        for text in &self.others {
            let (length, value) = read(text)?;
            others.push((&text[..length], value));
        }
        Ok(others)
    }
}
