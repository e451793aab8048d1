//! What an operation is: one table entry from which binding, help, completion and reference are made.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::call::Call;
use super::error::{Code, OpError};
use super::world::World;
use crate::client::USUAL_PATIENCE;
use crate::journal::NaturalKey;
use crate::value::Value;

/// A boxed future, as the functions of the table return it.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries the operation out once.
pub type RunFn =
    &'static (dyn for<'a> Fn(&'a World, &'a Call) -> Boxed<'a, Result<Value, OpError>> + Send + Sync);

/// Asks the platform whether what the call wants exists.
pub type ProbeFn = &'static (dyn for<'a> Fn(&'a World, &'a Call) -> Boxed<'a, Probe> + Send + Sync);

/// Looks whether what the call wants was there before: the value to give when it is to be taken over, an error when it
/// stands in the way. Asked before anything is recorded, and only when the ledger does not have it.
pub type CheckFn =
    &'static (dyn for<'a> Fn(&'a World, &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> + Send + Sync);

/// The natural key of what the call brings into being.
pub type KeyFn = &'static (dyn Fn(&Call) -> Result<NaturalKey, OpError> + Send + Sync);

/// One operation that a script may call.
#[derive(Clone, Copy)]
pub struct OpSpec {
    /// The module that holds it: `crm`, or empty for a global function such as `now()`.
    pub module: &'static str,
    /// Its name as a script writes it: `ensure_tenant`.
    pub name: &'static str,
    /// The kind of object it is a method of, or `None` for a function of the module.
    pub receiver: Option<&'static str>,
    /// One line, no full stop: what it does.
    pub summary: &'static str,
    /// Anything more to know, in full sentences. May be empty.
    pub doc: &'static str,
    /// Parameters after the receiver, required ones first.
    pub params: &'static [Param],
    /// What it gives back, as a type in the words of [`Type`] or a kind.
    pub result: &'static str,
    /// The failures a script may catch, and when they happen.
    pub errors: &'static [(Code, &'static str)],
    /// What it promises.
    pub effect: Effect,
    /// How long the platform may work on it: the deadline of the whole reply.
    pub timeout: Timeout,
    /// A script that shows it, and runs as it is against a fresh sandbox.
    pub example: &'static str,
    /// The work itself.
    pub run: RunFn,
}

impl fmt::Debug for OpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())
    }
}

impl OpSpec {
    /// The stable name: `crm::ensure_contact`, `crm::Contact.archive`, `now`.
    pub fn id(&self) -> String {
        match (self.receiver, self.module) {
            (Some(kind), _) if !kind.ends_with("::Session") => format!("{kind}.{}", self.name),
            (_, "") => self.name.to_owned(),
            (_, module) => format!("{module}::{}", self.name),
        }
    }

    /// What a profile must allow for it.
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

    /// Can the platform tell whether a call whose answer was lost was carried out? What depends on the call can be looked
    /// up when it names a thing.
    pub fn can_be_looked_up(&self, names_a_thing: bool) -> bool {
        match self.effect {
            Effect::Act | Effect::Request => false,
            Effect::ByCall(_) => names_a_thing,
            _ => true,
        }
    }

    /// Does it go to whatever address it is given?
    pub fn goes_anywhere(&self) -> bool {
        self.receiver.is_none() && self.params.iter().any(|param| param.name == "url")
    }

    /// How many parameters must be given.
    pub fn required(&self) -> usize {
        self.params.iter().filter(|param| param.required).count()
    }

