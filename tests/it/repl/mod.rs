//! The REPL.

mod ahead;
mod closing;
mod comfort;
mod commands;
mod consent;
mod durable;
mod feel;
mod modes;
mod piped;
mod promises;
mod saving;
mod session;
mod signals;
mod stopping;
mod traps;
mod typing;
mod walkthrough;

use crate::support::Home;
use crate::support::pty::Terminal;

/// A session on the sandbox, at its first prompt.
fn sandbox(home: &Home) -> Terminal {
    let terminal = home.terminal("repl --sandbox");
    let _ = terminal.wait_for("sandbox>");
    terminal
}

/// A profile without a reachable address.
fn profile(home: &Home, mode: &str) {
    let config = home.provisor().join("config");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(
        config.join("config.toml"),
        format!(
            "[profiles.acme]\nurl = \"http://127.0.0.1:9\"\nlogin = \"me@example.com\"\nmode = \"{mode}\"\n\
             password = {{ env = \"ACME_PASSWORD\" }}\n"
        ),
    )
    .unwrap();
}
