//! The test harness: state shared by all worlds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::TortureCommand;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::interrupt::SignalHandlers;
use crate::cli::run;
use crate::config::Env;
use crate::journal::make_private_folder;

/// The timing of the worlds: short, so that a lost response costs only seconds.
pub(super) struct HarnessTimings {
    /// The delay of an effect whose sender knows that the response is lost; clearly less than the settle time, even on
    /// a busy machine.
    pub(super) late: Duration,
    /// The delay of a slow response: longer than the child waits, but less than its request may take to land.
    pub(super) slow: Duration,
    /// The delay of a response that is no longer expected.
    pub(super) slowest: Duration,
    /// The child's timeout for connecting.
    pub(super) connect: Duration,
    /// The child's timeout for a response: longer than the settle time, as on real platforms.
    pub(super) reply: Duration,
    /// How long a request may still land after its sender has stopped waiting.
    pub(super) settle: Duration,
}

/// The timing of every world.
pub(super) const TIMINGS: HarnessTimings = HarnessTimings {
    late: Duration::from_millis(400),
    slow: Duration::from_millis(1_400),
    slowest: Duration::from_millis(2_600),
    connect: Duration::from_millis(200),
    reply: Duration::from_secs(1),
    settle: Duration::from_millis(900),
};

/// State shared by all worlds.
pub(super) struct Harness<'a> {
    pub(super) app: &'a App,
    pub(super) script: PathBuf,
    pub(super) program: PathBuf,
    pub(super) seed: u64,
    /// The arguments that run the script, without those that differ between worlds.
    pub(super) words: Vec<OsString>,
    /// The folder in which worlds are created.
    pub(super) root: Root,
    /// The number of worlds that run at once.
    pub(super) parallel: usize,
    /// Set when the user interrupts the test.
    pub(super) stop: Arc<AtomicBool>,
}

/// The folder of all worlds.
pub(super) enum Root {
    /// Removed at the end.
    Temporary(tempfile::TempDir),
    /// Kept at the user's request.
    Kept(PathBuf),
}

impl Root {
    pub(super) fn path(&self) -> &Path {
        match self {
            Root::Temporary(folder) => folder.path(),
            Root::Kept(folder) => folder,
        }
    }
}

impl<'a> Harness<'a> {
    /// Checks the script and creates the folder of the worlds.
    pub(super) fn new(app: &'a App, command: &TortureCommand) -> Result<Harness<'a>, CommandError> {
        let columns = run::load(app, &command.script)?
            .declaration()
            .output_columns
            .clone();
        let program = std::env::current_exe().map_err(|error| {
            CommandError::new(
                Exit::Aborted,
                format!("provisor cannot find its own executable: {error}"),
            )
        })?;
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Ok(Harness {
            app,
            script: command.script.clone(),
            program,
            seed: command.seed,
            words: words(command, &columns),
            root: root(command.keep.as_deref())?,
            parallel: command.parallel.map_or(2 * processors, usize::from),
            stop: Arc::default(),
        })
    }

    /// Makes Ctrl-C end the test from now on: children are killed, and temporary worlds removed.
    pub(super) fn watch_for_interrupts(&self) {
        let stop = Arc::clone(&self.stop);
        let watch = thread::Builder::new().name("interrupts".to_owned());
        let watching = SignalHandlers::new().and_then(|armed| {
            watch.spawn(move || {
                armed.wait();
                stop.store(true, Ordering::SeqCst);
            })
        });
        if let Err(error) = watching {
            tracing::warn!(%error, "Ctrl-C will not be noticed");
        }
    }

    /// The environment of a world's processes: the user's, except for provisor's own variables.
    pub(super) fn env(&self, home: &Path) -> Env {
        let own = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("PROVISOR_");
        let inherited = self.app.env.variables().filter(|(name, _)| !own(name));
        let home = [(std::ffi::OsStr::new("PROVISOR_HOME"), home.as_os_str())];
        Env::of(inherited.chain(home), self.app.env.folder())
    }
}

/// The arguments that run the script. Secrets in the results are compared with the platform's and therefore written in
/// clear: to the user's own folder, and only those of a simulated platform.
fn words(command: &TortureCommand, columns: &[String]) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["run".into(), command.script.clone().into(), "--sandbox".into()];
    words.extend(["--jobs".into(), command.jobs.to_string().into()]);
    if let Some(rows) = &command.rows {
        words.extend(["--rows".into(), rows.clone().into()]);
    }
    if !columns.is_empty() {
        words.extend(["--reveal".into(), columns.join(",").into()]);
    }
    words.extend(command.parameters.iter().cloned());
    words
}

fn root(keep: Option<&Path>) -> Result<Root, CommandError> {
    let Some(folder) = keep else {
        return tempfile::Builder::new()
            .prefix("provisor-torture-")
            .tempdir()
            .map(Root::Temporary)
            .map_err(|error| {
                CommandError::new(
                    Exit::Aborted,
                    format!("no temporary folder can be created: {error}"),
                )
            });
    };
    let unusable = |reason: String| CommandError::usage(format!("--keep {}: {reason}", folder.display()));
    make_private_folder(folder).map_err(|error| unusable(error.to_string()))?;
    let mut inside = std::fs::read_dir(folder).map_err(|error| unusable(error.to_string()))?;
    if inside.next().is_some() {
        return Err(unusable("the folder is not empty".to_owned()));
    }
    let folder = folder
        .canonicalize()
        .map_err(|error| unusable(error.to_string()))?;
    Ok(Root::Kept(folder))
}
