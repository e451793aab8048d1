//! The results of a run: written to a partial file while rows finish, put in place when the run ends.

mod place;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) use self::place::check_distinct_paths;
use self::place::{Pipe, Target, format_of};
use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::plan::RunPlan;
use super::runs::for_each_row;
use super::ui::Ui;
use crate::bulk::input::cells_of;
use crate::bulk::schedule::Finished;
use crate::config::StagedFile;
use crate::journal::{Journal, RowFilter, RowRecord, RunId};
use crate::report::reveal::Reveal;
use crate::report::{Columns, Format, ReportError, ResultRow, Writer};
use crate::script::params::Declaration;
use crate::script::program::Script;
use crate::value::{Record, Value};

/// The longest time before finished rows appear in the partial file.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// The destination of the results, and what has been written so far.
pub(super) struct Results {
    view: View,
    target: Target,
    flushed: Instant,
    /// The columns whose secrets were requested in clear.
    revealed: Vec<String>,
    /// Rows finished in this process, so that their columns are known; `None` if others may have finished before.
    finished_rows: Option<u64>,
}

/// How the results are written.
struct View {
    format: &'static dyn Format,
    columns: Columns,
    reveal: Reveal,
    /// Whether only the owner may access the file.
    private: bool,
}

impl Results {
    /// Opens the destination if the plan has results: those of rows, or of a single call with `--out`.
    pub(super) fn open_results(
        ui: &Ui,
        plan: &RunPlan,
        script: &Script,
        resumed: bool,
    ) -> Result<Option<Results>, CommandError> {
        if plan.rows.is_none() && plan.out.is_none() {
            return Ok(None);
        }
        Results::open(ui, plan, script.declaration(), resumed).map(Some)
    }

    /// Opens the destination before the run is recorded, so that an unwritable one leaves no run behind.
    fn open(ui: &Ui, plan: &RunPlan, declared: &Declaration, resumed: bool) -> Result<Results, CommandError> {
        let format = format_of(plan)?;
        let is_param = |name: &String| declared.params().iter().any(|param| param.name == *name);
        let outputs = &declared.output_columns;
        let columns = Columns::new(&plan.columns, outputs)
            .with_titles(&plan.columns, &plan.titles)
            .fresh(outputs.iter().filter(|name| !is_param(name)).cloned());
        let reveal = Reveal::columns(plan.reveal.iter().cloned());
        let target = Target::open(ui, plan, format, resumed, &columns, &reveal)?;
        Ok(Results {
            view: View {
                private: place::is_private(plan),
                format,
                columns,
                reveal,
            },
            target,
            flushed: Instant::now(),
            revealed: plan.reveal.clone(),
            finished_rows: (!resumed).then_some(0),
        })
    }

    /// Records in the audit log who had secrets written in clear, and where.
    pub(super) fn audit(
        app: &App,
        journal: &Journal,
        plan: &RunPlan,
        run: &RunId,
    ) -> Result<(), CommandError> {
        if plan.reveal.is_empty() {
            return Ok(());
        }
        let columns = plan.reveal.join(", ");
        let to = plan.out.as_deref().unwrap_or("standard output");
        let what = format!("column {columns} of the results of run {run}, in {to}");
        Ok(journal.audit("reveal", &app.actor(), &what.into())?)
    }

    /// Adds a finished row.
    pub(super) fn row(&mut self, run: &RunId, finished: &Finished) -> Result<(), CommandError> {
        let row = ResultRow {
            position: finished.position,
            input: finished.input.clone(),
            output: finished.output.clone(),
            status: finished.status.reported(),
            error: finished.error.clone(),
            run: run.to_string(),
        };
        self.view.columns.note(&row);
        self.finished_rows = self.finished_rows.map(|finished_rows| finished_rows + 1);
        let written = match &mut self.target {
            Target::File { writer, .. } => writer.row(&row),
            Target::Live(writer) => writer.row(&row),
            Target::AtEnd(_) => Ok(()),
        };
        match written {
            // A column missing from the partial file's header; the final file has it.
            Ok(()) | Err(ReportError::NewColumn { .. }) => {}
            Err(error) => return Err(unwritable(self.target.file(), error)),
        }
        if self.flushed.elapsed() >= FLUSH_INTERVAL {
            self.flush()?;
        }
        Ok(())
    }

    /// Flushes the rows added so far.
    pub(super) fn flush(&mut self) -> Result<(), CommandError> {
        self.flushed = Instant::now();
        match &mut self.target {
            Target::File { path, writer, .. } => {
                writer.flush().map_err(|error| unwritable(Some(path), error))
            }
            Target::Live(writer) => writer.flush().map_err(|error| unwritable(None, error)),
            Target::AtEnd(_) => Ok(()),
        }
    }

