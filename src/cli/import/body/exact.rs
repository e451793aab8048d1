//! JSON with variables, and whether script values can represent it exactly.

use serde_json::Value as Json;

use super::BARE;
use crate::cli::import::values::{Part, Values, parts};

/// A fragment of JSON with variables.
enum JsonFragment {
    /// Text inside quotes, without the quotes.
    Quoted(String),
    /// Text outside quotes, with the quotes that delimit strings.
    Plain(String),
    /// A variable inside quotes.
    Inside(String),
    /// A variable outside quotes.
    Bare(String),
}

/// Parses JSON that may contain unquoted variables. Returns `None` if it is invalid even so.
pub(super) fn parse_with_placeholders(content: &str) -> Option<Json> {
    let mut out = String::with_capacity(content.len());
    for bit in bits(content) {
        match bit {
            JsonFragment::Quoted(text) | JsonFragment::Plain(text) => out.push_str(&text),
            JsonFragment::Inside(name) => out.extend(["{{", name.as_str(), "}}"]),
            JsonFragment::Bare(name) => out.push_str(&serde_json::to_string(&format!("{BARE}{name}")).ok()?),
        }
    }
    serde_json::from_str(&out).ok()
}

/// Whether script values represent the JSON exactly, including its numbers and the values of its variables.
pub(super) fn is_held(content: &str, values: &Values) -> bool {
    let all = bits(content);
    // Each colon outside strings is a field; if the parsed maps have fewer fields, a name was repeated.
    let colons = all.iter().map(|bit| match bit {
        JsonFragment::Plain(text) => text.matches(':').count(),
        _ => 0,
    });
    if parse_with_placeholders(content).is_some_and(|json| fields(&json) < colons.sum()) {
        return false;
    }
    all.iter().all(|bit| match bit {
        JsonFragment::Quoted(_) | JsonFragment::Inside(_) => true,
        JsonFragment::Plain(text) => numbers(text).all(is_exact),
        JsonFragment::Bare(name) => {
            let shown = values.expanded(&format!("{{{{{name}}}}}"));
            // A value that is passed when the script runs is not known here.
            shown.contains("{{") || is_exact_json(&shown)
        }
    })
}

/// Whether the text is JSON that script values represent exactly.
pub(super) fn is_exact_json(text: &str) -> bool {
    let is_json = serde_json::from_str::<Json>(text).is_ok();
    is_json
        && bits(text).iter().all(|bit| match bit {
            JsonFragment::Plain(text) => numbers(text).all(is_exact),
            _ => true,
        })
}

fn fields(json: &Json) -> usize {
    match json {
        Json::Array(items) => items.iter().map(fields).sum(),
        Json::Object(map) => map.len() + map.values().map(fields).sum::<usize>(),
        _ => 0,
    }
}

fn bits(content: &str) -> Vec<JsonFragment> {
    let mut all = Vec::new();
    let (mut quoted_now, mut escaped) = (false, false);
    for part in parts(content) {
        let text = match part {
            Part::Placeholder(name) if quoted_now => {
                all.push(JsonFragment::Inside(name));
                continue;
            }
            Part::Placeholder(name) => {
                all.push(JsonFragment::Bare(name));
                continue;
            }
            Part::Text(text) => text,
        };
        let mut piece = String::new();
        for c in text.chars() {
            let ends = c == '"' && !escaped;
            escaped = quoted_now && c == '\\' && !escaped;
            if !ends {
                piece.push(c);
                continue;
            }
            if quoted_now {
                all.push(JsonFragment::Quoted(std::mem::take(&mut piece)));
                piece.push('"');
            } else {
                piece.push('"');
                all.push(JsonFragment::Plain(std::mem::take(&mut piece)));
            }
            quoted_now = !quoted_now;
        }
        all.push(if quoted_now {
            JsonFragment::Quoted(piece)
        } else {
            JsonFragment::Plain(piece)
        });
    }
    all
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c)));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
}

/// Whether a script value represents the number exactly.
fn is_exact(number: &str) -> bool {
    if !number.contains(['.', 'e', 'E']) {
        return number.parse::<i64>().is_ok_and(|int| int.to_string() == number);
    }
    let float = number.parse::<f64>().ok().filter(|float| float.is_finite());
    float.is_some_and(|float| digits(number).is_some() && digits(number) == digits(&format!("{float:e}")))
}

/// The significant digits and their power of ten.
fn digits(number: &str) -> Option<(String, i64)> {
    let number = number.to_ascii_lowercase();
    let (digits, power) = number.split_once('e').unwrap_or((&number, "0"));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{rest}");
    let all = all.trim_start_matches(['-', '0']);
    let kept = all.trim_end_matches('0');
    let zeros = i64::try_from(all.len() - kept.len()).ok()?;
    let power = power.parse::<i64>().ok()? - i64::try_from(rest.len()).ok()? + zeros;
    Some((kept.to_owned(), if kept.is_empty() { 0 } else { power }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_exact_only_if_its_numbers_round_trip() {
        for number in [
            "0",
            "-7",
            "9223372036854775807",
            "1.10",
            "2.5e3",
            "0.0",
            "1E2",
            "-0.5",
        ] {
            assert!(is_exact_json(number), "{number}");
        }
        for number in [
            "12345678901234567890",
            "10000000000000000000",
            "0.1234567890123456789",
            "1e999",
            "-0",
        ] {
            assert!(!is_exact_json(number), "{number}");
        }
        assert!(is_exact_json(
            r#"{"a": "12345678901234567890 \" 1e999", "b": [1]}"#
        ));
        assert!(!is_exact_json(r#"{"a": "\\", "b": 12345678901234567890}"#));
    }
}
