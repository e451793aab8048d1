//! `provisor run`: runs a script once, or once for each row.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum as _};

use super::app::{Accounts, App};
use super::error::CommandError;
use super::execute::Execution;
use super::exit::Exit;
use super::params;
use super::plan::RunPlan;
use super::results::Results;
use super::ui::Colour;
use super::{approval, memory, plan, profiles, rows, sources, test};
use crate::bulk::input::Input;
use crate::journal::{NewRun, RowCounts};
use crate::report;
use crate::script::host::Host;
use crate::script::program::Script;
use crate::value::Value;
use crate::value::digest::sha256;

/// Run a script once, or once for each row of a file.
///
/// The script's own parameters are flags after the script: `provisor run SCRIPT --help` lists them. Put a value that
/// starts with a dash after `=`, as in `--note=-x`; numbers do not need it. A bool is `--flag`, `--flag=true` or
/// `--flag=false`.
#[derive(Args)]
#[command(
    disable_help_flag = true,
    after_help = "\
Examples:
  provisor run scripts/hello.rhai --name Ann
  provisor run scripts/onboard.rhai --sandbox --rows scripts/clients.csv --out results.csv
  provisor run onboard.rhai --help        the script's own description and parameters"
)]
pub(super) struct RunCommand {
    #[command(flatten)]
    flags: RunFlags,
    /// Print help; after a script, the script's own.
    #[arg(short, long)]
    help: bool,
    /// The script, or a bundle of `provisor bundle`; `-` reads a script from standard input.
    #[arg(required_unless_present = "help")]
    script: Option<PathBuf>,
    /// The script's parameters, and any of the options above.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PARAMETERS"
    )]
    rest: Vec<OsString>,
}

impl RunCommand {
    /// `--color` and `-v` after the script, which the first parse of the command line skips. They are needed before the
    /// script is read; errors in them are reported once its parameters are known.
    pub(super) fn said_behind(&self) -> (Option<Colour>, u8) {
        let (mut colour, mut verbose) = (None, 0_u8);
        let mut words = self.rest.iter().map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            } else if word == "--color" {
                colour = words.next().or(colour);
            } else if let Some(when) = word.strip_prefix("--color=") {
                colour = Some(when.to_owned().into());
            } else if word == "--verbose" {
                verbose = verbose.saturating_add(1);
            } else if word.len() > 1 && word.starts_with('-') && word[1..].bytes().all(|byte| byte == b'v') {
                verbose = verbose.saturating_add(u8::try_from(word.len() - 1).unwrap_or(u8::MAX));
            }
        }
        let colour = colour.and_then(|when| Colour::from_str(&when, false).ok());
        (colour, verbose)
    }
}

/// The options of `run`, wherever they stand.
#[derive(Args, Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct RunFlags {
    /// Use the built-in sandbox: simulated platforms, no account needed.
    #[arg(long)]
    pub(super) sandbox: bool,
    /// Inject a sandbox fault, for example `partners:drop-after:0.2`. Repeatable; `provisor sandbox faults` lists them.
    #[arg(long, value_name = "FAULT")]
    pub(super) fault: Vec<String>,
    /// The seed of random faults: the same seed gives the same faults.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// The profile to use.
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// Call `main` once for each row of a .csv, .tsv, .json or .jsonl file; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) rows: Option<String>,
    /// Row format, if the file extension does not determine it: csv, tsv, json or jsonl.
    #[arg(long, value_name = "FORMAT")]
    pub(super) rows_format: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = format!("Write results to this {} file; by default to standard output", report::format_names("."))
    )]
    pub(super) out: Option<String>,
    #[arg(long, value_name = "FORMAT", help = format!("Result format: {}", report::format_names("")))]
    pub(super) format: Option<String>,
    /// Put an apostrophe before CSV fields that a spreadsheet would take for formulas.
    #[arg(long)]
    pub(super) csv_safe: bool,
    /// Write the secrets of these result columns in clear; only you can then read the file.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(super) reveal: Vec<String>,
    /// The number of rows that run at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) jobs: u16,
    /// Stop after N failed rows.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) stop_after: Option<u64>,
    /// Send at most N changes, with those of earlier resumes; a call that would exceed them fails.
    #[arg(long, value_name = "N", value_parser = plan::max_changes)]
    pub(super) max_changes: Option<u64>,
    /// Memory limit shared by all scripts that run at once: 512M, 4G or none [default: 1G].
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    pub(super) max_memory: Option<usize>,
    /// Do not ask for confirmation in mode `prod`.
    #[arg(long)]
    pub(super) yes: bool,
    /// Repeat messages and requests that an earlier run of the script sent for the same rows.
    #[arg(long)]
    pub(super) again: bool,
    /// Run the script only if it has this digest, as `provisor check` shows it.
    #[arg(long, value_name = "DIGEST")]
    pub(super) expect: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// The words after `run`, once the script and so its parameters are known.
