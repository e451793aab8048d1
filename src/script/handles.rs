//! The types a script holds that are not Rhai's own: objects of the table's kinds, and secrets.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, FuncRegistration, Map, Module, NativeCallContext};

use super::caught::{self, Caught};
use super::convert;
use super::live::Live;
use super::memory::Copies;

use crate::ops::spec::Kind;
use crate::value::nearest::nearest;
use crate::value::secret::{MASK, Secret};
use crate::value::{Object, Value};

/// An object as a script holds it: cheap to copy, never changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Handle(Arc<Object>);

impl Handle {
    pub(super) fn new(object: Object) -> Handle {
        Handle(Arc::new(object))
    }

    pub(super) fn object(&self) -> &Object {
        &self.0
    }

    /// `Tenant(ann@example.com)`: the kind and what a person knows it by.
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

    /// `mobsted::Tenant {"email":"ann@example.com","password":"***"}`.
    fn long(&self) -> String {
        let fields = Value::Object(self.0.as_ref().clone()).to_masked_json();
        format!("{} {fields}", self.0.kind)
    }

    /// A property that the table lists for the kind; `()` when this object has no value for it.
    fn property(&self, name: &str, kinds: &'static [&'static [Kind]]) -> Result<Dynamic, Box<EvalAltResult>> {
        let kind = kinds
            .iter()
            .copied()
            .flatten()
            .find(|kind| kind.name == self.0.kind);
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
            return Ok(convert::to_dynamic(value));
        }
        let message = format!("{} has no property `{name}`", article(&self.0.kind));
        let hint = match nearest(name, listed.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its properties are {}", listed.join(", ")),
        };
        Err(caught::raise(Caught::script_error(message).with_hint(hint)).into())
    }
}

/// `a mobsted::Tenant`, `an erp::App`.
pub(super) fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// Puts the types and what every object can do into `module`.
pub(super) fn register(module: &mut Module, kinds: &'static [&'static [Kind]]) {
    module.set_custom_type::<Handle>("object");
    module.set_custom_type::<Secret>("secret");
    FuncRegistration::new_index_getter().set_into_module(module, move |handle: &mut Handle, name: &str| {
        handle.property(name, kinds)
    });
    global("to_string").set_into_module(module, |handle: &mut Handle| handle.short());
    global("to_debug").set_into_module(module, |handle: &mut Handle| handle.long());
    for name in ["to_string", "to_debug"] {
        global(name).set_into_module(module, |_: &mut Secret| MASK.to_owned());
    }
    global("==").set_into_module(module, |a: Handle, b: Handle| a == b);
    global("!=").set_into_module(module, |a: Handle, b: Handle| a != b);
    global("==").set_into_module(module, |a: Secret, b: Secret| a == b);
    global("!=").set_into_module(module, |a: Secret, b: Secret| a != b);
    global("is_empty").set_into_module(module, |secret: &mut Secret| secret.is_empty());
    // Rhai's own writes the Rust names of types it does not know.
    global("to_json").set_into_module(module, to_json);
}

/// JSON for people: secrets are masked.
#[expect(clippy::needless_pass_by_value, reason = "the shape that Rhai registers")]
fn to_json(context: NativeCallContext, map: &mut Map) -> Result<String, Box<EvalAltResult>> {
    let live = Live::of(&context);
    let copies = live.as_ref().map(Copies::of);
    let room = |bytes| copies.as_ref().is_none_or(|copies| copies.have_room(bytes));
    let value = convert::to_value(map.clone().into(), "value", &room)
        .map_err(|why| caught::raise(Caught::script_error(why)))?;
    Ok(value.to_masked_json().to_string())
}

/// A function that scripts reach without a module name, and on constants too.
pub(super) fn global(name: &str) -> FuncRegistration {
    FuncRegistration::new(name)
        .in_global_namespace()
        .with_purity(true)
}
