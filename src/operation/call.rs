//! Calls of operations, checked against the operation's entry.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Code, OpError};
use super::function::{Function, Functions};
use super::limit;
use super::platform::Operation;
use super::spec::{Effect, OpSpec, Param, Type};
use super::target::Target;
use crate::client::Flight;
use crate::journal::ChangeLimit;
use crate::sabotage::Sabotage;
use crate::value::nearest::nearest;
use crate::value::secret::Secret;
use crate::value::{Object, Record, Value};

/// A call of an operation, checked against the operation's entry.
#[derive(Debug, Clone)]
pub struct Call {
    /// The operation.
    pub op: Operation,
    /// The object of a method call.
    pub receiver: Option<Object>,
    /// One value per parameter of the entry; `Null` for an omitted optional one.
    args: Vec<Value>,
    /// The functions passed as options.
    functions: Functions,
    /// Whether the same request was sent before, its response was lost, and the resource was then found absent.
    pub resent: bool,
    /// Tracks whether the requests of the call have left. Shared by its clones.
    pub flight: Flight,
    /// The limits under which it counts, if it changes something.
    pub(super) limits: Vec<ChangeLimit>,
    /// Whether a limit of changes applies to it: of its object, or of the run.
    limited: bool,
    /// The place of the call in the script, for `limit`.
    pub(super) site: String,
    /// The profile of a call to an arbitrary address, once it is resolved.
    pub(crate) target: Option<Arc<Target>>,
}

impl Call {
    /// Checks the arguments against the entry: their number, their types, the keys of an options map. A call to an
    /// address that is made on a session becomes the call without the session. A limited object may call only some
    /// operations.
    pub fn check(op: Operation, receiver: Option<Object>, mut args: Vec<Value>) -> Result<Call, OpError> {
        if args.len() < op.required() || args.len() > op.params.len() {
            return Err(bad(format!(
                "`{}` takes {} and got {}",
                op.signature(),
                expected(&op),
                args.len()
            )));
        }
        if let Some(receiver) = &receiver {
            limit::check(receiver, op)?;
        }
        for (param, arg) in op.params.iter().zip(&mut args) {
            limit::remove(arg);
            identify(param, arg);
            fits(param, arg)
                .map_err(|reason| bad(format!("`{}`: `{}` {reason}", op.signature(), param.name)))?;
        }
        args.resize(op.params.len(), Value::Null);
        let limits = receiver.as_ref().map(limit::of_changes).unwrap_or_default();
        let call = Call {
            op,
            receiver: None,
            args,
            functions: Functions::new(),
            resent: false,
            flight: Flight::new(),
            limited: !limits.is_empty(),
            limits,
            site: String::new(),
            target: None,
        };
        match (receiver, op.platform().bind) {
            (Some(session), Some(bind)) if op.receiver.is_none() => bind(&session, call),
            (receiver, _) => Ok(Call { receiver, ..call }),
        }
    }

    /// Sets the functions passed as options.
    #[must_use]
    pub fn with_functions(self, functions: Functions) -> Call {
        Call { functions, ..self }
    }

    /// Sets the place of the call in the script.
    #[must_use]
    pub(crate) fn at(self, site: String) -> Call {
        Call { site, ..self }
    }

    /// Sets whether the run limits its changes.
    #[must_use]
    pub(crate) fn in_limited_run(mut self, limited: bool) -> Call {
        self.limited |= limited;
        self
    }

    /// Whether the script declares that it only reads, and that is relied on. Nobody can check it, so it does not get
    /// around a limit of changes.
    pub(crate) fn is_declared_read(&self) -> bool {
        self.flag("reads") && !self.limited
    }

    /// Replaces the address.
    pub(super) fn with_address(mut self, url: &str) -> Call {
        if let Some(arg) = self.arg_mut("url") {
            *arg = url.into();
        }
        self
    }

    /// Sets an option.
    pub(super) fn with_option(mut self, key: &str, value: Value) -> Call {
        if let Some(arg) = self.arg_mut("options") {
            let mut given = arg.as_record().cloned().unwrap_or_default();
            given.insert(key.to_owned(), value);
            *arg = Value::Record(given);
        }
        self
    }

    fn arg_mut(&mut self, name: &str) -> Option<&mut Value> {
        let place = self.op.params.iter().position(|param| param.name == name);
        place.and_then(|at| self.args.get_mut(at))
    }

