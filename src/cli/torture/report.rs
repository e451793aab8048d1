//! The report: one line for each kind of world, and every failure with the command to reproduce it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::TortureCommand;
use super::harness::Harness;
use super::plan::Disturbance;
use super::workers::Outcomes;
use crate::cli::app::App;
use crate::cli::error::CommandError;

/// The report of a finished test.
pub(super) struct Report {
    seed: u64,
    lines: Vec<Line>,
    failures: Vec<Failure>,
}

/// The totals of one kind of world.
#[derive(Default)]
struct Line {
    injected: String,
    worlds: u32,
    kills: u32,
    hits: u32,
    clocks: u32,
    resumes: u32,
    parked: u32,
    unresolvable: u32,
    failed: u32,
    is_fault: bool,
}

struct Failure {
    environment: String,
    wrong: Vec<String>,
    command: String,
}

const HEADER: [&str; 8] = [
    "injected", "worlds", "kills", "faults", "clocks", "resumes", "parked", "outcome",
];

impl Report {
    /// Summarizes the outcomes in the order of the plan.
    pub(super) fn new(harness: &Harness<'_>, command: &TortureCommand, outcomes: &Outcomes) -> Report {
        let mut lines: BTreeMap<usize, Line> = BTreeMap::new();
        let mut failures = Vec::new();
        for (task, outcome) in outcomes {
            let line = lines.entry(task.place).or_insert_with(|| Line {
                injected: title(&task.injected),
                is_fault: task.injected.is_fault(),
                ..Line::default()
            });
            line.worlds += 1;
            line.kills += outcome.kills;
            line.hits += outcome.hits;
            line.clocks += outcome.clocks;
            line.resumes += outcome.resumes;
            line.parked += outcome.parked;
            line.unresolvable += outcome.unresolvable;
            line.failed += u32::from(!outcome.wrong.is_empty());
            if !outcome.wrong.is_empty() {
                failures.push(Failure {
                    environment: task.name(),
                    wrong: outcome.wrong.clone(),
                    command: again(harness, command, &task.name()),
                });
            }
        }
        Report {
            seed: harness.seed,
            lines: lines.into_values().collect(),
            failures,
        }
    }

    /// Whether every world survived.
    pub(super) fn all_survived(&self) -> bool {
        self.failures.is_empty()
    }

    /// Prints the table, or everything as JSON.
    pub(super) fn show(&self, app: &App, as_json: bool) -> Result<(), CommandError> {
        if as_json {
            return app.print(&self.json().to_string());
        }
        let mut rows: Vec<Vec<String>> = self.lines.iter().map(Line::cells).collect();
        rows.push(self.total().cells());
        app.print(&app.ui.table(&HEADER, &rows))?;
        for failure in &self.failures {
            let wrong = failure
                .wrong
                .iter()
                .take(8)
                .map(String::as_str)
                .collect::<Vec<_>>();
            app.ui.error(
                &format!("{}: {}", failure.environment, wrong.join("\n  ")),
                &[format!("again: {}", failure.command)],
            );
        }
        Ok(())
    }

    fn total(&self) -> Line {
        let mut total = Line {
            injected: format!("all of seed {}", self.seed),
            ..Line::default()
        };
        for line in &self.lines {
            total.worlds += line.worlds;
            total.kills += line.kills;
            total.hits += line.hits;
            total.clocks += line.clocks;
            total.resumes += line.resumes;
            total.parked += line.parked;
            total.unresolvable += line.unresolvable;
            total.failed += line.failed;
        }
        total
    }

    fn json(&self) -> Json {
        let lines: Vec<Json> = self.lines.iter().map(Line::json).collect();
        let failures = self.failures.iter().map(
            |failure| json!({"world": failure.environment, "wrong": failure.wrong, "again": failure.command}),
        );
        json!({
            "seed": self.seed,
            "lines": lines,
            "total": self.total().json(),
            "failures": failures.collect::<Vec<_>>(),
        })
    }
}

impl Line {
    fn outcome(&self) -> String {
        match self.failed {
            0 if self.is_fault && self.hits == 0 => "not reached".to_owned(),
            0 if self.unresolvable > 0 => format!("survived, {} parked", self.unresolvable),
            0 => "survived".to_owned(),
            failed => format!("{failed} FAILED"),
        }
    }

    fn cells(&self) -> Vec<String> {
        let counts = [
            self.worlds,
            self.kills,
            self.hits,
            self.clocks,
            self.resumes,
            self.parked,
        ];
        let counts = counts.map(|count| count.to_string());
        let mut cells = vec![self.injected.clone()];
        cells.extend(counts);
        cells.push(self.outcome());
        cells
    }

    fn json(&self) -> Json {
        json!({
            "injected": self.injected,
            "worlds": self.worlds,
            "kills": self.kills,
            "faults": self.hits,
            "clocks": self.clocks,
            "resumes": self.resumes,
            "parked": self.parked,
            "for_a_person": self.unresolvable,
            "failed": self.failed,
        })
    }
}

fn title(injected: &Disturbance) -> String {
    match injected {
        Disturbance::Nothing => "nothing".to_owned(),
        Disturbance::Kill(_) => format!("kill {}", injected.name()),
        Disturbance::KillAnyTime => "kill at any time".to_owned(),
        Disturbance::Fault(_) | Disturbance::Storm(_) => injected.name(),
    }
}

/// The command that reproduces one world.
fn again(harness: &Harness<'_>, command: &TortureCommand, environment: &str) -> String {
    let mut words = vec![
        "provisor torture".to_owned(),
        quoted(&harness.script.display().to_string()),
    ];
    if let Some(rows) = &command.rows {
        words.push(format!("--rows {}", quoted(&rows.display().to_string())));
    }
    words.push(format!(
        "--kills {} --seed {} --jobs {}",
        command.kills, harness.seed, command.jobs
    ));
    if command.faults != "all" {
        words.push(format!("--faults {}", quoted(&command.faults)));
    }
    words.push(format!("--only {}", quoted(environment)));
    if !command.parameters.is_empty() {
        words.push("--".to_owned());
        words.extend(
            command
                .parameters
                .iter()
                .map(|word| quoted(&word.to_string_lossy())),
        );
    }
    words.join(" ")
}

/// Quotes a word for the shell if necessary.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
