//! Reads Postman's files leniently: version 2.0 has an object or a string where 2.1 has a list, and addresses are
//! stored as a string, as parts, or as both.

use serde_json::{Map, Value as Json};

use super::credentials::name_is_secret;
use crate::value::origin::{is_local, is_sandbox_host};

/// The maximum number of requests; a collection with more is not one workflow.
const MAX_REQUESTS: usize = 5_000;

/// The maximum depth of folders, more than anyone nests by hand.
const MAX_DEPTH: usize = 48;

/// A collection with its requests in order.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) variables: Vec<Variable>,
    pub(super) requests: Vec<Request>,
    /// Scripts of the collection and of its folders.
    pub(super) scripts: Vec<EventScript>,
}

/// A variable with its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Variable {
    pub(super) key: String,
    pub(super) value: String,
    /// Whether it is marked as a secret.
    pub(super) secret: bool,
    /// The path of the folder that defines it; empty outside folders.
    pub(super) folder: String,
}

/// A script in Postman's scripting language.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EventScript {
    /// The path of the folder it belongs to; empty for a script of the collection or of a request.
    pub(super) of: String,
    /// The event that runs it: `prerequest` or `test`.
    pub(super) when: String,
    pub(super) lines: Vec<String>,
}

/// A request, with the settings that it inherits.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// The folders that contain it, outermost first.
    pub(super) folders: Vec<String>,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) method: String,
    pub(super) address: Address,
    pub(super) headers: Vec<Field>,
    pub(super) body: Json,
    /// The authentication of the request, its folder or the collection.
    pub(super) auth: Option<Auth>,
    pub(super) scripts: Vec<EventScript>,
    /// The variables of its folders, outermost first; they are in scope only there.
    pub(super) variables: Vec<Variable>,
}

/// The parts of an address, with variables unresolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Address {
    /// Everything before the query, including the scheme.
    pub(super) base: String,
    pub(super) query: Vec<Field>,
    /// The user and password that were in the address, if any.
    pub(super) user: Option<(String, String)>,
    /// Whether a missing scheme was added. Postman defaults to http; provisor to https, except on this machine.
    pub(super) scheme_added: bool,
}

/// A header, or a field of a query or form.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) value: String,
    /// The file name, if it is a file in a form.
    pub(super) file: Option<String>,
    /// The content type of a form part, if specified.
    pub(super) kind: Option<String>,
}

/// How a request authenticates.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Auth {
    pub(super) kind: String,
    fields: Vec<Field>,
}

impl Request {
    /// Returns the value of a header; `None` if it is missing.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|header| header.key.eq_ignore_ascii_case(name));
        found.map(|header| header.value.as_str())
    }

    /// The credentials in its authentication, its address and its headers, as written; without the scheme of
    /// `Authorization`.
    pub(super) fn credentials(&self) -> impl Iterator<Item = &str> {
        const OF_AUTH: &[&str] = &["token", "accessToken", "password", "value"];
        let auth = self.auth.iter().flat_map(|auth| &auth.fields);
        let auth = auth.filter(|field| OF_AUTH.contains(&field.key.as_str()));
        let auth = auth.map(|field| field.value.as_str());
        let user = self.address.user.iter().map(|(_, password)| password.as_str());
        let headers = self.headers.iter().filter(|header| name_is_secret(&header.key));
        let headers = headers.map(|header| {
            let value = header.value.trim();
            let schemed = value
                .split_once(' ')
                .filter(|_| header.key.eq_ignore_ascii_case("authorization"));
            schemed.map_or(value, |(_, credential)| credential)
        });
        auth.chain(user).chain(headers)
    }

    /// Returns its folders and its name, separated by slashes.
    pub(super) fn path(&self) -> String {
        let name = match self.name.trim() {
            "" => "a request without a name",
            name => name,
        };
        let folders = self.folders.iter().map(String::as_str);
        folders.chain([name]).collect::<Vec<_>>().join(" / ")
    }
}

impl Field {
    pub(super) fn new(key: &str, value: &str) -> Field {
        Field {
            key: key.to_owned(),
            value: value.to_owned(),
            ..Field::default()
        }
    }
}

impl Auth {
    /// A field of the authentication; empty if missing.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|field| field.key == name);
        found.map_or("", |field| &field.value)
    }
}

/// A folder, with what the requests in it inherit.
#[derive(Default)]
struct Folder {
    path: Vec<String>,
    auth: Option<Auth>,
    variables: Vec<Variable>,
}

