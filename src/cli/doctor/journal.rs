//! Checks the journal and its unfinished work.

use super::Check;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::journal::{Journal, JournalError, RunStatus};
use crate::operation::naming;

const AREA: &str = "journal";

pub(super) fn check(app: &App) -> Result<Vec<Check>, CommandError> {
    let path = app.paths()?.journal();
    match app.lost_journal() {
        Ok(Some(error)) => return Ok(vec![unusable(error)]),
        Err(error) => return Ok(vec![Check::failed(AREA, "", error)]),
        Ok(None) if !path.exists() => {
            return Ok(vec![Check::ok(AREA, "", "none yet; the first run creates it")]);
        }
        Ok(None) => {}
    }
    let journal = match app.open_journal() {
        Ok(Ok(journal)) => journal,
        Ok(Err(error)) => return Ok(vec![unusable(error)]),
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

fn unusable(error: JournalError) -> Check {
    Check::failed(AREA, "", error.into())
}
