//! The arguments of `provisor torture`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Test a script against crashes and faults in the sandbox.
///
/// Each world is a fresh sandbox. The script runs there in its own process, which is killed (SIGKILL) at every boundary
/// of its journal and at random moments while the sandbox injects faults; then it is resumed until it has finished. The
/// sandbox's own records, the ledger and the results must equal those of an undisturbed run: nothing created twice,
/// nothing lost. Only sandboxes in a temporary folder are used.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  provisor torture scripts/onboard.rhai --rows scripts/clients.csv
  provisor torture mine.rhai --rows few.csv --kills 2000 --seed 7 --json
  provisor torture mine.rhai --faults partners:drop-late:400,auth:hang --kills 0 -- --email ann@example.com")]
pub(in crate::cli) struct TortureCommand {
    /// The script.
    pub(super) script: PathBuf,
    /// Call `main` once for each row of this file; a dozen rows are enough.
    #[arg(long, value_name = "FILE")]
    pub(super) rows: Option<PathBuf>,
    /// The number of kills, over all worlds.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(super) kills: u32,
    /// `all`, `none`, or faults as for `run --fault`, separated by commas.
    #[arg(long, value_name = "LIST", default_value = "all")]
    pub(super) faults: String,
    /// The seed of kills and faults: the same seed injects the same ones.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// The number of rows that run at once in each world.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) jobs: u16,
    /// The number of worlds that run at once; by default twice the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) parallel: Option<u16>,
    /// Run only this world, by the name that a failure shows.
    #[arg(long, value_name = "WORLD")]
    pub(super) only: Option<String>,
    /// Keep the worlds in this folder for inspection.
    #[arg(long, value_name = "FOLDER")]
    pub(super) keep: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// The script's parameters.
    #[arg(last = true, value_name = "PARAMETERS")]
    pub(super) parameters: Vec<OsString>,
}
