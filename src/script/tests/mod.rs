//! The script host as a whole, with a small table of operations and an in-memory door.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod binding;
mod catching;
mod data;
mod declaring;
mod importing;
mod libraries;
mod limits;
mod reports;
mod secrets;
mod stopping;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::bundle::{Bundle, Loader, Source};
use super::coverage::Coverage;
use super::error::Diagnostic;
use super::host::Host;
use super::host_calls::{CallError, CallRequest, Operations, Stop};
use super::program::{Script, ScriptEnd};
use crate::journal::NaturalKey;
use crate::operation::call::Call;
use crate::operation::catalogue::Catalogue;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::operation::platform::Platform;
use crate::operation::spec::{Boxed, Effect, Kind, OpSpec, Param, Probe, Timeout, Type};
use crate::value::secret::Secret;
use crate::value::{Object, Value};

const EMAIL: Param = param("email", Type::Text, true);
const OPTIONS: Param = param(
    "options",
    Type::Options(&[param("adopt", Type::Any, false)]),
    false,
);

const fn param(name: &'static str, ty: Type, required: bool) -> Param {
    Param {
        name,
        ty,
        required,
        doc: "",
    }
}

const fn op(module: &'static str, name: &'static str, receiver: Option<&'static str>) -> OpSpec {
    OpSpec {
        module,
        name,
        receiver,
        summary: "does it",
        doc: "",
        params: &[],
        result: "any",
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "",
        run: &not_run,
    }
}

fn not_run<'a>(_: &'a OpContext, _: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async { Ok(Value::Null) })
}

fn not_probed<'a>(_: &'a OpContext, _: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async { Probe::Absent })
}

fn not_checked<'a>(_: &'a OpContext, _: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async { Ok(None) })
}

fn no_key(_: &Call) -> Result<NaturalKey, OpError> {
    Err(OpError::new(Code::Internal, "no key"))
}

const SESSION: Option<&str> = Some("mobsted::Session");
const TENANT: Option<&str> = Some("mobsted::Tenant");

static OPERATIONS: &[OpSpec] = &[
    OpSpec {
        params: &[param("profile", Type::Any, false)],
        ..op("mobsted", "connect", None)
    },
    OpSpec {
        params: &[EMAIL],
        effect: Effect::Create {
            key: &no_key,
            check: &not_checked,
            probe: &not_probed,
            unique: false,
        },
        ..op("mobsted", "create_tenant", SESSION)
    },
    OpSpec {
        params: &[EMAIL, OPTIONS],
        effect: Effect::Ensure {
            key: &no_key,
            check: &not_checked,
            probe: &not_probed,
            unique: false,
        },
        ..op("mobsted", "ensure_tenant", SESSION)
    },
    op("mobsted", "connect", TENANT),
    op("", "now", None),
    OpSpec {
        params: &[param("duration", Type::Duration, true)],
        ..op("", "sleep", None)
    },
    OpSpec {
        params: &[param("value", Type::Any, true)],
        effect: Effect::Act,
        ..op("", "act", None)
    },
];

static PLATFORM: Platform = Platform {
    operations: &[OPERATIONS],
    kinds: KINDS,
    ..Platform::new("mobsted", "Mobsted")
};

static KINDS: &[Kind] = &[
    Kind {
        name: "mobsted::Session",
        summary: "a signed-in account",
        properties: &[("url", "string", "its address")],
    },
    Kind {
        name: "mobsted::Tenant",
        summary: "a client's account",
        properties: &[
            ("email", "string", "who signs in"),
            ("url", "string", "its address"),
            ("password", "secret", "the first password"),
            ("name", "string", "its name, if it has one"),
        ],
    },
];

/// Responds from memory and records the calls.
#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<String>>,
    printed: Mutex<Vec<String>>,
    cancelled: AtomicBool,
    /// Statements until the run is cancelled; 0 for never.
    fuse: AtomicUsize,
}

impl Fake {
    fn cancelled_after(statements: usize) -> Arc<Fake> {
        let fake = Fake::default();
        fake.fuse.store(statements, Ordering::SeqCst);
        Arc::new(fake)
    }

