//! A script's parameters as flags: declared by the script, given on the command line.

use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::prompt::secret_from_stdin;
use super::{run, ui};
use crate::script::params::{Param, ParamDefault, ParamErrorKind};
use crate::script::program::Script;
use crate::script::types::ParamType;
use crate::value::nearest::nearest;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// The command that parses the arguments after this script. Its parameters precede the flags of `run`, as in the help.
pub(super) fn command(script: &Script, path: &Path) -> Result<Command, CommandError> {
    let own = run::own_names();
    let mut command = Command::new("provisor run");
    for param in script.declaration().params() {
        if own.contains(&param.name) {
            return Err(CommandError::usage(format!(
                "parameter `{}` ({}:{}) has the same name as provisor's own option {}",
                param.name,
                path.display(),
                param.line,
                param.flag()
            ))
            .hint("give the parameter another name"));
        }
        command = command.arg(argument(param));
    }
    Ok(run::RunArgs::augment_args(command)
        .override_usage(format!("provisor run {} [PARAMETERS] [OPTIONS]", path.display()))
        .about(about(script)))
}

fn about(script: &Script) -> StyledStr {
    let declaration = script.declaration();
    let doc = declaration.main.as_ref().map_or("", |main| main.doc.trim());
    let texts = [declaration.about.trim(), doc];
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    texts.join("\n\n").into()
}

fn argument(param: &Param) -> Arg {
    let help = format!("{} {}", param.help, default_text(param));
    let number = matches!(param.ty, ParamType::Int | ParamType::Float);
    let arg = Arg::new(id(param))
        .long(dashed(&param.name))
        .value_name(param.ty.name().to_uppercase())
        .help(help.trim().to_owned())
        .help_heading("Parameters")
        // Other values that start with a dash go after `=`: a missing value must not swallow --sandbox.
        .allow_negative_numbers(number)
        .action(ArgAction::Set);
    match param.ty {
        ParamType::Bool => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        _ => arg,
    }
}

/// Clap's ID for the parameter, distinct from the IDs of provisor's own options.
fn id(param: &Param) -> String {
    format!("param:{}", param.name)
}

fn default_text(param: &Param) -> String {
    match &param.default {
        None => "[required]".into(),
        Some(ParamDefault::Param(other)) => format!("[default: the value of --{}]", dashed(other)),
        Some(ParamDefault::Value(Value::Text(text))) if text.is_empty() => String::new(),
        Some(ParamDefault::Value(value)) => {
            let value = value.to_masked_json().to_string();
            format!("[default: {}]", value.trim_matches('"'))
        }
    }
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// The given values, checked against their types. `stdin` names the option that already reads stdin.
pub(super) fn given(
    app: &App,
    script: &Script,
    matches: &mut ArgMatches,
    stdin: Option<&str>,
) -> Result<Record, CommandError> {
    let mut given = Record::new();
    for param in script.declaration().params() {
        let Some(text) = matches.remove_one::<String>(&id(param)) else {
            continue;
        };
        let value = match param.ty {
            ParamType::Secret => secret(app, param, &text, stdin)?,
            _ => param
                .parse(&text)
                .map_err(|reason| refused(script, param, &reason))?,
        };
        given.insert(param.name.clone(), value);
    }
    Ok(given)
}

/// Checks that every parameter without a default has a value.
pub(super) fn complete(script: &Script, given: &Record) -> Result<(), CommandError> {
    let Err(errors) = script.bind(given) else {
        return Ok(());
    };
    let mut error = CommandError::usage(
        errors
            .iter()
            .map(|error| {
                match script
                    .declaration()
                    .params()
                    .iter()
                    .find(|param| param.name == error.param)
                {
                    Some(param) if error.kind == ParamErrorKind::Missing => {
                        format!(
                            "missing required parameter {} ({})",
                            param.flag(),
                            place(script, param)
                        )
                    }
                    Some(param) => format!("{} ({}): {}", param.flag(), place(script, param), error.kind),
                    None => error.to_string(),
                }
            })
            .collect::<Vec<_>>()
            .join("\n"),
    );
    error = error.hint(format!(
        "provisor run {} --help lists the parameters",
        script.bundle().main().name
    ));
    Err(error)
}

fn refused(script: &Script, param: &Param, reason: &str) -> CommandError {
    CommandError::usage(format!("{} ({}): {reason}", param.flag(), place(script, param)))
}

fn place(script: &Script, param: &Param) -> String {
    format!("declared at {}:{}", script.bundle().main().name, param.line)
}

/// Reads a secret from the environment, a file or stdin. One written on the command line works, with a warning.
fn secret(app: &App, param: &Param, text: &str, stdin: Option<&str>) -> Result<Value, CommandError> {
    let flag = param.flag();
    if let Some(name) = text.strip_prefix("env:") {
        return match app.env.get(name) {
            Some(text) => Ok(Value::Secret(Secret::new(text))),
            None => Err(CommandError::usage(format!(
                "{flag}: the environment has no `{name}`"
            ))),
        };
    }
    if let Some(path) = text.strip_prefix("file:") {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CommandError::usage(format!("{flag}: `{path}` cannot be read: {error}")))?;
        return Ok(Value::Secret(Secret::new(text.trim_end_matches(['\r', '\n']))));
    }
    if text == "-" {
        if let Some(other) = stdin {
            return Err(CommandError::usage(format!(
                "{flag} and {other} cannot both come from standard input"
            ))
            .hint(format!("use {flag} env:NAME or {flag} file:PATH")));
        }
        let secret = secret_from_stdin();
        let secret = secret.map_err(|error| CommandError::usage(format!("{flag}: {}", error.message)))?;
        return Ok(Value::Secret(secret));
    }
    app.ui.warn(&format!(
        "other users of this machine can see a secret on the command line; use {flag} env:NAME, {flag} file:PATH or \
         {flag} -"
    ));
    Ok(Value::Secret(Secret::new(text)))
}

/// Reports arguments that clap rejects: shows help, or names the script and the nearest flag for an unknown one.
pub(super) fn refuse(error: clap::Error, script: &Script) -> Result<Exit, CommandError> {
    if error.kind() != ErrorKind::UnknownArgument {
        return Ok(ui::print_clap_error(error));
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return Ok(ui::print_clap_error(error));
    };
    let declaration = script.declaration();
    let name = &script.bundle().main().name;
    let flags: Vec<String> = declaration.params().iter().map(Param::flag).collect();
    let line = declaration.main.as_ref().map_or(1, |main| main.line);
    let mut refusal = if flag.starts_with('-') {
        CommandError::usage(format!(
            "{name}:{line}: `main` has no parameter for the flag {flag}"
        ))
    } else {
        CommandError::usage(format!(
            "{name}:{line}: `{flag}` is neither a flag nor a flag's value"
        ))
        .hint("put a bool's value after `=`: --flag=false")
    };
    if flag.starts_with('-') && !flag.starts_with("--") {
        refusal = refusal.hint(format!(
            "put a value that starts with a dash after `=`: --flag={flag}"
        ));
    }
    let near = nearest(flag, flags.iter().map(String::as_str));
    let near = near.or_else(|| match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(near)) => Some(near.as_str()),
        _ => None,
    });
    Err(refusal
        .did_you_mean(near)
        .hint(format!("provisor run {name} --help lists the parameters")))
}