/// Reads a collection. The error completes a sentence whose subject is the collection.
pub(super) fn read(json: &Json) -> Result<Collection, String> {
    let mut collection = Collection {
        name: text(&json["info"]["name"]),
        about: text(&json["info"]["description"]),
        variables: variables(&json["variable"]),
        requests: Vec::new(),
        scripts: scripts(&json["event"], ""),
    };
    let root = Folder {
        auth: auth(&json["auth"]),
        ..Folder::default()
    };
    items(&json["item"], &root, &mut collection)?;
    Ok(collection)
}

fn items(json: &Json, folder: &Folder, collection: &mut Collection) -> Result<(), String> {
    if folder.path.len() > MAX_DEPTH {
        return Err(format!("has folders more than {MAX_DEPTH} deep"));
    }
    for item in json.as_array().into_iter().flatten() {
        if item["item"].is_array() {
            let path = [folder.path.as_slice(), &[text(&item["name"])]].concat();
            let shown = path.join(" / ");
            let own = variables(&item["variable"]).into_iter().map(|variable| Variable {
                folder: shown.clone(),
                ..variable
            });
            let inner = Folder {
                auth: auth(&item["auth"]).or_else(|| folder.auth.clone()),
                variables: folder.variables.iter().cloned().chain(own).collect(),
                path,
            };
            collection.scripts.extend(scripts(&item["event"], &shown));
            items(&item["item"], &inner, collection)?;
        } else if !item["request"].is_null() {
            if collection.requests.len() == MAX_REQUESTS {
                return Err(format!("has more than {MAX_REQUESTS} requests"));
            }
            collection.requests.push(request(item, folder));
        }
    }
    Ok(())
}

fn request(item: &Json, folder: &Folder) -> Request {
    let json = &item["request"];
    let about = [&json["description"], &item["description"]].map(text);
    let method = text(&json["method"]).trim().to_uppercase();
    Request {
        folders: folder.path.clone(),
        name: text(&item["name"]),
        about: about
            .into_iter()
            .find(|about| !about.is_empty())
            .unwrap_or_default(),
        method: if method.is_empty() { "GET".into() } else { method },
        // The shortest form of a request is just its address.
        address: address(if json.is_string() { json } else { &json["url"] }),
        headers: headers(&json["header"]),
        body: json["body"].clone(),
        auth: auth(&json["auth"]).or_else(|| folder.auth.clone()),
        scripts: scripts(&item["event"], ""),
        variables: folder.variables.clone(),
    }
}

/// The item's own authentication; `None` if it is inherited. `noauth` counts as its own.
fn auth(json: &Json) -> Option<Auth> {
    let kind = json["type"].as_str()?.to_owned();
    let fields = match &json[&kind] {
        Json::Array(fields) => {
            let field = |field: &Json| Field::new(&text(&field["key"]), &text(&field["value"]));
            fields.iter().map(field).collect()
        }
        other => fields(other),
    };
    Some(Auth { kind, fields })
}

/// Reads headers from a list of objects, an object, or lines of text; disabled ones are left out.
fn headers(json: &Json) -> Vec<Field> {
    let Json::String(lines) = json else {
        return fields(json);
    };
    let lines = lines.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(key, value)| Field::new(key.trim(), value.trim()))
        .collect()
}

/// Reads fields from a list of objects or an object; disabled ones are left out.
pub(super) fn fields(json: &Json) -> Vec<Field> {
    match json {
        Json::Array(items) => items.iter().filter_map(Json::as_object).flat_map(field).collect(),
        Json::Object(fields) => {
            let fields = fields.iter();
            fields.map(|(key, value)| Field::new(key, &text(value))).collect()
        }
        _ => Vec::new(),
    }
}

/// Reads one field, or several if it has several files; none if it is disabled.
fn field(fields: &Map<String, Json>) -> Vec<Field> {
    let get = |name: &str| fields.get(name).map(text).unwrap_or_default();
    let key = get("key");
    if is_disabled(fields) || key.is_empty() {
        return Vec::new();
    }
    let files: Vec<Option<String>> = match fields.get("src") {
        _ if get("type") != "file" => vec![None],
        Some(Json::Array(several)) if !several.is_empty() => several.iter().map(text).map(Some).collect(),
        Some(one) => vec![Some(text(one))],
        None => vec![Some(String::new())],
    };
    let field = |file| Field {
        file,
        kind: Some(get("contentType")).filter(|kind| !kind.trim().is_empty()),
        ..Field::new(&key, &get("value"))
    };
    files.into_iter().map(field).collect()
}

