//! `provisor doctor`: checks the setup and suggests fixes.

mod accounts;
mod files;
mod journal;
mod network;

use clap::Args;
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ui::{Stream, Style, printable};

/// Check the setup and suggest fixes.
///
/// Checks files and their permissions, the journal, profiles, tokens, and whether the platforms can be reached. It
/// changes nothing, does not sign in and runs no program. Exit code 3 if there is a problem; warnings do not count.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"ok\": true or false, \"checks\": [{area, subject, state, found, fix}]}
  area is files, configuration, journal, profile, clock or network
  state is ok, warning, problem or skipped; fix is null if there is nothing to do")]
pub(super) struct DoctorCommand {
    /// Check only this profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Send nothing: skip the network and the clock.
    #[arg(long)]
    offline: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Warning,
    Problem,
    Skipped,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
            State::Skipped => "skipped",
        }
    }
}

/// A check and its finding.
pub(super) struct Check {
    area: &'static str,
    subject: String,
    state: State,
    found: String,
    fix: Option<String>,
}

impl Check {
    fn new(area: &'static str, subject: impl Into<String>, state: State, found: impl Into<String>) -> Check {
        Check {
            area,
            subject: subject.into(),
            state,
            found: found.into(),
            fix: None,
        }
    }

    pub(super) fn ok(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Ok, found)
    }

    pub(super) fn warning(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Warning, found)
    }

    pub(super) fn problem(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Problem, found)
    }

    pub(super) fn skipped(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Skipped, found)
    }

    /// A problem that would make a command fail with this error.
    pub(super) fn failed(area: &'static str, subject: impl Into<String>, error: CommandError) -> Check {
        let fix = if error.hints.is_empty() {
            "fix the problem above, then run provisor doctor again".to_owned()
        } else {
            error.hints.join("; ")
        };
        Check {
            fix: Some(fix),
            ..Check::problem(area, subject, error.message)
        }
    }

    /// Adds a suggested fix.
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Check {
        self.fix = Some(fix.into());
        self
    }
}

pub(super) fn doctor(app: &App, command: &DoctorCommand) -> Result<Exit, CommandError> {
    let mut checks = files::check(app)?;
    checks.extend(journal::check(app)?);
    checks.extend(accounts::check(app, command.profile.as_deref(), command.offline)?);
    let is_ok = checks.iter().all(|check| check.state != State::Problem);
    if command.json {
        let documents: Vec<Json> = checks.iter().map(document).collect();
        app.print(&json!({"version": 1, "ok": is_ok, "checks": documents}).to_string())?;
    } else {
        for check in &checks {
            print_check(app, check)?;
        }
        let count = |state| checks.iter().filter(|check| check.state == state).count();
        app.print(&match (count(State::Problem), count(State::Warning)) {
            (0, 0) => "no problems".to_owned(),
            (0, warnings) => format!("no problems, {}", format_count(warnings, "warning")),
            (problems, _) => format_count(problems, "problem"),
        })?;
    }
    Ok(if is_ok { Exit::Ok } else { Exit::Check })
}

fn format_count(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

fn document(check: &Check) -> Json {
    json!({
        "area": check.area,
        "subject": check.subject,
        "state": check.state.name(),
        "found": check.found,
        "fix": check.fix,
    })
}

fn print_check(app: &App, check: &Check) -> Result<(), CommandError> {
    let style = match check.state {
        State::Ok => Style::Good,
        State::Warning => Style::Warning,
        State::Problem => Style::Error,
        State::Skipped => Style::Faint,
    };
    let state = app
        .ui
        .styled(Stream::Out, style, &format!("{:7}", check.state.name()));
    let subject = match check.subject.as_str() {
        "" => check.area.to_owned(),
        subject => format!("{} {subject}", check.area),
    };
    app.print_styled(&format!(
        "{state}  {}: {}",
        printable(&subject),
        printable(&check.found)
    ))?;
    if let Some(fix) = &check.fix {
        app.print(&format!("         fix: {}", printable(fix)))?;
    }
    Ok(())
}