#[derive(Parser)]
#[command(
    name = "provisor run",
    disable_help_flag = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    // Clap shows options without a heading first, but the script's own should come first.
    next_help_heading = "Options"
)]
pub(super) struct RunArgs {
    #[command(flatten)]
    flags: RunFlags,
    /// Print help.
    #[arg(short, long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// The script.
    #[arg(hide = true)]
    script: PathBuf,
    // Already read, wherever they were: see `RunCommand::said_behind`.
    #[arg(long, hide = true)]
    color: Option<Colour>,
    #[arg(short, long, hide = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// The option names of `run`, which no script parameter may have.
pub(super) fn own_names() -> BTreeSet<String> {
    RunArgs::command()
        .get_arguments()
        .filter_map(|arg| arg.get_long().map(|long| long.replace('-', "_")))
        .collect()
}

pub(super) fn run(app: &App, command: &RunCommand) -> Result<Exit, CommandError> {
    let Some(path) = &command.script else {
        return Ok(super::help_of(app, "run"));
    };
    let script = load(app, path)?;
    let words = words(app, command);
    let parser = params::command(&script, path)?;
    let mut matches = match parser.try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return params::refuse(error, &script),
    };
    let flags = RunArgs::from_arg_matches_mut(&mut matches.clone())
        .map_err(CommandError::usage)?
        .flags;
    let stdin = if path == Path::new("-") {
        Some("the script")
    } else {
        flags
            .rows
            .as_deref()
            .filter(|rows| *rows == "-")
            .map(|_| "the rows")
    };
    memory::allow(flags.max_memory);
    let given = params::given(app, &script, &mut matches, stdin)?;
    start(app, path, &script, flags, given)
}

/// Loads and compiles a script with all its imports, or a bundle.
pub(super) fn load(app: &App, path: &Path) -> Result<Script, CommandError> {
    let bundle = sources::read(app, path)?;
    let host = if test::is_test_file(path) {
        test::host(app, None)
    } else {
        host(app)
    };
    let project = sources::project(app, path);
    let host = host.checking_paths(move |path| project.check(path));
    Ok(Script::compile(&host, bundle)?)
}

/// The script host for the operations of the catalogue.
pub(super) fn host(app: &App) -> Host {
    Host::new(app.catalogue()).within(memory::memory())
}

/// The command-line arguments after `run`: the options before the script, and everything after it.
fn words(app: &App, command: &RunCommand) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["provisor run".into()];
    let all = &app.words;
    let before = all.len().saturating_sub(command.rest.len());
    let from = all
        .iter()
        .position(|word| word == "run")
        .map_or(before, |at| at + 1);
    words.extend_from_slice(&all[from..]);
    words
}

/// Identifies the script across runs: the path of its file, or a digest of its text from stdin.
fn workflow(path: &Path, script: &Script) -> String {
    if path == Path::new("-") {
        return format!("- {}", sha256(script.bundle().main().text.as_bytes()));
    }
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}