/// Reads the variables of a collection or an environment; disabled ones are left out.
pub(super) fn variables(json: &Json) -> Vec<Variable> {
    let all = json.as_array().into_iter().flatten().filter_map(Json::as_object);
    let variable = |fields: &Map<String, Json>| {
        let key = fields.get("key").or_else(|| fields.get("id")).map(text)?;
        Some(Variable {
            key: key.trim().to_owned(),
            value: fields.get("value").map(text).unwrap_or_default(),
            secret: fields.get("type").is_some_and(|kind| kind == "secret"),
            folder: String::new(),
        })
    };
    let all = all.filter(|fields| !is_disabled(fields)).filter_map(variable);
    all.filter(|variable| !variable.key.is_empty()).collect()
}

fn is_disabled(fields: &Map<String, Json>) -> bool {
    fields.get("disabled") == Some(&Json::Bool(true)) || fields.get("enabled") == Some(&Json::Bool(false))
}

fn scripts(json: &Json, of: &str) -> Vec<EventScript> {
    let script = |event: &Json| {
        let texts = match &event["script"]["exec"] {
            Json::Array(texts) => texts.iter().map(text).collect(),
            other => vec![text(other)],
        };
        let lines = texts.iter().flat_map(|text| text.lines());
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        let is_empty = lines.iter().all(|line| line.trim().is_empty());
        (!is_empty).then(|| EventScript {
            of: of.to_owned(),
            when: text(&event["listen"]),
            lines,
        })
    };
    json.as_array().into_iter().flatten().filter_map(script).collect()
}

/// The text of a string, number or boolean, or the `content` of a description object; otherwise empty.
pub(super) fn text(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(flag) => flag.to_string(),
        Json::Object(fields) => fields
            .get("content")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    }
}

/// Parses an address.
fn address(json: &Json) -> Address {
    let raw = match json {
        Json::String(raw) => raw.clone(),
        other => Some(text(&other["raw"]))
            .filter(|raw| !raw.trim().is_empty())
            .unwrap_or_else(|| joined_address(other)),
    };
    let raw = raw.trim();
    let raw = raw.split_once('#').map_or(raw, |(before, _)| before);
    let (base, query) = raw.split_once('?').unwrap_or((raw, ""));
    let query = match &json["query"] {
        // Postman sends existing escapes as they are, so decode them.
        list @ Json::Array(_) => {
            let plain = |text: &str| decoded(&text.replace('+', "%2B"));
            let fields = fields(list).into_iter();
            fields
                .map(|field| Field::new(&plain(&field.key), &plain(&field.value)))
                .collect()
        }
        _ => query_fields(query),
    };
    let base = with_path_variables(base, &variables(&json["variable"]));
    let (base, user) = without_user(&base);
    let scheme_added = scheme(&base).is_none() && !base.starts_with("{{") && !base.is_empty();
    let base = if scheme_added {
        let base = base.strip_prefix("//").unwrap_or(&base);
        format!("{}{base}", default_scheme(base))
    } else {
        base
    };
    Address {
        base,
        query,
        user,
        scheme_added,
    }
}

/// Parses and decodes a query string; variables stay as they are.
fn query_fields(query: &str) -> Vec<Field> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
    parts
        .map(|(key, value)| Field::new(&decoded(key), &decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('&', "%26"));
    let first = url::form_urlencoded::parse(pair.as_bytes()).next();
    first.map_or_else(|| text.to_owned(), |(_, value)| value.into_owned())
}

/// Builds an address from its parts. A part is a text or an object with a `value`.
fn joined_address(json: &Json) -> String {
    let part = |part: &Json| text(part.get("value").unwrap_or(part));
    let joined = |json: &Json, separator: &str| match json {
        Json::String(text) => text.clone(),
        Json::Array(parts) => parts.iter().map(part).collect::<Vec<_>>().join(separator),
        _ => String::new(),
    };
    let mut address = match text(&json["protocol"]).trim_end_matches("://") {
        "" => String::new(),
        protocol => format!("{protocol}://"),
    };
    address.push_str(&joined(&json["host"], "."));
    for (separator, rest) in [(":", text(&json["port"])), ("/", joined(&json["path"], "/"))] {
        let rest = rest.trim_start_matches('/');
        if !rest.is_empty() {
            address.extend([separator, rest]);
        }
    }
    address
}

