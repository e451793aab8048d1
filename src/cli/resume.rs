//! `provisor resume`: continue a run where it stopped.

mod preview;
mod session;

use std::path::Path;

use clap::Args;
use serde_json::Value as Json;

use self::preview::Preview;
use super::app::{Accounts, App, Engine};
use super::approval::{self, Approvals};
use super::error::CommandError;
use super::execute::Execution;
use super::exit::Exit;
use super::parent_session::ParentSession;
use super::plan::RunPlan;
use super::results::{Results, check_distinct_paths};
use super::runs::{RunSummary, find_run};
use super::{memory, plan, profiles, rows, run, sources};
use crate::bulk::input::{Input, InputChanged};
use crate::journal::{Journal, JournalError, RowFilter, RunLock, RunRecord, RunStatus};
use crate::script::bundle::Bundle;
use crate::script::program::Script;
use crate::value::Value;

/// Continue a run where it stopped.
///
/// Recorded steps return their results from the journal and are not sent again; a step whose response was lost is
/// looked up. The run uses the script it started with, unless you pass `--with-current`. If you name a run that has
/// ended, its results file is written again.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor resume                          the latest unfinished run
  provisor resume r7f3k --plan             show what it would do
  provisor resume r7f3k --retry-failed --with-current

JSON (--plan --json), one document:
  {\"version\": 1, \"run\": {as in `runs list`}, \"script\": \"pinned\" or \"current\",
   \"rows\": [{row, status, recorded, then, next: {how, operation, thing, step, not_before},
             why, unasked: [steps]}],
   \"begins\": N, \"unread\": true or false,
   \"comparison\": {match, new, again, not_reached, left_over: [{operation, steps, rows, first_row}]}}
  rows are those that would run, by number
  recorded counts the steps whose results come from the journal
  then is acts, returns, fails or misfits; next is null unless it acts
  how is send, again, read, look-up, person or other-run
  begins counts rows without recorded steps; they are not listed
  unread is true if rows of the input remain to be read
  comparison is null unless the script differs")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ResumeCommand {
    /// The run; by default the latest unfinished one.
    run: Option<String>,
    /// Run failed rows again, too.
    #[arg(long)]
    retry_failed: bool,
    /// Show what would be sent and looked up, and do nothing.
    #[arg(long)]
    plan: bool,
    /// Use the script as it is now. First shows which recorded steps match, which are new and which are left over, and
    /// asks for confirmation.
    #[arg(long)]
    with_current: bool,
    /// Repeat finished messages and requests that an edited script makes differently and that cannot be looked up.
    #[arg(long)]
    again: bool,
    /// The file with the rows, if it has moved and the run had not read all of it; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    rows: Option<String>,
    /// The number of rows that run at once; by default as before.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    jobs: Option<u16>,
    /// Send at most N changes in the whole run, or none for any number; by default as before.
    #[arg(long, value_name = "N", value_parser = plan::max_changes)]
    max_changes: Option<u64>,
    /// Memory limit shared by all scripts that run at once: 512M, 4G or none [default: 1G].
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    max_memory: Option<usize>,
    /// Do not ask for confirmation, neither of an edited script nor of changes in mode `prod`.
    #[arg(long)]
    yes: bool,
    /// Print the plan as JSON.
    #[arg(long, requires = "plan")]
    json: bool,
}

