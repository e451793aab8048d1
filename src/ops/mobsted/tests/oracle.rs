//! Could a request change App 1? Says so of anything that a lenient server might read in this way. It shares nothing with
//! the product, and knows only what the server sees.

use serde_json::Value as Json;

use crate::transport::testing::Seen;

/// Why the request could change App 1; nothing when it cannot.
pub(super) fn touches_app_one(seen: &Seen) -> Option<&'static str> {
    let path = resolved(&seen.path().to_lowercase());
    let mut params = Vec::new();
    let query = seen.target.split_once('?').map_or("", |(_, query)| query);
    form(query, &mut params);
    body(seen, &mut params);
    let route = params
        .iter()
        .find(|(name, _)| ["r", "route", "path"].contains(&name.as_str()));
    let path = route.map_or(path, |(_, value)| resolved(&value.to_lowercase()));
    if !changes(seen, &path, &params) {
        return None;
    }
    let after_api = path.windows(2).position(|pair| pair == ["api", "v8"]);
    let parts: Vec<&str> = path[after_api.map_or(0, |at| at + 2)..]
        .iter()
        .map(String::as_str)
        .collect();
    if seen.method == "POST" && matches!(parts[..], ["hashtags", "objects" | "applications" | "tenant"]) {
        return None;
    }
    judged(seen, &parts, &params)
}

fn judged(seen: &Seen, parts: &[&str], params: &[(String, String)]) -> Option<&'static str> {
    let ids: Vec<&str> = params
        .iter()
        .filter(|(name, _)| is_id(name))
        .map(|(_, value)| value.as_str())
        .collect();
    let apps: Vec<&str> = params
        .iter()
        .filter(|(name, _)| is_app(name))
        .map(|(_, value)| value.as_str())
        .collect();
    if apps.iter().any(|value| is_one(value)) {
        return Some("a field names App 1");
    }
    let numbers: Vec<&str> = parts
        .iter()
        .copied()
        // A word such as `v8` is no number.
        .filter(|part| !part.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter(|part| part.contains(|c: char| c.is_numeric()))
        .collect();
    let first = parts.first().copied().unwrap_or_default();
    let at = |names: &[&str]| names.contains(&first);
    if parts.iter().any(|part| part.contains("app")) {
        let named = numbers.iter().chain(&ids);
        if named.clone().any(|id| is_one(id)) {
            return Some("the path is of App 1");
        }
        let makes = seen.method == "POST" && *parts == ["applications"];
        return (!makes && named.count() == 0).then_some("the path is of all apps");
    }
    let items = [
        ("object", 0),
        ("objects", 0),
        ("events", 0),
        ("screen", 100),
        ("screens", 100),
        ("lists", 200),
    ];
    if let Some((_, base)) = items.iter().find(|(name, _)| at(&[name])) {
        let is_of_app_one = |id: &&str| {
            let id = id.trim().parse::<u64>();
            id.map_or(true, |id| (*base..base + 100).contains(&id) && id % 10 == 1)
        };
        if numbers.iter().chain(&ids).any(is_of_app_one) {
            return Some("an item of App 1");
        }
        return apps.is_empty().then_some("an item of any app");
    }
    if at(&["nginx"]) {
        return apps.is_empty().then_some("the domain of any app");
    }
    if at(&["partners"]) && numbers.is_empty() && ids.is_empty() {
        return None;
    }
    (!numbers.is_empty() || (!ids.is_empty() && apps.is_empty()))
        .then_some("nothing says that it is harmless")
}

/// Would the server, with the overrides that some know, take it for a change?
fn changes(seen: &Seen, path: &[String], params: &[(String, String)]) -> bool {
    let reads = |method: &str| ["GET", "HEAD", "OPTIONS"].contains(&method.trim().to_uppercase().as_str());
    let names = ["x-http-method-override", "x-http-method", "x-method-override"];
    let overridden = names
        .iter()
        .filter_map(|name| seen.header(name))
        .any(|method| !reads(method));
    let fields = params.iter().filter(|(name, _)| {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        ["method", "httpmethod", "xhttpmethod", "xhttpmethodoverride"].contains(&letters.as_str())
    });
    let verbs = ["delete", "remove", "destroy", "update", "edit"];
    !reads(&seen.method)
        || overridden
        || seen.header("x-original-url").is_some()
        || fields.map(|(_, value)| value).any(|method| !reads(method))
        || path.iter().any(|part| {
            verbs
                .iter()
                .any(|verb| part.starts_with(verb) || part.ends_with(verb))
        })
}

/// The parts of a path, decoded until nothing is left to decode, without endings and parameters.
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

/// The text with its escapes resolved once; nothing when there are none.
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

fn form(text: &str, params: &mut Vec<(String, String)>) {
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
        match serde_json::from_str(&value) {
            // What an event carries is nobody's field.
            Ok(json @ (Json::Object(_) | Json::Array(_))) if name != "value" => flat(&name, &json, params),
            _ => params.push((name, value)),
        }
    }
}

fn body(seen: &Seen, params: &mut Vec<(String, String)>) {
    let kind = seen.header("content-type").unwrap_or_default().to_lowercase();
    if kind.contains("multipart") {
        for part in seen.body.split("name=\"").skip(1) {
            let (name, rest) = part.split_once('"').unwrap_or((part, ""));
            let value = rest.split_once("\r\n\r\n").map_or("", |(_, value)| value);
            let value = value.split("\r\n").next().unwrap_or_default();
            params.push((name.to_lowercase(), value.to_owned()));
        }
    } else if kind.contains("form") {
        form(&seen.body, params);
    } else if let Ok(json) = serde_json::from_str::<Json>(&seen.body) {
        flat("", &json, params);
    } else if !seen.body.is_empty() {
        params.push(("app".to_owned(), "1".to_owned()));
    }
}

fn flat(name: &str, json: &Json, params: &mut Vec<(String, String)>) {
    match json {
        Json::Object(fields) => fields
            .iter()
            .for_each(|(inner, json)| flat(&inner.to_lowercase(), json, params)),
        Json::Array(items) if items.is_empty() => params.push((name.to_owned(), String::new())),
        Json::Array(items) => items.iter().for_each(|json| flat(name, json, params)),
        Json::String(text) => match serde_json::from_str(text) {
            Ok(inner @ (Json::Object(_) | Json::Array(_))) if name != "value" => flat(name, &inner, params),
            _ => params.push((name.to_owned(), text.clone())),
        },
        other => params.push((name.to_owned(), other.to_string())),
    }
}

fn is_app(name: &str) -> bool {
    name.contains("app") && !["appname", "appwebsiteurl", "app_site"].contains(&name)
}

fn is_id(name: &str) -> bool {
    let names = ["id", "ids", "pk", "objectid", "screenid", "listid"];
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    names.contains(&letters.as_str())
}

/// Could a server read 1 in it, or nothing at all?
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
