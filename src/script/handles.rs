//! The script types that are not built into Rhai: objects of the catalogue's kinds, and secrets.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, FuncRegistration, INT, ImmutableString, Map, Module, NativeCallContext};

use super::convert;
use super::execution::Execution;
use super::memory::CopyReservation;
use super::script_error::{self, ScriptError};

use crate::operation::catalogue::Catalogue;
use crate::operation::limit::inherited;
use crate::value::nearest::nearest;
use crate::value::secret::{Fragment, MASK, Secret};
use crate::value::{Object, Record, Value};

/// An object as a script holds it: cheap to clone, immutable.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Handle(Arc<Object>);

impl Handle {
    pub(super) fn new(object: Object) -> Handle {
        Handle(Arc::new(object))
    }

    pub(super) fn object(&self) -> &Object {
        &self.0
    }

    /// The short form, `Tenant(ann@example.com)`: the kind and the value that identifies the object to a user.
    fn short(&self) -> String {
        let kind = self.0.kind.rsplit("::").next().unwrap_or_default();
        let known_by = ["email", "name", "id", "login", "url"].iter().find_map(|field| {
            let value = self.0.fields.get(*field)?;
            match value {
                Value::Text(text) if !text.is_empty() => Some(text.clone()),
                Value::Int(id) => Some(id.to_string()),
                _ => None,
            }
        });
        format!("{kind}({})", known_by.unwrap_or_default())
    }

    /// The long form, `crm::Contact {"email":"ann@example.com","password":"***"}`.
    fn long(&self) -> String {
        let fields = Value::Object(self.0.as_ref().clone()).to_masked_json();
        format!("{} {fields}", self.0.kind)
    }

    /// Returns a property that the catalogue lists for the kind; `()` if this object has no value for it.
    fn property(&self, name: &str, catalogue: &Catalogue) -> Result<Dynamic, Box<EvalAltResult>> {
        let kind = catalogue.kind(&self.0.kind);
        let listed: Vec<&str> = match kind {
            Some(kind) => kind.properties.iter().map(|(name, ..)| *name).collect(),
            None => self
                .0
                .fields
                .keys()
                .map(String::as_str)
                .filter(|n| !n.starts_with('$'))
                .collect(),
        };
        if listed.contains(&name) {
            let value = self.0.fields.get(name).cloned().unwrap_or_default();
            return Ok(convert::to_dynamic(inherited(&self.0, value)));
        }
        let message = format!("{} has no property `{name}`", article(&self.0.kind));
        let hint = match nearest(name, listed.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its properties are {}", listed.join(", ")),
        };
        Err(script_error::raise(ScriptError::from_message(message).with_hint(hint)).into())
    }
}

/// Prefixes a kind with its article: `a crm::Contact`, `an erp::App`.
pub(super) fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// Registers the types and the functions common to all objects in `module`.
pub(super) fn register(module: &mut Module, catalogue: &Catalogue) {
    module.set_custom_type::<Handle>("object");
    module.set_custom_type::<Secret>("secret");
    let catalogue = catalogue.clone();
    FuncRegistration::new_index_getter().set_into_module(module, move |handle: &mut Handle, name: &str| {
        handle.property(name, &catalogue)
    });
    global("to_string").set_into_module(module, |handle: &mut Handle| handle.short());
    global("to_debug").set_into_module(module, |handle: &mut Handle| handle.long());
    register_secrets(module);
    global("==").set_into_module(module, |a: Handle, b: Handle| a == b);
    global("!=").set_into_module(module, |a: Handle, b: Handle| a != b);
    // Rhai's own version writes the Rust names of types it does not know.
    global("to_json").set_into_module(module, to_json);
}

/// Marks the position of a secret interpolated into a text. Rhai converts each value in `${…}` to text, and nothing
/// else reveals afterwards that it was a secret. Shown as a mask; a text that contains it cannot leave the script. A
/// Unicode noncharacter, reserved for internal use, so no text from outside has it.
const MARK: char = '\u{fdd0}';

/// Whether the text contains a secret's mark.
pub(super) fn is_marked(text: &str) -> bool {
    text.contains(MARK)
}

/// Replaces the marks of interpolated secrets with a mask, for display.
pub(super) fn masked(text: &str) -> String {
    // Rhai escapes a text inside a list or a map.
    text.replace(MARK, MASK).replace("\\u{fdd0}", MASK)
}

/// Restores the marks in a text that Rhai has escaped.
pub(super) fn unescape_marks(text: String) -> String {
    if text.contains("\\u{fdd0}") {
        text.replace("\\u{fdd0}", &MARK.to_string())
    } else {
        text
    }
}