/// Fails if the script, or anything it imports, is not the one with this digest.
fn ensure_unchanged(script: &Script, expected: &str) -> Result<(), CommandError> {
    let digest = script.bundle().digest();
    if digest == expected {
        return Ok(());
    }
    let is_digest = expected.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    if !is_digest {
        let error =
            format!("`{expected}` is not a digest: `sha256:` and 64 hexadecimal digits in lower case");
        return Err(CommandError::usage(error).hint("`provisor check SCRIPT` shows a script's digest"));
    }
    let error = format!("the script is not the expected one: it has the digest {digest}");
    Err(CommandError::new(Exit::Check, error).hint(
        "compare it with the version that was expected; if you trust the change, expect the new digest",
    ))
}

fn start(
    app: &App,
    path: &Path,
    script: &Script,
    mut flags: RunFlags,
    given: crate::value::Record,
) -> Result<Exit, CommandError> {
    if let Some(expected) = &flags.expect {
        ensure_unchanged(script, expected)?;
    }
    // A profile may be set to use the sandbox; then all its runs do.
    flags.sandbox |= profiles::sandboxed(app, flags.profile.as_deref()).is_some();
    let mut plan = RunPlan {
        script: path.display().to_string(),
        rows: flags.rows.clone(),
        rows_format: flags.rows_format,
        out: flags.out,
        format: flags.format,
        csv_safe: flags.csv_safe,
        reveal: flags.reveal,
        jobs: flags.jobs.into(),
        stop_after: flags.stop_after,
        max_changes: flags.max_changes,
        sandbox: flags.sandbox,
        faults: flags.fault.clone(),
        profile: flags.profile.clone(),
        workflow: Some(workflow(path, script)),
        again: flags.again,
        folder: Some(app.env.folder().display().to_string()),
        json: flags.json,
        ..RunPlan::default()
    };
    if !flags.sandbox
        && let Some((name, address)) = profiles::active(app, flags.profile.as_deref())
    {
        // A resume must not use whichever account is active then.
        plan.profile = Some(name);
        plan.address = Some(address);
    }
    plan.constants = given.clone();
    let input = if flags.rows.is_some() {
        let input = rows::open(&mut plan, script, path)?;
        rows::warn_unused_columns(&app.ui, &plan, script);
        input
    } else {
        params::complete(script, &given)?;
        Input::one(given.clone().into_iter().collect())
    };
    let agreed = approval::ask(app, script, &plan, flags.yes)?;
    plan.agreed = agreed.names();
    let accounts = Accounts {
        agreed,
        sandbox: flags.sandbox,
        profile: flags.profile,
        faults: flags.fault,
        seed: flags.seed,
        rows: plan.rows.is_some(),
        project: Some(sources::project(app, path)),
        ..Accounts::default()
    };
    let engine = app.engine(&accounts)?;
    let (sources, imports) = script.bundle().parts();
    plan.imports = imports;
    let input = rows::skip_done_rows(input, &engine.journal, &plan);
    let results = Results::open_results(&app.ui, &plan, script, false)?;
    let begun = engine.journal.begin_run(NewRun {
        name: plan.script.clone(),
        sources,
        params: Value::Record(given),
        plan: plan.to_value(),
        has_rows: plan.rows.is_some(),
    });
    let run = match begun {
        Ok(run) => run,
        Err(error) => {
            if let Some(results) = results {
                results.discard();
            }
            return Err(error.into());
        }
    };
    Results::audit(app, &engine.journal, &plan, run.id())?;
    let total = plan.rows.is_none().then_some(1);
    Execution {
        app,
        engine: &engine,
        script: script.clone(),
        run,
        plan,
        input: Some(input),
        total,
        before: RowCounts::default(),
        resumed: None,
        missing: false,
        again: false,
        results,
    }
    .carry_out()
}