pub(super) fn resume(app: &App, command: &ResumeCommand) -> Result<Exit, CommandError> {
    memory::allow(command.max_memory);
    let journal = app.journal()?;
    let Some(record) = find_resumable(&journal, command)? else {
        return report_nothing(app, &journal);
    };
    if let Some(exit) = report_ended(app, &record, command)? {
        if command.run.is_some() && !command.plan {
            rewrite_results(app, &journal, &record)?;
        }
        return Ok(exit);
    }
    check_plan_readable(&record)?;
    let recorded = RunPlan::from_value(&record.plan);
    if let Some(within) = ParentSession::of(&app.env) {
        within.check_run_allowed(&record.id.to_string(), &recorded)?;
    }
    if recorded.session {
        return session::close(app, journal, &record, command);
    }
    let listed = RunSummary::read(&journal, record.clone())?;
    let run = journal.lock_run(&record.id)?;
    let mut plan = recorded.clone().rebased_on(app.env.folder());
    if let Some(jobs) = command.jobs {
        plan.jobs = jobs.into();
    }
    plan.max_changes = command.max_changes.or(plan.max_changes);
    same_account(app, &plan)?;
    let mut pinned = ResumeScript::read(app, &journal, &record, &plan)?;
    let edited = command.with_current && pinned.take_current(app, &plan)?;
    let agreed = if command.plan {
        // Nothing is sent.
        Approvals::for_all_profiles()
    } else {
        // The confirmation does not cover an edited script or other rows.
        let mut unapproved = plan.clone();
        if edited || command.rows.is_some() {
            unapproved.agreed.clear();
        }
        approval::ask(app, &pinned.script, &unapproved, command.yes)?
    };
    let engine = app.engine_on_journal(
        journal,
        &Accounts {
            sandbox: plan.sandbox,
            profile: plan.profile.clone(),
            agreed,
            rows: plan.rows.is_some(),
            project: Some(sources::project(app, &plan.script_path())),
            ..Accounts::default()
        },
    )?;
    let unread = remaining_rows(
        &engine.journal,
        &record,
        &plan,
        &pinned.script,
        command.rows.as_deref(),
    )?;
    let how = (command.retry_failed, command.again, &unread);
    let go_through =
        |each: &mut (dyn FnMut(Json) + Send)| Preview::of(&engine, &run, &plan, &pinned.script, how, each);
    if command.json {
        return Preview::print_json(app, (&listed, edited), go_through).map(|()| Exit::Ok);
    }
    let preview = if command.plan || edited {
        Some(go_through(&mut |_| {})?)
    } else {
        None
    };
    if let Some(preview) = &preview {
        preview.show(app, &listed, edited, command.plan)?;
    }
    if command.plan {
        return Ok(Exit::Ok);
    }
    if edited {
        preview
            .as_ref()
            .map_or(Ok(()), |preview| preview.consent(command.again))?;
        app.consent(
            command.yes,
            &format!("Continue run {} with the edited script?", record.id),
        )?;
        pinned.pin_current_script(app, &engine.journal, &run, recorded)?;
    }
    show_continuation(app, &record, command, &pinned, &plan);
    // Before anything is recorded, as this may fail.
    let results = Results::open_results(&app.ui, &plan, &pinned.script, true)?;
    if command.retry_failed {
        engine.journal.retry_failed(&run)?;
    }
    carry_out(
        app,
        &engine,
        (run, &record),
        plan,
        pinned,
        (unread, results),
        command.again,
    )
}

/// Shows which run continues, and with which script.
fn show_continuation(
    app: &App,
    record: &RunRecord,
    command: &ResumeCommand,
    pinned: &ResumeScript,
    plan: &RunPlan,
) {
    app.ui
        .note(&format!("resuming run {} of {}", record.id, plan.script));
    if !command.with_current && pinned.has_changed(app, plan) {
        app.ui.note(&format!(
            "`{}` has changed since; the run uses the version it started with (--with-current uses the new one)",
            plan.script
        ));
    }
}

fn carry_out(
    app: &App,
    engine: &Engine,
    (run, record): (RunLock, &RunRecord),
    plan: RunPlan,
    pinned: ResumeScript,
    (unread, results): (RemainingRows, Option<Results>),
    again: bool,
) -> Result<Exit, CommandError> {
    let counts = engine.journal.row_counts(&record.id)?;
    Execution {
        app,
        engine,
        script: pinned.script,
        run,
        total: unread.input.is_none().then(|| counts.all()),
        before: counts,
        input: unread.input,
        plan,
        resumed: Some(RowFilter::Unfinished),
        missing: unread.missing,
        again,
        results,
    }
    .carry_out()
}

/// The named run, or the latest resumable one that no process is executing.
fn find_resumable(journal: &Journal, command: &ResumeCommand) -> Result<Option<RunRecord>, CommandError> {
    if let Some(name) = &command.run {
        return find_run(journal, name).map(Some);
    }
    if !command.retry_failed {
        return Ok(journal.latest_unfinished()?);
    }
    let ended = |run: &RunRecord| matches!(run.status, RunStatus::Done | RunStatus::Cancelled);
    let can_go_on = |run: &RunRecord| !ended(run) && run.plan != Value::Null;
    let mut open = journal.runs()?.into_iter().filter(can_go_on);
    Ok(open.find(|run| !journal.is_run_alive(&run.id)))
}

