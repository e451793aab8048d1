//! `provisor check`: finds mistakes in scripts without running them.

use std::path::{Component, Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};
use url::Url;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::{run, sources};
use crate::script::check::FINDINGS;
use crate::script::error::Diagnostic;
use crate::script::program::Script;

/// Check scripts for mistakes without running them.
///
/// Reads a script with everything it imports. Compares `main` with its doc comment and with the options of `provisor run`,
/// and each call with the existing operations, methods, numbers and types of arguments and option keys; finds undefined
/// variables and properties that values do not have. Warns of variables, imports and functions that nothing uses. Opens
/// and sends nothing. What is only known when the script runs (a field of a platform's response) is not checked.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor check scripts/onboard.rhai
  provisor check scripts
  provisor check --sarif scripts > findings.sarif

The digest identifies the script with everything it imports: `provisor run --expect DIGEST` runs it only if it is unchanged.

JSON (--json), one document:
  {\"version\": 1, \"scripts\": [{script, digest}],
   \"findings\": [{rule, severity, message, hints, file, line, column, end_column}]}
  severity is error or warning; lines and columns count from 1, columns in characters; they are null if a file cannot be
  read, and so is the digest of a script that does not compile

Exit codes: 0 no mistakes (there may be warnings), 3 mistakes found")]
pub(super) struct CheckCommand {
    /// Scripts, and folders with .rhai files in them; `-` reads standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write the findings as JSON.
    #[arg(long)]
    json: bool,
    /// Write the findings as SARIF 2.1.0, which code hosts and editors read.
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
}

pub(super) fn check(app: &App, command: &CheckCommand) -> Result<Exit, CommandError> {
    let is_text = !command.json && !command.sarif;
    let (mut scripts, mut findings) = (Vec::new(), Vec::new());
    for path in sources::scripts(&command.paths)? {
        let (digest, found) = match run::load(app, &path) {
            Ok(script) => (Some(script.bundle().digest()), mistakes(&script)),
            Err(error) => (None, vec![Finding::of(&path, error)]),
        };
        let is_right = !found.iter().any(Finding::is_error);
        for finding in found {
            // Several scripts can import the same file.
            if findings.contains(&finding) {
                continue;
            }
            if is_text {
                finding.report(app);
            }
            findings.push(finding);
        }
        if let (true, true, Some(digest)) = (is_text, is_right, &digest) {
            app.ui
                .note(&format!("{}: no mistakes found ({digest})", path.display()));
        }
        scripts.push(json!({ "script": path.display().to_string(), "digest": digest }));
    }
    let exit = if findings.iter().any(Finding::is_error) {
        Exit::Check
    } else {
        Exit::Ok
    };
    if command.json {
        let findings: Vec<Json> = findings.iter().map(Finding::to_json).collect();
        app.print_json(&json!({ "version": 1, "scripts": scripts, "findings": findings }))?;
    } else if command.sarif {
        app.print_json(&sarif(&findings))?;
    }
    Ok(exit)
}

fn mistakes(script: &Script) -> Vec<Finding> {
    let refused = script.refused_parameters(&run::own_names());
    let found = refused.into_iter().chain(script.check());
    found.map(Finding::Wrong).collect()
}

/// Something that was found.
#[derive(PartialEq)]
enum Finding {
    /// In the text of a script.
    Wrong(Diagnostic),
    /// A file that cannot be read: its name, the reason, and what to do.
    Unreadable(String, String, Vec<String>),
}

impl Finding {
    /// Why a script cannot be loaded.
    fn of(path: &Path, error: CommandError) -> Finding {
        match error.diagnostic {
            Some(diagnostic) => Finding::Wrong(*diagnostic),
            None => Finding::Unreadable(path.display().to_string(), error.message, error.hints),
        }
    }

    fn is_error(&self) -> bool {
        !matches!(self, Finding::Wrong(diagnostic) if diagnostic.is_warning())
    }

    fn severity(&self) -> &'static str {
        if self.is_error() { "error" } else { "warning" }
    }

    fn report(&self, app: &App) {
        match self {
            Finding::Wrong(diagnostic) => app.ui.diagnostic(diagnostic),
            Finding::Unreadable(_, message, hints) => app.ui.error(message, hints),
        }
    }

    fn rule(&self) -> &str {
        match self {
            Finding::Wrong(diagnostic) => &diagnostic.kind,
            Finding::Unreadable(..) => UNREADABLE.0,
        }
    }

    fn message(&self) -> &str {
        match self {
            Finding::Wrong(diagnostic) => &diagnostic.title,
            Finding::Unreadable(_, message, _) => message,
        }
    }

    fn hints(&self) -> &[String] {
        match self {
            Finding::Wrong(diagnostic) => &diagnostic.hints,
            Finding::Unreadable(.., hints) => hints,
        }
    }

    /// The file, and line, first and end column.
    fn place(&self) -> (Option<&str>, Option<[usize; 3]>) {
        match self {
            Finding::Wrong(diagnostic) => {
                let frame = diagnostic.place();
                let place = frame.map(|frame| [frame.line, frame.column, frame.column + frame.length]);
                (frame.map(|frame| frame.source.as_str()), place)
            }
            Finding::Unreadable(file, ..) => (Some(file), None),
        }
    }

    fn to_json(&self) -> Json {
        let (file, place) = self.place();
        json!({
            "rule": self.rule(),
            "severity": self.severity(),
            "message": self.message(),
            "hints": self.hints(),
            "file": file,
            "line": place.map(|place| place[0]),
            "column": place.map(|place| place[1]),
            "end_column": place.map(|place| place[2]),
        })
    }

    /// The finding as a result of SARIF.
    fn to_sarif(&self) -> Json {
        let (file, place) = self.place();
        let mut location = json!({ "artifactLocation": { "uri": file.map(uri).unwrap_or_default() } });
        if let Some([line, column, end]) = place {
            location["region"] = json!({ "startLine": line, "startColumn": column, "endColumn": end });
        }
        let sentences = std::iter::once(self.message()).chain(self.hints().iter().map(String::as_str));
        json!({
            "ruleId": self.rule(),
            "level": self.severity(),
            "message": { "text": sentences.collect::<Vec<_>>().join("; ") },
            "locations": [{ "physicalLocation": location }],
        })
    }
}

/// The rule of a file that cannot be read, and what it means.
const UNREADABLE: (&str, &str) = ("unreadable", "the file cannot be read");

/// The findings in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS).
fn sarif(findings: &[Finding]) -> Json {
    let rules = FINDINGS.iter().chain([&UNREADABLE]);
    let rules: Vec<Json> = rules
        .map(|(id, about)| json!({ "id": id, "shortDescription": { "text": about } }))
        .collect();
    let results: Vec<Json> = findings.iter().map(Finding::to_sarif).collect();
    let driver = json!({ "name": "provisor", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results }],
    })
}

/// A file as SARIF names it: relative to where the command was given, unless it is outside of that folder.
fn uri(file: &str) -> String {
    let path = Path::new(file);
    let is_outside = path.components().any(|part| part == Component::ParentDir);
    let whole = if is_outside || path.is_absolute() {
        std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    } else {
        Path::new("/").join(path)
    };
    let url = Url::from_file_path(&whole).map_or_else(|()| file.to_owned(), String::from);
    if is_outside || path.is_absolute() {
        url
    } else {
        url.trim_start_matches("file:///").to_owned()
    }
}
