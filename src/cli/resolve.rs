//! `provisor resolve`: record the outcome of a step that is in doubt.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::plan::RunPlan;
use super::runs::{described, find_run};
use crate::journal::{Journal, Resolution, RunRecord, RunStatus, StepFilter, StepRecord};
use crate::operation::catalogue::Catalogue;
use crate::operation::manual_result::{ExpectedResult, expected_result, given};
use crate::operation::platform::Operation;
use crate::operation::spec::Type;
use crate::value::{Record, Value};

/// Record the outcome of a step that is in doubt.
///
/// Check the platform first. `absent` means that the step was not carried out: the next resume sends it again, so a
/// step that was carried out after all would be carried out twice. `done` means that it was: the script continues with
/// the result in the file that `--value` names. To correct an outcome, resolve the step again.
///
/// A step is half done when it failed and left something behind, such as a message that waits as a draft: record
/// `absent` once you have deleted it, or `done` once you have finished it there.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor resolve r7f3k ann@example.com --as absent
  provisor resolve r7f3k 3f2a --as done --value tenant.json
  where tenant.json is {\"url\": \"https://a1.example.com\", \"password\": \"…\"}")]
pub(super) struct ResolveCommand {
    /// The run.
    run: String,
    /// Part of the step's key, or of the name of the object it creates; it must match no other step in doubt.
    step: String,
    /// The outcome.
    #[arg(long = "as", value_name = "OUTCOME")]
    outcome: Outcome,
    /// The operation's result as JSON, for `--as done`; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    value: Option<PathBuf>,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outcome {
    /// It was carried out.
    Done,
    /// It was not carried out.
    Absent,
}

pub(super) fn resolve(app: &App, command: &ResolveCommand) -> Result<Exit, CommandError> {
    let journal = app.journal()?;
    let run = find_run(&journal, &command.run)?;
    let step = find_step(&journal, &run, &command.step)?;
    let says = match command.outcome {
        Outcome::Done => {
            let value = result(app, &run, &step, command.value.as_deref())?;
            let op = app.catalogue().operation(&step.op);
            let removes = op.is_none_or(|op| op.driver().is_removed(&value));
            Resolution::Done { value, removes }
        }
        Outcome::Absent if command.value.is_some() => {
            return Err(CommandError::usage(
                "--value needs --as done: an absent step has no result",
            ));
        }
        Outcome::Absent => Resolution::Absent,
    };
    let (what, consequence) = match command.outcome {
        Outcome::Done => ("done", "it is not sent again"),
        Outcome::Absent => ("absent", "a resume sends it again"),
    };
    let description = described(&step);
    app.consent(
        command.yes,
        &format!("Record {description} as {what}, so that {consequence}?"),
    )?;
    journal.resolve(&run.id, &step.key, &says, &app.actor())?;
    app.ui.note(&format!(
        "{description} is recorded as {what}; see provisor audit"
    ));
    // The inputs of a session never run again.
    if !RunPlan::from_value(&run.plan).session {
        journal.reopen_row(&run.id, step.position)?;
    }
    if run.status != RunStatus::Cancelled {
        app.ui.hint(&format!("provisor resume {}", run.id));
    }
    Ok(Exit::Ok)
}

/// Finds the one step in doubt or half done whose key or resource name contains the fragment; if there is none,
/// searches the steps that a person has resolved.
fn find_step(journal: &Journal, run: &RunRecord, fragment: &str) -> Result<StepRecord, CommandError> {
    let has = |step: &StepRecord| {
        let name = step.resource.as_ref().map_or("", |resource| &resource.name);
        step.key.contains(fragment) || name.to_lowercase().contains(&fragment.to_lowercase())
    };
    let mut open = journal.steps(&run.id, &StepFilter::Resolvable)?;
    let mut resolved = Vec::new();
    if !open.iter().any(has) {
        resolved = journal.resolved_steps(&run.id)?;
    }
    open.append(&mut resolved);
    if let Some(exact) = open.iter().position(|step| step.key == fragment) {
        return Ok(open.swap_remove(exact));
    }
    let mut found: Vec<StepRecord> = open.into_iter().filter(has).collect();
    match (found.pop(), found.len()) {
        (Some(step), 0) => Ok(step),
        (None, _) => Err(none(journal, run, fragment, has)?),
        (Some(step), more) => Err(CommandError::usage(format!(
            "`{fragment}` matches {} steps whose outcome you can record, for example {}",
            more + 1,
            step.key
        ))
        .hint(format!(
            "use a longer part of it: provisor runs steps {} --open",
            run.id
        ))),
    }
}

