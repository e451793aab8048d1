//! Determines which apps and items the fields of a request name.

use super::{Items, Kind, protected, refused};
use crate::client::error::ApiError;
use crate::transport::request::{Body, Request};
use crate::value::Value;

/// The apps and items that the fields of a request name.
#[derive(Debug, Default)]
pub(super) struct Fields {
    app: Option<u64>,
    ids: Vec<(Option<Kind>, u64)>,
    /// The reason why the request must not change anything.
    fault: Option<ApiError>,
}

/// The location of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FieldLocation {
    /// In the query, or at the top level of the body.
    Top,
    /// Inside another field.
    Inside,
    /// In JSON inside the text of a field.
    Text,
}

impl Fields {
    /// Reads the fields of query and body. Fails if one could turn it into another request.
    pub(super) fn of(request: &Request) -> Result<Fields, ApiError> {
        let mut fields = Fields::default();
        for (name, text) in request.url.query_pairs() {
            fields.take(&name, &Value::from(text.as_ref()), FieldLocation::Top)?;
        }
        for (name, value) in &request.query {
            fields.take(name, value, FieldLocation::Top)?;
        }
        match &request.body {
            Body::None => {}
            Body::Form(record) | Body::Json(Value::Record(record)) => {
                for (name, value) in record {
                    fields.take(name, value, FieldLocation::Top)?;
                }
            }
            Body::Multipart(parts) => {
                for part in parts {
                    fields.take(&part.name, &part.content, FieldLocation::Top)?;
                }
            }
            Body::Json(_) | Body::Raw { .. } => fields.find_fault(refused(
                "the body of a change on a master account must be a map of fields, so that provisor can check which \
                 objects it names",
            )),
        }
        Ok(fields)
    }

    /// Succeeds if the fields name nothing at all.
    pub(super) fn nothing(self) -> Result<(), ApiError> {
        match self {
            Fields {
                fault: Some(fault), ..
            } => Err(fault),
            Fields { app: None, ids, .. } if ids.is_empty() => Ok(()),
            _ => Err(refused(
                "a request that creates something on a master account must not contain an identifier",
            )),
        }
    }

    /// Succeeds if the fields name no app other than this one, and no item.
    pub(super) fn nothing_but(self, app: u64) -> Result<(), ApiError> {
        let own = |(kind, id): &(Option<Kind>, u64)| kind.is_none() && *id == app;
        match self.fault {
            Some(fault) => Err(fault),
            None if self.app.is_none_or(|named| named == app) && self.ids.iter().all(own) => Ok(()),
            None => Err(refused(&format!(
                "the path names app {app}, but the fields name something else"
            ))),
        }
    }

    /// The items of one app that the fields, and possibly the path, name.
    pub(super) fn items(self, kind: Kind, in_path: Option<&str>) -> Result<Items, ApiError> {
        let unnamed = "it may belong to App 1: on a master account, a change must name the application it belongs to, \
                       which must not be App 1";
        let app = self
            .fault
            .map_or_else(|| self.app.ok_or_else(|| refused(unnamed)), Err)?;
        let mut ids = Vec::new();
        if let Some(id) = in_path {
            ids.push(whole(&Value::from(id)).ok_or_else(unreadable)?);
        }
        for (named, id) in self.ids {
            if named.is_some_and(|named| named != kind) {
                return Err(refused("the fields and the path name different kinds of objects"));
            }
            ids.push(id);
        }
        Ok(Items { kind, app, ids })
    }

    fn find_fault(&mut self, fault: ApiError) {
        self.fault.get_or_insert(fault);
    }

    fn take(&mut self, name: &str, value: &Value, place: FieldLocation) -> Result<(), ApiError> {
        match FieldMeaning::of(name) {
            FieldMeaning::Route => {
                return Err(refused(&format!(
                    "the field `{name}` could turn it into a different request"
                )));
            }
            FieldMeaning::App => match whole(value) {
                Some(id) if id > 1 && self.app.is_none_or(|app| app == id) => self.app = Some(id),
                _ => self.find_fault(protected()),
            },
            FieldMeaning::Id(kind) if place == FieldLocation::Top => match value {
                Value::List(ids) if !ids.is_empty() => ids.iter().for_each(|id| self.take_id(kind, id)),
                id => self.take_id(kind, id),
            },
            FieldMeaning::LikeApp => {
                self.find_fault(refused(&format!("the field `{name}` could name App 1")));
            }
            FieldMeaning::Id(_) if place == FieldLocation::Inside => {
                self.find_fault(refused(&format!(
                    "the nested field `{name}` could name something that belongs to App 1"
                )));
            }
            FieldMeaning::Id(_) | FieldMeaning::Other => {}
        }
        self.inside(
            value,
            if place == FieldLocation::Text {
                place
            } else {
                FieldLocation::Inside
            },
        )
    }

