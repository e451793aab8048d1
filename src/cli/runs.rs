//! `provisor runs`: lists, inspects, exports and prunes runs; and runs and steps as other commands look them up and
//! show them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::app::{App, stdout_error};
use super::error::CommandError;
use super::exit::Exit;
use super::plan::RunPlan;
use super::private_file::{self, WriteFailure};
use super::times;
use crate::bulk::input::cells_of;
use crate::clock::Clock;
use crate::journal::{
    Journal, JournalError, RowCounts, RowFilter, RowRecord, RowStatus, RunId, RunRecord, RunStatus,
    StepFilter, StepRecord,
};
use crate::operation::manual_result::expected_result;
use crate::script::bundle::digest_of;
use crate::value::Value;
use crate::value::nearest::nearest;
use crate::value::visible::counted;

/// List, inspect, export and prune runs.
#[derive(Args)]
pub(super) struct RunsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    List(ListCommand),
    Show(ShowCommand),
    Steps(StepsCommand),
    Export(ExportCommand),
    Prune(PruneCommand),
}

pub(super) fn runs(app: &App, command: &RunsCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::List(command) => list(app, command),
        Action::Show(command) => show(app, command),
        Action::Steps(command) => steps(app, command),
        Action::Export(command) => export(app, command),
        Action::Prune(command) => prune(app, command),
    }
}

/// List the runs, newest first.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1,
   \"runs\": [{id, script, status, rows: {done, failed, parked, open, total},
             started, changed, sandbox, profile, pid}]}
  status is queued, running, killed, done, failed, parked, interrupted or cancelled
  rows.total is null until all rows are read
  started and changed are times in UTC, like all times
  pid is the process that executes the run, or null")]
struct ListCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn list(app: &App, command: &ListCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let mut runs = Vec::new();
    for record in journal.runs()? {
        runs.push(RunSummary::read(&journal, record)?);
    }
    if command.json {
        let runs: Vec<Json> = runs.iter().map(RunSummary::json).collect();
        return app.print_json(&json!({"version": 1, "runs": runs}));
    }
    let now = Clock::system().now_millis();
    let header = [
        "run",
        "status",
        "done",
        "failed",
        "parked",
        "open",
        "started (UTC)",
        "age",
        "on",
        "script",
    ];
    app.print_table(&runs, "no runs yet; provisor run starts one", &header, |run| {
        let of = |status| run.counts.of(status).to_string();
        vec![
            run.record.id.to_string(),
            run.status().to_owned(),
            of(RowStatus::Done),
            of(RowStatus::Failed),
            of(RowStatus::Parked),
            run.open().to_string(),
            times::shown(run.record.created_ms),
            times::age(run.record.created_ms, now),
            run.place().to_owned(),
            run.record.name.clone(),
        ]
    })
}

/// Show a run: its parameters, progress, steps in doubt, and how to continue it.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1,
   \"run\": {as in `runs list`, and rows_from, out, jobs, parameters, digest, sources: [{name, sha256}],
           earlier_sources: [{until, sources}]},
   \"in_doubt\": [steps as in `runs steps`], \"half_done\": [the same],
   \"waiting\": [texts: the runs that its rows wait for],
   \"next\": [commands]}
  earlier_sources are what the run was pinned to before `resume --with-current`
  secrets are masked; status may also be pruned")]
