//! Rows that a run had not yet read when it stopped.

use crate::bulk::input::{Input, InputChanged};
use crate::cli::error::CommandError;
use crate::cli::plan::RunPlan;
use crate::cli::results::check_distinct_paths;
use crate::cli::rows;
use crate::journal::{Journal, RunRecord};
use crate::script::program::Script;

/// The input that is left to read.
pub(super) struct RemainingRows {
    /// The rows after those in the journal.
    pub(super) input: Option<Input>,
    /// Whether some rows can no longer be read.
    pub(super) missing: bool,
}

/// Finds the rows that are not in the journal. The input must still begin with those that are, so that one run never
/// mixes rows of two files. `script` is the one they were read with.
pub(super) fn rows(
    journal: &Journal,
    record: &RunRecord,
    plan: &RunPlan,
    script: &Script,
    given: Option<&str>,
) -> Result<RemainingRows, CommandError> {
    let known = journal.row_counts(&record.id)?.all();
    if record.total.is_some() {
        return match given {
            Some(_) => Err(CommandError::usage(format!(
                "--rows is not needed: the run has read all its {known} rows"
            ))),
            None => Ok(RemainingRows::nothing()),
        };
    }
    let Some(from) = plan.rows.as_deref() else {
        return Ok(RemainingRows::input(Input::one(
            plan.constants.clone().into_iter().collect(),
        )));
    };
    if rows::is_stream(from) && given.is_none() {
        return Ok(RemainingRows {
            input: None,
            missing: true,
        });
    }
    let from = given.unwrap_or(from);
    let plan = RunPlan {
        rows: Some(from.to_owned()),
        ..plan.clone()
    };
    check_distinct_paths(Some(from), plan.out.as_deref())?;
    let elsewhere = format!(
        "or pass their new location: provisor resume {} --rows FILE",
        record.id
    );
    let rows = rows::read(&plan).map_err(|error| error.hint(&elsewhere))?;
    let changed = |reason: String| {
        CommandError::usage(format!("`{from}` has changed since the run read it: {reason}"))
            .hint("restore it, or start a new run with it: completed rows are not repeated")
            .hint(&elsewhere)
    };
    if rows.columns() != plan.columns {
        return Err(changed("it has other columns".into()));
    }
    let input = rows::skip_done_rows(rows::input(rows, from)?, journal, &plan)
        .skip_recorded(journal, &record.id, script);
    match input {
        Ok(input) => Ok(RemainingRows::input(input)),
        Err(InputChanged::Journal(error)) => Err(error.into()),
        Err(error) => Err(changed(error.to_string())),
    }
}

impl RemainingRows {
    fn nothing() -> RemainingRows {
        RemainingRows {
            input: None,
            missing: false,
        }
    }

    fn input(input: Input) -> RemainingRows {
        RemainingRows {
            input: Some(input),
            missing: false,
        }
    }

    /// Whether some rows are not in the journal.
    pub(super) fn is_any(&self) -> bool {
        self.input.is_some() || self.missing
    }
}
