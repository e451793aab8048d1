//! Opens the rows of a run, and checks their columns against the script before anything is sent.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::error::CommandError;
use super::exit::Exit;
use super::plan::RunPlan;
use crate::bulk::input::{Cells, Input};
use crate::bulk::rows::{RowFormat, Rows, UNREAD};
use crate::cli::ui::Ui;
use crate::journal::{Journal, RowStatus, RunId, RunRecord};
use crate::report::OWN_COLUMNS;
use crate::script::program::Script;
use crate::value::nearest::nearest;

/// The number of a file's objects that are searched for unused columns.
const MAX_SCANNED_ROWS: usize = 1000;

/// The largest number of unused columns that are named.
const MAX_NAMED_COLUMNS: usize = 50;

/// Opens the plan's rows, and stores their columns in the plan.
pub(super) fn open(plan: &mut RunPlan, script: &Script, path: &Path) -> Result<Input, CommandError> {
    if script.declaration().main.is_none() {
        return Err(CommandError::usage(format!(
            "{} has no `main`, so it cannot run once for each row",
            path.display()
        ))
        .hint("declare `fn main(…)` with a parameter for each column it needs"));
    }
    let from = plan.rows.clone().unwrap_or_default();
    if from == "-" && path == Path::new("-") {
        return Err(CommandError::usage(
            "the script and the rows cannot both come from standard input",
        ));
    }
    let rows = read(plan)?;
    plan.columns = rows.columns().to_vec();
    plan.titles = rows.titles().to_vec();
    check_columns(plan, script)?;
    input(rows, &from)
}

/// Filters out rows that an earlier run of the same script has done on the same account, according to this journal. A
/// results file used as input contains such rows.
pub(super) fn skip_done_rows(input: Input, journal: &Journal, plan: &RunPlan) -> Input {
    // A run of an earlier version read all of them.
    if plan.rows.is_none() || plan.workflow.is_none() {
        return input;
    }
    let (journal, plan) = (journal.clone(), plan.clone());
    let known: Mutex<HashMap<String, bool>> = Mutex::default();
    let is_done = move |cells: &Cells| {
        let text = |name: &str| {
            let cell = cells.iter().find(|(column, _)| column == name);
            cell.and_then(|(_, cell)| cell.as_text()).map(str::trim)
        };
        let (Some(status), Some(run)) = (text(OWN_COLUMNS[0]), text(OWN_COLUMNS[2])) else {
            return false;
        };
        if status != RowStatus::Done.as_str() {
            return false;
        }
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(run.to_owned()).or_insert_with(|| {
            let record = journal.run(&RunId::new(run));
            let is_same = |record: RunRecord| {
                let earlier = RunPlan::from_value(&record.plan);
                earlier.workflow() == plan.workflow() && earlier.same_target(&plan)
            };
            record.is_ok_and(|record| record.is_some_and(is_same))
        })
    };
    input.without(is_done)
}

/// The rows as a run's input. A stream may never end, so its rows are passed on as they arrive.
pub(super) fn input(rows: Rows, from: &str) -> Result<Input, CommandError> {
    if !is_stream(from) {
        return Ok(Input::rows(rows));
    }
    Input::stream(rows)
        .map_err(|error| CommandError::new(Exit::Aborted, format!("cannot start a thread: {error}")))
}

