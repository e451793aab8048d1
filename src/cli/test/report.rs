//! What the tests found: for people, as JSON, as XML for continuous integration, and the lines that ran as lcov has them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::app::App;
use super::super::error::CommandError;
use super::super::exit::Exit;
use super::super::ui::{Stream, Style, printable};
use super::is_test_file;
use super::suite::{Test, TestResult};
use crate::script::coverage::Coverage;
use crate::script::error::Diagnostic;

/// A test that has ended, or a file that has none because it cannot be compiled.
pub(super) struct Case {
    file: usize,
    /// `None` for a file.
    name: Option<String>,
    line: usize,
    failure: Option<Diagnostic>,
    took: Duration,
    printed: Vec<String>,
}

impl Case {
    /// The failure of a file.
    pub(super) fn of_file(file: usize, failure: Diagnostic) -> Case {
        Case {
            file,
            name: None,
            line: failure.place().map_or(1, |frame| frame.line),
            failure: Some(failure),
            took: Duration::ZERO,
            printed: Vec::new(),
        }
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("(the file)")
    }
}

/// The results of all tests.
pub(super) struct Report {
    files: Vec<PathBuf>,
    cases: Vec<Case>,
    /// How many tests of each file have not ended.
    left: Vec<usize>,
    /// The number of files whose results are shown.
    shown: usize,
    took: Duration,
    /// The lines of each script that can run, with how often each did.
    lines: BTreeMap<String, BTreeMap<usize, u64>>,
}

