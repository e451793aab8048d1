//! Work outside the session: the editor, the pager, the program itself, files.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::draft::EditorDraft;
use super::host::{CliHost, lock};
use crate::cli::app::App;
use crate::cli::config;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::parent_session::{self, ParentSession};
use crate::cli::plan::RunPlan;
use crate::cli::private_file;
use crate::cli::trust::Trust;
use crate::cli::ui::Stream;
use crate::repl::host::ReplHost as _;
use crate::value::Value;

/// Describes the account of a run.
fn describe_account(plan: &Value) -> String {
    let plan = RunPlan::from_value(plan);
    match plan.profile {
        _ if plan.sandbox => ", on the sandbox".to_owned(),
        Some(profile) => format!(", on {profile}"),
        None => String::new(),
    }
}

/// The name of the scripts that every session starts with.
const RC: &str = "repl.rhai";

impl CliHost {
    /// Runs the program itself and returns its exit code.
    pub(super) fn run_self(&self, words: &[String]) -> Result<u8, CommandError> {
        let failed = |error: io::Error| {
            CommandError::new(Exit::Aborted, format!("provisor cannot be started: {error}"))
        };
        let program = std::env::current_exe().map_err(failed)?;
        let colour = if self.app.ui.has_colour(Stream::Out) {
            "always"
        } else {
            "never"
        };
        let mut command = Command::new(program);
        command.args(["--color", colour]).args(words);
        command.env(parent_session::VARIABLE, ParentSession::written(&self.place()));
        if !self.typed {
            // The rest of stdin belongs to this session.
            command.stdin(Stdio::null());
        }
        // Ctrl-C stops the program; anything else typed waits for the next prompt.
        let status = match &self.keyboard {
            Some(keyboard) => {
                keyboard.signal(true);
                let status = command.status();
                keyboard.signal(false);
                status
            }
            None => command.status(),
        };
        let status = status.map_err(failed)?;
        let code = status.code().unwrap_or(Exit::Interrupted.code().into());
        Ok(u8::try_from(code).unwrap_or(Exit::Aborted.code()))
    }

    /// Opens a text in `$VISUAL`, `$EDITOR` or vi.
    pub(super) fn edit_text(&self, text: &str) -> Result<String, CommandError> {
        let unusable = |error: io::Error| {
            CommandError::new(
                Exit::Aborted,
                format!("the text for the editor cannot be stored: {error}"),
            )
        };
        let folder = self.app.paths()?.state();
        App::make_private(folder)?;
        let draft = EditorDraft::make(folder, text).map_err(unusable)?;
        let env = &self.app.env;
        let editor = env.get("VISUAL").or_else(|| env.get("EDITOR")).unwrap_or("vi");
        let mut words = editor.split_whitespace();
        let program = words.next().unwrap_or("vi");
        let mut command = Command::new(program);
        command.args(words).arg(draft.file());
        match self.with_original_terminal(|| self.editing.run(&mut command, draft)) {
            Ok((status, text)) if status.success() => text.map_err(unusable),
            Ok(_) => Err(CommandError::usage(format!(
                "the editor `{editor}` failed; the input is unchanged"
            ))),
            Err(error) => Err(CommandError::usage(format!(
                "the editor `{editor}` cannot be started: {error}"
            ))
            .hint("set EDITOR to an installed editor")),
        }
    }

