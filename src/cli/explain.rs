//! `provisor explain`: the meaning of a stable code, and what to do about it.

use clap::Args;
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ui::{Stream, Style};
use crate::operation::catalogue::Catalogue;
use crate::operation::doc::text::wrap;
use crate::operation::explain::{self, Explanation};
use crate::value::nearest::nearest;

/// Explain an error code, a row's status or an exit code.
///
/// Shows the meaning, usual causes and fixes. An error code is the value of `err.kind` in a script, and the word in
/// brackets after an error message.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor explain                 all codes
  provisor explain in_doubt
  provisor explain 10              an exit code
JSON (--json), one document:
  {\"version\": 1, \"codes\": [{code, sort, meaning, causes: [text], remedies: [text], exit, example}]}
  sort is error, status or exit; exit is the exit code it leads to, null for a status")]
pub(super) struct ExplainCommand {
    /// The code; without it, lists all codes.
    code: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The kind of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An error code.
    Error,
    /// The status of a row or run.
    Status,
    /// An exit code of the program.
    Exit,
}

/// A code with its explanation.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: Kind,
    explanation: &'static Explanation,
    exit: Option<Exit>,
}

pub(super) fn explain(app: &App, command: &ExplainCommand) -> Result<Exit, CommandError> {
    let entries = match &command.code {
        None => all(app.catalogue()),
        Some(code) => vec![find(app.catalogue(), code)?],
    };
    if command.json {
        let codes: Vec<Json> = entries.iter().map(Entry::json).collect();
        return app.print_json(&json!({"version": 1, "codes": codes}));
    }
    match (&command.code, entries.first()) {
        (Some(_), Some(entry)) => app.print_styled(&entry.text(app))?,
        _ => app.print_styled(&list(app, &entries))?,
    }
    Ok(Exit::Ok)
}

/// Every stable code: errors, statuses, exit codes.
fn all(catalogue: &Catalogue) -> Vec<Entry> {
    let errors = explain::all(catalogue).map(|explanation| Entry {
        kind: Kind::Error,
        explanation,
        exit: Some(catalogue.code(explanation.code).map_or(Exit::Script, Exit::of)),
    });
    let statuses = STATUSES.iter().map(|explanation| Entry {
        kind: Kind::Status,
        explanation,
        exit: None,
    });
    let exits = EXITS.iter().map(|(exit, explanation)| Entry {
        kind: Kind::Exit,
        explanation,
        exit: Some(*exit),
    });
    errors.chain(statuses).chain(exits).collect()
}

fn find(catalogue: &Catalogue, code: &str) -> Result<Entry, CommandError> {
    let normalized = code.trim().trim_matches(['[', ']', '`']).replace('-', "_");
    let entries = all(catalogue);
    let found = entries
        .iter()
        .find(|entry| entry.explanation.code.eq_ignore_ascii_case(&normalized));
    found.copied().ok_or_else(|| {
        let near = nearest(&normalized, entries.iter().map(|entry| entry.explanation.code));
        CommandError::usage(format!("there is no code `{code}`"))
            .did_you_mean(near.map(|near| format!("`{near}`")).as_deref())
            .hint("provisor explain lists the codes")
    })
}

fn list(app: &App, entries: &[Entry]) -> String {
    let mut parts = Vec::new();
    for kind in [Kind::Error, Kind::Status, Kind::Exit] {
        let own = entries.iter().filter(|entry| entry.kind == kind);
        let rows: Vec<Vec<String>> = own
            .map(|entry| vec![entry.explanation.code.to_owned(), entry.first_sentence()])
            .collect();
        let header = match kind {
            Kind::Error => ["error code", "what it means"],
            Kind::Status => ["status", "what it means"],
            Kind::Exit => ["exit code", "what it means"],
        };
        parts.push(app.ui.table(&header, &rows));
    }
    parts.join("\n\n")
}

impl Entry {
    fn first_sentence(&self) -> String {
        let meaning = self.explanation.meaning;
        let end = meaning.find(". ").map_or(meaning.len(), |at| at + 1);
        meaning[..end].to_owned()
    }

    fn text(&self, app: &App) -> String {
        let width = app.ui.prose_width();
        let heading = |text: &str| app.ui.styled(Stream::Out, Style::Strong, text);
        let mut lines = vec![heading(self.explanation.code), String::new()];
        lines.extend(wrap(self.explanation.meaning, width));
        for (title, items) in [
            ("Usual causes", self.explanation.causes),
            ("What to do", self.explanation.remedies),
        ] {
            lines.extend([String::new(), heading(title)]);
            for item in items {
                let wrapped = wrap(item, width.saturating_sub(4));
                let marks = std::iter::once("  - ").chain(std::iter::repeat("    "));
                lines.extend(
                    wrapped
                        .iter()
                        .zip(marks)
                        .map(|(line, mark)| format!("{mark}{line}")),
                );
            }
        }
        if let (Some(exit), Kind::Error) = (self.exit, self.kind) {
            lines.extend([String::new(), heading("Exit code")]);
            lines.push(format!("  {}: {}", exit.code(), meaning(exit)));
            if exit != Exit::InDoubt {
                lines.push("  8 for a run over rows in which some rows failed".to_owned());
            }
        }
        lines.extend([String::new(), heading("Example")]);
        lines.extend(self.explanation.example.lines().map(|line| format!("  {line}")));
        lines.join("\n")
    }