impl Report {
    pub(super) fn new(files: Vec<PathBuf>) -> Report {
        Report {
            left: vec![0; files.len()],
            files,
            cases: Vec::new(),
            shown: 0,
            took: Duration::ZERO,
            lines: BTreeMap::new(),
        }
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Whether nothing has failed or ended.
    pub(super) fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Sets the tests that are going to run.
    pub(super) fn expect(&mut self, tests: &[Test]) {
        for test in tests {
            self.left[test.file] += 1;
        }
    }

    pub(super) fn add(&mut self, test: &Test, result: TestResult) {
        self.left[test.file] -= 1;
        self.add_case(Case {
            file: test.file,
            name: Some(test.function.name.clone()),
            line: test.function.frame.line,
            failure: result.failure,
            took: result.took,
            printed: result.printed,
        });
    }

    pub(super) fn add_case(&mut self, case: Case) {
        self.cases.push(case);
    }

    /// Sets what is known at the end.
    pub(super) fn finish(&mut self, took: Duration, coverage: Option<&Coverage>) {
        self.took = took;
        // Several tests of a file end in any order.
        self.cases.sort_by_key(|case| (case.file, case.line));
        let lines = coverage.map(Coverage::lines).unwrap_or_default().into_iter();
        self.lines = lines
            .filter(|(source, lines)| !is_test_file(Path::new(source)) && !lines.is_empty())
            .collect();
    }

    pub(super) fn all_passed(&self) -> bool {
        self.failed() == 0
    }

    fn failed(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }

    /// Shows a line for each file whose tests have ended, in the order of the files.
    pub(super) fn show_ended_files(&mut self, app: &App) {
        while self.left.get(self.shown) == Some(&0) {
            self.show_file(app, self.shown);
            self.shown += 1;
        }
    }

    fn show_file(&self, app: &App, file: usize) {
        let of_file = self.cases.iter().filter(|case| case.file == file);
        let (failed, passed): (Vec<&Case>, Vec<&Case>) = of_file.partition(|case| case.failure.is_some());
        let (word, style) = match (failed.len(), passed.len()) {
            (0, 0) => return,
            (0, _) => ("ok", Style::Good),
            _ => ("FAILED", Style::Error),
        };
        let mut line = format!(
            "{} {}: {}",
            app.ui.styled(Stream::Out, style, word),
            printable(&self.files[file].display().to_string()),
            count(passed.len(), "passed")
        );
        if !failed.is_empty() {
            let _ = write!(line, ", {}", count(failed.len(), "failed"));
        }
        // The end of the command reports a failure to write.
        let _ = app.print_styled(&line);
    }

    /// Shows everything, or prints it as JSON.
    pub(super) fn show(&mut self, app: &App, as_json: bool, coverage: bool) -> Result<(), CommandError> {
        if as_json {
            return app.print(&self.json().to_string());
        }
        // Files without a test to run, and those that an interrupt left.
        while self.shown < self.files.len() {
            self.show_file(app, self.shown);
            self.shown += 1;
        }
        let failed: Vec<&Case> = self.cases.iter().filter(|case| case.failure.is_some()).collect();
        for case in &failed {
            self.show_failure(app, case)?;
        }
        if coverage {
            app.print(&format!("\n{}", self.coverage_table(app)))?;
        }
        let mut summary = count(self.cases.len() - failed.len(), "passed");
        if !failed.is_empty() {
            let _ = write!(summary, ", {}", count(failed.len(), "failed"));
        }
        app.print(&format!("\n{summary} in {:.2} s", self.took.as_secs_f64()))
    }

    fn show_failure(&self, app: &App, case: &Case) -> Result<(), CommandError> {
        let Some(failure) = &case.failure else {
            return Ok(());
        };
        let title = format!("{} {}", self.files[case.file].display(), case.name());
        let title = app.ui.styled(Stream::Out, Style::Strong, &printable(&title));
        let width = app.ui.width().unwrap_or(100).into();
        let shown = failure.render(app.ui.has_colour(Stream::Out), width);
        let mut text = format!("\n{title}\n{}", shown.trim_end());
        if !case.printed.is_empty() {
            text.push_str("\nprinted:");
            for line in &case.printed {
                let _ = write!(text, "\n  {}", printable(line));
            }
        }
        app.print_styled(&text)
    }

    fn coverage_table(&self, app: &App) -> String {
        let rows: Vec<Vec<String>> = self
            .lines
            .iter()
            .map(|(source, lines)| {
                let ran = ran(lines);
                vec![
                    source.clone(),
                    format!("{ran} of {}", lines.len()),
                    format!("{} %", ran * 100 / lines.len().max(1)),
                    ranges(&missed(lines)),
                ]
            })
            .collect();
        if rows.is_empty() {
            return "no script ran, so no lines were counted".to_owned();
        }
        app.ui.table(&["script", "lines", "ran", "not run"], &rows)
    }

    fn json(&self) -> Json {
        let tests = self.cases.iter().map(|case| {
            let failure = case.failure.as_ref().map(|failure| {
                json!({
                    "kind": failure.kind,
                    "message": failure.title,
                    "notes": failure.notes,
                    "hints": failure.hints,
                    "frames": failure.frames.iter().map(|frame| json!({
                        "file": frame.source,
                        "line": frame.line,
                        "column": frame.column,
                    })).collect::<Vec<_>>(),
                })
            });
            json!({
                "file": self.files[case.file].display().to_string(),
                "name": case.name,
                "line": case.line,
                "passed": failure.is_none(),
                "seconds": case.took.as_secs_f64(),
                "failure": failure,
                "printed": case.printed,
            })
        });
        let coverage = self.lines.iter().map(|(source, lines)| {
            json!({
                "file": source,
                "lines": lines.len(),
                "ran": ran(lines),
                "not_run": missed(lines),
            })
        });
        json!({
            "passed": self.cases.len() - self.failed(),
            "failed": self.failed(),
            "seconds": self.took.as_secs_f64(),
            "tests": tests.collect::<Vec<_>>(),
            "coverage": coverage.collect::<Vec<_>>(),
        })
    }

    /// Writes the files that were asked for.
    pub(super) fn write(&self, junit: Option<&Path>, lcov: Option<&Path>) -> Result<(), CommandError> {
        let write = |path: Option<&Path>, text: &dyn Fn() -> String| {
            let Some(path) = path else { return Ok(()) };
            fs::write(path, text()).map_err(|error| {
                let message = format!("`{}` cannot be written: {error}", path.display());
                CommandError::new(Exit::Aborted, message)
            })
        };
        write(junit, &|| self.junit())?;
        write(lcov, &|| self.lcov())
    }

    /// The results as `JUnit` writes them. Source: the schema that its readers share,
    /// <https://github.com/testmoapp/junitxml>.
    fn junit(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let (all, failed) = (self.cases.len(), self.failed());
        let time = self.took.as_secs_f64();
        let _ = writeln!(
            out,
            "<testsuites tests=\"{all}\" failures=\"{failed}\" time=\"{time:.3}\">"
        );
        for (file, path) in self.files.iter().enumerate() {
            let cases: Vec<&Case> = self.cases.iter().filter(|case| case.file == file).collect();
            if cases.is_empty() {
                continue;
            }
            let name = xml(&path.display().to_string());
            let failed = cases.iter().filter(|case| case.failure.is_some()).count();
            let time: f64 = cases.iter().map(|case| case.took.as_secs_f64()).sum();
            let _ = writeln!(
                out,
                "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" time=\"{time:.3}\">",
                cases.len()
            );
            for case in cases {
                junit_case(&mut out, &name, case);
            }
            out.push_str("  </testsuite>\n");
        }
        out.push_str("</testsuites>\n");
        out
    }

    /// The lines that ran, in the format of lcov's `geninfo`.
    fn lcov(&self) -> String {
        let mut out = String::new();
        for (source, lines) in &self.lines {
            let _ = writeln!(out, "TN:\nSF:{source}");
            for (line, count) in lines {
                let _ = writeln!(out, "DA:{line},{count}");
            }
            let _ = writeln!(out, "LF:{}\nLH:{}\nend_of_record", lines.len(), ran(lines));
        }
        out
    }
}

fn junit_case(out: &mut String, file: &str, case: &Case) {
    let _ = write!(
        out,
        "    <testcase classname=\"{file}\" name=\"{}\" file=\"{file}\" line=\"{}\" time=\"{:.3}\"",
        xml(case.name()),
        case.line,
        case.took.as_secs_f64()
    );
    let Some(failure) = &case.failure else {
        out.push_str("/>\n");
        return;
    };
    let _ = write!(
        out,
        ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
        xml(&failure.kind),
        xml(&failure.title),
        xml(failure.render(false, 100).trim_end())
    );
    if !case.printed.is_empty() {
        let _ = writeln!(
            out,
            "      <system-out>{}</system-out>",
            xml(&case.printed.join("\n"))
        );
    }
    out.push_str("    </testcase>\n");
}

/// Escapes a text for XML, which cannot hold most control characters at all.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// `1 test passed`, `3 tests failed`.
fn count(tests: usize, word: &str) -> String {
    format!("{tests} test{} {word}", if tests == 1 { "" } else { "s" })
}

fn ran(lines: &BTreeMap<usize, u64>) -> usize {
    lines.values().filter(|count| **count > 0).count()
}

fn missed(lines: &BTreeMap<usize, u64>) -> Vec<usize> {
    let missed = lines.iter().filter(|(_, count)| **count == 0);
    missed.map(|(line, _)| *line).collect()
}

/// Joins numbers that follow each other: `3, 7-9`.
fn ranges(numbers: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => parts.push((*number, *number)),
        }
    }
    let parts = parts.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_joined() {
        assert_eq!(ranges(&[1, 3, 4, 5, 9]), "1, 3-5, 9");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn xml_gets_no_character_that_it_cannot_hold() {
        assert_eq!(
            xml("a<b>&\"c\"\n\u{1b}[0m\u{ffff}"),
            "a&lt;b&gt;&amp;&quot;c&quot;\n\u{fffd}[0m\u{fffd}"
        );
    }
}
