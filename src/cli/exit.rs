//! Exit codes: documented, stable, and never 0 when something is left to do.

use std::process::ExitCode;

use crate::client::error::{Cause, OwnCode};
use crate::operation::error::Code;

/// An exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// Everything asked for is done.
    Ok = 0,
    /// The script failed.
    Script = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// A check found something wrong.
    Check = 3,
    /// Signing in was refused.
    SignIn = 4,
    /// Something is not permitted.
    Permission = 5,
    /// The network or the platform did not answer.
    Network = 6,
    /// The platform refused.
    Refused = 7,
    /// The batch ended with failed rows.
    RowsFailed = 8,
    /// The batch was aborted.
    Aborted = 9,
    /// Something is still in doubt.
    InDoubt = 10,
    /// The user interrupted the run; it can be resumed.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code.
    pub(super) const ALL: [Exit; 12] = [
        Exit::Ok,
        Exit::Script,
        Exit::Usage,
        Exit::Check,
        Exit::SignIn,
        Exit::Permission,
        Exit::Network,
        Exit::Refused,
        Exit::RowsFailed,
        Exit::Aborted,
        Exit::InDoubt,
        Exit::Interrupted,
    ];

    /// The number, as documented in `docs/running.md`.
    pub(super) fn code(self) -> u8 {
        self as u8
    }

    /// The exit with this number, as another process of this program returned it.
    pub(super) fn with_code(code: u8) -> Exit {
        let known = Exit::ALL.into_iter().find(|exit| exit.code() == code);
        known.unwrap_or(Exit::Aborted)
    }

    /// The exit code for a script that ended with this operation error.
    pub(super) fn of(code: Code) -> Exit {
        match code {
            Code::BadArgument | Code::Internal => Exit::Script,
            Code::BadProfile | Code::NoTerminal => Exit::Usage,
            Code::SignInRefused | Code::CredentialMissing => Exit::SignIn,
            Code::Own(own) => from_own_code(own),
            Code::Forbidden | Code::NoAuthority | Code::BadAddress | Code::SecretElsewhere => {
                Exit::Permission
            }
            Code::Unreachable | Code::Unavailable => Exit::Network,
            Code::AlreadyExists
            | Code::AlreadyDone
            | Code::NotFound
            | Code::Refused
            | Code::RateLimited
            | Code::UnreadableAnswer => Exit::Refused,
            Code::InDoubt => Exit::InDoubt,
        }
    }
}

fn from_own_code(own: &OwnCode) -> Exit {
    match own.cause {
        Cause::Credentials | Cause::Account | Cause::Profile => Exit::SignIn,
        Cause::Protection => Exit::Permission,
        Cause::HalfDone | Cause::Refusal => Exit::Refused,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
