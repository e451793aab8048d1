//! Converts request bodies in all of Postman's modes, and JSON with variables in it.

use serde_json::{Map, Value as Json};

use super::code::{Code, name_of, quoted};
use super::collection::{Field, fields, text};
use super::credentials::{has_credentials, name_is_secret};
use super::variables::{Part, Piece, Values, parts};

/// A request body as options of an `http::` call.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// `json`, `form`, `multipart` or `body`, with its value.
    pub(super) option: Option<(&'static str, Code)>,
    /// The content type, if the option does not imply it.
    pub(super) content_type: Option<String>,
    /// Notes for the reader of the script.
    pub(super) notes: Vec<String>,
}

/// The fields of a body, as far as operations can use them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Payload {
    /// There is no body.
    #[default]
    Nothing,
    /// The fields of a JSON object or a form.
    Fields(Map<String, Json>, Encoding),
    /// Any other body.
    Other,
}

/// The encoding of body fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Form,
    Multipart,
}

/// The maximum depth of JSON; deeper JSON stays text, since script expressions have a nesting limit.
const MAX_DEPTH: usize = 20;

/// The prefix that marks a string as an unquoted variable.
const BARE: char = '\u{1}';

/// Converts a body. Fails if variables are circular or grow too large.
pub(super) fn read(json: &Json, content_type: Option<&str>, values: &mut Values) -> Result<Body, String> {
    let option = |name, code| Body {
        option: Some((name, code)),
        ..Body::default()
    };
    match mode(json) {
        "raw" => raw(json, content_type, values),
        "urlencoded" => {
            let given = match &json["urlencoded"] {
                Json::String(pairs) => {
                    let pairs = url::form_urlencoded::parse(pairs.as_bytes());
                    pairs.map(|(key, value)| Field::new(&key, &value)).collect()
                }
                other => fields(other),
            };
            if given.is_empty() {
                return Ok(Body::default());
            }
            Ok(option("form", pairs(&given, values)?))
        }
        "formdata" => multipart(json, values),
        "file" => {
            let source = match &json["file"] {
                Json::String(source) => source.clone(),
                other => text(&other["src"]),
            };
            let mut body = option("body", content_of(&source, "file", values));
            let note = "the body is a file: its content is passed as text";
            body.notes.push(note.to_owned());
            Ok(body)
        }
        "graphql" => Ok(option("json", graphql(&json["graphql"], values)?)),
        "" => Ok(Body::default()),
        other => Ok(Body {
            notes: vec![format!("the body has an unknown type: {other}")],
            ..Body::default()
        }),
    }
}

/// The mode of a body; empty if there is none or it is disabled.
fn mode(json: &Json) -> &str {
    let mode = json["mode"].as_str().filter(|_| json["disabled"] != true);
    mode.unwrap_or_default()
}

/// Reads the fields of a body, as far as operations can use them.
pub(super) fn payload(json: &Json, values: &Values) -> Payload {
    match mode(json) {
        "" => Payload::Nothing,
        "raw" => {
            let content = text(&json["raw"]);
            if content.trim().is_empty() {
                return Payload::Nothing;
            }
            let fits = |json: &Json| depth(json) <= MAX_DEPTH && is_held(json, &content, values);
            match parse_with_placeholders(&content).filter(fits) {
                Some(Json::Object(fields)) => Payload::Fields(fields, Encoding::Json),
                _ => Payload::Other,
            }
        }
        "urlencoded" => form_payload(&json["urlencoded"], Encoding::Form),
        "formdata" => form_payload(&json["formdata"], Encoding::Multipart),
        _ => Payload::Other,
    }
}

fn form_payload(json: &Json, encoding: Encoding) -> Payload {
    match distinct(fields(json)) {
        Some(fields) if fields.is_empty() => Payload::Nothing,
        Some(fields) => Payload::Fields(fields, encoding),
        None => Payload::Other,
    }
}

