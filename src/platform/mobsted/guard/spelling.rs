//! What a server might make of a spelling.

/// The text with percent-escapes resolved once. Bytes that are no UTF-8 become replacement characters.
pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        let byte = escape
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The same until nothing is left to resolve.
pub(super) fn decoded_fully(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let next = decoded(&text);
        // Each round that finds an escape makes the text shorter, or puts a replacement for a byte.
        if next == text || !text.contains('%') {
            return next;
        }
        text = next;
    }
}

/// The parts of a fully decoded path, with `.` and `..` resolved and empty parts dropped. Nothing when it climbs out.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    resolved(path.split(['/', '\\']))
}

/// Resolves `.`, `..` and empty parts. Nothing when the path climbs out.
pub(super) fn resolved<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    for part in parts {
        match part {
            "" | "." => {}
            ".." => drop(out.pop()?),
            part => out.push(part.to_owned()),
        }
    }
    Some(out)
}

/// The letters and digits of a path segment or field name, in lower-case ASCII, as far as its extension or parameters.
pub(super) fn letters(text: &str) -> String {
    let narrow = text.trim().chars().map(narrow);
    let name = narrow.take_while(|c| !matches!(c, '.' | ';'));
    name.filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Is it a text of ASCII letters, digits, `-` and `_`?
pub(super) fn is_plain_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// Could a server read this path segment as the number 1? Whatever is not plainly written could be.
pub(super) fn may_be_one(text: &str) -> bool {
    !is_plain_id(text) || reads_as_one(text)
}

/// Could a server read one of the numbers in this text as 1?
pub(super) fn holds_one(text: &str) -> bool {
    let text: String = decoded_fully(text).chars().map(narrow).collect();
    let odd_digit = text.chars().any(|c| c.is_numeric() && !c.is_ascii());
    let is_separator = |c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c);
    odd_digit
        || text
            .split(is_separator)
            .any(|part| !part.is_empty() && reads_as_one(part))
}

/// Is the leading number of a plain text 1, as a lenient reader sees it: `1`, `001`, `-1`, `1abc`, `0x1`, `10e-1`?
fn reads_as_one(text: &str) -> bool {
    let number = text
        .parse::<f64>()
        .is_ok_and(|number| (1.0..2.0).contains(&number.abs()));
    let rest = text.trim_start_matches(['0', '-', '_']);
    let rest = if text.contains('0') {
        rest.trim_start_matches(['x', 'X', 'b', 'B', 'o', 'O'])
            .trim_start_matches(['0', '_'])
    } else {
        rest
    };
    let mut digits = rest.chars().take_while(char::is_ascii_digit);
    number || (digits.next() == Some('1') && digits.next().is_none())
}

/// A full-width form as the ASCII character it stands for.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => u32::from(c)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(c),
        c => c,
    }
}