    /// Sets the resolved target.
    pub(super) fn with_target(self, target: Target) -> Call {
        let target = Some(Arc::new(target));
        Call { target, ..self }
    }

    /// Returns the effect of this call.
    pub fn effect(&self) -> Effect {
        match self.op.effect {
            Effect::ByCall(effect) => effect(self),
            effect => effect,
        }
    }

    /// Returns the function passed under this option key.
    pub fn function(&self, key: &str) -> Option<&Function> {
        self.functions.get(key)
    }

    /// Returns the argument with this name; `Null` if it was omitted.
    pub fn arg(&self, name: &str) -> &Value {
        let position = self.op.params.iter().position(|param| param.name == name);
        position
            .and_then(|position| self.args.get(position))
            .unwrap_or(&Value::Null)
    }

    /// Returns an argument as text; an integer becomes its digits.
    pub fn text(&self, name: &str) -> String {
        match self.arg(name) {
            Value::Text(text) => text.clone(),
            Value::Int(int) => int.to_string(),
            _ => String::new(),
        }
    }

    /// Returns a map argument; empty if it was omitted.
    pub fn map(&self, name: &str) -> Record {
        self.arg(name).as_record().cloned().unwrap_or_default()
    }

    /// Returns a value from the trailing options map, if given.
    pub fn option(&self, key: &str) -> Option<&Value> {
        self.arg("options").as_record()?.get(key)
    }

    /// Returns a value from a map with declared keys: the options, or a message.
    pub(crate) fn named(&self, key: &str) -> Option<&Value> {
        let declared = self.op.params.iter().zip(&self.args);
        let mut maps = declared.filter(|(param, _)| matches!(param.ty, Type::Options(_)));
        maps.find_map(|(_, map)| map.as_record()?.get(key))
    }

    /// Whether this flag of the options map is set.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.option(key), Some(Value::Bool(true)))
    }

    /// Returns an argument as a secret, whether it is one or plain text.
    pub fn secret(value: &Value) -> Option<Secret> {
        match value {
            Value::Secret(secret) => Some(secret.clone()),
            Value::Text(text) => Some(Secret::new(text.as_str())),
            _ => None,
        }
    }

    /// Calls `each` with every secret in the arguments and in the object of the call.
    pub(super) fn for_each_secret(&self, each: &mut dyn FnMut(&Secret)) {
        self.args.iter().for_each(|arg| arg.for_each_secret(each));
        let of_receiver = self.receiver.iter().flat_map(|object| object.fields.values());
        of_receiver.for_each(|field| field.for_each_secret(each));
    }

    /// Returns an argument as a duration.
    pub fn duration(&self, name: &str) -> Result<Duration, OpError> {
        parse_duration(self.arg(name)).ok_or_else(|| bad(format!("`{name}` is not a duration")))
    }

    /// Returns the value from which the step key is made: the request and the account. Options that only control how it
    /// is made, such as the timeout, and the name of the profile are left out: changing them does not make a different
    /// request.
    pub fn identity(&self) -> Value {
        let mut identity = Record::new();
        if let Some(receiver) = &self.receiver {
            identity.insert("on".into(), self.account_on(receiver).into());
            identity.insert("as".into(), self.op.driver().identity_of(receiver));
        } else if let Some(login) = self.target.as_ref().and_then(|target| target.login()) {
            identity.insert("as".into(), login.into());
        }
        let params = self.op.params.iter();
        let args = params.zip(&self.args).map(|(param, arg)| match (param.ty, arg) {
            (Type::Options(_), Value::Record(given)) => requested_options(given),
            _ => arg.clone(),
        });
        let mut args: Vec<Value> = args.collect();
        args.truncate(
            args.iter()
                .rposition(|arg| *arg != Value::Null)
                .map_or(0, |last| last + 1),
        );
        identity.insert("args".into(), Value::List(args));
        Value::Record(identity)
    }

    /// Returns the account that receives the request, independent of how its address is spelled.
    fn account_on(&self, receiver: &Object) -> String {
        let named = self.op.driver().named_account_of(receiver);
        named.unwrap_or_else(|_| receiver.text("url").to_owned())
    }

    /// Returns the identity as version 1 computed it, for runs that began with that version: all arguments count.
    pub fn former_identity(&self) -> Value {
        let mut identity = Record::new();
        if let Some(receiver) = &self.receiver {
            identity.insert("on".into(), self.account_on(receiver).into());
            identity.insert("as".into(), self.op.driver().login_of(receiver));
        }
        let given = self.args.iter().rposition(|arg| *arg != Value::Null);
        let args = self.args.iter().take(given.map_or(0, |last| last + 1));
        identity.insert("args".into(), Value::List(args.cloned().collect()));
        Value::Record(identity)
    }
}

