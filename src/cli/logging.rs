//! Diagnostic logs on stderr, enabled by `-v` or `PROVISOR_LOG`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::paths::Env;
use super::ui::Visible;

/// Starts logging if it was requested.
pub(super) fn start(env: &Env, verbose: u8) {
    let setting = env.get("PROVISOR_LOG").map(str::to_owned);
    let level = match verbose {
        0 => "",
        1 => "provisor=info",
        2 => "provisor=debug",
        _ => "provisor=trace",
    };
    let filter = setting.unwrap_or_else(|| level.to_owned());
    if filter.is_empty() {
        return;
    }
    let started = tracing_subscriber::fmt()
        .with_writer(|| Visible::new(std::io::stderr(), std::io::stderr().is_terminal()))
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(false)
        .without_time()
        .try_init();
    // Only a second start in one process can fail, and then the first one logs.
    drop(started);
}