    fn json(&self) -> Json {
        let kind = match self.kind {
            Kind::Error => "error",
            Kind::Status => "status",
            Kind::Exit => "exit",
        };
        json!({
            "code": self.explanation.code,
            "sort": kind,
            "meaning": self.explanation.meaning,
            "causes": self.explanation.causes,
            "remedies": self.explanation.remedies,
            "exit": self.exit.map(Exit::code),
            "example": self.explanation.example,
        })
    }
}

/// The meaning of an exit code, in a sentence.
fn meaning(exit: Exit) -> &'static str {
    let entry = EXITS.iter().find(|(known, _)| *known == exit);
    entry.map_or("", |(_, explanation)| explanation.meaning)
}

/// Every exit code.
const EXITS: &[(Exit, Explanation)] = &[
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

/// Every status of a row or a run.
const STATUSES: &[Explanation] = &[
    Explanation {
        code: "queued",
        meaning: "The row or run is recorded and has not started.",
        causes: &["other rows are before it", "the process ended before its turn"],
        remedies: &["provisor resume starts it"],
        example: "provisor resume",
    },
    Explanation {
        code: "running",
        meaning: "The run is in progress, or its process was killed.",
        causes: &[
            "a process is working on it",
            "the machine or the process stopped in the middle",
        ],
        remedies: &["provisor resume continues it, unless a process is working on it"],
        example: "provisor runs list",
    },
    Explanation {
        code: "done",
        meaning: "The row's `main` returned; for a run: every row is done.",
        causes: &["everything succeeded"],
        remedies: &["nothing is left to do"],
        example: "provisor runs show RUN",
    },
    Explanation {
        code: "failed",
        meaning: "The row failed for a known reason; for a run: every row has ended, and some failed.",
        causes: &[
            "an operation or the script failed",
            "the row's input does not fit the script's parameters",
        ],
        remedies: &[
            "read `_error` in the results",
            "provisor resume RUN --retry-failed retries it",
        ],
        example: "provisor resume RUN --retry-failed",
    },
    Explanation {
        code: "parked",
        meaning: "The row needs a decision or a later look-up: its last step is in doubt, and is not sent again on its own.",
        causes: &["see in_doubt"],
        remedies: &[
            "provisor resume looks it up again",
            "provisor resolve records the outcome of the step",
        ],
        example: "provisor resolve RUN STEP --as absent",
    },
    Explanation {
        code: "skipped",
        meaning: "The run was stopped before the row started.",
        causes: &["--stop-after was reached", "the run was interrupted"],
        remedies: &["provisor resume starts it"],
        example: "provisor resume",
    },
    Explanation {
        code: "interrupted",
        meaning: "The run was stopped, by its user or by a stop rule, and can be resumed. A row was started, and stopped \
                  between two steps; its steps until then are recorded, and no request is in progress.",
        causes: &["Ctrl-C", "--stop-after was reached"],
        remedies: &["provisor resume continues where it stopped, and repeats nothing"],
        example: "provisor resume",
    },
    Explanation {
        code: "cancelled",
        meaning: "The run was abandoned with `provisor cancel` and cannot be resumed.",
        causes: &["someone ran provisor cancel"],
        remedies: &["run the script again; existing objects are returned as `unchanged`"],
        example: "provisor runs show RUN",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::operation::error::Code;

    #[test]
    fn every_error_code_status_and_exit_code_has_one_explain_entry() {
        let mut seen = BTreeSet::new();
        for entry in all(&crate::platforms::catalogue()) {
            assert!(
                seen.insert(entry.explanation.code),
                "{} is there twice",
                entry.explanation.code
            );
        }
        for code in Code::ALL {
            assert!(seen.contains(code.as_str()), "{}", code.as_str());
        }
        for status in crate::journal::RunStatus::ALL {
            assert!(seen.contains(status.as_str()), "{}", status.as_str());
        }
        for status in crate::report::RowStatus::REPORTED {
            assert!(seen.contains(status.as_str()), "{}", status.as_str());
        }
        for exit in Exit::ALL {
            assert!(seen.contains(exit.code().to_string().as_str()), "{exit:?}");
        }
    }
}
