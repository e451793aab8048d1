//! `provisor reach`: shows what a script can reach, without running it.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::run;
use crate::config::{Config, Profile};
use crate::script::program::Script;
use crate::script::reach::{ACTIVE, Mentions, Place, PlatformReach, Reach};

/// Show what a script can reach, without running it.
///
/// Reads the script with everything it imports, and lists the accounts it works with and the operations it may call on
/// them, the hosts of its own requests, the files and variables it reads, and where secrets may go. What the script
/// computes cannot be known before it runs: an address that is not written out counts as any host. A method counts for
/// every platform that has one of its name.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor reach onboard.rhai
  provisor reach onboard.rhai --profile acme --json

JSON (--json), one document:
  {\"version\": 1, \"script\": PATH, \"digest\": DIGEST,
   \"platforms\": [{platform, accounts: [{profile, url, secrets_to, file, line}],
                   changes: [operations], reads: [operations]}],
   \"hosts\": [{host, file, line}], \"files\": [{path, file, line}],
   \"variables\": [{name, file, line}], \"secrets\": [sources]}
  profile, host, path and name are null for any; url is null if it is not known
  secrets names where the script gets secrets from, besides its accounts")]
pub(super) struct ReachCommand {
    /// The script; `-` reads standard input.
    script: PathBuf,
    /// The profile that the script would run with.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn reach(app: &App, command: &ReachCommand) -> Result<Exit, CommandError> {
    let script = run::load(app, &command.script)?;
    let reach = script.reach();
    // What a script can reach does not depend on the configuration, only its description does.
    let config = app.config().unwrap_or_else(|_| Config::of(app.catalogue()));
    let scene = Scene {
        app,
        config: &config,
        script: &script,
        profile: command.profile.as_deref(),
    };
    if command.json {
        return app.print_json(&scene.document(&reach));
    }
    for line in scene.lines(&reach) {
        app.print(&line)?;
    }
    Ok(Exit::Ok)
}

/// The script and the configuration that it is described with.
struct Scene<'a> {
    app: &'a App,
    config: &'a Config,
    script: &'a Script,
    profile: Option<&'a str>,
}

impl Scene<'_> {
    fn lines(&self, reach: &Reach) -> Vec<String> {
        let bundle = self.script.bundle();
        let (name, digest) = (&bundle.main().name, bundle.digest());
        let mut lines = Vec::new();
        for (platform, of_platform) in &reach.platforms {
            lines.push(format!("  {platform}"));
            for (profile, place) in &of_platform.profiles {
                let account = self.describe(platform, profile.as_deref());
                lines.push(format!("    account  {account}{}", self.place(place)));
            }
            for (title, operations) in [("changes", &of_platform.changes), ("reads", &of_platform.reads)] {
                lines.extend(operations.iter().map(|id| format!("    {title:<8} {id}")));
            }
        }
        for (title, any, mentions) in [
            ("hosts", "any host", &reach.hosts),
            ("files", "any file of the project", &reach.files),
            ("variables", "any variable", &reach.variables),
        ] {
            if !mentions.is_empty() {
                lines.push(format!("  {title}"));
            }
            for (mention, place) in mentions {
                let mention = mention.as_deref().unwrap_or(any);
                lines.push(format!("    {mention}{}", self.place(place)));
            }
        }
        lines.extend(self.secrets(reach));
        if lines.is_empty() {
            return vec![format!("{name} ({digest}) can reach nothing outside of itself")];
        }
        lines.insert(0, format!("{name} ({digest}) can reach"));
        lines
    }

    /// Says where secrets may go.
    fn secrets(&self, reach: &Reach) -> Vec<String> {
        let mut lines = Vec::new();
        if !reach.secrets.is_empty() {
            let from: Vec<&str> = reach.secrets.iter().map(String::as_str).collect();
            let to = match (reach.platforms.is_empty(), reach.hosts.is_empty()) {
                (true, true) => "nowhere",
                (false, true) => "to any of these accounts",
                (true, false) => "to any of these hosts",
                (false, false) => "to any of these accounts and hosts",
            };
            lines.push(format!("    from {}: {to}", from.join(", ")));
        }
        for (platform, of_platform) in &reach.platforms {
            for profile in of_platform.profiles.keys() {
                let found = self.profile(platform, profile.as_deref());
                let others = found.map(Profile::secrets_to).unwrap_or_default();
                let places: Vec<&str> = ["it"].into_iter().chain(others).collect();
                let places = places.join(" and to ");
                let whose = match (profile.as_deref(), found) {
                    (_, Some(found)) => format!("account {}", found.name),
                    (Some(ACTIVE), None) => format!("active {platform} account"),
                    (Some(name), None) => format!("account {name}"),
                    (None, None) => format!("{platform} accounts"),
                };
                lines.push(format!("    from the {whose}: back to {places}"));
            }
        }
        if !lines.is_empty() {
            lines.insert(0, "  secrets".to_owned());
        }
        lines
    }

    /// Describes an account: the profile with its address.
    fn describe(&self, platform: &str, profile: Option<&str>) -> String {
        let Some(name) = profile else {
            return format!("any {platform} profile, or one that the script describes");
        };
        match self.profile(platform, profile) {
            Some(found) => {
                let url = found.url().unwrap_or("an unknown address");
                format!("{} at {url}", found.name)
            }
            None if name == ACTIVE => "the active profile".to_owned(),
            None => format!("{name}, which is not configured"),
        }
    }

    fn profile(&self, platform: &str, profile: Option<&str>) -> Option<&Profile> {
        match profile? {
            ACTIVE => {
                let chosen = self.config.choose_for(platform, self.profile, &self.app.env).ok();
                chosen.filter(|profile| profile.platform().name == platform)
            }
            name => self.config.profiles().get(name),
        }
    }

    /// The place of a mention; in the main script only its line.
    fn place(&self, place: &Place) -> String {
        if place.source == self.script.bundle().main().name {
            return format!(" (line {})", place.line);
        }
        format!(" ({}:{})", place.source, place.line)
    }

    fn document(&self, reach: &Reach) -> Json {
        let bundle = self.script.bundle();
        let platforms = reach.platforms.iter();
        json!({
            "version": 1,
            "script": bundle.main().name,
            "digest": bundle.digest(),
            "platforms": platforms.map(|(name, of)| self.platform(name, of)).collect::<Vec<_>>(),
            "hosts": mentions("host", &reach.hosts),
            "files": mentions("path", &reach.files),
            "variables": mentions("name", &reach.variables),
            "secrets": reach.secrets.iter().map(|source| source.trim_matches('`')).collect::<Vec<_>>(),
        })
    }

    fn platform(&self, name: &str, reach: &PlatformReach) -> Json {
        let accounts = reach.profiles.iter().map(|(profile, place)| {
            let found = self.profile(name, profile.as_deref());
            let known = found.map(|found| found.name.clone());
            json!({
                "profile": known.or_else(|| profile.clone()),
                "url": found.and_then(|found| found.url().ok()),
                "secrets_to": found.map(Profile::secrets_to).unwrap_or_default(),
                "file": place.source,
                "line": place.line,
            })
        });
        json!({
            "platform": name,
            "accounts": accounts.collect::<Vec<_>>(),
            "changes": reach.changes,
            "reads": reach.reads,
        })
    }
}

fn mentions(key: &str, mentions: &Mentions) -> Vec<Json> {
    let mentions = mentions.iter().map(|(mention, place)| {
        let mut document = json!({"file": place.source, "line": place.line});
        document[key] = json!(mention);
        document
    });
    mentions.collect()
}
