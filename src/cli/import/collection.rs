//! Reads collections leniently: version 2.0 has an object or a string where 2.1 has a list.

use serde_json::{Map, Value as Json};

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
    pub(super) scripts: Vec<Script>,
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
pub(super) struct Script {
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
    pub(super) url: Json,
    pub(super) headers: Vec<Field>,
    pub(super) body: Json,
    /// The authentication of the request, its folder or the collection.
    pub(super) auth: Option<Auth>,
    pub(super) scripts: Vec<Script>,
    /// The variables of its folders, outermost first; they are in scope only there.
    pub(super) variables: Vec<Variable>,
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

impl Field {
    pub(super) fn new(key: &str, value: &str) -> Field {
        Field {
            key: key.to_owned(),
            value: value.to_owned(),
            ..Field::default()
        }
    }
}

/// How a request authenticates.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Auth {
    pub(super) kind: String,
    fields: Vec<(String, String)>,
}

impl Auth {
    /// A field of the authentication; empty if missing.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

/// The inherited context of an item.
struct ItemContext<'a> {
    folders: Vec<String>,
    auth: Option<Auth>,
    variables: Vec<Variable>,
    collection: &'a mut Collection,
}

/// Reads a collection. The error completes a sentence whose subject is the collection.
pub(super) fn read(json: &Json) -> Result<Collection, String> {
    let info = &json["info"];
    let mut collection = Collection {
        name: text(&info["name"]),
        about: text(&info["description"]),
        variables: variables(&json["variable"]),
        ..Collection::default()
    };
    collection.scripts = scripts(&json["event"], "");
    let auth = auth(&json["auth"]);
    let mut around = ItemContext {
        folders: Vec::new(),
        auth,
        variables: Vec::new(),
        collection: &mut collection,
    };
    items(&json["item"], &mut around)?;
    Ok(collection)
}

fn items(json: &Json, around: &mut ItemContext) -> Result<(), String> {
    if around.folders.len() > MAX_DEPTH {
        return Err(format!("has folders more than {MAX_DEPTH} deep"));
    }
    for item in json.as_array().into_iter().flatten() {
        let name = text(&item["name"]);
        if item["item"].is_array() {
            let own = auth(&item["auth"]).or_else(|| around.auth.clone());
            let outer = std::mem::replace(&mut around.auth, own);
            around.folders.push(name);
            let path = around.folders.join(" / ");
            around.collection.scripts.extend(scripts(&item["event"], &path));
            let outer_variables = around.variables.len();
            let own = variables(&item["variable"]).into_iter();
            around.variables.extend(own.map(|variable| Variable {
                folder: path.clone(),
                ..variable
            }));
            items(&item["item"], around)?;
            around.variables.truncate(outer_variables);
            around.folders.pop();
            around.auth = outer;
        } else if !item["request"].is_null() {
            if around.collection.requests.len() == MAX_REQUESTS {
                return Err(format!("has more than {MAX_REQUESTS} requests"));
            }
            let request = request(item, name, around);
            around.collection.requests.push(request);
        }
    }
    Ok(())
}

fn request(item: &Json, name: String, around: &ItemContext) -> Request {
    let json = &item["request"];
    let inherited = || around.auth.clone();
    let scripts = scripts(&item["event"], "");
    // The shortest form of a request is just its address.
    if json.is_string() {
        return Request {
            folders: around.folders.clone(),
            name,
            method: "GET".into(),
            url: json.clone(),
            auth: inherited(),
            scripts,
            variables: around.variables.clone(),
            ..Request::default()
        };
    }
    let method = text(&json["method"]).trim().to_uppercase();
    let about = match text(&json["description"]) {
        about if about.is_empty() => text(&item["description"]),
        about => about,
    };
    Request {
        folders: around.folders.clone(),
        name,
        about,
        method: if method.is_empty() { "GET".into() } else { method },
        url: json["url"].clone(),
        headers: headers(&json["header"]),
        body: json["body"].clone(),
        auth: auth(&json["auth"]).or_else(inherited),
        scripts,
        variables: around.variables.clone(),
    }
}

/// The item's own authentication; `None` if it is inherited. `noauth` counts as its own.
fn auth(json: &Json) -> Option<Auth> {
    let kind = json["type"].as_str()?.to_owned();
    let fields = match &json[&kind] {
        Json::Array(fields) => fields
            .iter()
            .map(|field| (text(&field["key"]), text(&field["value"])))
            .collect(),
        Json::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect(),
        _ => Vec::new(),
    };
    Some(Auth { kind, fields })
}

/// Reads headers from a list of objects, an object, or lines of text; disabled ones are left out.
pub(super) fn headers(json: &Json) -> Vec<Field> {
    match json {
        Json::String(lines) => lines
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| Field::new(key.trim(), value.trim()))
            .collect(),
        other => fields(other),
    }
}

/// Reads fields from a list of objects or an object; disabled ones are left out.
pub(super) fn fields(json: &Json) -> Vec<Field> {
    match json {
        Json::Array(items) => items.iter().filter_map(Json::as_object).flat_map(field).collect(),
        Json::Object(fields) => fields
            .iter()
            .map(|(key, value)| Field::new(key, &text(value)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Reads one field, or several if it has several files; none if it is disabled.
fn field(fields: &Map<String, Json>) -> Vec<Field> {
    let get = |name: &str| fields.get(name).map(text).unwrap_or_default();
    let off = fields.get("disabled") == Some(&Json::Bool(true))
        || fields.get("enabled") == Some(&Json::Bool(false));
    let key = get("key");
    if off || key.is_empty() {
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
    let on = all.filter(|fields| {
        fields.get("enabled") != Some(&Json::Bool(false)) && fields.get("disabled") != Some(&Json::Bool(true))
    });
    let variable = |fields: &Map<String, Json>| {
        let key = fields.get("key").or_else(|| fields.get("id")).map(text)?;
        Some(Variable {
            key: key.trim().to_owned(),
            value: fields.get("value").map(text).unwrap_or_default(),
            secret: fields.get("type").is_some_and(|kind| kind == "secret"),
            folder: String::new(),
        })
    };
    on.filter_map(variable)
        .filter(|variable| !variable.key.is_empty())
        .collect()
}

fn scripts(json: &Json, of: &str) -> Vec<Script> {
    let events = json.as_array().into_iter().flatten();
    let script = |event: &Json| {
        let lines: Vec<String> = match &event["script"]["exec"] {
            Json::Array(lines) => lines.iter().flat_map(|line| split(&text(line))).collect(),
            Json::String(text) => split(text),
            _ => Vec::new(),
        };
        lines.iter().any(|line| !line.trim().is_empty()).then(|| Script {
            of: of.to_owned(),
            when: text(&event["listen"]),
            lines,
        })
    };
    events.filter_map(script).collect()
}

fn split(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
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

#[cfg(test)]
mod tests;
