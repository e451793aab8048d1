//! The definition of an operation: one table entry from which binding, help, completion and reference are generated.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use crate::client::DEFAULT_TIMEOUTS;
use crate::journal::NaturalKey;
pub use crate::journal::Probe;
use crate::value::Value;

/// A boxed future, as returned by the functions of the table.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Performs the operation once.
pub type RunFn =
    &'static (dyn for<'a> Fn(&'a OpContext, &'a Call) -> Boxed<'a, Result<Value, OpError>> + Send + Sync);

/// Asks the platform whether the resource of the call exists.
pub type ProbeFn = &'static (dyn for<'a> Fn(&'a OpContext, &'a Call) -> Boxed<'a, Probe> + Send + Sync);

/// Checks whether the resource of the call already exists: returns its value if it is to be adopted, or an error if it
/// is in the way. Called before anything is recorded, and only if the resource is not in the ledger.
pub type CheckFn = &'static (
             dyn for<'a> Fn(&'a OpContext, &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>>
                 + Send
                 + Sync
         );

/// Returns the natural key of the resource that the call creates.
pub type KeyFn = &'static (dyn Fn(&Call) -> Result<NaturalKey, OpError> + Send + Sync);

/// One operation that a script may call.
#[derive(Clone, Copy)]
pub struct OpSpec {
    /// The module: `crm`, or empty for a global function such as `now()`.
    pub module: &'static str,
    /// The name in scripts: `ensure_tenant`.
    pub name: &'static str,
    /// The kind of object that has it as a method, or `None` for a function of the module.
    pub receiver: Option<&'static str>,
    /// What it does, in one line without a full stop.
    pub summary: &'static str,
    /// More documentation, in full sentences. May be empty.
    pub doc: &'static str,
    /// The parameters after the receiver, required ones first.
    pub params: &'static [Param],
    /// The result type, in the words of [`Type`] or as a kind.
    pub result: &'static str,
    /// The failures a script may catch, and when they happen.
    pub errors: &'static [(Code, &'static str)],
    /// The effect.
    pub effect: Effect,
    /// The timeout of the whole response.
    pub timeout: Timeout,
    /// An example script that runs as it is in a fresh sandbox.
    pub example: &'static str,
    /// The implementation.
    pub run: RunFn,
}

impl fmt::Debug for OpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())
    }
}

impl OpSpec {
    /// Returns the stable name: `crm::ensure_contact`, `crm::Contact.archive`, `now`.
    pub fn id(&self) -> String {
        match (self.receiver, self.module) {
            (Some(kind), _) if !kind.ends_with("::Session") => format!("{kind}.{}", self.name),
            (_, "") => self.name.to_owned(),
            (_, module) => format!("{module}::{}", self.name),
        }
    }

    /// Returns the permission that a profile must grant.
    pub fn permission(&self) -> Permission {
        match self.effect {
            _ if self.module.is_empty() => Permission::None,
            Effect::Sign => Permission::None,
            Effect::Observe => Permission::Read,
            Effect::Ensure { .. }
            | Effect::Create { .. }
            | Effect::Change { .. }
            | Effect::Act
            | Effect::Request
            | Effect::ByCall(_) => Permission::Change,
        }
    }

    /// Whether the platform can determine if a call with a lost response was carried out. If that depends on the call,
    /// it can if the call names a resource.
    pub fn can_be_looked_up(&self, names_a_thing: bool) -> bool {
        match self.effect {
            Effect::Act | Effect::Request => false,
            Effect::ByCall(_) => names_a_thing,
            _ => true,
        }
    }

    /// Whether it takes an arbitrary address.
    pub fn takes_any_address(&self) -> bool {
        self.receiver.is_none() && self.params.iter().any(|param| param.name == "url")
    }

    /// Returns the number of required parameters.
    pub fn required(&self) -> usize {
        self.params.iter().filter(|param| param.required).count()
    }

    /// Returns the signature as written in scripts: `session.ensure_tenant(email, [options])`.
    pub fn signature(&self) -> String {
        self.signature_on(self.receiver)
    }

    /// Returns the signature of the function, or of the method of this kind.
    pub fn signature_on(&self, kind: Option<&str>) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|param| {
                if param.required {
                    param.name.to_owned()
                } else {
                    format!("[{}]", param.name)
                }
            })
            .collect();
        let path = match (kind, self.module) {
            (Some(kind), _) => {
                let kind = kind.rsplit("::").next().unwrap_or(kind);
                format!("{}.", kind.to_lowercase())
            }
            (None, "") => String::new(),
            (None, module) => format!("{module}::"),
        };
        format!("{path}{}({})", self.name, params.join(", "))
    }
}

/// Operations that a host program adds without a platform. Their functions are never freed.
impl OpSpec {
    /// Creates an operation that changes nothing. `id` is its module and name: `desk::price`. The result is recorded,
    /// and a resumed run gets the same one.
    pub fn observe<R>(id: &'static str, run: impl Fn(Call) -> R + Send + Sync + 'static) -> OpSpec
    where
        R: Future<Output = Result<Value, OpError>> + Send + 'static,
    {
        OpSpec::own(id, Effect::Observe, run)
    }