/// Replaces `:name` parts by their values; one without a value becomes the variable of that name.
fn with_path_variables(base: &str, variables: &[Variable]) -> String {
    let (scheme, rest) = split_scheme(base);
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, None), |(host, path)| (host, Some(path)));
    let Some(path) = path else {
        return base.to_owned();
    };
    let parts = path.split('/').map(|part| match part.strip_prefix(':') {
        Some(name) if !name.is_empty() => path_variable(name, variables),
        _ => part.to_owned(),
    });
    format!("{scheme}{host}/{}", parts.collect::<Vec<_>>().join("/"))
}

/// The replacement for `:name`, which may have a suffix, as in `:id.json`.
fn path_variable(name: &str, variables: &[Variable]) -> String {
    let begins = |variable: &&Variable| {
        let suffix = name.strip_prefix(&variable.key);
        suffix.is_some_and(|suffix| suffix.starts_with('.'))
    };
    let exact = variables.iter().find(|variable| variable.key == name);
    let found = exact.or_else(|| variables.iter().find(begins));
    let key = found.map_or_else(
        || name.split('.').next().unwrap_or(name),
        |found| found.key.as_str(),
    );
    let suffix = name.strip_prefix(key).unwrap_or_default();
    let value = found.map_or("", |found| found.value.trim());
    // Placeholders that programs write for an unknown value.
    if value.is_empty() || value == key || value == "{}" || value.starts_with([':', '<']) {
        format!("{{{{{key}}}}}{suffix}")
    } else {
        format!("{value}{suffix}")
    }
}

/// Splits off `user:password@`.
fn without_user(base: &str) -> (String, Option<(String, String)>) {
    let (scheme, rest) = split_scheme(base);
    let host = rest.split('/').next().unwrap_or(rest);
    let Some((user, _)) = host.rsplit_once('@') else {
        return (base.to_owned(), None);
    };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let base = format!("{scheme}{}", &rest[user.len() + 1..]);
    (base, Some((decoded(name), decoded(password))))
}

/// Splits an address after the `://` of its scheme, if it has one.
fn split_scheme(address: &str) -> (&str, &str) {
    address.split_at(scheme(address).map_or(0, |scheme| scheme.len() + "://".len()))
}

/// The scheme of an address, if it has one.
pub(super) fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once("://")?;
    (!scheme.contains(['/', ':'])).then_some(scheme)
}

/// The default scheme of an address: http on this machine, as in Postman; https everywhere else.
pub(super) fn default_scheme(address: &str) -> &'static str {
    if is_loopback(address) {
        "http://"
    } else {
        "https://"
    }
}

/// The address with the default scheme if it has none.
pub(super) fn with_scheme(address: &str) -> String {
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("{}{address}", default_scheme(address))
    }
}

/// The host of an address, with or without a scheme.
pub(super) fn host(address: &str) -> &str {
    let (_, rest) = split_scheme(address);
    let end = match rest.find(']') {
        Some(end) if rest.starts_with('[') => Some(end + 1),
        _ => rest.find(['/', ':']),
    };
    &rest[..end.unwrap_or(rest.len())]
}