/// Reports that there is no run to resume. Not a success if another process is executing one, or if the newest run has
/// failed rows.
fn report_nothing(app: &App, journal: &Journal) -> Result<Exit, CommandError> {
    let runs = journal.runs()?;
    // An open session has nothing to resume yet.
    let is_session = |run: &RunRecord| RunPlan::from_value(&run.plan).session;
    let mut alive = runs.iter().filter(|run| journal.is_run_alive(&run.id));
    if let Some(run) = alive.find(|run| !is_session(run)) {
        return Err(JournalError::RunBusy {
            run: run.id.clone(),
            pid: journal.run_holder(&run.id),
        }
        .into());
    }
    app.ui.note("nothing to resume: every run is finished");
    if let Some(run) = runs.iter().find(|run| run.status == RunStatus::Failed) {
        let id = &run.id;
        app.ui.hint(&format!(
            "to retry the failed rows of run {id}: provisor resume {id} --retry-failed"
        ));
    }
    let newest_failed = runs.first().is_some_and(|run| run.status == RunStatus::Failed);
    Ok(if newest_failed { Exit::RowsFailed } else { Exit::Ok })
}

/// Checks that the run's plan can be read.
fn check_plan_readable(record: &RunRecord) -> Result<(), CommandError> {
    if record.plan != Value::Null {
        return Ok(());
    }
    Err(CommandError::new(
        Exit::Aborted,
        format!("the plan of run {} cannot be read", record.id),
    ))
}

/// The exit code, if nothing is left to run.
fn report_ended(
    app: &App,
    record: &RunRecord,
    command: &ResumeCommand,
) -> Result<Option<Exit>, CommandError> {
    let id = &record.id;
    if record.pruned {
        return Err(
            CommandError::usage(format!("run {id} was pruned: its rows were deleted"))
                .hint("run the command again: objects in the ledger stay unchanged"),
        );
    }
    match record.status {
        RunStatus::Done => {
            app.ui.note(&format!("run {id} is done; nothing is left to do"));
            Ok(Some(Exit::Ok))
        }
        RunStatus::Cancelled => Err(CommandError::usage(format!("run {id} was cancelled"))
            .hint("run the command again: objects in the ledger stay unchanged")),
        RunStatus::Failed if !command.retry_failed => {
            app.ui
                .note(&format!("every row of run {id} has ended, and some failed"));
            let edited = if command.with_current {
                " --with-current"
            } else {
                ""
            };
            app.ui.hint(&format!(
                "to retry them: provisor resume {id} --retry-failed{edited}"
            ));
            Ok(Some(Exit::RowsFailed))
        }
        _ => Ok(None),
    }
}

/// Rejects a profile that points elsewhere than when the run started: it would repeat everything in another account.
fn same_account(app: &App, plan: &RunPlan) -> Result<(), CommandError> {
    let (false, Some(name), Some(then)) = (plan.sandbox, &plan.profile, &plan.address) else {
        return Ok(());
    };
    if profiles::sandboxed(app, Some(name)).is_some() {
        return Err(CommandError::usage(format!(
            "profile `{name}` now uses the sandbox, but the run started on the real account"
        ))
        .hint(format!("provisor profile use {name} --no-sandbox")));
    }
    match profiles::active(app, Some(name)) {
        Some((_, now)) if now != *then => Err(CommandError::usage(format!(
            "profile `{name}` points to {now}, but pointed to {then} when the run started"
        ))
        .hint("restore its address, or start a new run")),
        // A missing profile is reported when it is needed.
        _ => Ok(()),
    }
}

