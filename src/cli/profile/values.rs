//! The values of a profile that is added or edited: from flags, from prompts, and into the configuration file.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use toml_edit::Value;

use super::secrets::{FORMS, SecretLocation, Secrets};
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::config::{self, ConfigDraft, Profile, SecretId, SecretSource};
use crate::operation::catalogue::Catalogue;
use crate::operation::context::Mode;
use crate::operation::platform::{AccountKey, Platform};
use crate::transport::connect_options::PLAIN_HTTP_CONSENT;

/// Keys that `--set` refuses because they have their own flag or command, and how to write that. The account's own keys
/// come besides.
const NOT_SET: [(&str, &str); 3] = [
    ("platform", "`--platform PLATFORM` when the profile is added"),
    ("mode", "--mode MODE"),
    (
        "sandbox",
        "`provisor profile use NAME --sandbox`, or --mode sandbox",
    ),
];

/// The flags of `add` and `edit`.
#[derive(Args, Debug, Default, PartialEq)]
pub(super) struct ProfileArgs {
    #[command(flatten)]
    account: AccountFlags,
    /// Permissions: `prod` asks before a run changes anything, `dev` does not, `read-only` changes nothing, `sandbox`
    /// never reaches the account.
    #[arg(long, value_name = "MODE", value_parser = Mode::ALL.map(Mode::name))]
    mode: Option<String>,
    /// Set any other key of the profile: `settle=90s`, `timeouts.reply=40s`, `endpoints.applications=/apps`.
    /// Repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    others: Vec<String>,
    /// The source of a secret: `password=env:VARIABLE`, `password=file:PATH`, `password=command:PROGRAM ARGUMENTS`,
    /// `password=keyring`, `password=keyring:ENTRY`, `password=sealed` (asks) or `password=stdin`. Repeatable; the other
    /// secrets of the account, such as an API key, are given in the same way.
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
}

/// The values of the flags that [`with_account_flags`] adds.
#[derive(Debug, Default, PartialEq)]
struct AccountFlags {
    /// The texts by key.
    texts: Vec<(String, String)>,
    /// The first secret that was written on the command line, and whether a value was.
    secret: Option<(String, bool)>,
}

/// The starts of the names by which clap knows the flags of account keys.
const TEXT: &str = "account-text:";
const SECRET: &str = "account-secret:";

/// Adds a flag for each key that accounts of the platforms have. Those of secrets are hidden and always refused, because
/// others can read a command line.
pub(in crate::cli) fn with_account_flags(mut command: Command, catalogue: &Catalogue) -> Command {
    let platforms: Vec<&'static Platform> = catalogue.with_accounts().collect();
    let texts = platforms.iter().flat_map(|platform| platform.texts());
    let secrets = platforms.iter().flat_map(|platform| platform.secrets());
    for (key, is_secret) in texts
        .map(|key| (key, false))
        .chain(secrets.map(|key| (key, true)))
    {
        let long = key.name.replace('_', "-");
        if command.get_arguments().any(|arg| arg.get_long() == Some(&long)) {
            continue;
        }
        let id = format!("{}{}", if is_secret { SECRET } else { TEXT }, key.name);
        let flag = Arg::new(id).long(long).help_heading("Account");
        command = command.arg(if is_secret {
            flag.hide(true).num_args(0..=1).default_missing_value("")
        } else {
            let value = key.name.to_ascii_uppercase();
            flag.value_name(value).help(help(key, &platforms))
        });
    }
    command
}

