//! Renders a diagnostic for users: each position with its line and a mark under it.

use std::fmt::{Debug, Display, Write as _};

use ariadne::{Cache, Color, Config, Label, Report, ReportKind};

use super::error::{Diagnostic, Frame};
use crate::value::visible::printable;

/// The most frames that are shown; the rest are counted.
const MAX_FRAMES: usize = 8;

pub(super) fn render(diagnostic: &Diagnostic, color: bool, width: usize) -> String {
    let diagnostic = &visible(diagnostic);
    if diagnostic.frames.is_empty() {
        return plain(diagnostic);
    }
    let frames = &diagnostic.frames[..diagnostic.frames.len().min(MAX_FRAMES)];
    let shown: Vec<TruncatedFrame> = frames
        .iter()
        .map(|frame| TruncatedFrame::new(frame, width))
        .collect();
    let config = Config::new().with_color(color);
    let kind = if diagnostic.is_warning() {
        ReportKind::Warning
    } else {
        ReportKind::Error
    };
    let mut report = Report::build(kind, (0, shown[0].span()))
        .with_config(config)
        .with_message(diagnostic.headline());
    for (index, frame) in shown.iter().enumerate() {
        let mut label = Label::new((index, frame.span()))
            .with_message(&frame.label)
            .with_order(i32::try_from(index).unwrap_or(i32::MAX));
        if color {
            label = label.with_color(if index == 0 { Color::Red } else { Color::Cyan });
        }
        report = report.with_label(label);
    }
    let hidden = diagnostic.frames.len() - shown.len();
    if hidden > 0 {
        report = report.with_note(format!("{hidden} more calls lead here"));
    }
    report.with_notes(&diagnostic.notes);
    report.with_helps(&diagnostic.hints);
    let mut out = Vec::new();
    match report.finish().write(Lines(shown), &mut out) {
        // ariadne starts the report with `Error:` or `Warning:`; ours use lower case.
        Ok(()) if diagnostic.is_warning() => {
            trimmed(&String::from_utf8_lossy(&out)).replacen("Warning:", "warning:", 1)
        }
        Ok(()) => trimmed(&String::from_utf8_lossy(&out)).replacen("Error:", "error:", 1),
        Err(_) => plain(diagnostic),
    }
}

/// Makes the texts safe for a terminal: file names, script lines and platform responses are untrusted.
fn visible(diagnostic: &Diagnostic) -> Diagnostic {
    let shown = |text: &String| printable(text).into_owned();
    Diagnostic {
        title: shown(&diagnostic.title),
        frames: diagnostic.frames.iter().map(visible_frame).collect(),
        notes: diagnostic.notes.iter().map(shown).collect(),
        hints: diagnostic.hints.iter().map(shown).collect(),
        ..diagnostic.clone()
    }
}

/// Keeps the mark aligned with the text it marks.
fn visible_frame(frame: &Frame) -> Frame {
    let before = frame.column.saturating_sub(1);
    let taken = |from: usize, count: usize| -> usize {
        let part: String = frame.text.chars().skip(from).take(count).collect();
        printable(&part)
            .chars()
            .count()
            .saturating_sub(part.chars().count())
    };
    Frame {
        source: printable(&frame.source).into_owned(),
        column: frame.column + taken(0, before),
        length: frame.length + taken(before, frame.length),
        label: printable(&frame.label).into_owned(),
        text: printable(&frame.text).into_owned(),
        ..*frame
    }
}

fn plain(diagnostic: &Diagnostic) -> String {
    let mut out = format!("error: {}\n", diagnostic.summary());
    for note in &diagnostic.notes {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  Note: {note}");
    }
    for hint in &diagnostic.hints {
        let _ = writeln!(out, "  Help: {hint}");
    }
    out
}

/// Trims the trailing spaces that ariadne leaves on lines.
fn trimmed(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        out.push_str(line.trim_end());
        out.push('\n');
        out
    })
}

/// A frame with its line cut to the width.
struct TruncatedFrame {
    name: String,
    label: String,
    start: usize,
    length: usize,
    source: ariadne::Source<String>,
}

impl TruncatedFrame {
    fn new(frame: &Frame, width: usize) -> TruncatedFrame {
        let room = width.saturating_sub(10).max(40);
        let chars: Vec<char> = frame.text.chars().collect();
        let mark = frame.column.saturating_sub(1);
        // The start of the line is kept as long as the mark fits, so that columns stay correct.
        let from = if mark + 10 < room { 0 } else { mark - room / 2 };
        let to = chars.len().min(from + room);
        let mut text: String = chars.get(from..to).unwrap_or_default().iter().collect();
        let mut start = mark - from;
        let length = frame.length.min(room - room / 2);
        let missing = (start + length).saturating_sub(text.chars().count());
        text.push_str(&" ".repeat(missing));
        // Empty lines above, so that the line is numbered as in its file.
        let above = frame.line.saturating_sub(1);
        text.insert_str(0, &"\n".repeat(above));
        start += above;
        let cut = if from > 0 {
            format!(" (column {})", frame.column)
        } else {
            String::new()
        };
        let here = if frame.label.is_empty() {
            "here"
        } else {
            &frame.label
        };
        TruncatedFrame {
            name: frame.source.clone(),
            label: format!("{here}{cut}"),
            start,
            length,
            source: ariadne::Source::from(text),
        }
    }

    fn span(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.length
    }
}

struct Lines(Vec<TruncatedFrame>);

impl Cache<usize> for Lines {
    type Storage = String;

    fn fetch(&mut self, id: &usize) -> Result<&ariadne::Source<String>, impl Debug> {
        self.0.get(*id).map(|shown| &shown.source).ok_or("no such frame")
    }

    fn display<'a>(&self, id: &'a usize) -> Option<impl Display + 'a> {
        self.0.get(*id).map(|shown| shown.name.clone())
    }
}
