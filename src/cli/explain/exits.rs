//! The exit codes.

use crate::cli::exit::Exit;
use crate::operation::explain::Explanation;

/// The meaning of an exit code, in a sentence.
pub(super) fn meaning(exit: Exit) -> &'static str {
    let entry = ALL.iter().find(|(known, _)| *known == exit);
    entry.map_or("", |(_, explanation)| explanation.meaning)
}

/// Every exit code.
pub(super) const ALL: &[(Exit, Explanation)] = &[
    entry(
        Exit::Ok,
        "0",
        "Everything is done.",
        &["the run has ended, and no row failed or is in doubt"],
        &["nothing is left to do"],
        "provisor run scripts/hello.rhai --name Ann",
    ),
    entry(
        Exit::Script,
        "1",
        "The script failed: a mistake in it, or an error that it threw.",
        &["see script_error, syntax_error, thrown, bad_argument"],
        &["go to the line shown, and read the hint below it"],
        "provisor explain script_error",
    ),
    entry(
        Exit::Usage,
        "2",
        "The command line or the configuration is wrong. Nothing was done.",
        &[
            "a flag is unknown, or lacks its value",
            "a profile is missing or incomplete",
        ],
        &[
            "read the command's --help",
            "provisor paths shows where the configuration is",
        ],
        "provisor run --help",
    ),
    entry(
        Exit::Check,
        "3",
        "A check found something wrong.",
        &[
            "provisor check found a mistake in a script",
            "provisor doctor found a problem",
            "provisor journal check found a fault",
            "provisor torture found a broken promise",
        ],
        &["read the findings on standard output"],
        "provisor journal check",
    ),
    entry(
        Exit::SignIn,
        "4",
        "Sign-in was refused, or a tenant's password is not on record.",
        &["see sign_in_refused and credential_missing"],
        &[
            "check login and password",
            "provisor tenants set-password EMAIL records a tenant's",
        ],
        "provisor explain sign_in_refused",
    ),
    entry(
        Exit::Permission,
        "5",
        "Something is not permitted: by the platform, by the profile's mode, or by provisor itself.",
        &["see forbidden, protected_app, bad_address, secret_elsewhere"],
        &["use an account or a profile that has the permission"],
        "provisor explain forbidden",
    ),
    entry(
        Exit::Network,
        "6",
        "The network or the platform did not respond. Nothing was changed, or the exit code would be 10.",
        &["see unreachable and unavailable"],
        &["provisor resume RUN --retry-failed, once it is back"],
        "provisor explain unreachable",
    ),
    entry(
        Exit::Refused,
        "7",
        "The platform refused the request.",
        &["see refused, already_exists, not_found, rate_limited, unreadable_answer"],
        &["read the platform's message in the error"],
        "provisor explain refused",
    ),
    entry(
        Exit::RowsFailed,
        "8",
        "The run over rows has ended, and some rows failed.",
        &["the column `_error` of the results has the reason for each row"],
        &["fix the cause, then provisor resume RUN --retry-failed"],
        "provisor runs show RUN",
    ),
    entry(
        Exit::Aborted,
        "9",
        "The run or command was aborted.",
        &[
            "a file or standard output cannot be written",
            "--stop-after was reached",
            "the journal is in use or damaged",
        ],
        &["remove the cause, then provisor resume"],
        "provisor resume",
    ),
    entry(
        Exit::InDoubt,
        "10",
        "Something is in doubt: a change was sent, and its outcome is unknown.",
        &["see in_doubt"],
        &[
            "provisor resume looks it up",
            "provisor resolve records the outcome",
        ],
        "provisor explain in_doubt",
    ),
    entry(
        Exit::Interrupted,
        "130",
        "You interrupted it. What was sent is recorded, and it can be resumed.",
        &["Ctrl-C, or the signal TERM"],
        &["provisor resume continues where it stopped"],
        "provisor resume",
    ),
];

const fn entry(
    exit: Exit,
    code: &'static str,
    meaning: &'static str,
    causes: &'static [&'static str],
    remedies: &'static [&'static str],
    example: &'static str,
) -> (Exit, Explanation) {
    let explanation = Explanation {
        code,
        meaning,
        causes,
        remedies,
        example,
    };
    (exit, explanation)
}