/// Options that control how a request is made, not what it is.
const SENDING_OPTIONS: [&str; 5] = ["timeout", "check", "profile", "remember", "reads"];

/// Returns the options that are part of the request; `Null` if there are none.
fn requested_options(given: &Record) -> Value {
    let mut identity = given.clone();
    let counts = |name: &str| !SENDING_OPTIONS.contains(&name) || Sabotage::TimeoutIsIdentity.is_on();
    identity.retain(|name, value| *value != Value::Null && counts(name));
    if identity.is_empty() {
        return Value::Null;
    }
    Value::Record(identity)
}

/// Replaces an object by its `id` where an identifier is expected.
fn identify(param: &Param, value: &mut Value) {
    if let (Type::Id, Value::Object(resource)) = (param.ty, &*value)
        && let Some(id @ (Value::Int(_) | Value::Text(_))) = resource.fields.get("id").cloned()
    {
        *value = id;
    }
}

/// Checks whether the value fits the parameter. The error continues a sentence that starts with the parameter's name.
pub(crate) fn fits(param: &Param, value: &Value) -> Result<(), String> {
    if !param.required && *value == Value::Null {
        return Ok(());
    }
    let ok = match param.ty {
        Type::Any => true,
        // Functions have already been taken out of the arguments.
        Type::Function => false,
        Type::Text => matches!(value, Value::Text(_)),
        Type::SecretText => matches!(value, Value::Text(_) | Value::Secret(_)),
        Type::Bool => matches!(value, Value::Bool(_)),
        Type::Int => matches!(value, Value::Int(_)),
        Type::Number => matches!(value, Value::Int(_) | Value::Float(_)),
        Type::Id => matches!(value, Value::Int(_) | Value::Text(_)),
        Type::Texts => match value {
            Value::List(items) => items
                .iter()
                .all(|item| matches!(item, Value::Text(_) | Value::Int(_))),
            one => matches!(one, Value::Text(_) | Value::Int(_)),
        },
        Type::Duration => parse_duration(value).is_some(),
        Type::List => matches!(value, Value::List(_)),
        Type::Map => matches!(value, Value::Record(_)),
        Type::Options(keys) => match value {
            Value::Record(given) => return options_fit(keys, given),
            _ => false,
        },
    };
    if ok {
        return Ok(());
    }
    if let (Type::Duration, Value::Int(_) | Value::Float(_) | Value::Text(_)) = (param.ty, value) {
        let forms = "seconds as a number, or text such as \"90s\" or \"2m\"";
        return Err(format!("must be a duration that is not negative: {forms}"));
    }
    Err(format!("must be {}, not {}", param.ty.name(), value.type_name()))
}

fn options_fit(keys: &[Param], given: &Record) -> Result<(), String> {
    for (name, value) in given {
        let Some(key) = keys.iter().find(|key| key.name == name) else {
            let names = keys.iter().map(|key| key.name);
            let near = nearest(name, names.clone())
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let known: Vec<&str> = names.collect();
            return Err(format!(
                "has no key `{name}` (valid keys: {}){near}",
                known.join(", ")
            ));
        };
        fits(key, value).map_err(|reason| format!("key `{name}` {reason}"))?;
    }
    let missing = |key: &&Param| key.required && matches!(given.get(key.name), None | Some(Value::Null));
    if let Some(key) = keys.iter().find(missing) {
        return Err(format!("is missing the key `{}`: {}", key.name, key.doc));
    }
    Ok(())
}

pub(crate) fn parse_duration(value: &Value) -> Option<Duration> {
    match value {
        Value::Int(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        Value::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        Value::Text(text) => humantime::parse_duration(text).ok(),
        _ => None,
    }
}

fn expected(op: &OpSpec) -> String {
    match (op.required(), op.params.len()) {
        (0, 0) => "no argument".into(),
        (1, 1) => "1 argument".into(),
        (least, most) if least == most => format!("{most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

fn bad(message: String) -> OpError {
    OpError::new(Code::BadArgument, message)
}
