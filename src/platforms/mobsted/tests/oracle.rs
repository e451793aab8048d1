//! Decides whether a request could change App 1, as read by the most lenient server. It shares no code with the
//! product, and knows only what the server sees.

use serde_json::Value as Json;

use crate::transport::testing::ReceivedRequest;

/// The path, below the API, that a profile sets for one of the endpoints.
#[derive(Debug, Clone)]
pub(super) struct Correction {
    pub(super) endpoint: String,
    pub(super) path: String,
}

/// Why the request could change App 1; `None` if it cannot. An unknown path counts as harmless only if the sender's
/// profile assigns it to an endpoint.
pub(super) fn touches_app_one(
    seen: &ReceivedRequest,
    correction: Option<&Correction>,
) -> Option<&'static str> {
    let query = seen.target.split_once('?').map_or("", |(_, query)| query);
    let mut fields = Vec::new();
    form(query, &mut fields);
    body(seen, &mut fields);
    let other = fields
        .iter()
        .find(|field| ["r", "route", "path"].contains(&field.name.as_str()))
        .map(|field| field.value.as_str())
        .or_else(|| seen.header("x-original-url"));
    let path = resolved(&other.unwrap_or(seen.path()).to_lowercase());
    let overridden = is_overridden(seen, &fields);
    if !overridden && is_read(&seen.method) && !path.iter().any(|part| is_verb(part)) {
        return None;
    }
    let after_api = path.windows(2).position(|pair| pair == ["api", "v8"]);
    let parts: Vec<&str> = path[after_api.map_or(0, |at| at + 2)..]
        .iter()
        .map(String::as_str)
        .collect();
    let parts = correction.map_or_else(|| parts.clone(), |correction| correction.undone(&parts));
    let posts = seen.method == "POST" && !overridden;
    if posts && only_asks(&parts) {
        return None;
    }
    if posts && parts == ["events"] {
        // An event may contain any id except that of an app.
        fields.retain(|field| !field.carried || is_app(&field.name));
    }
    judged(posts, &parts, &fields)
}

/// The first path segments known not to be of apps, and the base from which the server numbers the items of each.
const KNOWN: &[(&str, Option<u64>)] = &[
    ("object", Some(0)),
    ("objects", Some(0)),
    ("events", Some(0)),
    ("screen", Some(100)),
    ("screens", Some(100)),
    ("lists", Some(200)),
    ("nginx", None),
    ("partners", None),
    ("hashtags", None),
];

/// A field of a request, with its name in lower case.
struct Field {
    name: String,
    value: String,
    /// Whether it is inside the text of a field `Value`.
    carried: bool,
}

impl Field {
    fn new(name: &str, value: &str) -> Field {
        Field {
            name: name.to_owned(),
            value: value.to_owned(),
            carried: false,
        }
    }
}

impl Correction {
    /// The path segments as they would be without the override. A known path keeps its usual meaning.
    fn undone<'a>(&self, parts: &[&'a str]) -> Vec<&'a str> {
        let own = resolved(&self.path.to_lowercase());
        let is_known = |first: &&str| first.contains("app") || KNOWN.iter().any(|(name, _)| name == first);
        let default: &[&str] = match self.endpoint.as_str() {
            "partners" => &["partners"],
            "applications" => &["applications"],
            "events" => &["events"],
            "domains" => &["nginx", "config"],
            "objects" => &["object"],
            "lists" => &["lists"],
            "hashtags" => &["hashtags"],
            other => panic!("{other} is no endpoint of the oracle's"),
        };
        let is_own = parts.len() >= own.len() && own.iter().zip(parts).all(|(own, part)| own == part);
        if is_own && !parts.first().is_some_and(is_known) {
            [default, &parts[own.len()..]].concat()
        } else {
            parts.to_vec()
        }
    }
}

/// Whether it is a path that a POST only reads from (public clients).
fn only_asks(parts: &[&str]) -> bool {
    matches!(
        parts,
        [
            "hashtags",
            "objects" | "applications" | "tenant" | "list" | "system" | "taxes"
        ] | ["hashtags", "filters", "objects" | "events" | "lists"]
            | ["filters", "info", "columns"]
    )
}

fn judged(posts: bool, parts: &[&str], fields: &[Field]) -> Option<&'static str> {
    let values = |is_wanted: fn(&str) -> bool| -> Vec<&str> {
        let wanted = fields.iter().filter(|field| is_wanted(&field.name));
        wanted.map(|field| field.value.as_str()).collect()
    };
    let (ids, apps) = (values(is_id), values(is_app));
    if apps.iter().any(|value| is_one(value)) {
        return Some("a field names App 1");
    }
    let numbers = parts
        .iter()
        .copied()
        // The only word with a digit in these paths.
        .filter(|part| *part != "v8" && part.contains(|c: char| c.is_numeric()));
    let named: Vec<&str> = numbers.chain(ids.iter().copied()).collect();
    if parts.iter().any(|part| part.contains("app")) {
        if named.iter().any(|id| is_one(id)) {
            return Some("the path is of App 1");
        }
        let makes = posts && *parts == ["applications"];
        return (!makes && named.is_empty()).then_some("the path is of all apps");
    }
    let first = parts.first().copied().unwrap_or_default();
    match KNOWN.iter().find(|(name, _)| *name == first) {
        Some((_, Some(base))) => {
            let is_of_app_one = |id: &&str| {
                let id = id.trim().parse::<u64>();
                id.map_or(true, |id| (*base..base + 100).contains(&id) && id % 10 == 1)
            };
            if named.iter().any(is_of_app_one) {
                return Some("an item of App 1");
            }
            (apps.is_empty() || named.is_empty() && !posts).then_some("an item of any app")
        }
        _ if *parts == ["nginx", "config"] => apps.is_empty().then_some("the domain of any app"),
        _ if posts && *parts == ["partners"] && named.is_empty() => None,
        _ => Some("nothing says that it is harmless"),
    }
}

