//! `provisor config show`: the configured values and their sources.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::{Config, CredentialSource, Profile, ProxySetting, Sourced};
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::transport::rate_limit::Rate;

/// Show the configuration and its sources.
#[derive(Args)]
pub(in crate::cli) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show every setting in effect.
    ///
    /// A flag takes precedence over an environment variable, that over the project's `provisor.toml`, and that over
    /// your own file. For a secret, the place where it is kept is shown.
    #[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"files\": [path],
   \"values\": [{key, value, origin: {kind, file, line, variable}}]}
  kind is environment, project, user or default")]
    Show {
        /// Show where each value is set.
        #[arg(long)]
        origin: bool,
        /// Print JSON, always with the origins.
        #[arg(long)]
        json: bool,
    },
}

/// A configuration value, ready to be shown.
pub(in crate::cli) struct Line {
    /// The key, including the tables above it if several profiles are shown.
    pub(in crate::cli) key: String,
    /// The value; for a secret, its source.
    pub(in crate::cli) value: String,
    /// Where it comes from.
    pub(in crate::cli) origin: From,
}

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum From {
    /// A line of a file.
    File(super::Location),
    /// An environment variable.
    Variable(String),
    /// No source sets it.
    Default,
}

impl std::fmt::Display for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            From::File(origin) => origin.fmt(f),
            From::Variable(name) => f.write_str(name),
            From::Default => f.write_str("default"),
        }
    }
}

pub(in crate::cli) fn show(app: &App, command: &ConfigCommand) -> Result<Exit, CommandError> {
    let Action::Show { origin, json } = &command.action;
    let paths = app.paths()?;
    let config = Config::load(app.catalogue(), paths, &app.env)?;
    let mut all = overall(app, &config);
    for profile in config.profiles().values() {
        all.extend(lines(profile).into_iter().map(|line| Line {
            key: format!("profiles.{}.{}", profile.name, line.key),
            ..line
        }));
    }
    if *json {
        let user = paths.config_file();
        let values: Vec<Json> = all.iter().map(|line| document(line, &user)).collect();
        let files: Vec<String> = config
            .files()
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        app.print(&json!({"version": 1, "files": files, "values": values}).to_string())?;
        return Ok(Exit::Ok);
    }
    let rows = all.into_iter().map(|line| {
        let mut row = vec![line.key, line.value];
        if *origin {
            row.push(line.origin.to_string());
        }
        row
    });
    let header: &[&str] = if *origin {
        &["key", "value", "from"]
    } else {
        &["key", "value"]
    };
    app.print(&app.ui.table(header, &rows.collect::<Vec<_>>()))?;
    Ok(Exit::Ok)
}

/// The values that apply to every profile.
fn overall(app: &App, config: &Config) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |key: &str, value: String, origin: From| {
        lines.push(Line {
            key: key.to_owned(),
            value,
            origin,
        });
    };
    if let Some(home) = app.env.get("PROVISOR_HOME") {
        add(
            "home",
            home.to_owned(),
            From::Variable("PROVISOR_HOME".to_owned()),
        );
    }
    let key = if app.env.get("PROVISOR_KEY").is_some() {
        ("given, not shown", From::Variable("PROVISOR_KEY".to_owned()))
    } else {
        ("in the state folder", From::Default)
    };
    add("key", key.0.to_owned(), key.1);
    if let Some(name) = app.env.get("PROVISOR_PROFILE") {
        add(
            "profile",
            name.to_owned(),
            From::Variable("PROVISOR_PROFILE".to_owned()),
        );
    } else if let Some(name) = config.default_profile() {
        add("profile", name.value.clone(), From::File(name.origin.clone()));
    } else if let Ok(only) = config.choose(None, &app.env) {
        add("profile", format!("{} (the only one)", only.name), From::Default);
    }
    lines
}

/// The values of a profile, and the defaults in effect for important values that it does not set.
pub(in crate::cli) fn lines(profile: &Profile) -> Vec<Line> {
    let mut lines = Vec::new();
    put(&mut lines, "platform", profile.platform.as_ref(), |platform| {
        platform.name.into()
    });
    if profile.platform.is_none() {
        push_default(&mut lines, "platform", profile.platform().name);
    }
    put(&mut lines, "url", profile.url.as_ref(), Clone::clone);
    put(
        &mut lines,
        "plain_http",
        profile.plain_http.as_ref(),
        |sentence| (*sentence).to_owned(),
    );
    for (key, text) in &profile.texts {
        put(&mut lines, key, Some(text), Clone::clone);
    }
    for (key, source) in &profile.secrets {
        match &source.value {
            CredentialSource::Implicit(variable) => lines.push(Line {
                key: (*key).to_owned(),
                value: source.value.to_string(),
                origin: From::Variable(variable.clone()),
            }),
            _ => put(&mut lines, key, Some(source), CredentialSource::to_string),
        }
    }
    put(&mut lines, "mode", profile.mode.as_ref(), |mode| {
        mode.name().into()
    });
    if profile.mode.is_none() {
        push_default(&mut lines, "mode", "dev");
    }
    put(&mut lines, "sandbox", profile.sandbox.as_ref(), bool::to_string);
    for place in &profile.secrets_to {
        put(&mut lines, "secrets_to", Some(place), Clone::clone);
    }
    let durations = [
        ("settle", &profile.settle),
        ("lands_within", &profile.lands_within),
        ("look_for", &profile.look_for),
        ("remember", &profile.remember),
        ("timeouts.connect", &profile.connect_timeout),
        ("timeouts.reply", &profile.reply_timeout),
        ("timeouts.tenant_creation", &profile.tenant_creation_timeout),
        ("timeouts.outage", &profile.connection.outage),
    ];
    for (key, duration) in durations {
        put(&mut lines, key, duration.as_ref(), |duration| {
            humantime::format_duration(*duration).to_string()
        });
    }
    let connection = &profile.connection;
    put(
        &mut lines,
        "proxy",
        connection.proxy.as_ref(),
        ProxySetting::to_string,
    );
    for (key, file) in [
        ("ca", &connection.ca),
        ("client_cert", &connection.client_cert),
        ("client_key", &connection.client_key),
    ] {
        put(&mut lines, key, file.as_ref(), |file| file.display().to_string());
    }
    put(&mut lines, "rate", connection.rate.as_ref(), Rate::to_string);
    put(
        &mut lines,
        "concurrency",
        connection.concurrency.as_ref(),
        usize::to_string,
    );
    for (name, path) in &profile.endpoints {
        put(&mut lines, &format!("endpoints.{name}"), Some(path), Clone::clone);
    }
    lines
}

fn put<T>(lines: &mut Vec<Line>, key: &str, value: Option<&Sourced<T>>, say: impl Fn(&T) -> String) {
    lines.extend(value.map(|sourced| Line {
        key: key.to_owned(),
        value: say(&sourced.value),
        origin: From::File(sourced.origin.clone()),
    }));
}

fn push_default(lines: &mut Vec<Line>, key: &str, value: &str) {
    lines.push(Line {
        key: key.to_owned(),
        value: value.to_owned(),
        origin: From::Default,
    });
}

fn document(line: &Line, user: &std::path::Path) -> Json {
    let origin = match &line.origin {
        From::File(origin) => json!({
            "kind": if origin.file == user { "user" } else { "project" },
            "file": origin.file.display().to_string(),
            "line": origin.line,
        }),
        From::Variable(name) => json!({"kind": "environment", "variable": name}),
        From::Default => json!({"kind": "default"}),
    };
    json!({"key": line.key, "value": line.value, "origin": origin})
}