    /// Creates an operation that changes something that cannot be looked up afterwards. It is performed once; if the
    /// process dies before the outcome is recorded, the run parks until a person records it.
    pub fn act<R>(id: &'static str, run: impl Fn(Call) -> R + Send + Sync + 'static) -> OpSpec
    where
        R: Future<Output = Result<Value, OpError>> + Send + 'static,
    {
        OpSpec::own(id, Effect::Act, run)
    }

    /// Creates an operation that makes sure a resource exists. `name` returns its natural key, `find` looks it up, and
    /// `create` creates it. `find` is called before `create`, and again if the response of `create` is lost.
    pub fn ensure<F, R>(
        id: &'static str,
        name: impl Fn(&Call) -> String + Send + Sync + 'static,
        find: impl Fn(Call) -> F + Clone + Send + Sync + 'static,
        create: impl Fn(Call) -> R + Send + Sync + 'static,
    ) -> OpSpec
    where
        F: Future<Output = Result<Option<Value>, OpError>> + Send + 'static,
        R: Future<Output = Result<Value, OpError>> + Send + 'static,
    {
        let probe = find.clone();
        let effect = Effect::Ensure {
            key: leak(move |call: &Call| {
                Ok(NaturalKey {
                    account: call.op.module.to_owned(),
                    kind: call.op.name,
                    name: name(call),
                })
            }),
            check: leak(move |_: &OpContext, call: &Call| -> Boxed<'_, _> { Box::pin(find(call.clone())) }),
            probe: leak(move |_: &OpContext, call: &Call| -> Boxed<'_, _> {
                let found = probe(call.clone());
                Box::pin(async move { found.await.into() })
            }),
            unique: false,
        };
        OpSpec::own(id, effect, create)
    }

    fn own<R>(id: &'static str, effect: Effect, run: impl Fn(Call) -> R + Send + Sync + 'static) -> OpSpec
    where
        R: Future<Output = Result<Value, OpError>> + Send + 'static,
    {
        let (module, name) = id.split_once("::").unwrap_or(("", id));
        OpSpec {
            module,
            name,
            receiver: None,
            summary: "",
            doc: "",
            params: &[],
            result: "any value",
            errors: &[],
            effect,
            timeout: Timeout::Reply,
            example: "",
            run: leak(move |_: &OpContext, call: &Call| -> Boxed<'_, _> { Box::pin(run(call.clone())) }),
        }
    }

    /// Sets the parameters, required ones first.
    #[must_use]
    pub fn params(self, params: &'static [Param]) -> OpSpec {
        OpSpec { params, ..self }
    }

    /// Sets the documentation: one line without a full stop.
    #[must_use]
    pub fn summary(self, summary: &'static str) -> OpSpec {
        OpSpec { summary, ..self }
    }
}

pub(super) fn leak<T>(function: T) -> &'static T {
    Box::leak(Box::new(function))
}

impl Param {
    /// Creates a required parameter.
    pub const fn required(name: &'static str, ty: Type, doc: &'static str) -> Param {
        Param {
            name,
            ty,
            required: true,
            doc,
        }
    }
}

/// The permission that a profile must grant for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// No permission: it sends nothing.
    None,
    /// Reading.
    Read,
    /// Changing.
    Change,
}

impl Permission {
    /// Returns the name shown in help.
    pub fn name(self) -> &'static str {
        match self {
            Permission::None => "none",
            Permission::Read => "read",
            Permission::Change => "change",
        }
    }

    /// Returns the meaning for the modes of profiles, in a sentence without a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Permission::None => "sends nothing; allowed in every mode",
            Permission::Read => "reads only; allowed in every mode",
            Permission::Change => {
                "refused in mode `read-only` before anything is sent; needs confirmation once per run in mode `prod`; \
                 unrestricted in `dev` and `sandbox`"
            }
        }
    }
}

/// The time to wait for the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// The profile's reply timeout, 30 s by default.
    Reply,
    /// The profile's tenant-creation timeout, 150 s by default: a manual says "up to one minute".
    TenantCreation,
}

impl Timeout {
    /// Returns the default time for the response; the profile or the call may set another.
    pub fn reply(self) -> Duration {
        match self {
            Timeout::Reply => DEFAULT_TIMEOUTS.reply,
            Timeout::TenantCreation => Duration::from_secs(150),
        }
    }

    /// Returns how long a request may still take effect after its sender stopped waiting, unless the profile sets
    /// another time. Covers network delays and a platform that has nearly finished; for a tenant the manual's minute
    /// plus half of it.
    pub fn settle(self) -> Duration {
        match self {
            Timeout::Reply => Duration::from_secs(25),
            Timeout::TenantCreation => Duration::from_secs(90),
        }
    }
}