    fn printed(&self) -> Vec<String> {
        self.printed.lock().unwrap().clone()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Operations for Fake {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        let args = Value::List(ask.args.clone()).to_masked_json();
        self.asked.lock().unwrap().push(format!("{}{args}", ask.op.id()));
        let email = ask.args.first().and_then(Value::as_text).unwrap_or_default();
        match (ask.op.name, email) {
            ("connect", _) => Ok(Value::Object(Object::new(
                "mobsted::Session",
                [
                    ("url", "https://m.example".into()),
                    ("$token", Secret::new("tok-secret").into()),
                ],
            ))),
            ("create_tenant" | "ensure_tenant", "taken@example.com") => Err(CallError::Failed(
                OpError::new(Code::AlreadyExists, "taken@example.com is registered already")
                    .status(409)
                    .hint("adopt it with `adopt: true`"),
            )),
            ("create_tenant" | "ensure_tenant", "parked@example.com") => {
                Err(CallError::Stopped(Stop::InDoubt {
                    step: "mobsted::create_tenant #1".into(),
                    reason: "the answer was lost".into(),
                }))
            }
            ("create_tenant" | "ensure_tenant", email) => Ok(Value::Object(Object::new(
                "mobsted::Tenant",
                [
                    ("email", email.into()),
                    ("url", "https://t.example".into()),
                    ("password", Secret::new("hunter2").into()),
                    ("$account", "hidden".into()),
                ],
            ))),
            ("act", "panic") => panic!("the door is broken"),
            ("now", _) => Ok(Value::from("2030-01-01T00:00:00Z")),
            _ => Ok(Value::Null),
        }
    }

    fn stopping(&self) -> Option<Stop> {
        if self.fuse.load(Ordering::Relaxed) > 0 && self.fuse.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        self.cancelled.load(Ordering::Relaxed).then_some(Stop::Cancelled)
    }

    fn print(&self, line: &str) {
        self.printed.lock().unwrap().push(line.to_owned());
    }
}

/// Sources by name, as in a folder.
struct Folder(BTreeMap<String, String>);

impl Loader for Folder {
    fn load(&self, _from: &str, import: &str) -> Result<Source, String> {
        let name = format!("{import}.rhai");
        match self.0.get(&name) {
            Some(text) => Ok(Source::new(name, text.clone())),
            None => Err("there is no such file".into()),
        }
    }
}

fn host() -> Host {
    Host::new(&Catalogue::new([&PLATFORM]))
}

fn compile_with(text: &str, others: &[(&str, &str)]) -> Result<Script, Box<Diagnostic>> {
    let others = others
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let bundle = Bundle::collect(&Source::new("main.rhai", text), &Folder(others.collect()))?;
    Script::compile(&host(), bundle)
}

fn compile(text: &str) -> Script {
    compile_with(text, &[]).unwrap_or_else(|error| panic!("{}", error.render(false, 100)))
}

/// Calls a script on a thread with the stack that scripts need.
fn call_on(script: &Script, args: Vec<Value>, host_operations: Arc<Fake>) -> Result<Value, ScriptEnd> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(super::STACK_SIZE);
        thread
            .spawn_scoped(scope, || script.call(args, host_operations))
            .unwrap()
            .join()
            .unwrap()
    })
}

/// Calls a script, also with its lines counted, which changes nothing.
fn call(text: &str) -> Result<Value, ScriptEnd> {
    let script = compile(text);
    let ended = call_on(&script, Vec::new(), Arc::default());
    let coverage = Arc::new(Coverage::default());
    let catalogue = Catalogue::new([&PLATFORM]);
    let register = |own: &mut rhai::Module| Coverage::register(&coverage, own);
    let host = Host::with(&catalogue, register, Some(Arc::clone(&coverage)));
    let counted = Script::compile(&host, script.bundle().clone()).unwrap();
    let same = call_on(&counted, Vec::new(), Arc::default());
    assert_eq!(same, ended, "with its lines counted: {text}");
    ended
}

/// Returns the result of a script as JSON.
fn json(text: &str) -> String {
    match call(text) {
        Ok(value) => value.to_masked_json().to_string(),
        Err(ScriptEnd::Failed(error)) => panic!("{}", error.render(false, 100)),
        Err(other) => panic!("{other:?}"),
    }
}

/// Returns the diagnostic of a script that fails.
fn failure(text: &str) -> Diagnostic {
    match call(text) {
        Err(ScriptEnd::Failed(error)) => *error,
        other => panic!("{other:?}"),
    }
}

fn syntax_error(text: &str) -> Diagnostic {
    match compile_with(text, &[]) {
        Err(error) => *error,
        Ok(_) => panic!("it compiles"),
    }
}
