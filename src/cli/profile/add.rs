//! `provisor profile add`.

use std::fmt::Write as _;

use clap::Args;

use super::args::{MODES, ProfileArgs};
use super::list;
use super::save::{self, Secrets};
use super::secret_location::{FORMS, SecretLocation};
use crate::cli::app::App;
use crate::cli::config::Config;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::secret_store::SecretId;
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::{AccountKey, Platform};

/// Add a profile to your configuration.
///
/// At a terminal, it asks for all values that the flags leave out. The default mode is `prod`, which asks before a run
/// changes anything; for an address on this machine it is `dev`, which does not.
#[derive(Args)]
pub(super) struct AddCommand {
    /// The profile's name.
    name: Option<String>,
    /// The platform.
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Print the new profile as JSON, and do not offer to test it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    given: ProfileArgs,
}

/// The text after the help: examples for the platforms of the catalogue.
pub(in crate::cli) fn examples(catalogue: &Catalogue) -> String {
    let mut text = String::from("Examples:\n  provisor profile add acme\n");
    let accounts = catalogue.with_accounts();
    for (platform, schema) in accounts.filter_map(|platform| Some((platform, platform.account.as_ref()?))) {
        let platform = if platform == catalogue.usual() {
            String::new()
        } else {
            format!(" --platform {}", platform.name)
        };
        let flags = schema.example.join(" \\\n      ");
        let _ = writeln!(text, "  provisor profile add acme{platform} \\\n      {flags}");
    }
    text.push_str("\nJSON (--json), one document:\n  {\"version\": 1, \"did\": \"added\", \"profile\": {as in `profile list`}}");
    text
}