    /// Shows a text in `$PAGER`, or in less.
    pub(super) fn page_text(&self, text: &str) -> Result<(), CommandError> {
        let env = &self.app.env;
        let pager = env.get("PAGER").filter(|pager| !pager.trim().is_empty());
        let pager = pager.unwrap_or("less");
        let mut words = pager.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("less"));
        command.args(words).stdin(Stdio::piped());
        if env.get("LESS").is_none() {
            // Wide tables scroll sideways, and colours are kept.
            command.env("LESS", "-RS");
        }
        self.with_original_terminal(|| {
            let mut child = command.spawn().map_err(|error| {
                CommandError::usage(format!("the pager `{pager}` cannot be started: {error}"))
                    .hint("set PAGER to an installed pager")
            })?;
            if let Some(mut stdin) = child.stdin.take() {
                // The user may leave the pager early.
                let _ = stdin.write_all(text.as_bytes());
            }
            match child.wait() {
                Ok(_) => Ok(()),
                Err(error) => Err(CommandError::usage(format!(
                    "the pager `{pager}` failed: {error}"
                ))),
            }
        })
    }

    /// Calls `to` with the terminal in the state from before the session.
    fn with_original_terminal<T>(&self, to: impl FnOnce() -> T) -> T {
        match &self.keyboard {
            Some(keyboard) => keyboard.with_original_state(to),
            None => to(),
        }
    }

    /// Writes a user's file.
    pub(super) fn write_file(&self, path: &str, text: &str, replace: bool) -> Result<(), CommandError> {
        let path = self.app.env.folder().join(path);
        if path.exists() && !replace {
            return Err(CommandError::usage(format!("`{}` exists", path.display()))
                .hint("choose another name, or add --force to replace it"));
        }
        private_file::write(&path, |sink| Ok(sink.write_all(text.as_bytes())?))
    }

    /// The scripts that the session starts with, and messages about others.
    pub(super) fn rc_files(&self) -> (Vec<(String, String)>, Vec<String>) {
        let mut scripts = Vec::new();
        let mut notes = Vec::new();
        let Ok(paths) = self.app.paths() else {
            return (scripts, notes);
        };
        let own = paths.config().join(RC);
        match fs::read_to_string(&own) {
            Ok(text) => scripts.push((own.display().to_string(), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => notes.push(format!("`{}` cannot be read: {error}", own.display())),
        }
        let project = self.project_rc();
        if let Ok(text) = fs::read_to_string(&project) {
            if Trust::of(paths).covers(&project, &text) {
                scripts.push((self.shown(&project), text));
            } else {
                notes.push(format!(
                    "{} was not loaded, because its current text is not trusted; review it, then enter :trust",
                    self.shown(&project)
                ));
            }
        }
        (scripts, notes)
    }

    /// The recorded runs, newest first; creates no journal.
    pub(super) fn known_runs(&self) -> Option<Vec<(String, String)>> {
        let engine = lock(&self.engine).clone();
        let journal = match engine {
            Some(engine) => engine.journal.clone(),
            None if self.app.paths().ok()?.journal().exists() => self.app.journal().ok()?,
            None => return None,
        };
        let runs = journal.runs().ok()?.into_iter();
        Some(
            runs.map(|run| {
                (
                    run.id.to_string(),
                    format!(
                        "{}, {}{}",
                        run.name,
                        run.status.as_str(),
                        describe_account(&run.plan)
                    ),
                )
            })
            .collect(),
        )
    }

    /// Trusts the project's file, and returns its name and text.
    pub(super) fn trust_rc(&self) -> Result<(String, String), CommandError> {
        let file = self.project_rc();
        let text = fs::read_to_string(&file)
            .map_err(|error| CommandError::usage(format!("`{}` cannot be read: {error}", file.display())))?;
        let words = ["trust", &file.display().to_string(), "--yes"].map(str::to_owned);
        match self.run_self(&words)? {
            0 => Ok((self.shown(&file), text)),
            _ => Err(CommandError::usage(format!("{} is not trusted", file.display()))),
        }
    }

    /// The project's file: beside its `provisor.toml`, or else in the current folder.
    fn project_rc(&self) -> PathBuf {
        let project = config::project_file(&self.app.env);
        let folder = project.as_deref().and_then(Path::parent);
        folder.unwrap_or(self.app.env.folder()).join(RC)
    }

    fn shown(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.app.env.folder()).unwrap_or(path);
        below.display().to_string()
    }
}
