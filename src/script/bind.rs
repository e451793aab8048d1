//! Binds operation specifications as Rhai functions and methods.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{
    Dynamic, EvalAltResult, FLOAT, FuncRegistration, INT, ImmutableString, Module, NativeCallContext,
    Position, RhaiFunc, Shared,
};

use super::convert;
use super::execution::{self, Authority, Execution};
use super::function;
use super::handles::{Handle, article};
use super::host_calls::{CallError, CallRequest};
use super::memory::CopyReservation;
use super::parse;
use super::script_error::{self, ScriptError};

use crate::operation::error::{Code, OpError};
use crate::operation::function::Functions;
use crate::operation::limit::{inherited, is_limit};
use crate::operation::platform::Operation;
use crate::operation::spec::OpSpec;
use crate::sabotage::Sabotage;
use crate::value::nearest::nearest;

type Returned = Result<Dynamic, Box<EvalAltResult>>;

/// Why a library cannot call an operation, and what its author does instead.
pub(super) fn no_authority(operation: Operation) -> (String, &'static str) {
    (
        format!(
            "a library cannot call `{}`: it has no authority of its own",
            operation.id()
        ),
        "take the value, or the session whose method it calls, as a parameter of the library's function",
    )
}

/// The bound operations: global functions and methods in one module, and one module per module name.
pub(super) struct BoundOperations {
    pub(super) global: Module,
    pub(super) modules: BTreeMap<&'static str, Module>,
}

/// Binds every operation, once for each number of arguments that it accepts.
pub(super) fn bind(operations: impl Iterator<Item = Operation>) -> BoundOperations {
    let mut bound = BoundOperations {
        global: Module::new(),
        modules: BTreeMap::new(),
    };
    let mut methods: BTreeMap<&'static str, Vec<Operation>> = BTreeMap::new();
    for spec in operations {
        if spec.method_kind().is_some() {
            methods.entry(spec.name).or_default().push(spec);
        }
        match (spec.receiver, spec.module) {
            (Some(_), _) => {}
            (None, "") => function(&mut bound.global, spec, true),
            (None, module) => function(bound.modules.entry(module).or_default(), spec, false),
        }
    }
    for specs in methods.into_values() {
        method(&mut bound.global, &specs);
    }
    bound
}

/// Registers a function of a module, or a global one.
fn function(module: &mut Module, spec: Operation, global: bool) {
    for count in spec.required()..=spec.params.len() {
        let func: RhaiFunc = RhaiFunc::Pure {
            func: Shared::new(
                move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
                    let Some(context) = context else {
                        return Err(no_context().into());
                    };
                    call(&context, spec, None, args)
                },
            ),
            has_context: true,
            is_pure: true,
            is_volatile: true,
        };
        let exact = [
            TypeId::of::<INT>(),
            TypeId::of::<FLOAT>(),
            TypeId::of::<ImmutableString>(),
        ];
        // Rhai has its own `sleep` for numbers; ours overrides it only when registered with the exact types.
        if global && count == 1 {
            for ty in exact {
                registration(spec, count, false).set_into_module_raw(module, [ty], func.clone());
            }
        }
        let types = vec![TypeId::of::<Dynamic>(); count];
        registration(spec, count, false).set_into_module_raw(module, types, func);
    }
}

/// Registers a method for all kinds that have one of this name; the kind is resolved when it is called.
fn method(module: &mut Module, specs: &[Operation]) {
    let counts: BTreeSet<usize> = specs
        .iter()
        .flat_map(|spec| spec.required()..=spec.params.len())
        .collect();
    let specs: Arc<[Operation]> = specs.into();
    for count in counts {
        let candidates = Arc::clone(&specs);
        let func = RhaiFunc::Method {
            func: Shared::new(
                move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
                    let Some(context) = context else {
                        return Err(no_context().into());
                    };
                    let Some((receiver, args)) = args.split_first_mut() else {
                        return Err(no_context().into());
                    };
                    let Some(handle) = receiver.read_lock::<Handle>().map(|handle| handle.clone()) else {
                        return Err(no_context().into());
                    };
                    let spec = choose(&candidates, &handle, count)?;
                    call(&context, spec, Some(&handle), args)
                },
            ),
            has_context: true,
            is_pure: true,
            is_volatile: true,
        };
        let mut types = vec![TypeId::of::<Dynamic>(); count + 1];
        types[0] = TypeId::of::<Handle>();
        let shown = specs.iter().find(|spec| takes(spec, count)).or(specs.first());
        if let Some(spec) = shown {
            registration(*spec, count, true).set_into_module_raw(module, types, func);
        }
    }
}

fn takes(spec: &OpSpec, count: usize) -> bool {
    (spec.required()..=spec.params.len()).contains(&count)
}

/// Registers name, parameters and documentation for completion and help.
fn registration(spec: Operation, count: usize, method: bool) -> FuncRegistration {
    let receiver = method.then(|| format!("object: {}", spec.method_kind().unwrap_or_default()));
    let params = spec
        .params
        .iter()
        .take(count)
        .map(|param| format!("{}: {}", param.name, param.ty.name()));
    let info: Vec<String> = receiver
        .into_iter()
        .chain(params)
        .chain([spec.result.to_owned()])
        .collect();
    FuncRegistration::new(spec.name)
        .in_global_namespace_if(spec.module.is_empty() || method)
        .with_params_info(info)
        .with_comments([format!("/// {}", spec.summary)])
}