    /// Writes the complete results from the journal in input order, and puts them in place atomically. Returns the
    /// columns requested in clear that no result has.
    pub(super) fn finish(mut self, run: &RunId, journal: &Journal) -> Result<Vec<String>, CommandError> {
        if self.finished_rows != Some(journal.row_counts(run)?.all()) {
            // Rows that finished elsewhere, or never started, have columns of their own.
            self.view.note_all(run, journal)?;
        }
        let Results {
            target,
            view,
            revealed,
            ..
        } = self;
        match target {
            Target::File {
                path,
                partial,
                writer,
                lock,
            } => {
                drop(writer);
                view.replace(run, journal, &path, &partial)?;
                // Only a leftover: the results are in place.
                let _ = std::fs::remove_file(partial);
                drop(lock);
            }
            Target::Live(writer) => {
                writer.end().map_err(|error| unwritable(None, error))?;
            }
            Target::AtEnd(stdout) => {
                let mut stdout = view.write(run, journal, None, BufWriter::new(Pipe::new(stdout)))?;
                stdout.flush().map_err(|error| unwritable(None, error.into()))?;
            }
        }
        let has = |name: &String| view.columns.titles().any(|title| title.trim() == name);
        Ok(revealed.into_iter().filter(|name| !has(name)).collect())
    }

    /// Whether the results go to a file.
    pub(super) fn goes_to_file(&self) -> bool {
        matches!(self.target, Target::File { .. })
    }

    /// Ends without touching an existing results file. Finished rows stay in the partial file beside it, whose path is
    /// returned.
    pub(super) fn abandon(self) -> Result<Option<PathBuf>, CommandError> {
        match self.target {
            Target::File {
                path,
                partial,
                mut writer,
                ..
            } => {
                writer.flush().map_err(|error| unwritable(Some(&path), error))?;
                Ok(Some(partial))
            }
            Target::Live(writer) => {
                writer.end().map_err(|error| unwritable(None, error))?;
                Ok(None)
            }
            Target::AtEnd(_) => Ok(None),
        }
    }

    /// Closes the destination before any row was added, leaving nothing behind.
    pub(super) fn discard(self) {
        if let Target::File { partial, .. } = self.target {
            // If it cannot be removed, the next run replaces it.
            let _ = std::fs::remove_file(partial);
        }
    }
}

impl View {
    fn replace(
        &self,
        run: &RunId,
        journal: &Journal,
        path: &Path,
        partial: &Path,
    ) -> Result<(), CommandError> {
        let failed = |error: io::Error| unwritable(Some(path), error.into());
        let draft = StagedFile::of(path).map_err(failed)?;
        let sink = self.write(run, journal, Some(path), BufWriter::new(draft))?;
        let draft = sink.into_inner().map_err(|error| failed(error.into_error()))?;
        self.set_permissions(draft.file(), path, partial)
            .map_err(failed)?;
        draft.place().map_err(failed)
    }

    /// Results with secrets in clear, or from rows only the owner can access, are accessible by their owner only;
    /// others keep the permissions of the file they replace.
    fn set_permissions(&self, file: &File, path: &Path, partial: &Path) -> io::Result<()> {
        let rights = match std::fs::metadata(path) {
            Ok(old) if !self.private => old.permissions(),
            _ => std::fs::metadata(partial)?.permissions(),
        };
        file.set_permissions(rights)
    }

    fn write<W: Write>(
        &self,
        run: &RunId,
        journal: &Journal,
        place: Option<&Path>,
        sink: W,
    ) -> Result<W, CommandError> {
        let unwritable = |error| unwritable(place, error);
        let writer = Writer::begin(sink, self.format, self.columns.clone(), self.reveal.clone());
        let mut writer = writer.map_err(unwritable)?;
        for_each_row(journal, run, RowFilter::All, |row| {
            writer.row(&result_row(row, run)).map_err(unwritable)
        })?;
        writer.end().map_err(unwritable)
    }

    fn note_all(&mut self, run: &RunId, journal: &Journal) -> Result<(), CommandError> {
        let mut columns = self.columns.clone();
        for_each_row(journal, run, RowFilter::All, |row| {
            columns.note(&result_row(row, run));
            Ok::<_, CommandError>(())
        })?;
        self.columns = columns;
        Ok(())
    }
}

fn result_row(row: RowRecord, run: &RunId) -> ResultRow {
    let output = match row.output {
        Some(Value::Record(output)) => output,
        _ => Record::new(),
    };
    let error = row.error.as_ref().and_then(Value::as_text).map(str::to_owned);
    ResultRow {
        position: row.position,
        input: cells_of(&row.input),
        output,
        status: row.status.reported(),
        error,
        run: run.to_string(),
    }
}

/// `place` is the results file, if any.
fn unwritable(place: Option<&Path>, error: ReportError) -> CommandError {
    match (place, error) {
        (Some(file), ReportError::Write(reason)) => CommandError::new(
            Exit::Aborted,
            format!("the results cannot be written to `{}`: {reason}", file.display()),
        ),
        (_, error) => CommandError::new(Exit::Aborted, error),
    }
}
