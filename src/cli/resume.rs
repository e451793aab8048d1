//! `provisor resume`: continue a run where it stopped.

mod compare;
mod preview;
mod preview_table;
mod remaining_rows;
mod rewrite;
mod script;
mod select_run;
mod session;

use clap::Args;
use serde_json::Value as Json;

use super::app::{Accounts, App, Engine};
use super::approval::{self, Approvals};
use super::error::CommandError;
use super::execute::Execution;
use super::exit::Exit;
use super::memory;
use super::parent_session::ParentSession;
use super::plan::RunPlan;
use super::results::Results;
use super::run_summary::RunSummary;
use crate::journal::{RowFilter, RunLock, RunRecord};
use preview::Preview;
use script::ResumeScript;

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
    let Some(record) = select_run::run(&journal, command)? else {
        return select_run::nothing(app, &journal);
    };
    if let Some(exit) = select_run::ended(app, &record, command)? {
        if command.run.is_some() && !command.plan {
            rewrite::results(app, &journal, &record)?;
        }
        return Ok(exit);
    }
    select_run::check_plan_readable(&record)?;
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
    select_run::same_account(app, &plan)?;
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
            ..Accounts::default()
        },
    )?;
    let unread = remaining_rows::rows(
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
    (unread, results): (remaining_rows::RemainingRows, Option<Results>),
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