/// A parameter of an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// The name in signatures and messages.
    pub name: &'static str,
    /// The accepted type.
    pub ty: Type,
    /// Whether it is required. Optional parameters come last.
    pub required: bool,
    /// A description in one line without a full stop.
    pub doc: &'static str,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// Text.
    Text,
    /// Text or a secret.
    SecretText,
    /// A Boolean.
    Bool,
    /// A 64-bit integer.
    Int,
    /// An integer or a float.
    Number,
    /// Text or an integer: a platform's identifier. An object with an `id` is accepted in its place.
    Id,
    /// Text or a list of texts; an integer counts as its digits.
    Texts,
    /// A duration: seconds as a number, or text such as `"90s"` or `"2m"`.
    Duration,
    /// A list of anything.
    List,
    /// A map with any keys.
    Map,
    /// Any value.
    Any,
    /// A function of the script, called while the operation runs. Only as an option.
    Function,
    /// A map with these keys; an unknown key or a missing required one is an error.
    Options(&'static [Param]),
}

impl Type {
    /// Returns the name of the type in a word or two, for signatures and messages.
    pub fn name(self) -> &'static str {
        match self {
            Type::Text => "string",
            Type::SecretText => "string or secret",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Number => "number",
            Type::Id => "int or string",
            Type::Texts => "string or list of strings",
            Type::Duration => "duration",
            Type::List => "list",
            Type::Map => "map",
            Type::Any => "any value",
            Type::Function => "function",
            Type::Options(_) => "options map",
        }
    }
}

/// The effect of an operation, and what it guarantees.
#[derive(Clone, Copy)]
pub enum Effect {
    /// Changes nothing. Recorded and replayed; safe to repeat.
    Observe,
    /// Makes sure that a resource exists; one that is already in the ledger is returned as `unchanged`.
    Ensure {
        /// The ledger name of the resource.
        key: KeyFn,
        /// Distinguishes an existing resource from one that the request creates.
        check: CheckFn,
        /// Resolves a lost response.
        probe: ProbeFn,
        /// Whether the platform itself refuses duplicates, so that the request may be resent at any time.
        unique: bool,
    },
    /// Creates a resource that must not exist yet.
    Create {
        /// The ledger name of the resource.
        key: KeyFn,
        /// Distinguishes an existing resource from one that the request creates.
        check: CheckFn,
        /// Resolves a lost response.
        probe: ProbeFn,
        /// Whether the platform itself refuses duplicates, so that the request may be resent at any time.
        unique: bool,
    },
    /// Changes or removes the resource with a given identifier; idempotent.
    Change {
        /// Resolves a lost response.
        probe: ProbeFn,
        /// The kind of resource that is removed, and is therefore removed from the ledger.
        ledger_removals: Option<&'static str>,
    },
    /// Changes something that cannot be looked up afterwards. If in doubt, the row parks. A recent result of an earlier
    /// run for the same row is returned as `unchanged`.
    Act,
    /// Like [`Effect::Act`], for a request composed by the script: its response could mean anything in another run, so
    /// an identical request for the same row is an error.
    Request,
    /// One of the other effects, depending on the arguments; never `ByCall`.
    ByCall(fn(&Call) -> Effect),
    /// Names an account. Sends nothing itself, and is never recorded: tokens do not enter the journal.
    Sign,
}

impl Effect {
    /// Returns the name shown by `provisor ops`.
    pub fn name(&self) -> &'static str {
        match self {
            Effect::Observe => "observe",
            Effect::Ensure { .. } => "ensure",
            Effect::Create { .. } => "create",
            Effect::Change { .. } => "change",
            Effect::Act | Effect::Request => "act",
            Effect::Sign => "sign",
            Effect::ByCall(_) => "act or ensure",
        }
    }

    /// Whether it can change anything outside of provisor.
    pub fn changes(&self) -> bool {
        !matches!(self, Effect::Observe | Effect::Sign)
    }
}

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Result<Option<Value>, OpError>> for Probe {
    /// Interprets a lookup after a lost response. [`Code::AlreadyExists`] means that more than one resource matches.
    fn from(found: Result<Option<Value>, OpError>) -> Probe {
        match found {
            Ok(Some(resource)) => Probe::Found(resource),
            Ok(None) => Probe::Absent,
            Err(error) if error.code == Code::AlreadyExists => Probe::Unknown(error.message),
            Err(error) => Probe::Unreachable(error.message),
        }
    }
}

/// A kind of object, with the properties a script may read.
#[derive(Debug, PartialEq)]
pub struct Kind {
    /// The full name: `crm::Contact`.
    pub name: &'static str,
    /// A description in one line without a full stop.
    pub summary: &'static str,
    /// The properties: name, type and a line of text.
    pub properties: &'static [(&'static str, &'static str, &'static str)],
}

/// The fields of a result map: name, type and a line of text. The first field is always present.
pub type Fields = &'static [(&'static str, &'static str, &'static str)];