/// The fields as a map of texts; `None` if one is a file or occurs twice.
pub(super) fn distinct(fields: Vec<Field>) -> Option<Map<String, Json>> {
    let mut map = Map::new();
    for field in fields {
        if field.file.is_some() || map.insert(field.key, field.value.into()).is_some() {
            return None;
        }
    }
    Some(map)
}

fn raw(json: &Json, content_type: Option<&str>, values: &mut Values) -> Result<Body, String> {
    let content = text(&json["raw"]);
    if content.trim().is_empty() {
        return Ok(Body::default());
    }
    let language = json.pointer("/options/raw/language").and_then(Json::as_str);
    let language = language.unwrap_or_default();
    let says_json = language == "json" || content_type.is_some_and(|kind| kind.contains("json"));
    let is_json = says_json || (matches!(language, "" | "text") && content_type.is_none());
    let document = parse_with_placeholders(&content);
    let document = document.filter(|document| is_json && (document.is_object() || document.is_array()));
    let mut body = Body::default();
    let kind = match document {
        Some(document) if !is_held(&document, &content, values) => {
            let note = "its JSON is sent as text: as script values it would change";
            body.notes.push(note.to_owned());
            Some("application/json")
        }
        Some(document) if depth(&document) <= MAX_DEPTH => {
            body.option = Some(("json", value(&document, "", values)?));
            return Ok(body);
        }
        _ => match language {
            "json" => Some("application/json"),
            "xml" => Some("application/xml"),
            "html" => Some("text/html"),
            "javascript" => Some("application/javascript"),
            _ => None,
        },
    };
    let code = if has_credentials(&content, &values.credentials()) {
        let note = "the body contains credentials, so it is passed as a whole";
        body.notes.push(note.to_owned());
        values.credential(&content, "body", false)
    } else {
        values.value(&content, "body")?
    };
    body.option = Some(("body", code));
    body.content_type = kind.map(str::to_owned);
    Ok(body)
}

fn multipart(json: &Json, values: &mut Values) -> Result<Body, String> {
    let mut body = Body::default();
    let mut given = Vec::new();
    for field in fields(&json["formdata"]) {
        let (content, filename) = match &field.file {
            None => (values.value(&field.value, &field.key)?, ""),
            Some(file) => {
                let note = format!("`{}` is a file: its content is passed as text", field.key);
                body.notes.push(note);
                (content_of(file, &field.key, values), base_name(file))
            }
        };
        let part = part(content, filename, field.kind.as_deref());
        given.push((field.key, part));
    }
    if !given.is_empty() {
        body.option = Some(("multipart", Code::merged(given, |a, b| a == b)));
    }
    Ok(body)
}

/// A form part: its content alone, or a map if it has a file name or content type.
fn part(content: Code, filename: &str, kind: Option<&str>) -> Code {
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_control() && *c != '"').collect() };
    let more = [("filename", filename), ("type", kind.unwrap_or_default())];
    let more = more.into_iter().filter(|(_, text)| !text.is_empty());
    let more: Vec<_> = more
        .map(|(key, text)| (key.to_owned(), Code::text(&plain(text))))
        .collect();
    if more.is_empty() {
        return content;
    }
    Code::Map([vec![("content".to_owned(), content)], more].concat())
}

/// The file name without its folders, which are private.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn graphql(json: &Json, values: &mut Values) -> Result<Code, String> {
    let mut fields = vec![("query".to_owned(), values.value(&text(&json["query"]), "query")?)];
    let variables = match &json["variables"] {
        Json::String(text) => {
            let read = parse_with_placeholders(text);
            if read.is_none() && !text.trim().is_empty() {
                values.add_note("the variables of its query are not JSON and are left out".to_owned());
            }
            read.unwrap_or(Json::Null)
        }
        other => other.clone(),
    };
    if variables
        .as_object()
        .is_some_and(|variables| !variables.is_empty())
    {
        fields.push(("variables".to_owned(), value(&variables, "", values)?));
    }
    let operation = text(&json["operationName"]);
    if !operation.is_empty() {
        fields.push(("operationName".to_owned(), Code::text(&operation)));
    }
    Ok(Code::Map(fields))
}

