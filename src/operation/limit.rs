//! Weaker objects: `limit` returns an object that may call only some operations, and make only so many changes in a run.
//!
//! The limits are a hidden field of the object, and of every object that its operations return. They are no part of a
//! request: the same call is the same step with and without them.

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::platform::Operation;
use super::session::receiver;
use super::spec::{Boxed, Effect, Kind, OpSpec, Param, Timeout, Type};
use crate::journal::{ChangeLimit, LIMIT, LimitReached};
use crate::value::nearest::nearest;
use crate::value::{Object, Record, Value};

/// The kind that stands for all kinds: its methods are methods of every object.
pub(super) const OBJECT: &str = "object";

/// The hidden field of an object for its limits.
const LIMITS: &str = "$limits";

/// The keys of a limit.
const SITE: &str = "site";
const OPERATIONS: &str = "operations";
const MOST: &str = "most";

pub(super) static KINDS: &[Kind] = &[Kind {
    name: OBJECT,
    summary: "Any object that an operation returns",
    properties: &[],
}];

/// Operations on objects of every kind.
pub(super) static OPS: &[OpSpec] = &[OpSpec {
    module: "",
    name: LIMIT,
    receiver: Some(OBJECT),
    summary: "Get the same object with fewer rights, to pass it to others",
    doc: "The object that it returns may call only the named `operations`, and make at most `most` changes in a run: all \
          objects that come from this place in the script count together, in all rows, and after a resume. A change that \
          was already there, or was refused, does not count. Objects that its operations return, such as what `connect()` \
          returns, have the same limits. It can be limited further, and never less. Sends nothing.",
    params: &[Param {
        name: "limits",
        ty: Type::Options(&[
            Param {
                name: OPERATIONS,
                ty: Type::Texts,
                required: false,
                doc: "the operations that it may call, such as \"ensure_app\"; `connect` and `limit` are always allowed",
            },
            Param {
                name: MOST,
                ty: Type::Int,
                required: false,
                doc: "how many changes it may make in a run",
            },
        ]),
        required: true,
        doc: "operations, most",
    }],
    result: OBJECT,
    errors: &[(
        Code::BadArgument,
        "there is no such operation, `most` is negative, or neither is given",
    )],
    effect: Effect::Sign,
    timeout: Timeout::Reply,
    example: "let api = http::connect(\"https://api.web.sandbox\").limit(#{operations: [\"get\"], most: 0});\n\
              api.get(\"/items\").status == 200",
    run: &limit,
}];

/// Whether this is the operation that limits an object. Its limits are known by the place of its call.
pub(crate) fn is_limit(spec: &OpSpec) -> bool {
    spec.receiver == Some(OBJECT) && spec.name == LIMIT
}

fn limit<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let bad = |message: String| OpError::new(Code::BadArgument, message);
        let given = call.map("limits");
        let mut limit = Record::from([(SITE.to_owned(), call.site.as_str().into())]);
        match given.get(OPERATIONS) {
            None | Some(Value::Null) => {}
            Some(names) => {
                let names = texts(names);
                for name in &names {
                    check_name(context, name)?;
                }
                let names = names.into_iter().map(Value::from).collect();
                limit.insert(OPERATIONS.to_owned(), Value::List(names));
            }
        }
        match given.get(MOST) {
            None | Some(Value::Null) => {}
            Some(Value::Int(most)) if *most >= 0 => {
                limit.insert(MOST.to_owned(), Value::Int(*most));
            }
            Some(_) => return Err(bad(format!("`{MOST}` must be 0 or more: a number of changes"))),
        }
        if limit.len() == 1 {
            let message = format!("`{LIMIT}` needs `{OPERATIONS}`, `{MOST}` or both");
            return Err(bad(message));
        }
        let mut object = receiver(call)?.clone();
        add(&mut object, &[Value::Record(limit)]);
        Ok(Value::Object(object))
    })
}

/// Fails if no operation has this name.
fn check_name(context: &OpContext, name: &str) -> Result<(), OpError> {
    let methods = context.catalogue().operations().iter();
    let methods = methods.filter(|op| op.method_kind().is_some());
    let names: Vec<String> = methods.flat_map(|op| [op.name.to_owned(), op.id()]).collect();
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let error = OpError::new(Code::BadArgument, format!("no object has an operation `{name}`"));
    Err(match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("provisor ops list names them all"),
    })
}

