//! Sparrow's requests.

use crate::operation::catalogue::Catalogue;
use serde_json::{Map, Value as Json};

use super::typed::{Arg, Typed};
use super::{Ask, Done, Form, Meaning};
use crate::cli::import::body;
use crate::cli::import::code::Code;
use crate::cli::import::known::Carried;
use crate::cli::import::values::Values;
use crate::operation::spec::Type;

/// The account of a request that signs in.
pub(super) fn sign_in(ask: &Ask) -> Option<Vec<(&'static str, String)>> {
    let is_it = ask.method == "POST" && ask.path == ["autho", "apitoken", "login"];
    is_it.then(|| {
        vec![
            ("api_token", ask.field_text("api_token")),
            ("partner_token", ask.field_text("partner_token")),
        ]
    })
}

pub(super) fn meaning(ask: &Ask, values: &mut Values) -> Done {
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    let new = |op, args| Typed::new(op, ask.session, args);
    let typed = match (ask.method, path.as_slice()) {
        ("POST", ["viber", "message", "compose"]) => {
            return message(ask, values, "sparrow::send_viber", COMPOSED);
        }
        ("POST", ["viber", "message", "transactional"]) => {
            return message(ask, values, "sparrow::send_viber_template", TEMPLATE);
        }
        ("POST", ["intlsms", "compose"]) => return message(ask, values, "sparrow::send_sms", SMS),
        ("POST", ["whatsapp", "messages"]) => return whatsapp(ask, values),
        ("GET" | "POST", ["viber", "campaign", "report", id, part @ ..]) => match report(id, part) {
            Some(args) => new("sparrow::viber_report", args),
            None => return Ok(Meaning::Unknown),
        },
        ("GET" | "POST", ["intlsms", "compose", "report", id, part @ ..]) => match report(id, part) {
            Some(args) => new("sparrow::sms_report", args),
            None => return Ok(Meaning::Unknown),
        },
        ("GET", ["intlsms", "compose", "tarrif"]) => new("sparrow::tariffs", vec![]),
        _ => return Ok(Meaning::Unknown),
    };
    ask.typed(values, &typed)
}

fn report<'a>(id: &'a str, part: &[&'a str]) -> Option<Vec<Arg<'a>>> {
    match part {
        [] => Some(vec![Arg::Text(id)]),
        ["delivery"] => Some(vec![Arg::Text(id), Arg::Made(Code::text("delivery"))]),
        ["failed"] => Some(vec![Arg::Text(id), Arg::Made(Code::text("failed"))]),
        _ => None,
    }
}

/// Where a key of the operation's map stands in the request's body.
type Places = &'static [(&'static str, &'static str)];

const COMPOSED: Places = &[
    ("sender", "/session/sender_name"),
    ("recipients", "/session/recipients"),
    ("text", "/data/text"),
    ("image", "/data/image"),
    ("action", "/action"),
    ("tag", "/session/tag"),
];
const TEMPLATE: Places = &[
    ("sender", "/session/sender_name"),
    ("campaign", "/session/campaign_name"),
    ("recipients", "/session/recipients"),
    ("template", "/data/template_id"),
    ("params", "/data/template_params"),
    ("tag", "/session/tag"),
];
const SMS: Places = &[
    ("sender", "/session/sender_name"),
    ("recipients", "/session/recipients"),
    ("text", "/data/text"),
    ("type", "/data/msg_type"),
    ("tag", "/session/tag"),
];
const WHATSAPP: Places = &[
    ("recipient", "/recipient"),
    ("template", "/template_id"),
    ("parameters", "/parameters"),
    ("media_url", "/media_url"),
    ("filename", "/filename"),
    ("text", "/session_text"),
    ("media", "/session_media"),
];

/// A message whose body has each thing at its place, and nothing else.
fn message(ask: &Ask, values: &mut Values, op: &'static str, places: Places) -> Done {
    let Some(fields) = json(ask) else {
        return Ok(Meaning::Unknown);
    };
    made(ask, values, op, places, fields.clone())
}

/// The type of a conversation's message stands in its file's map.
fn whatsapp(ask: &Ask, values: &mut Values) -> Done {
    let Some(mut fields) = json(ask).cloned() else {
        return Ok(Meaning::Unknown);
    };
    let kind = fields.remove("message_type").unwrap_or_default();
    if let Some(Json::Object(media)) = fields.get_mut("session_media") {
        media.insert("type".to_owned(), kind);
    }
    made(ask, values, "sparrow::send_whatsapp", WHATSAPP, fields)
}

fn made(ask: &Ask, values: &mut Values, op: &'static str, places: Places, fields: Map<String, Json>) -> Done {
    let mut rest = Json::Object(fields);
    let mut map = Vec::new();
    for (key, place) in places {
        let Some(found) = rest.pointer_mut(place).map(Json::take) else {
            continue;
        };
        if !found.is_null() {
            map.push(((*key).to_owned(), body::value(&found, key, values)?));
        }
    }
    let has = |key: &str| map.iter().any(|(known, _)| known == key);
    if !is_empty(&rest) || !required(&ask.catalogue, op).all(has) {
        return Ok(Meaning::Unknown);
    }
    ask.typed(
        values,
        &Typed::new(op, ask.session, vec![Arg::Made(Code::Map(map))]),
    )
}

/// Keys without which the operation takes no map.
fn required(catalogue: &Catalogue, op: &str) -> impl Iterator<Item = &'static str> + use<> {
    let op = catalogue.operation(op);
    let keys = op.and_then(|op| op.params.first()).map(|param| param.ty);
    let keys = if let Some(Type::Options(keys)) = keys {
        keys
    } else {
        &[][..]
    };
    keys.iter().filter(|key| key.required).map(|key| key.name)
}

fn json<'a>(ask: &'a Ask) -> Option<&'a Map<String, Json>> {
    match &ask.carries {
        Carried::Fields(fields, Form::Json) => Some(fields),
        _ => None,
    }
}

/// Has everything been taken out?
fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}