    fn take_id(&mut self, kind: Option<Kind>, id: &Value) {
        match whole(id) {
            Some(id) => self.ids.push((kind, id)),
            None => self.find_fault(unreadable()),
        }
    }

    fn inside(&mut self, value: &Value, place: FieldLocation) -> Result<(), ApiError> {
        match value {
            Value::Record(fields) => fields
                .iter()
                .try_for_each(|(name, value)| self.take(name, value, place)),
            Value::Object(object) => self.inside(&Value::Record(object.fields.clone()), place),
            Value::List(items) => items.iter().try_for_each(|item| self.inside(item, place)),
            Value::Text(text) if text.trim_start().starts_with(['{', '[']) => {
                let json = serde_json::from_str(text).map(Value::from_json);
                json.map_or(Ok(()), |json| self.inside(&json, FieldLocation::Text))
            }
            _ => Ok(()),
        }
    }
}

/// The meaning of a field, by its name.
#[derive(Debug, PartialEq)]
enum FieldMeaning {
    /// The app that something belongs to, in one of the platform's spellings.
    App,
    /// Possibly another app: `newApp`, `data[appId]`.
    LikeApp,
    /// An item, with its kind if the name contains it.
    Id(Option<Kind>),
    /// A field that some servers interpret as the request's method or path.
    Route,
    Other,
}

impl FieldMeaning {
    fn of(name: &str) -> FieldMeaning {
        // ApplicationId and applicationId, appId and AppId: the platform's calls differ (public clients).
        if ["applicationid", "appid"].contains(&name.to_ascii_lowercase().as_str()) {
            return FieldMeaning::App;
        }
        let words = words(&decoded(name));
        let all = words.concat();
        match all.as_str() {
            "appname" | "appwebsiteurl" | "appparams" | "apptype" => FieldMeaning::Other,
            "r" | "route" | "path" | "controller" | "method" | "xmethod" => FieldMeaning::Route,
            _ if all.contains("httpmethod") || all.contains("override") => FieldMeaning::Route,
            _ if words.iter().any(|word| names_an_app(word)) => FieldMeaning::LikeApp,
            _ if all.contains("appid") || all.contains("applicationid") => FieldMeaning::LikeApp,
            "screenid" | "screenids" => FieldMeaning::Id(Some(Kind::Screen)),
            "listid" | "listids" => FieldMeaning::Id(Some(Kind::List)),
            "objectid" | "objectids" | "objid" | "objids" | "rowid" | "rowids" => {
                FieldMeaning::Id(Some(Kind::Object))
            }
            "id" | "ids" | "pk" => FieldMeaning::Id(None),
            // `data[id]` is a nested field.
            _ if name.contains('[') && words.iter().any(|word| word.starts_with("id")) => {
                FieldMeaning::LikeApp
            }
            _ => FieldMeaning::Other,
        }
    }
}

/// Whether the word means apps.
pub(in super::super) fn names_an_app(word: &str) -> bool {
    ["app", "apps", "application", "applications"].contains(&word.to_ascii_lowercase().as_str())
}

/// Whether the text can be a path segment that is not a number: letters, digits, `-` and `_`, starting with a letter.
pub(in super::super) fn is_part(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// A whole number in its unambiguous form: digits without a leading zero.
pub(in super::super) fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Text(text) => text
            .parse()
            .ok()
            .filter(|number: &u64| number.to_string() == *text),
        _ => None,
    }
}

fn unreadable() -> ApiError {
    refused("on a master account, an identifier in a change must be a plain whole number")
}

/// The words of a name, in lower case: `ApplicationId`, `application_id` and `data[applicationId]` contain
/// `application` and `id`. Digits are ignored.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let starts = !c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && before.is_ascii_lowercase());
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_ascii_alphabetic(), words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The text with percent-escapes decoded repeatedly until none is left.
pub(in super::super) fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let plain = text.replace(['&', '=', '+'], " ");
        let parsed = url::form_urlencoded::parse(plain.as_bytes());
        let next: String = parsed.map(|(text, _)| text).collect();
        // Each round that finds an escape shortens the text.
        if next.len() >= text.len() {
            return text;
        }
        text = next;
    }
}
