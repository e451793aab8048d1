//! `provisor runs show`: a run, and how to continue it.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value as Json, json};

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::run_summary::{RunSummary, described, find_run, resolve_command, step_json};
use crate::cli::times;
use crate::journal::{RowStatus, StepFilter, StepRecord};
use crate::value::Value;

/// Show a run: its parameters, progress, steps in doubt, and how to continue it.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1,
   \"run\": {as in `runs list`, and rows_from, out, jobs, parameters, sources: [{name, sha256}],
           earlier_sources: [{until, sources}]},
   \"in_doubt\": [steps as in `runs steps`], \"half_done\": [the same],
   \"waiting\": [texts: the runs that its rows wait for],
   \"next\": [commands]}
  earlier_sources are what the run was pinned to before `resume --with-current`
  secrets are masked; status may also be pruned")]
pub(super) struct ShowCommand {
    /// The run.
    run: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn show(app: &App, command: &ShowCommand) -> Result<Exit, CommandError> {
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
        app.print(&document.to_string())?;
        return Ok(Exit::Ok);
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
pub(super) fn run_json(run: &RunSummary) -> Json {
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
