//! `provisor doctor`: checks the setup and suggests fixes. The checks of the journal are here.

mod accounts;
mod files;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ui::{Stream, Style, printable};
use crate::journal::{Journal, JournalError, RunStatus};
use crate::operation::naming;
use crate::value::visible::counted;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Problem,
    Skipped,
}

impl State {
    /// The name, as it is written in JSON, and its style at a terminal.
    fn shown(self) -> (&'static str, Style) {
        match self {
            State::Ok => ("ok", Style::Good),
            State::Warning => ("warning", Style::Warning),
            State::Problem => ("problem", Style::Error),
            State::Skipped => ("skipped", Style::Faint),
        }
    }
}

/// A check and its finding.
#[derive(Serialize)]
struct Check {
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

    fn ok(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Ok, found)
    }

    fn warning(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Warning, found)
    }

    fn problem(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Problem, found)
    }

    fn skipped(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Check {
        Check::new(area, subject, State::Skipped, found)
    }

    /// A problem that would make a command fail with this error.
    fn failed(area: &'static str, subject: impl Into<String>, error: CommandError) -> Check {
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
    fn fix(mut self, fix: impl Into<String>) -> Check {
        self.fix = Some(fix.into());
        self
    }
}

pub(super) fn doctor(app: &App, command: &DoctorCommand) -> Result<Exit, CommandError> {
    let mut checks = files::check(app)?;
    checks.extend(check_journal(app)?);
    checks.extend(accounts::check(app, command.profile.as_deref(), command.offline)?);
    let is_ok = checks.iter().all(|check| check.state != State::Problem);
    if command.json {
        app.print_json(&json!({"version": 1, "ok": is_ok, "checks": checks}))?;
    } else {
        for check in &checks {
            print_check(app, check)?;
        }
        let count = |state| checks.iter().filter(|check| check.state == state).count();
        app.print(&match (count(State::Problem), count(State::Warning)) {
            (0, 0) => "no problems".to_owned(),
            (0, warnings) => format!("no problems, {}", counted(warnings, "warning")),
            (problems, _) => counted(problems, "problem"),
        })?;
    }
    Ok(if is_ok { Exit::Ok } else { Exit::Check })
}

fn print_check(app: &App, check: &Check) -> Result<(), CommandError> {
    let (name, style) = check.state.shown();
    let state = app.ui.styled(Stream::Out, style, &format!("{name:7}"));
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

/// The area of the checks of the journal and its unfinished work.
const AREA: &str = "journal";

fn check_journal(app: &App) -> Result<Vec<Check>, CommandError> {
    let path = app.paths()?.journal();
    match app.lost_journal() {
        Ok(Some(error)) => return Ok(vec![Check::failed(AREA, "", error.into())]),
        Err(error) => return Ok(vec![Check::failed(AREA, "", error)]),
        Ok(None) if !path.exists() => {
            return Ok(vec![Check::ok(AREA, "", "none yet; the first run creates it")]);
        }
        Ok(None) => {}
    }
    let journal = match app.open_journal() {
        Ok(Ok(journal)) => journal,
        Ok(Err(error)) => return Ok(vec![Check::failed(AREA, "", error.into())]),
        Err(error) => return Ok(vec![Check::failed(AREA, "", error)]),
    };
    let mut checks = vec![check_integrity(&journal)?];
    checks.extend(unfinished(&journal)?);
    for double in naming::doubles(app.catalogue(), &journal)? {
        checks.push(Check::warning(AREA, "ledger", double));
    }
    for kind in ["tenant", "app"] {
        let doubts = journal.all_in_doubt(kind)?;
        if let Some(first) = doubts.first() {
            let found = format!(
                "{} {kind}(s) in doubt, for example {}",
                doubts.len(),
                first.resource.name
            );
            checks.push(Check::warning(AREA, "doubts", found).fix(format!(
                "provisor resume {}, or provisor resolve --help",
                first.run
            )));
        }
    }
    Ok(checks)
}

fn check_integrity(journal: &Journal) -> Result<Check, CommandError> {
    let problems = match journal.check() {
        Ok(problems) => problems,
        Err(error @ JournalError::Corrupt { .. }) => vec![error.to_string()],
        Err(error) => return Err(error.into()),
    };
    Ok(match problems.first() {
        None => Check::ok(AREA, "", "sound"),
        Some(first) => Check::problem(AREA, "", format!("{first} ({} in total)", problems.len()))
            .fix("keep a copy of the journal, then restore a backup: provisor journal restore FILE"),
    })
}

fn unfinished(journal: &Journal) -> Result<Option<Check>, CommandError> {
    let runs = journal.runs()?;
    let open: Vec<_> = runs
        .iter()
        .filter(|run| !run.status.is_finished() && !journal.is_run_alive(&run.id))
        .collect();
    let parked = open.iter().any(|run| run.status == RunStatus::Parked);
    Ok(open.first().map(|run| {
        let found = if parked {
            format!("{} unfinished, some with a step in doubt", open.len())
        } else {
            format!("{} unfinished", open.len())
        };
        Check::warning(AREA, "runs", found).fix(format!("provisor resume {}", run.id))
    }))
}