/// Fails if the object may not call this operation. What only names an account or an object is allowed.
pub(super) fn check(object: &Object, op: Operation) -> Result<(), OpError> {
    if matches!(op.effect, Effect::Sign) {
        return Ok(());
    }
    for limit in limits(object) {
        let Some(names) = limit.get(OPERATIONS).map(texts) else {
            continue;
        };
        if names.iter().any(|name| name == op.name || *name == op.id()) {
            continue;
        }
        let allowed = match names.as_slice() {
            [] => "no operation".to_owned(),
            names => names.join(", "),
        };
        let message = format!(
            "`{}` was not called: this object is limited to {allowed}{}",
            op.id(),
            shown(&site(limit))
        );
        return Err(OpError::new(Code::Forbidden, message).hint(format!(
            "call it on the object before `{LIMIT}`, or add it to `{OPERATIONS}`"
        )));
    }
    Ok(())
}

/// Returns the limits under which the changes of an object count.
pub(super) fn of_changes(object: &Object) -> Vec<ChangeLimit> {
    let limits = limits(object).filter_map(|limit| match limit.get(MOST) {
        Some(Value::Int(most)) => Some(ChangeLimit {
            site: site(limit),
            most: u64::try_from(*most).unwrap_or_default(),
        }),
        _ => None,
    });
    limits.collect()
}

/// Returns the error for a change that would exceed a limit.
pub(super) fn reached_error(call: &Call, reached: &LimitReached) -> OpError {
    let LimitReached { site, most } = reached;
    let changes = if *most == 1 {
        "1 change".to_owned()
    } else {
        format!("{most} changes")
    };
    let id = call.op.id();
    let (message, hint) = match site {
        Some(site) => (
            format!(
                "`{id}` was not sent: this object is limited to {changes} in a run{}",
                shown(site)
            ),
            format!("allow more with `{MOST}`; `provisor runs steps` shows what was changed"),
        ),
        None => (
            format!("`{id}` was not sent: --max-changes limits the run to {changes}"),
            "to allow more: provisor resume RUN --retry-failed --max-changes N".to_owned(),
        ),
    };
    OpError::new(Code::Forbidden, message).hint(hint)
}

/// Adds the limits of an object to every object in a value that comes from it.
pub(crate) fn inherited(from: &Object, mut value: Value) -> Value {
    if let Some(Value::List(limits)) = from.fields.get(LIMITS) {
        each_object(&mut value, &mut |object| add(object, limits));
    }
    value
}

/// Removes the limits of the objects in an argument: they are no part of a request.
pub(super) fn remove(argument: &mut Value) {
    each_object(argument, &mut |object| {
        object.fields.remove(LIMITS);
    });
}

fn limits(object: &Object) -> impl Iterator<Item = &Record> {
    let limits = match object.fields.get(LIMITS) {
        Some(Value::List(limits)) => limits.as_slice(),
        _ => &[],
    };
    limits.iter().filter_map(Value::as_record)
}

fn site(limit: &Record) -> String {
    let site = limit.get(SITE).and_then(Value::as_text);
    site.unwrap_or_default().to_owned()
}

/// Returns the place of a limit for messages; empty for what was typed at the prompt, which has no name.
fn shown(site: &str) -> String {
    if site.starts_with(char::is_control) {
        return String::new();
    }
    format!(" (at {site})")
}

fn add(object: &mut Object, limits: &[Value]) {
    let own = object.fields.entry(LIMITS.to_owned());
    let own = own.or_insert_with(|| Value::List(Vec::new()));
    if let Value::List(own) = own {
        let new = limits.iter().filter(|limit| !own.contains(limit)).cloned();
        let new: Vec<Value> = new.collect();
        own.extend(new);
    }
}

fn each_object(value: &mut Value, each: &mut dyn FnMut(&mut Object)) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| each_object(item, each)),
        Value::Record(fields) => fields.values_mut().for_each(|field| each_object(field, each)),
        Value::Object(object) => {
            object
                .fields
                .values_mut()
                .for_each(|field| each_object(field, each));
            each(object);
        }
        _ => {}
    }
}

/// Returns one text or a list of texts as a list.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Int(number) => Some(number.to_string()),
        value => value.as_text().map(str::to_owned),
    };
    match value {
        Value::List(items) => items.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}