/// Adds a parameter for the content of a file, of which only the name is known.
fn content_of(source: &str, field: &str, values: &mut Values) -> Code {
    let about = match base_name(source) {
        "" => format!("the content of the file in `{field}`"),
        name => format!("the content of the file {name}"),
    };
    let name = name_of(&format!("{field} content"), "content");
    let index = values.add(name, about, None, false);
    values.param(index)
}

/// Converts fields to a map; a repeated field becomes a list.
pub(super) fn pairs(fields: &[Field], values: &mut Values) -> Result<Code, String> {
    let mut all = Vec::new();
    for field in fields {
        let key = match values.pieces(&field.key)?.as_slice() {
            // A map key cannot contain variables, so the name stays as written.
            [Piece::Text(key)] => key.clone(),
            _ => field.key.clone(),
        };
        all.push((key, values.value(&field.value, &field.key)?));
    }
    Ok(Code::merged(all, |a, b| a == b))
}

/// Converts JSON to a script value. `field` is the name of the field that holds it.
pub(super) fn value(json: &Json, field: &str, values: &mut Values) -> Result<Code, String> {
    Ok(match json {
        Json::Null | Json::Bool(_) => Code::json(json),
        Json::Number(number) => number_code(number, field, values)?,
        Json::String(text) => match text.strip_prefix(BARE) {
            Some(name) => unquoted_variable(name, field, values)?,
            None => values.value(text, field)?,
        },
        Json::Array(items) => {
            let items = items.iter().map(|item| value(item, field, values));
            Code::List(items.collect::<Result<_, _>>()?)
        }
        Json::Object(fields) => object(fields, values)?,
    })
}

/// Converts a value that must be new for each call: a literal text becomes a parameter.
pub(super) fn unique(json: &Json, field: &str, values: &mut Values) -> Result<Code, String> {
    match json {
        Json::String(text) if !text.starts_with(BARE) && !text.contains("{{") => values.input(text, field),
        _ => value(json, field, values),
    }
}

/// Converts the fields of a JSON object to a map.
pub(super) fn object(fields: &Map<String, Json>, values: &mut Values) -> Result<Code, String> {
    let fields = fields
        .iter()
        .map(|(key, item)| Ok((key.clone(), value(item, key, values)?)));
    Ok(Code::Map(fields.collect::<Result<_, String>>()?))
}

/// Converts an unquoted variable: a number, a boolean, or a whole document.
fn unquoted_variable(name: &str, field: &str, values: &mut Values) -> Result<Code, String> {
    let placeholder = Part::Placeholder(name).to_string();
    let parsed = |text: &str| Code::Expr(format!("parse_json({text})"));
    let pieces = values.pieces(&placeholder)?;
    match pieces.as_slice() {
        [Piece::Param(index)] => {
            let param = &mut values.params[*index];
            let fits = param.default.as_deref().is_none_or(is_exact_json);
            if param.secret || !fits {
                values.add_note(format!("`{name}` is sent as text, although it has no quotes"));
                return values.value(&placeholder, field);
            }
            if param.mixed {
                // Elsewhere it is used as text, so every character must be kept.
                return Ok(parsed(&values.param(*index).render(0)));
            }
            param.json = true;
            Ok(values.param(*index))
        }
        [_, _, ..] if !values.hides(&pieces) => Ok(parsed(&values.text(&pieces))),
        _ => values.value(&placeholder, field),
    }
}

fn number_code(number: &serde_json::Number, field: &str, values: &mut Values) -> Result<Code, String> {
    let text = number.to_string();
    if name_is_secret(field) {
        values.add_note(format!(
            "`{field}` is sent as text: a credential cannot be a number"
        ));
        return values.value(&text, field);
    }
    Ok(match (number.as_i64(), number.as_f64()) {
        (Some(_), _) => Code::Expr(text),
        // `{:?}` always writes a point or an exponent, so Rhai reads a float.
        (None, Some(float)) if number.is_f64() => Code::Expr(format!("{float:?}")),
        _ => {
            values.add_note(format!(
                "`{field}` is sent as text: its number is too large for a value"
            ));
            Code::Expr(quoted(&text))
        }
    })
}