trait InGlobalNamespaceIf {
    fn in_global_namespace_if(self, global: bool) -> Self;
}

impl InGlobalNamespaceIf for FuncRegistration {
    fn in_global_namespace_if(self, global: bool) -> FuncRegistration {
        if global { self.in_global_namespace() } else { self }
    }
}

/// Selects the operation that this method name denotes for this object.
fn choose(candidates: &[Operation], handle: &Handle, count: usize) -> Result<Operation, Box<EvalAltResult>> {
    let kind = &handle.object().kind;
    let of_kind: Vec<Operation> = candidates
        .iter()
        .copied()
        .filter(|spec| spec.is_method_of(kind))
        .collect();
    if let Some(spec) = of_kind.iter().find(|spec| takes(spec, count)) {
        return Ok(*spec);
    }
    let caught = match (of_kind.first(), candidates.first()) {
        (Some(spec), _) => {
            ScriptError::from_message(format!("`{}` does not take {}", spec.name, arguments(count)))
                .with_hint(format!("write it as `{}`", spec.method_signature()))
        }
        (None, Some(other)) => {
            let others: Vec<&str> = candidates.iter().filter_map(|spec| spec.method_kind()).collect();
            ScriptError::from_message(format!("{} has no method `{}`", article(kind), other.name))
                .with_hint(format!("it is a method of {}", others.join(" and of ")))
        }
        (None, None) => ScriptError::from_message("there is no such method"),
    };
    Err(script_error::raise(caught).into())
}

/// Formats a count: `1 argument`, `3 arguments`.
pub(super) fn arguments(count: usize) -> String {
    format!("{count} argument{}", if count == 1 { "" } else { "s" })
}

fn call(
    context: &NativeCallContext,
    spec: Operation,
    receiver: Option<&Handle>,
    args: &mut [&mut Dynamic],
) -> Returned {
    let execution = Execution::of(context).ok_or_else(no_context)?;
    if execution.must_stop() {
        return Err(terminated().into());
    }
    let is_free = execution.authority() == Authority::Workflow || Sabotage::LibraryActs.is_on();
    if receiver.is_none() && !is_free {
        let (message, hint) = no_authority(spec);
        let error = OpError::new(Code::NoAuthority, message);
        return Err(failed(context, error.hint(hint)).into());
    }
    if execution::is_loading_module() && spec.effect.changes() {
        let message = format!(
            "`{}` cannot be called while a module is being imported",
            spec.name
        );
        let hint = "call it in a function of the module; the body may run more than once";
        let error = OpError::new(Code::BadArgument, message).hint(hint);
        return Err(failed(context, error).into());
    }
    let mut functions = Functions::new();
    let copies = CopyReservation::of(&execution);
    let args = args
        .iter_mut()
        .zip(spec.params)
        .map(|(arg, param)| {
            let mut arg = arg.clone().flatten();
            functions.extend(function::taken(context, &execution, param, &mut arg)?);
            convert::to_value(arg, param.name, &|bytes| copies.ensure_room(bytes))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|reason| {
            let message = format!("`{}` cannot take this: {reason}", spec.name);
            failed(context, OpError::new(Code::BadArgument, message))
        })?;
    let ask = CallRequest {
        op: spec,
        receiver: receiver.map(|handle| handle.object().clone()),
        args,
        functions,
        site: is_limit(&spec).then(|| site(context)),
    };
    let answer = execution.host_operations().ask(ask);
    execution.waited();
    match answer {
        Ok(value) => Ok(convert::to_dynamic(match receiver {
            Some(handle) => inherited(handle.object(), value),
            None => value,
        })),
        Err(CallError::Failed(error)) => Err(failed(context, error).into()),
        Err(CallError::Thrown(thrown)) => {
            let error = ScriptError::of_kind(&thrown.kind, thrown.message, context);
            Err(script_error::raise(error).into())
        }
        Err(CallError::Stopped(reason)) => {
            let source = context.call_source().unwrap_or_default();
            execution.stop_at(reason, source, context.call_position());
            Err(terminated().into())
        }
    }
}

/// Returns the place of a call: `onboard.rhai:7:23`.
fn site(context: &NativeCallContext) -> String {
    let (line, column) = parse::place(context.call_position());
    format!("{}:{line}:{column}", context.call_source().unwrap_or_default())
}

fn failed(context: &NativeCallContext, error: OpError) -> EvalAltResult {
    script_error::raise(ScriptError::operation(error, context))
}

fn terminated() -> EvalAltResult {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE)
}

fn no_context() -> EvalAltResult {
    script_error::raise(ScriptError::from_message(
        "this function can only be called by a running script",
    ))
}

/// Returns the operation whose name is closest to a function name that does not exist.
pub(super) fn nearest_operation(name: &str, operations: &[Operation]) -> Option<Operation> {
    let near = nearest(name, operations.iter().map(|spec| spec.name))?;
    operations.iter().copied().find(|spec| spec.name == near)
}