struct ShowCommand {
    /// The run.
    run: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn show(app: &App, command: &ShowCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let run = RunSummary::read(&journal, find_run(&journal, &command.run)?)?;
    let steps = journal.steps(&run.record.id, &StepFilter::Resolvable)?;
    let (doubts, halves): (Vec<StepRecord>, Vec<StepRecord>) =
        steps.into_iter().partition(|step| step.state.is_open());
    let next = next(app, &run, &doubts, &halves);
    let waits = journal.run_waits(&run.record.id);
    if command.json {
        let document = json!({
            "version": 1,
            "run": run_json(&run),
            "in_doubt": doubts.iter().map(step_json).collect::<Vec<Json>>(),
            "half_done": halves.iter().map(step_json).collect::<Vec<Json>>(),
            "waiting": waits,
            "next": next,
        });
        return app.print_json(&document);
    }
    app.print(&app.ui.fields(&fields(&run)))?;
    for wait in &waits {
        app.ui.warn(wait);
    }
    for step in &doubts {
        let reason = step.reason.as_deref().unwrap_or("no response arrived");
        let what = described(step);
        app.ui
            .warn(&format!("{what} is in doubt: {reason} (step {})", step.key));
    }
    for step in &halves {
        let what = described(step);
        app.ui.warn(&format!(
            "{what} failed and left something behind; it is not retried until you record its outcome (step {})",
            step.key
        ));
    }
    for command in &next {
        app.ui.hint(command);
    }
    Ok(Exit::Ok)
}

/// A run as JSON, without its rows and steps.
fn run_json(run: &RunSummary) -> Json {
    let sources = |sources: &[(String, String)]| -> Vec<Json> {
        let each = sources.iter();
        each.map(|(name, hash)| json!({"name": name, "sha256": hash}))
            .collect()
    };
    let earlier = run.record.earlier.iter();
    let earlier =
        earlier.map(|pin| json!({"until": times::json(pin.until_ms), "sources": sources(&pin.sources)}));
    let mut json = run.json();
    json["rows_from"] = json!(run.plan.rows);
    json["out"] = json!(run.plan.out);
    json["jobs"] = json!(run.plan.jobs);
    json["parameters"] = run.record.params.to_masked_json();
    json["digest"] = json!(digest_of(&run.record.sources));
    json["sources"] = json!(sources(&run.record.sources));
    json["earlier_sources"] = earlier.collect();
    json
}

fn fields(run: &RunSummary) -> Vec<(String, Value)> {
    let record = &run.record;
    let of = |status| run.counts.of(status);
    let total = match record.total {
        Some(total) => format!("{total} in total"),
        None if run.plan.session => "as typed so far".to_owned(),
        None => "not all read yet".to_owned(),
    };
    let rows = format!(
        "{} done, {} failed, {} parked, {} open; {total}",
        of(RowStatus::Done),
        of(RowStatus::Failed),
        of(RowStatus::Parked),
        run.open(),
    );
    let status = match run.pid {
        Some(pid) => format!("{} (process {pid})", run.status()),
        None => run.status().to_owned(),
    };
    let mut fields = vec![
        ("run", record.id.as_str().into()),
        ("script", record.name.as_str().into()),
        ("status", status.into()),
        ("rows", rows.into()),
        (
            "started",
            format!("{} UTC", times::shown(record.created_ms)).into(),
        ),
        (
            "changed",
            format!("{} UTC", times::shown(record.changed_ms)).into(),
        ),
        ("on", run.place().into()),
        ("parameters", record.params.clone()),
        ("rows from", run.plan.rows.as_deref().unwrap_or_default().into()),
        ("results to", run.plan.out.as_deref().unwrap_or_default().into()),
    ];
    fields.push(("digest", digest_of(&record.sources).into()));
    for (name, hash) in &record.sources {
        fields.push(("source", format!("{name} (sha256 {hash})").into()));
    }
    for earlier in &record.earlier {
        let names: Vec<&str> = earlier.sources.iter().map(|(name, _)| name.as_str()).collect();
        let until = times::shown(earlier.until_ms);
        fields.push((
            "earlier",
            format!("{} until {until} UTC", names.join(", ")).into(),
        ));
    }
    let given = |(_, value): &(&str, Value)| *value != Value::from("") && *value != Value::Record([].into());
    let named = |(name, value): (&str, Value)| (name.to_owned(), value);
    fields.into_iter().filter(given).map(named).collect()
}

/// The commands that continue from here.
fn next(app: &App, run: &RunSummary, doubts: &[StepRecord], halves: &[StepRecord]) -> Vec<String> {
    let id = &run.record.id;
    match run.status() {
        "failed" if !halves.is_empty() => {
            let mut next = vec![resolve(app, run, halves)];
            let rows: BTreeSet<u64> = halves.iter().map(|step| step.position).collect();
            // Retrying does not help rows that need a person's decision.
            if run.counts.of(RowStatus::Failed) > rows.len() as u64 {
                next.push(format!("provisor resume {id} --retry-failed"));
            }
            next
        }
        "done" | "cancelled" if doubts.is_empty() && !halves.is_empty() => vec![resolve(app, run, halves)],
        "running" | "done" | "pruned" | "cancelled" if doubts.is_empty() => Vec::new(),
        "running" | "pruned" => Vec::new(),
        "failed" => vec![format!("provisor resume {id} --retry-failed")],
        "cancelled" | "done" => vec![resolve(app, run, doubts)],
        _ if doubts.is_empty() => vec![format!("provisor resume {id}")],
        _ => vec![format!("provisor resume {id}"), resolve(app, run, doubts)],
    }
}

fn resolve(app: &App, run: &RunSummary, doubts: &[StepRecord]) -> String {
    let (key, op) = doubts.first().map_or(("STEP", ""), |step| (&step.key, &step.op));
    resolve_command(app, &run.record.id, key, op)
}

/// List the steps of a run and their state.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"run\": id,
   \"steps\": [{row, step, operation, changes, state, thing: {sort, name, account},
              attempts, started, left, answered, looked_up, ended, waited_ms, why}]}
  row counts from 1
  state is absent, intended, in doubt, done, refused or half done (it failed, and left something behind)
  thing is the object that the step creates, or null
  attempts counts the requests that were sent
  started is when the script called the operation, left when the last request left, answered when the platform
  responded, looked_up when the last lookup of the result ended, ended when the outcome was recorded
  waited_ms is how long the step waited for other steps
  why is the reason for the doubt")]
