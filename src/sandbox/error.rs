//! Errors of opening, sharing and serving a sandbox.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An error of opening, serving, attaching to or resetting a sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file or folder of the sandbox could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// The action, as in "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line of the event log is not an event, and not the torn last line that a killed process leaves.
    #[error("{}:{line} is not an event of a sandbox world: {reason}; restore the file or clear the sandbox", path.display())]
    Corrupt {
        /// The event log.
        path: PathBuf,
        /// The line number, from 1.
        line: usize,
        /// What is wrong with the line.
        reason: String,
    },
    /// The world was written by a newer program.
    #[error("{} has format {found}, and this program supports up to {known}: use the newer program or clear the \
             sandbox", path.display())]
    NewerFormat {
        /// The event log.
        path: PathBuf,
        /// The format of the log.
        found: u32,
        /// The newest format this program reads.
        known: u32,
    },
    /// The address is not a loopback address.
    #[error("the sandbox listens on loopback addresses only, and {0} is not one; use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// Another program uses the port.
    #[error("port {} of {} is in use; choose another, or 0 for a free one", .0.port(), .0.ip())]
    Busy(SocketAddr),
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The serving thread could not be started.
    #[error("cannot start the sandbox's server: {0}")]
    Server(String),
    /// Another process holds the sandbox but does not respond.
    #[error("another process{} holds {} but does not answer; end it and try again", pid_suffix(*pid), dir.display())]
    Silent {
        /// The sandbox's folder.
        dir: PathBuf,
        /// The process that holds it, if known.
        pid: Option<u32>,
    },
    /// A process serves the sandbox, so it cannot be reset.
    #[error("{} is being served by another process{}; end it first", dir.display(), pid_suffix(*pid))]
    InUse {
        /// The sandbox's folder.
        dir: PathBuf,
        /// The process that serves it, if known.
        pid: Option<u32>,
    },
    /// The serving process did not respond: it may just have ended.
    #[error("the sandbox server at {address} did not answer: {reason}")]
    Unanswered {
        /// The address of that process.
        address: SocketAddr,
        /// The error of the operating system.
        reason: io::Error,
    },
    /// The serving process refused a request or sent an unreadable response.
    #[error("the sandbox server at {address} refused a request: {reason}")]
    Peer {
        /// The address of that process.
        address: SocketAddr,
        /// The status and body, or the parse error.
        reason: String,
    },
}

fn pid_suffix(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

impl SandboxError {
    /// Returns a closure for `map_err` on file operations.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> SandboxError {
        let path = path.into();
        move |source| SandboxError::File { action, path, source }
    }
}
