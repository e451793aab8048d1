//! Shortens and cleans foreign text for use in a message.

use crate::value::secret::Scrubber;

/// The maximum length of an excerpt, in characters.
const MAX_PREVIEW_CHARS: usize = 300;

/// Only this many bytes of a page are examined.
const MAX_SCANNED_BYTES: usize = 64 << 10;

/// Returns the text without markup, secrets, control characters and surplus white space, cut to [`MAX_PREVIEW_CHARS`].
pub(super) fn excerpt(text: &str, scrubber: &Scrubber) -> String {
    // Scrubs the original text here, and the plain text again below, because markup can hide a secret.
    let text = &scrubber.scrub(cut(text, MAX_SCANNED_BYTES));
    let plain = if looks_like_html(text.as_bytes()) {
        entities(&without_markup(text))
    } else {
        text.to_owned()
    };
    let plain: String = plain
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    // Before cutting, so that half a secret cannot escape the search.
    let plain = scrubber.scrub(&plain);
    match plain.char_indices().nth(MAX_PREVIEW_CHARS) {
        Some((end, _)) => format!("{}…", plain[..end].trim_end()),
        None => plain,
    }
}

/// Whether the body starts like an HTML page or fragment.
pub(super) fn looks_like_html(body: &[u8]) -> bool {
    let start = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii_start();
    match start {
        [b'<', next, ..] => next.is_ascii_alphabetic() || *next == b'!',
        _ => false,
    }
}

fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Removes tags and comments, and scripts and styles with their content.
fn without_markup(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        out.push(' ');
        rest = after_tag(&rest[at..]);
    }
    out.push_str(rest);
    out
}

/// The text after the tag, comment, script or style that `text` starts with; empty if it never ends.
fn after_tag(text: &str) -> &str {
    let begins = |with: &str| starts_with(text, with);
    let end = match () {
        () if begins("<!--") => "-->",
        () if begins("<script") => "</script>",
        () if begins("<style") => "</style>",
        () => ">",
    };
    let first = &end[..1];
    let mut places = text.match_indices(first).map(|(at, _)| at);
    let at = places.find(|at| starts_with(&text[*at..], end));
    at.map_or("", |at| &text[at + end.len()..])
}

/// Whether `text` starts with `with`, ignoring ASCII case.
fn starts_with(text: &str, with: &str) -> bool {
    let start = text.as_bytes().get(..with.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
}

fn entities(text: &str) -> String {
    [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}

#[cfg(test)]
mod tests;
