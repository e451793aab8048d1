//! Formats the list below the prompt: title and description, one terminal line per entry, and at most as many lines as
//! the screen has. The line editor would page a longer list and ask after each page, and it misinterprets the keys that
//! answer.

use rustyline::completion::Pair;

use crate::repl::width::{cut, width};
use crate::script::complete::Candidate;

/// The number of columns if the terminal's width is unknown.
const DEFAULT_WIDTH: usize = 80;

/// The number of lines if the terminal's height is unknown.
const DEFAULT_HEIGHT: usize = 24;

/// The maximum share of the line for the title column.
const SHARE: (usize, usize) = (3, 5);

/// Formats the candidates for rustyline: one per line, cut at the line's end. The last line counts those that do not
/// fit on the screen.
pub(super) fn pairs(mut found: Vec<Candidate>, columns: Option<usize>, lines: Option<usize>) -> Vec<Pair> {
    // One line is reserved for the prompt.
    let limit = lines.unwrap_or(DEFAULT_HEIGHT).saturating_sub(1).max(1);
    if found.len() > limit {
        let more = found.len() - (limit - 1);
        let common_prefix = common_prefix(&found);
        found.truncate(limit - 1);
        // Choosing this entry inserts the common prefix, which Tab has already inserted.
        found.push(Candidate::new(
            common_prefix,
            format!("… {more} more: keep typing"),
            "",
        ));
    }
    let room = columns.unwrap_or(DEFAULT_WIDTH).saturating_sub(1).max(1);
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
        // Pads to the full line so that the list has one column.
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

/// The longest common prefix of all replacements.
fn common_prefix(found: &[Candidate]) -> String {
    let mut texts = found.iter().map(|one| one.replacement.as_str());
    let mut common_prefix = texts.next().unwrap_or_default();
    for text in texts {
        let same = common_prefix.char_indices().zip(text.chars());
        let end = same.take_while(|((_, one), other)| one == other).last();
        common_prefix = &common_prefix[..end.map_or(0, |((at, last), _)| at + last.len_utf8())];
    }
    common_prefix.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
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
            for pair in pairs(found.clone(), Some(columns), None) {
                assert!(
                    width(&pair.display) < columns.max(2),
                    "{columns}: {:?}",
                    pair.display
                );
            }
        }
        let wide = pairs(found, Some(100), None);
        assert!(wide[0].display.starts_with("ensure_tenant(email, [options])"));
        assert!(wide[0].display.contains("  Make sure that a tenant exists"));
    }
    #[test]
    fn completions_beyond_the_screen_are_counted_and_offer_the_common_prefix() {
        let found: Vec<Candidate> = (0..70_000)
            .map(|number| Candidate::new(format!("kéy{number}"), format!("kéy{number}"), ""))
            .collect();
        for (lines, listed) in [(Some(24), 23), (None, 23), (Some(2), 1), (Some(1), 1)] {
            let pairs = pairs(found.clone(), Some(80), lines);
            assert_eq!(pairs.len(), listed);
            let last = pairs.last().unwrap();
            let more = 70_000 - (listed - 1);
            assert_eq!(last.display.trim_end(), format!("… {more} more: keep typing"));
            assert_eq!(last.replacement, "kéy");
        }
        let few = pairs(found[..23].to_vec(), Some(80), Some(24));
        assert_eq!((few.len(), few[22].replacement.as_str()), (23, "kéy22"));
    }
}