    /// The signature as a script writes it: `session.ensure_tenant(email, [options])`.
    pub fn signature(&self) -> String {
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
        let path = match (self.receiver, self.module) {
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

/// Operations that a host program adds without a platform. Their functions live as long as the process.
impl OpSpec {
    /// An operation that changes nothing. `id` is its module and its name: `desk::price`. Its result is recorded, and a
    /// resumed run gets the same.
    pub fn observe<R>(id: &'static str, run: impl Fn(Call) -> R + Send + Sync + 'static) -> OpSpec
    where
        R: Future<Output = Result<Value, OpError>> + Send + 'static,
    {
        OpSpec::own(id, Effect::Observe, run)
    }

    /// An operation that changes something of which nothing can tell afterwards whether it happened. It is done once; when
    /// the process dies before the outcome is recorded, the run parks until a person records it.
    pub fn act<R>(id: &'static str, run: impl Fn(Call) -> R + Send + Sync + 'static) -> OpSpec
    where
        R: Future<Output = Result<Value, OpError>> + Send + 'static,
    {
        OpSpec::own(id, Effect::Act, run)
    }

    /// An operation that makes sure that a thing exists. `name` gives its natural key, `find` looks it up, and `create`
    /// makes it. `find` is called before `create`, and again when the answer of `create` is lost.
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
                    sort: call.op.name,
                    name: name(call),
                })
            }),
            check: leak(move |_: &World, call: &Call| -> Boxed<'_, _> { Box::pin(find(call.clone())) }),
            probe: leak(move |_: &World, call: &Call| -> Boxed<'_, _> {
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
            run: leak(move |_: &World, call: &Call| -> Boxed<'_, _> { Box::pin(run(call.clone())) }),
        }
    }

    /// The same operation with these parameters, required ones first.
    #[must_use]
    pub fn params(self, params: &'static [Param]) -> OpSpec {
        OpSpec { params, ..self }
    }

    /// The same operation with one line of documentation, without a full stop.
    #[must_use]
    pub fn summary(self, summary: &'static str) -> OpSpec {
        OpSpec { summary, ..self }
    }
}

pub(super) fn leak<T>(function: T) -> &'static T {
    Box::leak(Box::new(function))
}

impl Param {
    /// A parameter that must be given.
    pub const fn required(name: &'static str, ty: Type, doc: &'static str) -> Param {
        Param {
            name,
            ty,
            required: true,
            doc,
        }
    }
}

/// What a profile must allow for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Nothing: it sends nothing.
    None,
    /// Reading.
    Read,
    /// Changing.
    Change,
}

impl Permission {
    /// One word, as help shows it.
    pub fn name(self) -> &'static str {
        match self {
            Permission::None => "none",
            Permission::Read => "read",
            Permission::Change => "change",
        }
    }

    /// What it means for the modes of profiles, in a sentence without a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Permission::None => "sends nothing; allowed in every mode",
            Permission::Read => "reads only; allowed in every mode",
            Permission::Change => {
                "refused in mode `read-only` before anything is sent; asked about once per run in mode `prod`; free in `dev` \
                 and `sandbox`"
            }
        }
    }
}

/// How long to wait for the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// The profile's reply timeout, 30 s by default.
    Reply,
    /// The profile's tenant-creation timeout, 150 s by default: a manual says "up to one minute".
    TenantCreation,
}

impl Timeout {
    /// How long the platform has for its answer, unless the profile or the call says otherwise.
    pub fn reply(self) -> Duration {
        match self {
            Timeout::Reply => USUAL_PATIENCE.reply,
            Timeout::TenantCreation => Duration::from_secs(150),
        }
    }

    /// How long a request may still land after its sender has stopped waiting, unless the profile says otherwise: what the
    /// network and a platform that has nearly finished may take. For a tenant the manual's minute, and half of it again.
    pub fn settle(self) -> Duration {
        match self {
            Timeout::Reply => Duration::from_secs(25),
            Timeout::TenantCreation => Duration::from_secs(90),
        }
    }
}

/// One parameter of an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Its name in signatures and messages.
    pub name: &'static str,
    /// What it accepts.
    pub ty: Type,
    /// Must it be given? Optional parameters come last.
    pub required: bool,
    /// One line, no full stop.
    pub doc: &'static str,
}