/// Registers the operators that join secrets with texts and compare them.
fn register_secrets(module: &mut Module) {
    for name in ["to_string", "to_debug"] {
        global(name).set_into_module(module, |_: &mut Secret| MARK.to_string());
    }
    global("==").set_into_module(module, |a: Secret, b: Secret| a == b);
    global("!=").set_into_module(module, |a: Secret, b: Secret| a != b);
    for name in ["==", "!=", "<", "<=", ">", ">="] {
        global(name).set_into_module(module, |_: Secret, _: ImmutableString| compared());
        global(name).set_into_module(module, |_: ImmutableString, _: Secret| compared());
    }
    global("is_empty").set_into_module(module, |secret: &mut Secret| secret.is_empty());
    global("+").set_into_module(module, |a: Secret, b: Secret| {
        Secret::join(&[Fragment::Secret(&a), Fragment::Secret(&b)])
    });
    global("+").set_into_module(module, |text: ImmutableString, secret: Secret| {
        before(&text, &secret)
    });
    global("+").set_into_module(module, |c: char, secret: Secret| before(&c.to_string(), &secret));
    global("+").set_into_module(module, |number: INT, secret: Secret| {
        before(&number.to_string(), &secret)
    });
    global("+").set_into_module(module, |secret: Secret, text: ImmutableString| {
        behind(&secret, &text)
    });
    global("+").set_into_module(module, |secret: Secret, c: char| behind(&secret, &c.to_string()));
    global("+").set_into_module(module, |secret: Secret, number: INT| {
        behind(&secret, &number.to_string())
    });
    for name in ["+=", "append"] {
        FuncRegistration::new(name).in_global_namespace().set_into_module(
            module,
            |_: &mut ImmutableString, _: Secret| {
                refused::<()>(
                    "a secret cannot be added to a text in place",
                    "write `text = text + secret`, which makes the whole text a secret",
                )
            },
        );
    }
}

fn before(text: &str, secret: &Secret) -> SecretResult {
    join_fragments(&[Fragment::Plain(text), Fragment::Secret(secret)])
}

fn behind(secret: &Secret, text: &str) -> SecretResult {
    join_fragments(&[Fragment::Secret(secret), Fragment::Plain(text)])
}

fn join_fragments(parts: &[Fragment<'_>]) -> SecretResult {
    let marked = |part: &Fragment<'_>| matches!(part, Fragment::Plain(text) if is_marked(text));
    if parts.iter().any(marked) {
        return refused(INTERPOLATED_SECRET, JOIN);
    }
    Ok(Secret::join(parts))
}

type SecretResult = Result<Secret, Box<EvalAltResult>>;

/// The error for a text into which a secret was interpolated with `${…}`.
pub(super) const INTERPOLATED_SECRET: &str =
    "this text shows a secret as a mask, because it was written with `${…}`, `to_string` or `to_json`";

/// The hint for it.
pub(super) const JOIN: &str =
    "join text and secret with `+`, which makes the whole a secret: \"Password: \" + secret";

fn compared() -> Result<bool, Box<EvalAltResult>> {
    refused(
        "a secret cannot be compared with a text",
        "compare it with another secret, with `()`, or ask `secret.is_empty()`",
    )
}

fn refused<T>(reason: &str, hint: &str) -> Result<T, Box<EvalAltResult>> {
    Err(script_error::raise(ScriptError::from_message(reason).with_hint(hint)).into())
}

/// Converts a map to JSON for display. Secrets become marks: a text with one cannot leave the script.
#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn to_json(context: NativeCallContext, map: &mut Map) -> Result<String, Box<EvalAltResult>> {
    let execution = Execution::of(&context);
    let copies = execution.as_ref().map(CopyReservation::of);
    let room = |bytes| copies.as_ref().is_none_or(|copies| copies.ensure_room(bytes));
    let value = convert::to_value(map.clone().into(), "value", &room)
        .map_err(|reason| script_error::raise(ScriptError::from_message(reason)))?;
    Ok(marked(value).to_masked_json().to_string())
}

/// Replaces the secrets in a value with marks.
fn marked(value: Value) -> Value {
    let fields = |fields: Record| -> Record {
        let fields = fields.into_iter();
        fields.map(|(name, value)| (name, marked(value))).collect()
    };
    match value {
        Value::Secret(_) => Value::Text(MARK.to_string()),
        Value::List(items) => Value::List(items.into_iter().map(marked).collect()),
        Value::Record(record) => Value::Record(fields(record)),
        Value::Object(object) => Value::Object(Object {
            fields: fields(object.fields),
            kind: object.kind,
        }),
        plain => plain,
    }
}

/// A function that is callable without a module name, and on constants too.
pub(super) fn global(name: &str) -> FuncRegistration {
    FuncRegistration::new(name)
        .in_global_namespace()
        .with_purity(true)
}