/// The values of the new profile.
struct Answers {
    name: String,
    platform: &'static Platform,
    texts: Vec<(&'static str, String)>,
    secrets: Vec<(&'static AccountKey, SecretLocation)>,
    mode: String,
}

pub(super) fn add(app: &App, command: &AddCommand) -> Result<Exit, CommandError> {
    command.given.refuse_secrets()?;
    let config = save::read(app)?;
    let asks = app.can_prompt() && !command.given.no_input;
    let answers = Answers::collect(app, command, &config, asks)?;
    let url = answers.texts.iter().find(|(key, _)| *key == "url");
    let url = url.map(|(_, url)| url.clone()).unwrap_or_default();
    // The file is locked from here on, when only the prompts for secrets are left to wait for.
    let mut draft = save::draft(app)?;
    is_new(&save::read(app)?, &answers.name)?;
    let mut secrets = Secrets::new(app, "profile-add");
    let name = &answers.name;
    if answers.platform != app.catalogue().usual() {
        draft.set(name, "platform", answers.platform.name);
    }
    for (key, text) in &answers.texts {
        draft.set(name, key, text.as_str());
    }
    for (field, place) in &answers.secrets {
        let secret_id = SecretId {
            profile: name.clone(),
            key: field.name.to_owned(),
            url: url.clone(),
        };
        secrets.put(&mut draft, &secret_id, (place, field.title))?;
    }
    draft.set(name, "mode", answers.mode.as_str());
    for (key, value) in command.given.others(app)? {
        fits(answers.platform, key, value.as_str().unwrap_or_default(), false)?;
        draft.set(name, key, value);
    }
    secrets.save(draft, name)?;
    if command.json {
        list::did(app, "added", name)?;
    }
    next_steps(app, &config, &answers, asks && !command.json)
}

/// Prints the next steps for a new profile; at a terminal, offers to test it.
fn next_steps(app: &App, before: &Config, answers: &Answers, asks: bool) -> Result<Exit, CommandError> {
    let name = &answers.name;
    app.ui.note(match answers.mode.as_str() {
        "prod" => "mode prod: runs ask for confirmation before they change anything",
        "dev" => "mode dev: runs make changes without confirmation",
        "read-only" => "mode read-only: nothing is ever changed",
        _ => "mode sandbox: simulated platforms replace the account",
    });
    if before.profiles().len() == 1 && before.choose(None, &app.env).is_ok() {
        app.ui.hint(&format!(
            "you have two profiles now: choose the default with `provisor profile use {name}`, or pass --profile"
        ));
    }
    if asks && answers.mode != "sandbox" && app.ask_yes_no("Sign in now to test it?", true)? {
        return super::test_command::try_profile(app, name, false);
    }
    app.ui.hint(&format!("test it: provisor profile test {name}"));
    Ok(Exit::Ok)
}

impl Answers {
    fn collect(
        app: &App,
        command: &AddCommand,
        config: &Config,
        asks: bool,
    ) -> Result<Answers, CommandError> {
        let check = |name: &str| {
            save::check_name(name)?;
            is_new(config, name)?;
            Ok(name.to_owned())
        };
        let name = match &command.name {
            Some(name) => check(name)?,
            None if asks => app.ask_until("Name of the profile", None, check)?,
            None => return Err(missing("the profile's NAME")),
        };
        let platform = match &command.platform {
            Some(platform) => app.platform(platform)?,
            None if asks => {
                let question = format!("Platform: {}", app.platform_names("or"));
                let usual = app.catalogue().usual().name;
                app.ask_until(&question, Some(usual), |name| app.platform(name))?
            }
            None => app.catalogue().usual(),
        };
        command.given.check_platform(app, platform)?;
        let places = command.given.places(app, platform)?;
        let texts = texts(app, &command.given, platform, asks)?;
        let secrets = secrets(app, places, (platform, &texts, &command.given), asks)?;
        let mode = mode(app, &command.given, &texts, asks)?;
        Ok(Answers {
            name,
            platform,
            texts,
            secrets,
            mode,
        })
    }
}

fn is_new(config: &Config, name: &str) -> Result<(), CommandError> {
    match config.profiles().get(name) {
        None => Ok(()),
        Some(known) => Err(CommandError::usage(format!(
            "profile `{name}` already exists in {}",
            known.file.display()
        ))
        .hint(format!("change it: provisor profile edit {name}"))),
    }
}

/// Collects the texts from flags and prompts. An invalid answer is asked for again.
fn texts(
    app: &App,
    given: &ProfileArgs,
    platform: &'static Platform,
    asks: bool,
) -> Result<Vec<(&'static str, String)>, CommandError> {
    let mut texts = Vec::new();
    let plain_http = given.accepts_plain_http();
    for field in platform.texts() {
        let text = match given.text(field.name) {
            Some(text) => text.trim().to_owned(),
            None if asks => ask_text(app, platform, field, plain_http)?,
            None => continue,
        };
        fits(platform, field.name, &text, plain_http)?;
        if !text.is_empty() {
            texts.push((field.name, text));
        }
    }
    Ok(texts)
}

/// Returns an error if no account of the platform can have this text; `plain_http` is whether the profile accepts that.
pub(super) fn fits(
    platform: &'static Platform,
    key: &str,
    text: &str,
    plain_http: bool,
) -> Result<(), CommandError> {
    let Some(problem) = invalid_value(platform, key, text, plain_http) else {
        return Ok(());
    };
    Err(CommandError::usage(format!("`{key}`: {problem}")))
}

fn invalid_value(platform: &'static Platform, key: &str, text: &str, plain_http: bool) -> Option<String> {
    let address = || crate::cli::config::check_address(text, plain_http).err();
    let address = if key == "url" && !text.is_empty() {
        address()
    } else {
        None
    };
    let address = address.map(|problem| format!("the address {problem}"));
    address.or_else(|| platform.why_invalid(key, text).filter(|_| !text.is_empty()))
}

/// Prompts for a text until it is valid.
fn ask_text(
    app: &App,
    platform: &'static Platform,
    field: &AccountKey,
    plain_http: bool,
) -> Result<String, CommandError> {
    app.ask_until(field.title, None, |text| {
        if text.is_empty() && field.required {
            return Err(CommandError::usage("a value is required"));
        }
        fits(platform, field.name, text, plain_http).map(|()| text.to_owned())
    })
}

/// Collects the places of the secrets. All missing values, including texts, are reported at once.
fn secrets(
    app: &App,
    places: Vec<(&'static str, SecretLocation)>,
    (platform, texts, given): (&'static Platform, &[(&'static str, String)], &ProfileArgs),
    asks: bool,
) -> Result<Vec<(&'static AccountKey, SecretLocation)>, CommandError> {
    let all = platform.secrets();
    let sandboxed = given.mode.as_deref() == Some("sandbox");
    let mut found: Vec<(&'static AccountKey, SecretLocation)> = Vec::new();
    for (key, place) in places {
        if let Some(field) = all.iter().find(|field| field.name == key) {
            found.push((field, place));
        }
    }
    let mut absent = String::new();
    let unnamed = platform
        .texts()
        .iter()
        .filter(|field| field.required && !texts.iter().any(|(key, _)| *key == field.name));
    for field in unnamed {
        let _ = write!(absent, ", --{}", field.name.replace('_', "-"));
    }
    for field in all {
        if found.iter().any(|(known, _)| known.name == field.name) {
            continue;
        }
        if asks {
            found.extend(ask_secret_location(app, field)?.map(|place| (field, place)));
        } else if field.required {
            let _ = write!(absent, ", --secret {}=PLACE", field.name);
        }
    }
    let has = |key: &str| {
        texts.iter().any(|(known, _)| *known == key) || found.iter().any(|(known, _)| known.name == key)
    };
    for key in platform.unpaired(has) {
        let _ = write!(absent, ", --secret {key}=PLACE");
    }
    match absent.strip_prefix(", ") {
        // A profile that never leaves the sandbox needs no account.
        Some(flags) if !sandboxed => Err(missing(flags).hint(format!("a place is {FORMS}"))),
        _ => Ok(found),
    }
}

/// Prompts for a secret without echo; if nothing is typed, prompts for the place of a required one.
fn ask_secret_location(app: &App, field: &AccountKey) -> Result<Option<SecretLocation>, CommandError> {
    let shown = if field.required {
        format!("{} (not shown; Enter to name a place instead)", field.title)
    } else {
        format!("{} (not shown)", field.title)
    };
    let typed = app.ask_secret(&shown)?;
    if !typed.is_empty() {
        return Ok(Some(SecretLocation::Typed(typed)));
    }
    if !field.required {
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

/// Prompts for the mode until it is valid.
pub(super) fn ask_mode(app: &App, question: &str, usual: &str) -> Result<String, CommandError> {
    app.ask_until(question, Some(usual), |mode| {
        if MODES.contains(&mode) {
            return Ok(mode.to_owned());
        }
        Err(CommandError::usage("that is not a mode"))
    })
}

fn mode(
    app: &App,
    given: &ProfileArgs,
    texts: &[(&'static str, String)],
    asks: bool,
) -> Result<String, CommandError> {
    if let Some(mode) = &given.mode {
        return Ok(mode.clone());
    }
    let url = texts.iter().find(|(key, _)| *key == "url");
    let near = url.is_some_and(|(_, url)| crate::cli::config::is_local_or_sandbox(url));
    let usual = if near { "dev" } else { "prod" };
    if !asks {
        return Ok(usual.to_owned());
    }
    let question = "Mode: prod (asks before a run changes anything), dev, read-only or sandbox";
    ask_mode(app, question, usual)
}

fn missing(what: &str) -> CommandError {
    CommandError::usage(format!("`provisor profile add` needs {what}"))
}