/// The error that explains why no step in doubt was found.
fn none(
    journal: &Journal,
    run: &RunRecord,
    fragment: &str,
    has: impl Fn(&StepRecord) -> bool,
) -> Result<CommandError, CommandError> {
    let id = &run.id;
    let settled = journal.steps(id, &StepFilter::All)?.into_iter().find(has);
    let error = match settled {
        Some(step) => CommandError::usage(format!(
            "step {} is {}, not in doubt",
            step.key,
            step.state.name()
        )),
        None => CommandError::usage(format!("run {id} has no step with `{fragment}` in its key")),
    };
    Ok(error.hint(format!("provisor runs steps {id} --open lists what is in doubt")))
}

/// The result to record for the step.
fn result(app: &App, run: &RunRecord, step: &StepRecord, file: Option<&Path>) -> Result<Value, CommandError> {
    let Some(op) = app.catalogue().operation(&step.op) else {
        return Err(CommandError::usage(format!(
            "this version has no operation `{}`",
            step.op
        )));
    };
    let written = match file {
        Some(file) => read(file)?,
        None => match expected_result(app.catalogue(), op) {
            None => Value::Null,
            Some(ExpectedResult { shape, example }) => {
                return Err(CommandError::usage(format!(
                    "the script needs the result of {}: {shape}",
                    step.op
                ))
                .hint(format!("write the result to a file, for example {example}"))
                .hint(format!(
                    "then: provisor resolve {} {} --as done --value FILE",
                    run.id, step.key
                )));
            }
        },
    };
    given(
        app.catalogue(),
        op,
        written,
        known(app.catalogue(), op, run, step),
    )
    .map_err(|reason| CommandError::usage(format!("--value: {reason}")))
}

/// What the journal knows of the result: the resource's name, and the profile through which its account is reached.
fn known(catalogue: &Catalogue, op: Operation, run: &RunRecord, step: &StepRecord) -> Record {
    let Some(resource) = step.resource.as_ref() else {
        return Record::new();
    };
    if op.module == "http" {
        return Record::from([("outcome".to_owned(), "created".into())]);
    }
    // A single required text is the natural key; from several, the key is derived.
    let mut texts = op
        .params
        .iter()
        .filter(|param| param.required && param.ty == Type::Text);
    let (Some(key), None) = (texts.next(), texts.next()) else {
        return Record::new();
    };
    let kind = catalogue.kind(op.result);
    if !kind.is_some_and(|kind| kind.properties.iter().any(|(name, ..)| *name == key.name)) {
        return Record::new();
    }
    let mut known = Record::from([(key.name.to_owned(), resource.name.as_str().into())]);
    let below = op.platform().sub_accounts.as_ref();
    if below.is_some_and(|below| below.kind == op.result) {
        let plan = RunPlan::from_value(&run.plan);
        let profile = if plan.sandbox {
            Some("sandbox".to_owned())
        } else {
            plan.profile
        };
        known.insert("$master".to_owned(), resource.account.as_str().into());
        known.insert("$profile".to_owned(), profile.unwrap_or_default().into());
    }
    known
}

fn read(file: &Path) -> Result<Value, CommandError> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let unreadable = |reason: String| CommandError::usage(format!("--value `{}`: {reason}", file.display()));
    let text = text.map_err(|error| unreadable(error.to_string()))?;
    // The text may hold a password, so no message may quote it; serde_json reports only the position.
    let json = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    Ok(Value::from_json(json))
}
