//! Converts request bodies in all of Postman's modes.

mod exact;

use serde_json::Value as Json;

use super::code::{Code, quoted};
use super::collection::{Field, fields, text};
use super::values::{Piece, Values};
use exact::{is_exact_json, is_held, parse_with_placeholders};

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

/// The maximum depth of JSON; deeper JSON stays text, since script expressions have a nesting limit.
const MAX_DEPTH: usize = 20;

/// Converts a body. Fails if variables are circular or grow too large.
pub(super) fn read(json: &Json, content_type: Option<&str>, values: &mut Values) -> Result<Body, String> {
    if json.is_null() || json["disabled"] == true {
        return Ok(Body::default());
    }
    match json["mode"].as_str().unwrap_or_default() {
        "raw" => raw(json, content_type, values),
        "urlencoded" => form(json, values),
        "formdata" => multipart(json, values),
        "file" => Ok(file(&json["file"], values)),
        "graphql" => graphql(&json["graphql"], values),
        "" => Ok(Body::default()),
        other => Ok(Body {
            notes: vec![format!("the body has an unknown type: {other}")],
            ..Body::default()
        }),
    }
}

fn raw(json: &Json, content_type: Option<&str>, values: &mut Values) -> Result<Body, String> {
    let content = text(&json["raw"]);
    if content.trim().is_empty() {
        return Ok(Body::default());
    }
    let language = json
        .pointer("/options/raw/language")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let says_json = language == "json" || content_type.is_some_and(|kind| kind.contains("json"));
    let is_unspecified = language.is_empty() || language == "text";
    let document = parse_with_placeholders(&content).filter(|document| {
        let is_json = says_json || (is_unspecified && content_type.is_none());
        is_json && (document.is_object() || document.is_array())
    });
    let inexact = document.is_some() && !is_held(&content, values);
    if let Some(document) = document.filter(|document| !inexact && depth(document) <= MAX_DEPTH) {
        return Ok(Body {
            option: Some(("json", value(&document, "", values)?)),
            ..Body::default()
        });
    }
    let kind = match language {
        _ if inexact => Some("application/json"),
        "json" => Some("application/json"),
        "xml" => Some("application/xml"),
        "html" => Some("text/html"),
        "javascript" => Some("application/javascript"),
        _ => None,
    };
    let mut notes = Vec::new();
    if inexact {
        notes.push("its JSON is sent as text: as script values it would change".to_owned());
    }
    let known = values.credentials();
    let code = if super::secrets::scrubbed(&content, &known) == trimmed_lines(&content) {
        values.value(&content, "body")?
    } else {
        notes.push("the body contains credentials, so it is passed as a whole".to_owned());
        values.credential(&content, "body", false)
    };
    Ok(Body {
        option: Some(("body", code)),
        content_type: kind.map(str::to_owned),
        notes,
    })
}

/// The text as `scrubbed` returns it when there is nothing to mask.
fn trimmed_lines(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join("\n")
}

fn form(json: &Json, values: &mut Values) -> Result<Body, String> {
    let given = match &json["urlencoded"] {
        Json::String(pairs) => url::form_urlencoded::parse(pairs.as_bytes())
            .map(|(key, value)| Field::new(&key, &value))
            .collect(),
        other => fields(other),
    };
    let option = (!given.is_empty()).then(|| pairs(&given, values)).transpose()?;
    Ok(Body {
        option: option.map(|code| ("form", code)),
        ..Body::default()
    })
}

fn multipart(json: &Json, values: &mut Values) -> Result<Body, String> {
    let mut body = Body::default();
    let mut given = Vec::new();
    for field in fields(&json["formdata"]) {
        let (content, filename) = match &field.file {
            None => (values.value(&field.value, &field.key)?, ""),
            Some(file) => {
                body.notes.push(format!(
                    "`{}` is a file: its content is passed as text",
                    field.key
                ));
                (content_of(file, &field.key, values), base_name(file))
            }
        };
        given.push((field.key.clone(), part(content, filename, field.kind.as_deref())));
    }
    if !given.is_empty() {
        body.option = Some(("multipart", merged(given)));
    }
    Ok(body)
}