fn is_read(method: &str) -> bool {
    ["GET", "HEAD", "OPTIONS"].contains(&method.trim().to_uppercase().as_str())
}

/// Whether a server that supports the usual overrides would interpret it as another request.
fn is_overridden(seen: &ReceivedRequest, fields: &[Field]) -> bool {
    let headers = ["x-http-method-override", "x-http-method", "x-method-override"];
    let mut methods = headers.iter().filter_map(|name| seen.header(name));
    let mut methods_in_fields = fields.iter().filter(|field| {
        let letters: String = field.name.chars().filter(char::is_ascii_alphanumeric).collect();
        ["method", "httpmethod", "xhttpmethod", "xhttpmethodoverride"].contains(&letters.as_str())
    });
    methods.any(|method| !is_read(method))
        || methods_in_fields.any(|field| !is_read(&field.value))
        || seen.header("x-original-url").is_some()
}

/// Whether a path segment indicates a change.
fn is_verb(part: &str) -> bool {
    let verbs = ["delete", "remove", "destroy", "update", "edit"];
    verbs
        .iter()
        .any(|verb| part.starts_with(verb) || part.ends_with(verb))
}

/// The segments of a path, fully decoded, without extensions and parameters.
fn resolved(path: &str) -> Vec<String> {
    let mut path = path.to_owned();
    while let Some(next) = decoded(&path) {
        path = next.to_lowercase();
    }
    let mut parts: Vec<String> = Vec::new();
    for part in path.replace('\\', "/").split('/') {
        let part = part.split([';', '?']).next().unwrap_or_default();
        let part = part.strip_suffix(".json").unwrap_or(part).trim();
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part.to_owned()),
        }
    }
    parts
}

/// The text with its escapes decoded once; `None` if there are none.
fn decoded(text: &str) -> Option<String> {
    let at = text.match_indices('%').find_map(|(at, _)| {
        let digits = text.get(at + 1..at + 3)?;
        Some((at, u8::from_str_radix(digits, 16).ok()?))
    });
    let (at, byte) = at?;
    let mut bytes = text.as_bytes()[..at].to_vec();
    bytes.push(byte);
    bytes.extend_from_slice(&text.as_bytes()[at + 3..]);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn form(text: &str, fields: &mut Vec<Field>) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let clear = |text: &str| {
            let mut text = text.replace('+', " ");
            while let Some(next) = decoded(&text) {
                text = next;
            }
            text
        };
        let (name, value) = (clear(name).to_lowercase(), clear(value));
        text_field(&name, &value, fields);
    }
}

fn body(seen: &ReceivedRequest, fields: &mut Vec<Field>) {
    let kind = seen.header("content-type").unwrap_or_default().to_lowercase();
    if kind.contains("multipart") {
        for part in seen.body.split("name=\"").skip(1) {
            let (name, rest) = part.split_once('"').unwrap_or((part, ""));
            let value = rest.split_once("\r\n\r\n").map_or("", |(_, value)| value);
            let value = value.split("\r\n").next().unwrap_or_default();
            text_field(&name.to_lowercase(), value, fields);
        }
    } else if kind.contains("form") {
        form(&seen.body, fields);
    } else if let Ok(json) = serde_json::from_str::<Json>(&seen.body) {
        flat("", &json, fields);
    } else if !seen.body.is_empty() {
        fields.push(Field::new("app", "1"));
    }
}

/// Adds a text field, and the fields of JSON inside the text.
fn text_field(name: &str, text: &str, fields: &mut Vec<Field>) {
    match serde_json::from_str(text) {
        Ok(json @ (Json::Object(_) | Json::Array(_))) => {
            let at = fields.len();
            flat(name, &json, fields);
            if name == "value" {
                fields[at..].iter_mut().for_each(|field| field.carried = true);
            }
        }
        _ => fields.push(Field::new(name, text)),
    }
}

fn flat(name: &str, json: &Json, fields: &mut Vec<Field>) {
    match json {
        Json::Object(inner) => inner
            .iter()
            .for_each(|(name, json)| flat(&name.to_lowercase(), json, fields)),
        Json::Array(items) if items.is_empty() => fields.push(Field::new(name, "")),
        Json::Array(items) => items.iter().for_each(|json| flat(name, json, fields)),
        Json::String(text) => text_field(name, text, fields),
        other => fields.push(Field::new(name, &other.to_string())),
    }
}

fn is_app(name: &str) -> bool {
    name.contains("app") && !["appname", "appwebsiteurl", "app_site"].contains(&name)
}

fn is_id(name: &str) -> bool {
    let names = ["id", "ids", "pk", "objectid", "screenid", "listid"];
    // `data[id]` and `where.id` are nested fields named `id`; `ids[]` is a list.
    let mut parts = name.rsplit(['[', ']', '.']).filter(|part| !part.is_empty());
    let last = parts.next().unwrap_or_default();
    let letters: String = last.chars().filter(char::is_ascii_alphabetic).collect();
    names.contains(&letters.as_str())
}

/// Whether a server could read it as 1, or as empty.
fn is_one(text: &str) -> bool {
    let text = text.trim().trim_matches('"');
    let digits: String = text
        .trim_start_matches(['+', '-', '0', 'x', 'X'])
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let number = text
        .parse::<f64>()
        .is_ok_and(|number| (1.0..2.0).contains(&number.abs()));
    digits == "1"
        || number
        || ["", "true", "null", "on", "yes"].contains(&text.to_lowercase().as_str())
        || text.contains("Sub Accounts")
        || text.chars().any(|c| c.is_numeric() && !c.is_ascii())
}