/// The help of a key's flag: its title, and the platforms whose accounts have it, unless all have.
fn help(key: &AccountKey, platforms: &[&'static Platform]) -> String {
    if key.name == "url" {
        return "The account's web address".to_owned();
    }
    let has = |platform: &&&Platform| platform.texts().iter().any(|own| own.name == key.name);
    let with: Vec<&str> = platforms
        .iter()
        .filter(has)
        .map(|platform| platform.name)
        .collect();
    let title = key.title.split(" (Enter").next().unwrap_or_default();
    if with.len() == platforms.len() {
        title.to_owned()
    } else {
        format!("{title} ({})", with.join(", "))
    }
}

impl FromArgMatches for AccountFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<AccountFlags, clap::Error> {
        let mut flags = AccountFlags::default();
        for id in matches.ids().map(clap::Id::as_str) {
            let text = |key: &str| Some((key.to_owned(), matches.get_one::<String>(id)?.clone()));
            flags.texts.extend(id.strip_prefix(TEXT).and_then(text));
            let secret = id.strip_prefix(SECRET).and_then(text);
            if let Some((key, text)) = secret
                && flags
                    .secret
                    .as_ref()
                    .is_none_or(|(_, has_value)| !*has_value && !text.is_empty())
            {
                flags.secret = Some((key, !text.is_empty()));
            }
        }
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = AccountFlags::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for AccountFlags {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl ProfileArgs {
    /// Whether no value was given.
    pub(super) fn has_no_values(&self) -> bool {
        let nothing = ProfileArgs {
            no_input: self.no_input,
            ..ProfileArgs::default()
        };
        *self == nothing
    }

    /// Returns an error for a secret on the command line, where every user of the machine can read it.
    pub(super) fn refuse_secrets(&self) -> Result<(), CommandError> {
        let Some((key, has_value)) = &self.account.secret else {
            return Ok(());
        };
        let refused = CommandError::usage(format!(
            "--{} is not a flag: others can read a secret on the command line, and it stays in the shell's history",
            key.replace('_', "-")
        ))
        .hint(format!("name the place instead: --secret {key}=PLACE; a place is {FORMS}"));
        Err(if *has_value {
            refused.hint("if you typed a real secret, change it")
        } else {
            refused
        })
    }

    /// The text of an account key, if given.
    fn text(&self, key: &str) -> Option<&str> {
        let mut texts = self.account.texts.iter();
        texts.find(|(known, _)| known == key).map(|(_, text)| text.trim())
    }

    /// Returns an error for a text that an account of this platform does not have.
    fn check_platform(&self, platform: &Platform) -> Result<(), CommandError> {
        let has = |key: &str| platform.texts().iter().any(|own| own.name == key);
        match self.account.texts.iter().find(|(key, _)| !has(key)) {
            None => Ok(()),
            Some((key, _)) => Err(CommandError::usage(format!(
                "--{} does not apply to a {} account",
                key.replace('_', "-"),
                platform.name
            ))),
        }
    }

    /// The places of the secrets, in the order in which they were given.
    fn places(
        &self,
        app: &App,
        platform: &'static Platform,
    ) -> Result<Vec<(&'static AccountKey, SecretLocation)>, CommandError> {
        let (_, keys) = app.catalogue().account_keys();
        let mut given = Vec::new();
        for text in &self.secrets {
            given.push(SecretLocation::parse_assignment(&keys, text)?);
        }
        let source = SecretLocation::Source;
        let shorthands = [
            self.password_stdin
                .then_some(SecretLocation::Sealed { stdin: true }),
            self.password_env.clone().map(SecretSource::Env).map(source),
            self.password_file
                .clone()
                .map(|path| source(SecretSource::File(path.into()))),
            (!self.password_command.is_empty())
                .then(|| source(SecretLocation::command(self.password_command.clone()))),
        ];
        given.extend(shorthands.into_iter().flatten().map(|place| ("password", place)));
        let mut places: Vec<(&'static AccountKey, SecretLocation)> = Vec::new();
        for (name, place) in given {
            let key = platform.secrets().iter().find(|key| key.name == name);
            let key = key
                .ok_or_else(|| CommandError::usage(format!("a {} account has no `{name}`", platform.name)))?;
            if places.iter().any(|(earlier, _)| *earlier == key) {
                return Err(CommandError::usage(format!("two places are given for `{name}`")));
            }
            places.push((key, place));
        }
        Ok(places)
    }

    /// The other keys, as set with `--set`.
    fn others(&self, app: &App) -> Result<Vec<(String, Value)>, CommandError> {
        let (texts, secrets) = app.catalogue().account_keys();
        let read = |text: &String| {
            let (key, value) = text
                .split_once('=')
                .ok_or_else(|| CommandError::usage("--set takes KEY=VALUE, for example --set settle=90s"))?;
            let instead = if secrets.contains(key) {
                Some(format!("--secret {key}=PLACE; a place is {FORMS}"))
            } else if key == "url" || texts.contains(key) {
                let flag = key.replace('_', "-");
                Some(format!("--{flag} {}", key.to_ascii_uppercase()))
            } else {
                let own = NOT_SET.iter().find(|(own, _)| *own == key);
                own.map(|(_, instead)| (*instead).to_owned())
            };
            if let Some(instead) = instead {
                let refused = CommandError::usage(format!("--set does not take `{key}`"));
                return Err(refused.hint(format!("write {instead}")));
            }
            let value = value.trim();
            let value = match (value.parse::<i64>(), value.parse::<bool>()) {
                (Ok(number), _) => Value::from(number),
                (_, Ok(flag)) => Value::from(flag),
                _ => Value::from(value),
            };
            Ok((key.to_owned(), value))
        };
        self.others.iter().map(read).collect()
    }
}

/// The values to set.
pub(super) struct Values<'a> {
    platform: &'static Platform,
    /// The profile that is edited.
    known: Option<&'a Profile>,
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) secrets: Vec<(&'static AccountKey, SecretLocation)>,
    pub(super) mode: Option<String>,
    /// Other keys, as `--set` gives them.
    others: Vec<(String, Value)>,
}

impl<'a> Values<'a> {
    /// Takes the values from the flags. `known` is the profile that is edited.
    pub(super) fn of(
        app: &App,
        given: &ProfileArgs,
        platform: &'static Platform,
        known: Option<&'a Profile>,
    ) -> Result<Values<'a>, CommandError> {
        given.check_platform(platform)?;
        let texts = platform.texts().iter();
        let texts = texts.filter_map(|key| Some((key.name, given.text(key.name)?.to_owned())));
        let values = Values {
            platform,
            known,
            texts: texts
                .filter(|(_, text)| known.is_some() || !text.is_empty())
                .collect(),
            secrets: given.places(app, platform)?,
            mode: given.mode.clone(),
            others: given.others(app)?,
        };
        values.check_all()?;
        Ok(values)
    }

    /// The address, if it is set.
    pub(super) fn url(&self) -> Option<&str> {
        let url = self.texts.iter().find(|(key, _)| *key == "url");
        url.map(|(_, url)| url.as_str())
    }

    /// Whether the profile accepts plain http. A consent is for one address, and in the very words that this takes.
    pub(super) fn accepts_plain_http(&self) -> bool {
        let mut others = self.others.iter();
        let consents =
            others.any(|(key, value)| key == "plain_http" && value.as_str() == Some(PLAIN_HTTP_CONSENT));
        let moves = |known: &&Profile| self.url().is_some_and(|url| known.url().ok() != Some(url));
        let kept = self.known.filter(|known| !moves(known));
        consents || kept.is_some_and(Profile::accepts_plain_http)
    }

    /// The mode for a new account: one on this machine is a test account.
    pub(super) fn usual_mode(&self) -> &'static str {
        if self.url().is_some_and(config::is_local_or_sandbox) {
            "dev"
        } else {
            "prod"
        }
    }

    fn check_all(&self) -> Result<(), CommandError> {
        for (key, text) in &self.texts {
            self.check(key, text)?;
        }
        for (key, value) in &self.others {
            self.check(key, value.as_str().unwrap_or_default())?;
        }
        Ok(())
    }

    /// Returns an error if no account of the platform can have this text.
    fn check(&self, key: &str, text: &str) -> Result<(), CommandError> {
        if text.is_empty() {
            return Ok(());
        }
        let address = match key {
            "url" => config::check_address(text, self.accepts_plain_http()).err(),
            _ => None,
        };
        let problem = address.map(|problem| format!("the address {problem}"));
        match problem.or_else(|| self.platform.why_invalid(key, text)) {
            Some(problem) => Err(CommandError::usage(format!("`{key}`: {problem}"))),
            None => Ok(()),
        }
    }

    /// Prompts for the values that the flags left out. An invalid answer is asked for again; for the profile that is
    /// edited, the current values are the defaults.
    pub(super) fn ask(&mut self, app: &App) -> Result<(), CommandError> {
        let known = self.known;
        for key in self.platform.texts() {
            if self.texts.iter().any(|(given, _)| *given == key.name) {
                continue;
            }
            let now = known.and_then(|known| known.text(key.name).ok());
            let text = app.ask_until(key.title, now, |text| {
                if text.is_empty() && key.required && known.is_none() {
                    return Err(CommandError::usage("a value is required"));
                }
                self.check(key.name, text).map(|()| text.to_owned())
            })?;
            if !text.is_empty() && now != Some(text.as_str()) {
                self.texts.push((key.name, text));
            }
        }
        for key in self.platform.secrets() {
            if !self.secrets.iter().any(|(given, _)| *given == key) {
                let place = ask_secret_location(app, key, known)?;
                self.secrets.extend(place.map(|place| (key, place)));
            }
        }
        if self.mode.is_none() {
            let now = known.map(|known| known.mode().name());
            let question = "Mode: prod (asks before a run changes anything), dev, read-only or sandbox";
            let usual = now.unwrap_or(self.usual_mode());
            let mode = app.ask_until(question, Some(usual), |mode| {
                let is_mode = Mode::ALL.map(Mode::name).contains(&mode);
                let mode = is_mode.then(|| mode.to_owned());
                mode.ok_or_else(|| CommandError::usage("that is not a mode"))
            })?;
            self.mode = Some(mode).filter(|mode| now != Some(mode.as_str()));
        }
        // Without the consent that a new address ends.
        self.check_all()
    }

    /// Returns an error that lists the values that a new profile lacks.
    pub(super) fn check_complete(&self) -> Result<(), CommandError> {
        // A profile that never leaves the sandbox needs no account.
        if self.mode.as_deref() == Some("sandbox") {
            return Ok(());
        }
        let missing = self.platform.missing_keys(|key| {
            self.texts.iter().any(|(given, _)| *given == key)
                || self.secrets.iter().any(|(given, _)| given.name == key)
        });
        if missing.is_empty() {
            return Ok(());
        }
        let is_text = |key: &str| self.platform.texts().iter().any(|text| text.name == key);
        let flags = missing.into_iter().map(|key| {
            if is_text(key) {
                format!("--{}", key.replace('_', "-"))
            } else {
                format!("--secret {key}=PLACE")
            }
        });
        let flags: Vec<String> = flags.collect();
        Err(missing_error(&flags.join(", ")).hint(format!("a place is {FORMS}")))
    }

    /// Writes the values to the draft, and stores the secrets for this address.
    pub(super) fn write(
        &self,
        draft: &mut ConfigDraft,
        name: &str,
        url: &str,
        secrets: &mut Secrets<'_>,
    ) -> Result<(), CommandError> {
        for (key, text) in &self.texts {
            draft.set(name, key, text.as_str());
        }
        for (key, place) in &self.secrets {
            let secret_id = SecretId {
                profile: name.to_owned(),
                key: key.name.to_owned(),
                url: url.to_owned(),
            };
            secrets.put(draft, &secret_id, (place, key.title))?;
        }
        if let Some(mode) = &self.mode {
            draft.set(name, "mode", mode.as_str());
        }
        for (key, value) in &self.others {
            draft.set(name, key, value.clone());
        }
        Ok(())
    }
}

/// Prompts for a secret without echo. If nothing is typed, the known profile keeps its own, and a new profile's required
/// secret needs a place.
fn ask_secret_location(
    app: &App,
    key: &AccountKey,
    known: Option<&Profile>,
) -> Result<Option<SecretLocation>, CommandError> {
    let title = key.title;
    let question = match known.map(|known| known.secret(key.name)) {
        Some(Some(source)) => format!("{title}: now {source} (not shown; Enter keeps it)"),
        Some(None) => format!("{title}: now none (not shown; Enter keeps it)"),
        None if key.required => format!("{title} (not shown; Enter to name a place instead)"),
        None => format!("{title} (not shown)"),
    };
    // Any input is a secret, not a place.
    let typed = app.ask_secret(&question)?;
    if !typed.is_empty() {
        return Ok(Some(SecretLocation::Typed(typed)));
    }
    if known.is_some() || !key.required {
        return Ok(None);
    }
    let read = |answer: &str| {
        SecretLocation::parse(answer).ok_or_else(|| {
            CommandError::usage("that is not a place; `sealed` asks for the secret itself, without echo")
        })
    };
    app.ask_until(&format!("Where is it? {FORMS}"), None, read)
        .map(Some)
}

/// The error for values that `profile add` needs.
pub(super) fn missing_error(what: &str) -> CommandError {
    CommandError::usage(format!("`provisor profile add` needs {what}"))
}