/// Writes the run's results to the file named in its plan, if any.
fn rewrite_results(app: &App, journal: &Journal, record: &RunRecord) -> Result<(), CommandError> {
    let plan = RunPlan::from_value(&record.plan).rebased_on(app.env.folder());
    let Some(out) = plan.out.as_deref().filter(|out| *out != "-") else {
        return Ok(());
    };
    let run = journal.lock_run(&record.id)?;
    let script = ResumeScript::read(app, journal, record, &plan)?.script;
    let Some(results) = Results::open_results(&app.ui, &plan, &script, true)? else {
        return Ok(());
    };
    Results::audit(app, journal, &plan, run.id())?;
    results.finish(run.id(), journal)?;
    app.ui.note(&format!("its results are written to `{out}` again"));
    Ok(())
}

/// The script a run continues with.
struct ResumeScript {
    script: Script,
}

impl ResumeScript {
    /// Reads the script the run is pinned to.
    fn read(
        app: &App,
        journal: &Journal,
        record: &RunRecord,
        plan: &RunPlan,
    ) -> Result<ResumeScript, CommandError> {
        let bundle =
            Bundle::from_parts(journal.sources(&record.id)?, plan.imports.clone()).ok_or_else(|| {
                CommandError::new(Exit::Aborted, "the run's script is no longer in the journal")
                    .hint("provisor journal check")
            })?;
        Ok(ResumeScript {
            script: Script::compile_recorded(&run::host(app), bundle)?,
        })
    }

    /// Whether the script's file has changed. False if it is missing or cannot be loaded.
    fn has_changed(&self, app: &App, plan: &RunPlan) -> bool {
        plan.script != "-"
            && run::load(app, Path::new(&plan.script)).is_ok_and(|now| texts(&now) != texts(&self.script))
    }

    /// Switches to the current script if it has changed, and returns whether it has. It must accept the run's input.
    fn take_current(&mut self, app: &App, plan: &RunPlan) -> Result<bool, CommandError> {
        if plan.script == "-" {
            return Err(CommandError::usage(
                "the script came from standard input, so there is no edited version",
            ));
        }
        let current = run::load(app, Path::new(&plan.script))?;
        if texts(&current) == texts(&self.script) {
            return Ok(false);
        }
        fits(plan, &current)?;
        self.script = current;
        Ok(true)
    }

    /// Pins the run to the current script. `recorded` is the plan in the journal.
    fn pin_current_script(
        &self,
        app: &App,
        journal: &Journal,
        run: &RunLock,
        mut recorded: RunPlan,
    ) -> Result<(), CommandError> {
        let (sources, imports) = self.script.bundle().parts();
        recorded.imports = imports;
        Ok(journal.repin(run, &sources, &recorded.to_value(), &app.actor())?)
    }
}

/// Checks that the script accepts the run's parameters.
fn fits(plan: &RunPlan, script: &Script) -> Result<(), CommandError> {
    let refused = |reason: String| {
        CommandError::usage(format!(
            "the edited script does not accept the run's parameters: {reason}"
        ))
    };
    if plan.rows.is_none() {
        let errors = script.bind(&plan.constants).err().unwrap_or_default();
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return if errors.is_empty() {
            Ok(())
        } else {
            Err(refused(errors.join("; ")))
        };
    }
    let declared = script.declaration().params();
    let is_undeclared = |name: &&String| !declared.iter().any(|param| param.name == **name);
    if let Some(name) = plan.constants.keys().find(is_undeclared) {
        return Err(refused(format!("it has no parameter `{name}`")));
    }
    rows::check_columns(plan, script)
}

/// The texts of a script's sources, whatever their files are called.
fn texts(script: &Script) -> Vec<&str> {
    let sources = script.bundle().sources().iter();
    sources.map(|source| source.text.as_str()).collect()
}

/// The input that is left to read.
#[derive(Default)]
struct RemainingRows {
    /// The rows after those in the journal.
    input: Option<Input>,
    /// Whether some rows can no longer be read.
    missing: bool,
}

/// Finds the rows that are not in the journal. The input must still begin with those that are, so that one run never
/// mixes rows of two files. `script` is the one they were read with.
fn remaining_rows(
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
            None => Ok(RemainingRows::default()),
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
    fn input(input: Input) -> RemainingRows {
        RemainingRows {
            input: Some(input),
            missing: false,
        }
    }

    /// Whether some rows are not in the journal.
    fn is_any(&self) -> bool {
        self.input.is_some() || self.missing
    }
}
