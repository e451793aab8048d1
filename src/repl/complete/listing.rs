//! The list below the prompt: a title and a line of text, each on one line of the terminal.

use rustyline::completion::Pair;

use super::Candidate;
use crate::repl::width::{cut, width};

/// Lines of a terminal whose width is not known.
const USUAL: usize = 80;

/// No column of titles takes more than this part of the line.
const SHARE: (usize, usize) = (3, 5);

/// The candidates as rustyline shows them: one a line, cut where the line ends.
pub(super) fn pairs(found: Vec<Candidate>, columns: Option<usize>) -> Vec<Pair> {
    let room = columns.unwrap_or(USUAL).saturating_sub(1).max(1);
    let widest = found.iter().map(|one| width(&one.title)).max().unwrap_or(0);
    let column = widest.min(room * SHARE.0 / SHARE.1);
    let show = |one: &Candidate| {
        let title = cut(&one.title, if one.about.is_empty() { room } else { column });
        let pad = column.saturating_sub(width(&title)) + 2;
        let line = if one.about.is_empty() || column + 6 > room {
            title
        } else {
            format!("{title}{:pad$}{}", "", one.about)
        };
        // As wide as a line, so that there is one column.
        let line = cut(&line, room);
        let fill = room.saturating_sub(width(&line));
        format!("{line}{:fill$}", "")
    };
    found
        .into_iter()
        .map(|one| Pair {
            display: show(&one),
            replacement: one.replacement,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_fits_however_narrow_the_terminal_is() {
        let found = vec![
            Candidate::new(
                "a(",
                "ensure_tenant(email, [options])",
                "Make sure that a tenant exists",
            ),
            Candidate::new("日", "日本語の名前日本語の名前日本語の名前", "名前 of something"),
            Candidate::new("c", "c", ""),
        ];
        for columns in [1, 10, 40, 80, 200] {
            for pair in pairs(found.clone(), Some(columns)) {
                assert!(
                    width(&pair.display) < columns.max(2),
                    "{columns}: {:?}",
                    pair.display
                );
            }
        }
        let wide = pairs(found, Some(100));
        assert!(wide[0].display.starts_with("ensure_tenant(email, [options])"));
        assert!(wide[0].display.contains("  Make sure that a tenant exists"));
    }
}