/// A form part: its content alone, or a map if it has a file name or content type.
fn part(content: Code, filename: &str, kind: Option<&str>) -> Code {
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_control() && *c != '"').collect() };
    let more = [("filename", filename), ("type", kind.unwrap_or_default())];
    let more = more.into_iter().filter(|(_, text)| !text.is_empty());
    let mut fields: Vec<(String, Code)> = more
        .map(|(key, text)| (key.to_owned(), Code::text(&plain(text))))
        .collect();
    if fields.is_empty() {
        return content;
    }
    fields.insert(0, ("content".to_owned(), content));
    Code::Map(fields)
}

/// The file name without its folders, which are private.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn file(json: &Json, values: &mut Values) -> Body {
    let source = match json {
        Json::String(source) => source.clone(),
        other => text(&other["src"]),
    };
    Body {
        option: Some(("body", content_of(&source, "file", values))),
        content_type: None,
        notes: vec!["the body is a file: its content is passed as text".to_owned()],
    }
}

fn graphql(json: &Json, values: &mut Values) -> Result<Body, String> {
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
    Ok(Body {
        option: Some(("json", Code::Map(fields))),
        ..Body::default()
    })
}

/// Adds a parameter for the content of a file, of which only the name is known.
fn content_of(source: &str, field: &str, values: &mut Values) -> Code {
    let name = base_name(source);
    let about = if name.is_empty() {
        format!("the content of the file in `{field}`")
    } else {
        format!("the content of the file {name}")
    };
    let index = values.add(
        super::code::name_of(&format!("{field} content"), "content"),
        about,
        None,
        false,
    );
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
    Ok(merged(all))
}

fn merged(fields: Vec<(String, Code)>) -> Code {
    let mut merged: Vec<(String, Code)> = Vec::new();
    for (key, code) in fields {
        match merged.iter_mut().find(|(known, _)| *known == key) {
            Some((_, Code::List(items))) => items.push(code),
            Some((_, one)) => *one = Code::List(vec![one.clone(), code]),
            None => merged.push((key, code)),
        }
    }
    Code::Map(merged)
}

/// The prefix that marks a string as an unquoted variable.
const BARE: char = '\u{1}';

/// Converts JSON to a script value. `field` is the name of the field that holds it.
pub(super) fn value(json: &Json, field: &str, values: &mut Values) -> Result<Code, String> {
    Ok(match json {
        Json::Null => Code::Expr("()".into()),
        Json::Bool(flag) => Code::Expr(flag.to_string()),
        Json::Number(number) => number_code(number, field, values)?,
        Json::String(text) => match text.strip_prefix(BARE) {
            Some(name) => unquoted_variable(name, field, values)?,
            None => values.value(text, field)?,
        },
        Json::Array(items) => {
            let items = items.iter().map(|item| value(item, field, values));
            Code::List(items.collect::<Result<_, _>>()?)
        }
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, item)| Ok((key.clone(), value(item, key, values)?)));
            Code::Map(fields.collect::<Result<_, String>>()?)
        }
    })
}

/// Converts an unquoted variable: a number, a boolean, or a whole document.
fn unquoted_variable(name: &str, field: &str, values: &mut Values) -> Result<Code, String> {
    let placeholder = format!("{{{{{name}}}}}");
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

/// An expression that parses a JSON text.
fn parsed(text: &str) -> Code {
    Code::Expr(format!("parse_json({text})"))
}

fn number_code(number: &serde_json::Number, field: &str, values: &mut Values) -> Result<Code, String> {
    let text = number.to_string();
    if super::secrets::name_is_secret(field) {
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

/// The text of a JSON value as written in the body, with variables unresolved.
pub(super) fn as_written(json: &Json) -> String {
    match json {
        Json::String(text) => match text.strip_prefix(BARE) {
            Some(name) => format!("{{{{{name}}}}}"),
            None => text.clone(),
        },
        other => text(other),
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

/// Parses a raw body as JSON with its variables in strings, so that fields can be read. Returns null if it is not JSON,
/// is nested too deeply, or would be changed by script values.
pub(super) fn document(body: &Json, values: &Values) -> Json {
    let content = text(&body["raw"]);
    let document = parse_with_placeholders(&content).unwrap_or(Json::Null);
    if depth(&document) <= MAX_DEPTH && is_held(&content, values) {
        document
    } else {
        Json::Null
    }
}
