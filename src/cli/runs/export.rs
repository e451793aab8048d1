//! `provisor runs export`: a run as one JSON document, to share or archive.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};

use super::show::run_json;
use crate::bulk::input::cells_of;
use crate::cli::app::{App, stdout_error};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::private_file::{self, WriteFailure};
use crate::cli::run_summary::{RunSummary, find_run, step_json};
use crate::cli::times;
use crate::journal::{Journal, JournalError, RowFilter, RowRecord, RunId, StepFilter, StepRecord};
use crate::value::Value;

/// Write a run as one JSON document.
///
/// It contains the run's sources, rows and steps. Secrets are masked.
#[derive(Args)]
#[command(after_help = "\
The document:
  {\"version\": 1, \"exported\": time, \"run\": {as in `runs show`},
   \"sources\": [{name, sha256, text}], \"earlier_sources\": [{name, sha256, text}],
   \"rows\": [{row, scope, status, input, output, error}],
   \"steps\": [{as in `runs steps`, and outcome}]}
  sources are the script and its imports, in the version the run is pinned to
  Only the file's owner can read it (0600).")]
pub(super) struct ExportCommand {
    /// The run.
    run: String,
    /// The file to write; by default standard output.
    file: Option<PathBuf>,
    /// Accepted for consistency: the document is always JSON.
    #[arg(long)]
    json: bool,
}

/// The number of rows read from the journal at once.
const PAGE: usize = 512;

pub(super) fn export(app: &App, command: &ExportCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let run = RunSummary::read(&journal, find_run(&journal, &command.run)?)?;
    let Some(file) = &command.file else {
        return match write(&journal, &run, &mut app.ui.data()) {
            // The reader is gone.
            Err(WriteFailure::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Ok),
            Err(WriteFailure::Sink(error)) => Err(stdout_error(error)),
            Err(WriteFailure::Other(error)) => Err(error),
            Ok(()) => Ok(Exit::Ok),
        };
    };
    private_file::write(file, |mut sink| write(&journal, &run, &mut sink))?;
    app.ui
        .note(&format!("run {} is in {}", run.record.id, file.display()));
    Ok(Exit::Ok)
}

/// Writes rows and steps as they are read: a run may have more than fit in memory.
fn write(journal: &Journal, run: &RunSummary, sink: &mut impl Write) -> Result<(), WriteFailure> {
    let id = &run.record.id;
    let earlier: Vec<(String, String)> = run
        .record
        .earlier
        .iter()
        .flat_map(|pin| pin.sources.clone())
        .collect();
    write!(
        sink,
        "{{\"version\":1,\"exported\":{},\"run\":{},\"sources\":{},\"earlier_sources\":{},\"rows\":[",
        times::json(crate::clock::Clock::system().now_millis()),
        run_json(run),
        sources(journal, &run.record.sources)?,
        sources(journal, &earlier)?,
    )?;
    let mut scopes = 0;
    for_each_row(journal, id, |row| {
        let comma = if scopes > 0 { "," } else { "" };
        scopes += 1;
        Ok(write!(sink, "{comma}{}", row_json(&row))?)
    })?;
    write!(sink, "],\"steps\":[")?;
    let mut comma = "";
    let mut put = |steps: Vec<StepRecord>| -> Result<(), WriteFailure> {
        for step in steps {
            let mut json = step_json(&step);
            json["outcome"] = step
                .outcome
                .map_or(Json::Null, |outcome| outcome.to_masked_json());
            write!(sink, "{comma}{json}")?;
            comma = ",";
        }
        Ok(())
    };
    if scopes == 0 {
        // A pruned run has steps without rows.
        put(journal.steps(id, &StepFilter::All)?)?;
    }
    for_each_row(journal, id, |row| {
        put(journal.steps(id, &StepFilter::Scope(row.scope))?)
    })?;
    writeln!(sink, "]}}")?;
    sink.flush()?;
    Ok(())
}

fn for_each_row(
    journal: &Journal,
    id: &RunId,
    mut take: impl FnMut(RowRecord) -> Result<(), WriteFailure>,
) -> Result<(), WriteFailure> {
    let mut after = None;
    loop {
        let page = journal.rows(id, after, PAGE, RowFilter::All)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.position);
        page.into_iter().try_for_each(&mut take)?;
    }
}

fn sources(journal: &Journal, sources: &[(String, String)]) -> Result<Json, CommandError> {
    let mut list = Vec::new();
    for (name, hash) in sources {
        let text = match journal.source_texts(&[(name.clone(), hash.clone())]) {
            // Reported at the end of the command.
            Err(JournalError::Source { .. }) => None,
            texts => texts?.pop(),
        };
        list.push(json!({"name": name, "sha256": hash, "text": text.map(|(_, text)| text)}));
    }
    Ok(list.into())
}

fn row_json(row: &RowRecord) -> Json {
    let input: BTreeMap<String, Json> = cells_of(&row.input)
        .into_iter()
        .map(|(name, cell)| (name, cell.to_masked_json()))
        .collect();
    json!({
        "row": row.position + 1,
        "scope": row.scope,
        "status": row.status.as_str(),
        "input": input,
        "output": row.output.as_ref().map(Value::to_masked_json),
        "error": row.error.as_ref().map(Value::to_masked_json),
    })
}
