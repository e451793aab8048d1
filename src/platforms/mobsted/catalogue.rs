//! The parts of an app other than its objects: screens, lists, tags.

use super::client::catalogue::{Part, TagOwner};
use super::objects::{APP_ID, app_id};
use super::{LIST, SCREEN, SESSION};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::session::receiver;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::value::{Object, Record, Value};

const TAGS: Param = Param {
    name: "tags",
    ty: Type::List,
    required: true,
    doc: "the tags to read, such as `#Object:Email#`",
};

const IDS: Param = Param {
    name: "ids",
    ty: Type::List,
    required: true,
    doc: "the identifiers of the objects or apps whose tags are read",
};

const NO_APP: &[(Code, &str)] = &[(Code::NotFound, "the account has no such app")];

const TAG_DOC: &str = "Each item has `id` and `values`, a map by column. The request is a POST, but changes nothing. The \
                       value of a tag for a credential is a secret.";

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "mobsted",
        name: "screens",
        receiver: Some(SESSION),
        summary: "List the screens of an app",
        doc: "",
        params: &[APP_ID],
        result: "list of mobsted::Screen",
        errors: NO_APP,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  client.screens(app.id)[0].name",
        run: &screens,
    },
    OpSpec {
        module: "mobsted",
        name: "lists",
        receiver: Some(SESSION),
        summary: "List the lists of an app",
        doc: "A list is a set of tables; `tables` has their names.",
        params: &[APP_ID],
        result: "list of mobsted::List",
        errors: NO_APP,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  let structure = \"{\\\"tables\\\": [{\\\"name\\\": \\\"Cities\\\"}]}\";\n\
                  client.post(\"/lists\", #{AppId: app.id, name: \"Places\", structure: structure}, #{encoding: \"form\"});\n\
                  client.lists(app.id)[0].tables",
        run: &lists,
    },
    OpSpec {
        module: "mobsted",
        name: "hashtags",
        receiver: Some(SESSION),
        summary: "List the readable tags of an app",
        doc: "",
        params: &[APP_ID],
        result: "list",
        errors: NO_APP,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  client.hashtags(app.id)",
        run: &hashtags,
    },
    OpSpec {
        module: "mobsted",
        name: "object_tags",
        receiver: Some(SESSION),
        summary: "Read tags of objects of an app",
        doc: TAG_DOC,
        params: &[APP_ID, IDS, TAGS],
        result: "list",
        errors: NO_APP,
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  let made = client.post(\"/object\", #{ApplicationId: app.id, Email: \"eve@example.com\"});\n\
                  let read = client.object_tags(app.id, [made.data[0].id], [\"#Object:Email#\"]);\n\
                  read[0].values.Email",
        run: &object_tags,
    },
    OpSpec {
        module: "mobsted",
        name: "app_tags",
        receiver: Some(SESSION),
        summary: "Read tags of apps",
        doc: TAG_DOC,
        params: &[IDS, TAGS],
        result: "list",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "let client = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                  let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
                  client.app_tags([app.id], [\"#Application:Name#\"])[0].values.Name",
        run: &app_tags,
    },
    OpSpec {
        module: "mobsted",
        name: "tenant_tags",
        receiver: Some(SESSION),
        summary: "Read tags of the account itself",
        doc: TAG_DOC,
        params: &[TAGS],
        result: "list",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "mobsted::connect().tenant_tags([\"#Tenant:Name#\"])[0].values.Name",
        run: &tenant_tags,
    },
];

fn screens<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let parts = context.mobsted(receiver(call)?)?.screens(&app_id(call)).await?;
        let screen = |part: Part| {
            let fields = [
                ("id", part.id),
                ("name", part.name.into()),
                ("attributes", part.attributes),
            ];
            Value::Object(Object::new(SCREEN, fields))
        };
        Ok(Value::List(parts.into_iter().map(screen).collect()))
    })
}

fn lists<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let parts = context.mobsted(receiver(call)?)?.lists(&app_id(call)).await?;
        let list = |part: Part| {
            let tables = part.tables.into_iter().map(Value::from).collect();
            let fields = [
                ("id", part.id),
                ("name", part.name.into()),
                ("tables", Value::List(tables)),
                ("attributes", part.attributes),
            ];
            Value::Object(Object::new(LIST, fields))
        };
        Ok(Value::List(parts.into_iter().map(list).collect()))
    })
}

fn hashtags<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let tags = context
            .mobsted(receiver(call)?)?
            .available_tags(&app_id(call))
            .await?;
        Ok(Value::List(tags.into_iter().map(Value::from).collect()))
    })
}

fn object_tags<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let of = TagOwner::Objects {
            app: number(&Value::Text(app_id(call))),
            ids: ids(call)?,
        };
        read(context, call, &of).await
    })
}

fn app_tags<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { read(context, call, &TagOwner::Apps(ids(call)?)).await })
}

fn tenant_tags<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(read(context, call, &TagOwner::Tenant))
}

async fn read(context: &OpContext, call: &Call, of: &TagOwner) -> Result<Value, OpError> {
    let mut tags = Vec::new();
    for tag in items(call, "tags") {
        match tag {
            Value::Text(tag) if !tag.trim().is_empty() => tags.push(tag.clone()),
            other => {
                let message = format!(
                    "a tag is a text such as `#Object:Email#`, not {}",
                    other.type_name()
                );
                return Err(OpError::new(Code::BadArgument, message));
            }
        }
    }
    if tags.is_empty() {
        return Err(OpError::new(Code::BadArgument, "no tags are named")
            .hint("hashtags(app) lists those that can be read"));
    }
    let found = context.mobsted(receiver(call)?)?.read_tags(of, &tags).await?;
    let item = |found: super::client::catalogue::TagValues| {
        Value::Record(Record::from([
            ("id".to_owned(), found.id),
            ("values".to_owned(), Value::Record(found.values)),
        ]))
    };
    Ok(Value::List(found.into_iter().map(item).collect()))
}

fn ids(call: &Call) -> Result<Vec<Value>, OpError> {
    let id = |value: &Value| match value {
        Value::Int(_) | Value::Text(_) => Ok(number(value)),
        other => {
            let message = format!("an identifier is an int or a string, not {}", other.type_name());
            Err(OpError::new(Code::BadArgument, message))
        }
    };
    items(call, "ids").iter().map(id).collect()
}

fn items<'a>(call: &'a Call, name: &str) -> &'a [Value] {
    match call.arg(name) {
        Value::List(items) => items,
        _ => &[],
    }
}

/// Converts an id to a number where possible: requests use numbers, but some responses contain text.
fn number(id: &Value) -> Value {
    match id {
        Value::Text(text) => text.trim().parse().map_or_else(|_| id.clone(), Value::Int),
        other => other.clone(),
    }
}