/// The text of a JSON string or number; `None` for any other value, also an unquoted variable.
pub(super) fn plain_text(json: &Json) -> Option<String> {
    let is_plain = json.is_number() || json.as_str().is_some_and(|text| !text.starts_with(BARE));
    is_plain.then(|| text(json))
}

/// The text of a JSON value as written in the body, with variables unresolved.
pub(super) fn as_written(json: &Json) -> String {
    let text = text(json);
    match text.strip_prefix(BARE) {
        Some(name) => Part::Placeholder(name).to_string(),
        None => text,
    }
}

fn depth(json: &Json) -> usize {
    let deepest = |items: &mut dyn Iterator<Item = &Json>| items.map(depth).max().unwrap_or_default();
    match json {
        Json::Array(items) => 1 + deepest(&mut items.iter()),
        Json::Object(fields) => 1 + deepest(&mut fields.values()),
        _ => 0,
    }
}

/// Splits JSON at its variables and at the quotes of its strings. Each part comes with whether it is inside a string;
/// the quotes are outside.
fn fragments(content: &str) -> Vec<(bool, Part<'_>)> {
    let mut all = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for part in parts(content) {
        let Part::Text(text) = part else {
            all.push((quoted, part));
            continue;
        };
        let mut start = 0;
        for (at, c) in text.char_indices() {
            let ends = c == '"' && !escaped;
            escaped = quoted && c == '\\' && !escaped;
            if ends {
                let end = if quoted { at } else { at + 1 };
                all.push((quoted, Part::Text(&text[start..end])));
                start = end;
                quoted = !quoted;
            }
        }
        all.push((quoted, Part::Text(&text[start..])));
    }
    all
}

/// Parses JSON that may contain unquoted variables. Returns `None` if it is invalid even so.
fn parse_with_placeholders(content: &str) -> Option<Json> {
    let mut out = String::with_capacity(content.len());
    for (quoted, part) in fragments(content) {
        match part {
            Part::Placeholder(name) if !quoted => {
                out.push_str(&serde_json::to_string(&format!("{BARE}{name}")).ok()?);
            }
            part => out.push_str(&part.to_string()),
        }
    }
    serde_json::from_str(&out).ok()
}

/// Whether script values represent the JSON exactly, including its numbers and the values of its variables. `document`
/// is the parsed content.
fn is_held(document: &Json, content: &str, values: &Values) -> bool {
    let all = fragments(content);
    // Each colon outside strings is a field; if the parsed maps have fewer fields, a name was repeated.
    let colons = all.iter().map(|fragment| match fragment {
        (false, Part::Text(text)) => text.matches(':').count(),
        _ => 0,
    });
    count_fields(document) >= colons.sum()
        && all.iter().all(|fragment| match fragment {
            (true, _) => true,
            (false, Part::Text(text)) => numbers(text).all(is_exact),
            (false, name) => {
                let shown = values.expanded(&name.to_string());
                // A value that is passed when the script runs is not known here.
                shown.contains("{{") || is_exact_json(&shown)
            }
        })
}

/// Whether the text is JSON that script values represent exactly.
fn is_exact_json(text: &str) -> bool {
    let fits = |fragment: &(bool, Part)| match fragment {
        (false, Part::Text(text)) => numbers(text).all(is_exact),
        _ => true,
    };
    serde_json::from_str::<Json>(text).is_ok() && fragments(text).iter().all(fits)
}

fn count_fields(json: &Json) -> usize {
    match json {
        Json::Array(items) => items.iter().map(count_fields).sum(),
        Json::Object(map) => map.len() + map.values().map(count_fields).sum::<usize>(),
        _ => 0,
    }
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