struct StepsCommand {
    /// The run.
    run: String,
    /// Only the steps of this row, counted from 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row: Option<u64>,
    /// Only the steps that need a decision: in doubt or half done.
    #[arg(long, conflicts_with = "row")]
    open: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn steps(app: &App, command: &StepsCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let run = find_run(&journal, &command.run)?;
    let filter = match command.row {
        Some(row) => StepFilter::Row(row - 1),
        None if command.open => StepFilter::Resolvable,
        None => StepFilter::All,
    };
    let steps = journal.steps(&run.id, &filter)?;
    if command.json {
        let steps: Vec<Json> = steps.iter().map(step_json).collect();
        return app.print_json(&json!({"version": 1, "run": run.id.as_str(), "steps": steps}));
    }
    let header = [
        "row",
        "operation",
        "state",
        "what",
        "sent",
        "started (UTC)",
        "took",
        "step",
    ];
    app.print_table(&steps, "no such steps are recorded", &header, |step| {
        let ended = step.times.ended_ms;
        let elapsed = ended.map(|ended| times::format_elapsed(step.times.asked_ms, ended));
        let resource = step.resource.as_ref().map(|resource| resource.name.clone());
        vec![
            (step.position + 1).to_string(),
            step.op.clone(),
            step.state.name().to_owned(),
            resource.unwrap_or_default(),
            step.attempts.to_string(),
            times::shown(step.times.asked_ms),
            elapsed.unwrap_or_default(),
            short(&step.key).to_owned(),
        ]
    })
}

/// The end of a step's key, which distinguishes it from most others: the digest of its arguments, and its occurrence.
fn short(key: &str) -> &str {
    key.rsplit_once(':').map_or(key, |(_, end)| end)
}

/// Delete the details of old runs.
///
/// Deletes the rows, reads and sources of runs that ended long ago. Steps that changed something stay on record, and so
/// does the ledger with its credentials. Runs that can be resumed are kept.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document: {\"version\": 1, \"pruned\": number of runs}")]
struct PruneCommand {
    /// Keep runs that ended within this time, for example `30d` or `12h`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    keep: Duration,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn prune(app: &App, command: &PruneCommand) -> Result<Exit, CommandError> {
    let journal = app.journal()?;
    let old = ended_before(&journal, command.keep)?;
    if old > 0 {
        let runs = counted(old, "run");
        app.consent(
            command.yes,
            &format!("Delete the rows, reads and sources of {runs}?"),
        )?;
    }
    let pruned = if old > 0 { journal.prune(command.keep)? } else { 0 };
    if command.json {
        return app.print_json(&json!({"version": 1, "pruned": pruned}));
    }
    app.ui.note(&format!("pruned: {pruned}"));
    Ok(Exit::Ok)
}

/// The number of runs that pruning would affect.
fn ended_before(journal: &Journal, keep: Duration) -> Result<usize, CommandError> {
    let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    let before = Clock::system().now_millis().saturating_sub(keep);
    let runs = journal.runs()?;
    let old = runs
        .iter()
        .filter(|run| run.status.is_finished() && run.changed_ms < before);
    Ok(old.count())
}

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
struct ExportCommand {
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

fn export(app: &App, command: &ExportCommand) -> Result<Exit, CommandError> {
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
    for_each_row(journal, id, RowFilter::All, |row| -> Result<(), WriteFailure> {
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
    for_each_row(journal, id, RowFilter::All, |row| {
        put(journal.steps(id, &StepFilter::Row(row.position))?)
    })?;
    writeln!(sink, "]}}")?;
    sink.flush()?;
    Ok(())
}

/// Passes each row of a run that the filter selects to `take`, in input order. They are read page by page: a run may
/// have more than fit in memory.
pub(super) fn for_each_row<E: From<JournalError>>(
    journal: &Journal,
    run: &RunId,
    filter: RowFilter,
    mut take: impl FnMut(RowRecord) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = None;
    loop {
        let page = journal.rows(run, after, PAGE, filter)?;
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

/// Finds the run with this ID, or returns an error that suggests the nearest.
pub(super) fn find_run(journal: &Journal, name: &str) -> Result<RunRecord, CommandError> {
    if let Some(record) = journal.run(&RunId::new(name))? {
        return Ok(record);
    }
    let runs = journal.runs()?;
    Err(CommandError::usage(format!("there is no run `{name}`"))
        .did_you_mean(nearest(name, runs.iter().map(|run| run.id.as_str())))
        .hint("provisor runs list shows the runs"))
}

/// A run as shown in lists.
pub(super) struct RunSummary {
    pub(super) record: RunRecord,
    pub(super) plan: RunPlan,
    pub(super) counts: RowCounts,
    /// The process that executes it.
    pub(super) pid: Option<u32>,
    alive: bool,
}

impl RunSummary {
    /// Reads what is shown of a run.
    pub(super) fn read(journal: &Journal, record: RunRecord) -> Result<RunSummary, CommandError> {
        Ok(RunSummary {
            plan: RunPlan::from_value(&record.plan),
            counts: journal.row_counts(&record.id)?,
            alive: journal.is_run_alive(&record.id),
            pid: journal.run_holder(&record.id),
            record,
        })
    }

    /// The run's status. A run whose process died before recording its end is `killed`.
    pub(super) fn status(&self) -> &'static str {
        match self.record.status {
            _ if self.record.pruned => "pruned",
            _ if self.alive => RunStatus::Running.as_str(),
            RunStatus::Running | RunStatus::Queued => "killed",
            other => other.as_str(),
        }
    }

    /// The number of unfinished rows.
    pub(super) fn open(&self) -> u64 {
        let open = [RowStatus::Queued, RowStatus::Skipped, RowStatus::Interrupted];
        open.into_iter().map(|status| self.counts.of(status)).sum()
    }

    /// Where the run works: `sandbox`, a profile, or `-` if no profile was given.
    pub(super) fn place(&self) -> &str {
        match &self.plan.profile {
            _ if self.plan.sandbox => "sandbox",
            Some(name) => name,
            None => "-",
        }
    }

    /// The fields common to all JSON documents about runs.
    pub(super) fn json(&self) -> Json {
        let of = |status| self.counts.of(status);
        json!({
            "id": self.record.id.as_str(),
            "script": self.record.name,
            "status": self.status(),
            "rows": {
                "done": of(RowStatus::Done),
                "failed": of(RowStatus::Failed),
                "parked": of(RowStatus::Parked),
                "open": self.open(),
                "total": self.record.total,
            },
            "started": times::json(self.record.created_ms),
            "changed": times::json(self.record.changed_ms),
            "sandbox": self.plan.sandbox,
            "profile": self.plan.profile,
            "pid": self.pid,
        })
    }
}

/// A short description of a step: `crm::ensure_contact ann@example.com of row 3`.
pub(super) fn described(step: &StepRecord) -> String {
    let name = step
        .resource
        .as_ref()
        .map(|resource| format!(" {}", resource.name));
    format!(
        "{}{} of row {}",
        step.op,
        name.unwrap_or_default(),
        step.position + 1
    )
}

/// The command that records the outcome of a step of this operation: with `--value` where the script needs the call's
/// result.
pub(super) fn resolve_command(app: &App, run: &RunId, key: &str, op: &str) -> String {
    let needs_value = app
        .catalogue()
        .operation(op)
        .is_none_or(|op| expected_result(app.catalogue(), op).is_some());
    let done = if needs_value {
        "--as absent, or --as done --value FILE"
    } else {
        "--as absent, or --as done"
    };
    format!("provisor resolve {run} {key} {done}")
}

/// A step as JSON. Its outcome is left out; only exports have it.
pub(super) fn step_json(step: &StepRecord) -> Json {
    json!({
        "row": step.position + 1,
        "step": step.key,
        "operation": step.op,
        "changes": step.changes,
        "state": step.state.name(),
        "thing": step.resource.as_ref().map(|resource| json!({
            "sort": resource.kind, "name": resource.name, "account": resource.account,
        })),
        "attempts": step.attempts,
        "started": times::json(step.times.asked_ms),
        "left": step.times.left_ms.map(times::json),
        "answered": step.times.answered_ms.map(times::json),
        "looked_up": step.times.looked_up_ms.map(times::json),
        "ended": step.times.ended_ms.map(times::json),
        "waited_ms": step.times.waited_ms,
        "why": step.reason,
    })
}
