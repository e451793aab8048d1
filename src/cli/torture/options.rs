//! The words of `provisor torture`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Kill and disturb a script's run on the sandbox, and check that nothing is made twice or lost.
///
/// Each world is a fresh sandbox. The script runs there in a process of its own, which is killed (SIGKILL) at every
/// boundary of its journal and at random moments, while the sandbox misbehaves; then it is resumed until it has
/// finished. The sandbox's own books, the ledger and the results must be those of an undisturbed run. Nothing but
/// sandboxes in a temporary folder is touched.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  provisor torture scripts/onboard.rhai --rows scripts/clients.csv
  provisor torture mine.rhai --rows few.csv --kills 2000 --seed 7 --json
  provisor torture mine.rhai --faults partners:drop-late:400,auth:hang --kills 0 -- --email ann@example.com")]
pub(in crate::cli) struct TortureCommand {
    /// The script.
    pub(super) script: PathBuf,
    /// Call `main` once for each row of this file. A dozen rows are plenty.
    #[arg(long, value_name = "FILE")]
    pub(super) rows: Option<PathBuf>,
    /// How often to kill it, over all worlds.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(super) kills: u32,
    /// `all`, `none`, or faults as for `run --fault`, with commas between them.
    #[arg(long, value_name = "LIST", default_value = "all")]
    pub(super) faults: String,
    /// What kills and faults are drawn from: the same seed injects the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Rows at once, in each world.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) jobs: u16,
    /// Worlds at once; twice the processors when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) parallel: Option<u16>,
    /// Only this world, as a failure names it.
    #[arg(long, value_name = "WORLD")]
    pub(super) only: Option<String>,
    /// Keep the worlds in this folder, to be looked at.
    #[arg(long, value_name = "FOLDER")]
    pub(super) keep: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// The script's parameters.
    #[arg(last = true, value_name = "PARAMETERS")]
    pub(super) parameters: Vec<OsString>,
}