/// What a parameter accepts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// Text.
    Text,
    /// Text or a secret.
    SecretText,
    /// True or false.
    Bool,
    /// A 64-bit integer.
    Int,
    /// An integer or a float.
    Number,
    /// Text or an integer: a platform's identifier. Something that has an `id` stands for it.
    Id,
    /// Text, or a list of texts; whole numbers stand for their digits.
    Texts,
    /// Seconds as a number, or text such as `"90s"` or `"2m"`.
    Duration,
    /// A list of anything.
    List,
    /// A map with any keys.
    Map,
    /// Anything.
    Any,
    /// A function of the script, which is called while the operation is carried out. Only as a key of options.
    Function,
    /// A map with these keys; another key is an error, and so is a required one that is missing.
    Options(&'static [Param]),
}

impl Type {
    /// The type in a word or two, for signatures and messages.
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

/// What an operation promises about the world: the heart of its entry.
#[derive(Clone, Copy)]
pub enum Effect {
    /// Changes nothing. Recorded and replayed; safe to ask again.
    Observe,
    /// Makes sure that a thing exists; what the ledger already holds is given back as `unchanged`.
    Ensure {
        /// What the thing is called in the ledger.
        key: KeyFn,
        /// Tells what was there before from what the request makes.
        check: CheckFn,
        /// Settles a lost answer.
        probe: ProbeFn,
        /// Does the platform itself refuse to make a second one? Then it may be sent again at any time.
        unique: bool,
    },
    /// Makes a thing that must not exist yet.
    Create {
        /// What the thing is called in the ledger.
        key: KeyFn,
        /// Tells what was there before from what the request makes.
        check: CheckFn,
        /// Settles a lost answer.
        probe: ProbeFn,
        /// Does the platform itself refuse to make a second one? Then it may be sent again at any time.
        unique: bool,
    },
    /// Changes or removes a thing that is named by its identifier; carrying it out twice is the same as once.
    Change {
        /// Settles a lost answer.
        probe: ProbeFn,
        /// The sort of thing that is gone afterwards, so that the ledger strikes it out.
        strikes: Option<&'static str>,
    },
    /// Changes something, and nothing can tell afterwards whether it did. In doubt, the row parks. What an earlier run did
    /// for the same row a while ago is given back as `unchanged`.
    Act,
    /// The same, of a request that the script makes up: nobody can say what its answer would mean in another run, so an
    /// identical one of the same row is an error.
    Request,
    /// Another of these, which depends on what the call is given; never this one.
    ByCall(fn(&Call) -> Effect),
    /// Names an account. Sends nothing itself, and is never recorded: tokens do not enter the journal.
    Sign,
}

impl Effect {
    /// One word, as `provisor ops` shows it.
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

    /// Can it change the world?
    pub fn changes(&self) -> bool {
        !matches!(self, Effect::Observe | Effect::Sign)
    }
}

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a look-up found out about a change whose answer was lost.
#[derive(Debug, Clone)]
pub enum Probe {
    /// The thing exists, and this is what the lost answer would have said.
    Found(Value),
    /// The thing is not there now. It may still appear until the window is over.
    Absent,
    /// The platform answered, but it cannot be told which; for example, two things match.
    Unknown(String),
    /// The look-up itself failed.
    Unreachable(OpError),
}

impl From<Result<Option<Value>, OpError>> for Probe {
    /// What a look-up means after a lost answer. [`Code::AlreadyExists`] says that more than one thing matches.
    fn from(found: Result<Option<Value>, OpError>) -> Probe {
        match found {
            Ok(Some(thing)) => Probe::Found(thing),
            Ok(None) => Probe::Absent,
            Err(error) if error.code == Code::AlreadyExists => Probe::Unknown(error.message),
            Err(error) => Probe::Unreachable(error),
        }
    }
}

/// A kind of object: the properties a script may read.
#[derive(Debug, PartialEq)]
pub struct Kind {
    /// Its full name: `crm::Contact`.
    pub name: &'static str,
    /// One line, no full stop.
    pub summary: &'static str,
    /// Properties, each with its type and a line of text.
    pub properties: &'static [(&'static str, &'static str, &'static str)],
}

/// What is in a map that operations give back: each field's name, type and a line of text. The first is always there.
pub type Fields = &'static [(&'static str, &'static str, &'static str)];