/// Whether the rows can be read only once, as from stdin or a pipe.
pub(super) fn is_stream(from: &str) -> bool {
    from == "-" || std::fs::metadata(from).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Opens the rows at their beginning.
pub(super) fn read(plan: &RunPlan) -> Result<Rows, CommandError> {
    let from = plan.rows.as_deref().unwrap_or_default();
    let format = match &plan.rows_format {
        Some(name) => Some(RowFormat::of(Path::new(&format!("rows.{name}"))).map_err(CommandError::usage)?),
        None if from == "-" => None,
        None => Some(RowFormat::of(Path::new(from)).map_err(CommandError::usage)?),
    };
    let source: Box<dyn Read + Send> = if from == "-" {
        Box::new(io::stdin())
    } else {
        let file = File::open(from)
            .map_err(|error| CommandError::usage(format!("rows `{from}` cannot be read: {error}")))?;
        Box::new(file)
    };
    let rows = match format {
        Some(format) => Rows::open(source, format),
        None => Rows::detect(source),
    };
    rows.map_err(|error| CommandError::usage(format!("rows `{from}`: {error}")))
}

/// Reports columns that match no parameter. A probable typo gets its own warning, as its parameter would silently take
/// the default; the others share one line. Columns that an earlier run wrote into its results are ignored.
pub(super) fn warn_unused_columns(ui: &Ui, plan: &RunPlan, script: &Script) {
    let declared = script.declaration();
    let is_taken = |name: &str| declared.params().iter().any(|param| param.name == name);
    let is_own = |name: &str| OWN_COLUMNS.contains(&name) || name == UNREAD;
    let is_result = |name: &String| declared.output_columns.contains(name) || is_own(name);
    let columns = all_columns(plan);
    let names = declared.params().iter().map(|param| param.name.as_str());
    let open: Vec<&str> = names
        .filter(|name| !columns.iter().any(|column| column == name) && !plan.constants.contains_key(*name))
        .collect();
    let mut extra = Vec::new();
    for column in columns.iter().filter(|name| !is_taken(name) && !is_result(name)) {
        match nearest(column, open.iter().copied()) {
            Some(near) => ui.warn(&format!(
                "column `{column}` is not a parameter of main; did you mean `{near}`?"
            )),
            None => extra.push(column.as_str()),
        }
    }
    if !extra.is_empty() {
        let shown = extra
            .iter()
            .take(MAX_NAMED_COLUMNS)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match extra.len().saturating_sub(MAX_NAMED_COLUMNS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        ui.note(&format!("columns not used by main: {shown}{more}"));
    }
}

/// The columns of the rows. Objects may have columns that the first one lacks, so those at the beginning of a file are
/// searched.
fn all_columns(plan: &RunPlan) -> Vec<String> {
    let mut columns = plan.columns.clone();
    let mut known: HashSet<String> = columns.iter().cloned().collect();
    let from = plan.rows.as_deref().unwrap_or_default();
    let beginning = (!is_stream(from)).then(|| read(plan).ok()).flatten();
    let objects = beginning.filter(|rows| !rows.is_delimited());
    for row in objects.into_iter().flatten().take(MAX_SCANNED_ROWS).flatten() {
        for (name, _) in row.cells {
            if known.insert(name.clone()) {
                columns.push(name);
            }
        }
    }
    columns
}

/// The error of the first row, if no columns are known.
fn missing_columns_error(plan: &RunPlan) -> Option<String> {
    let is_told = plan.columns.is_empty() && !plan.rows.as_deref().is_none_or(is_stream);
    let mut rows = is_told.then(|| read(plan).ok()).flatten()?;
    rows.next()?.err().map(|error| error.to_string())
}

/// Checks that every parameter without a default has a column, or a flag that sets it for all rows.
pub(super) fn check_columns(plan: &RunPlan, script: &Script) -> Result<(), CommandError> {
    let name = &script.bundle().main().name;
    let columns = || plan.columns.iter().map(String::as_str);
    for param in script.declaration().params() {
        let column = columns().any(|column| column == param.name);
        let constant = plan.constants.contains_key(&param.name);
        if column && constant {
            return Err(CommandError::usage(format!(
                "`{}` is set twice: by {} and by a column of the rows",
                param.name,
                param.flag()
            )));
        }
        if column || constant || param.default.is_some() {
            continue;
        }
        if let Some(reason) = missing_columns_error(plan) {
            return Err(CommandError::usage(format!("no row can be read: {reason}")));
        }
        let mut error = CommandError::usage(format!(
            "the rows have no column `{}`, which {name}:{} requires (their columns: {})",
            param.name,
            param.line,
            plan.columns.join(", ")
        ));
        if let Some(near) = nearest(&param.name, columns()) {
            error = error.hint(format!(
                "if you mean the column `{near}`, rename it to `{}`",
                param.name
            ));
        }
        return Err(error.hint(format!("or set it for all rows: {} VALUE", param.flag())));
    }
    Ok(())
}