/// Whether an address, with or without a scheme, points to this machine or the sandbox.
pub(super) fn is_loopback(address: &str) -> bool {
    let host = url::Host::parse(host(address));
    host.is_ok_and(|host| is_local(&host) || is_sandbox_host(&host.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn auth_is_inherited_from_folders_unless_overridden() {
        let bearer = |token: &str| json!({"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]});
        let request =
            |name: &str| json!({"name": name, "request": {"method": "GET", "url": "https://x.example"}});
        let mut none = request("none");
        none["request"]["auth"] = json!({"type": "noauth"});
        let read = read(&json!({
            "info": {"name": "x"},
            "auth": bearer("outer"),
            "item": [
                request("first"),
                {"name": "folder", "auth": bearer("inner"), "item": [request("second"), none, {"name": "deep", "item": [request("third")]}]},
                request("fourth"),
            ],
        }))
        .unwrap();
        let tokens: Vec<String> = read
            .requests
            .iter()
            .map(|request| {
                request
                    .auth
                    .as_ref()
                    .map(|auth| format!("{}:{}", auth.kind, auth.field("token")))
                    .unwrap()
            })
            .collect();
        assert_eq!(
            tokens,
            [
                "bearer:outer",
                "bearer:inner",
                "noauth:",
                "bearer:inner",
                "bearer:outer"
            ]
        );
        assert_eq!(read.requests[3].folders, ["folder", "deep"]);
    }

    #[test]
    fn postman_v2_0_and_v2_1_requests_parse_alike() {
        let new = json!({"info": {}, "item": [{"name": "a", "request": {
            "method": "post", "url": {"raw": "https://x.example"},
            "auth": {"type": "basic", "basic": [{"key": "username", "value": "ann"}, {"key": "password", "value": "p"}]},
            "header": [{"key": "A", "value": "1"}, {"key": "B", "value": "2", "disabled": true}],
            "description": {"content": "about", "type": "text/plain"},
        }}]});
        let old = json!({"info": {}, "item": [{"name": "a", "request": {
            "method": "POST", "url": "https://x.example",
            "auth": {"type": "basic", "basic": {"username": "ann", "password": "p"}},
            "header": "A: 1\n",
            "description": "about",
        }}]});
        let (new, old) = (read(&new).unwrap(), read(&old).unwrap());
        let (new, old) = (&new.requests[0], &old.requests[0]);
        assert_eq!(
            (&new.method, &new.headers, &new.about),
            (&old.method, &old.headers, &old.about)
        );
        for field in ["username", "password"] {
            let of = |request: &Request| request.auth.as_ref().map(|auth| auth.field(field).to_owned());
            assert!(of(new).is_some_and(|value| !value.is_empty()), "{field}");
            assert_eq!(of(new), of(old), "{field}");
        }
    }

    #[test]
    fn postman_scripts_are_split_into_lines_and_empty_ones_dropped() {
        let event = |exec: serde_json::Value| json!([{"listen": "test", "script": {"exec": exec}}]);
        assert_eq!(
            scripts(&event(json!(["a", "b\nc"])), "x")[0].lines,
            ["a", "b", "c"]
        );
        assert_eq!(scripts(&event(json!("a\nb")), "")[0].lines, ["a", "b"]);
        assert!(scripts(&event(json!(["", " "])), "").is_empty());
    }

    #[test]
    fn deep_nesting_and_too_many_requests_are_refused() {
        let mut folder = json!({"name": "x", "item": []});
        for _ in 0..60 {
            folder = json!({"name": "x", "item": [folder]});
        }
        assert!(
            read(&json!({"info": {}, "item": [folder]}))
                .unwrap_err()
                .contains("deep")
        );
        let many: Vec<Json> = (0..5001)
            .map(|n| json!({"name": n, "request": "https://x.example"}))
            .collect();
        assert!(
            read(&json!({"info": {}, "item": many}))
                .unwrap_err()
                .contains("5000 requests")
        );
    }

    #[test]
    fn postman_urls_are_parsed_from_objects_and_strings() {
        let parts = json!({"protocol": "https", "host": ["api", "example", "com"], "port": "8443", "path": ["v1", {"type": "string", "value": "users"}, ":id"],
            "query": [{"key": "a", "value": "1+1%26"}, {"key": "b", "value": "2", "disabled": true}], "variable": [{"key": "id", "value": "7"}]});
        let read_parts = address(&parts);
        assert_eq!(read_parts.base, "https://api.example.com:8443/v1/users/7");
        assert_eq!(read_parts.query.len(), 1);
        let text = address(&json!("{{base}}/users/:id?q=a%20b&t={{t}}#top"));
        assert_eq!(text.base, "{{base}}/users/{{id}}");
        let ending =
            address(&json!({"raw": "{{base}}/users/:id.json", "variable": [{"id": "id", "value": "id"}]}));
        assert_eq!(ending.base, "{{base}}/users/{{id}}.json");
        let query: Vec<&str> = text.query.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(query, ["a b", "{{t}}"]);
    }

    #[test]
    fn url_credentials_are_extracted_and_a_missing_scheme_is_added() {
        let with_user = address(&json!("https://ann:s3cret@example.com/x"));
        assert_eq!(with_user.base, "https://example.com/x");
        assert_eq!(with_user.user, Some(("ann".into(), "s3cret".into())));
        let bare = address(&json!("example.com/x"));
        assert!(bare.scheme_added && bare.base == "https://example.com/x");
        assert!(!address(&json!("{{host}}/x")).scheme_added);
        let near = |text: &str| address(&json!(text)).base;
        assert_eq!(near("localhost:3000/x"), "http://localhost:3000/x");
        assert_eq!(near("localhost:{{port}}/x"), "http://localhost:{{port}}/x");
        assert_eq!(near("[::1]:3000/x"), "http://[::1]:3000/x");
        assert_eq!(
            near("x.example/go/https://y.example"),
            "https://x.example/go/https://y.example"
        );
        let inner = address(&json!("ann:s3cret@x.example/:id/https://y.example"));
        assert_eq!(inner.base, "https://x.example/{{id}}/https://y.example");
        assert_eq!(inner.user, Some(("ann".into(), "s3cret".into())));
        assert_eq!(address(&json!(null)).base, "");
    }
}
