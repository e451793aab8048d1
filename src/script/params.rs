//! What a script declares: the parameters of `main`, and the values that fit them.

use std::collections::BTreeMap;

use super::types::ParamType;
use crate::value::Value;
use crate::value::nearest::nearest;

/// What is known of a script without running it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Declaration {
    /// The `//!` text at the top, without the markers; may be empty.
    pub about: String,
    /// `fn main`, when the script has one. A script without it runs its top-level statements.
    pub main: Option<MainFn>,
    /// The keys of the map that `main` returns, in the order they are written; empty when they cannot be told.
    pub output_columns: Vec<String>,
}

impl Declaration {
    /// The parameters of `main`; none without it.
    pub fn params(&self) -> &[Param] {
        self.main.as_ref().map_or(&[], |main| &main.params)
    }
}

/// `fn main` and its doc comment.
#[derive(Debug, Clone, PartialEq)]
pub struct MainFn {
    /// The doc comment without its `@param` lines; may be empty.
    pub doc: String,
    /// The parameters, in the order of the signature.
    pub params: Vec<Param>,
    /// The line of `fn main`, counted from 1.
    pub line: usize,
}

/// One parameter of `main`.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its name in the script and in tables.
    pub name: String,
    /// Its type; `string` when no `@param` line describes it.
    pub ty: ParamType,
    /// What it is when it is not given.
    pub default: Option<ParamDefault>,
    /// One line for `--help`; may be empty.
    pub help: String,
    /// The line that describes it, else that of `fn main`; counted from 1.
    pub line: usize,
}

/// What a parameter is when it is not given.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamDefault {
    /// This value; it fits the type.
    Value(Value),
    /// What the parameter with this name is; it comes earlier.
    Param(String),
}

/// Why the values given do not fit a parameter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{param}: {kind}")]
pub struct ParamError {
    /// The parameter.
    pub param: String,
    /// The script's line that describes it; 0 when there is no such parameter.
    pub line: usize,
    /// What is wrong.
    pub kind: ParamErrorKind,
}

/// What is wrong with a parameter's value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParamErrorKind {
    /// It is required and was not given.
    #[error("is required")]
    Missing,
    /// It does not fit the type; a part of a sentence that says why.
    #[error("{0}")]
    Bad(String),
    /// The script has no such parameter; the one that may be meant.
    #[error("is not a parameter of the script{}", .0.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Unknown(Option<String>),
}

impl Param {
    /// Its flag on the command line: `--client-name` for `client_name`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// Must it be given?
    pub fn required(&self) -> bool {
        self.default.is_none()
    }

    /// Reads its value from a flag or a table's cell. An empty cell of a table means that it is not given, so do not
    /// parse it. The error says why the text does not fit, as a part of a sentence.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        self.ty.parse(text)
    }

    /// Takes a value that has a type already, as in a JSON row.
    pub fn accept(&self, value: Value) -> Result<Value, String> {
        self.ty.accept(value)
    }
}

impl MainFn {
    /// The arguments for one call, in the order of the signature: what is given, else the default. `Null` counts as not
    /// given. All that is wrong is reported at once.
    pub fn bind(&self, given: &BTreeMap<String, Value>) -> Result<Vec<Value>, Vec<ParamError>> {
        let mut errors = self.unknown(given);
        let mut bound: BTreeMap<&str, Value> = BTreeMap::new();
        for param in &self.params {
            match MainFn::value(param, given, &bound) {
                Ok(Some(value)) => {
                    bound.insert(&param.name, value);
                }
                // Its default is a parameter that is wrong itself, which is reported there.
                Ok(None) => {}
                Err(kind) => errors.push(ParamError {
                    param: param.name.clone(),
                    line: param.line,
                    kind,
                }),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let args = self
            .params
            .iter()
            .map(|param| bound.remove(param.name.as_str()).unwrap_or_default());
        Ok(args.collect())
    }

    fn value(
        param: &Param,
        given: &BTreeMap<String, Value>,
        bound: &BTreeMap<&str, Value>,
    ) -> Result<Option<Value>, ParamErrorKind> {
        match (given.get(&param.name), &param.default) {
            (Some(value), _) if *value != Value::Null => {
                param.accept(value.clone()).map(Some).map_err(ParamErrorKind::Bad)
            }
            (_, Some(ParamDefault::Value(value))) => Ok(Some(value.clone())),
            (_, Some(ParamDefault::Param(earlier))) => {
                let Some(value) = bound.get(earlier.as_str()) else {
                    return Ok(None);
                };
                let fits = param.accept(value.clone());
                fits.map(Some)
                    .map_err(|why| ParamErrorKind::Bad(format!("like `{earlier}`, {why}")))
            }
            (_, None) => Err(ParamErrorKind::Missing),
        }
    }

    fn unknown(&self, given: &BTreeMap<String, Value>) -> Vec<ParamError> {
        let names = || self.params.iter().map(|param| param.name.as_str());
        let unknown = given
            .keys()
            .filter(|name| !names().any(|known| known == name.as_str()));
        unknown
            .map(|name| ParamError {
                param: name.clone(),
                line: 0,
                kind: ParamErrorKind::Unknown(nearest(name, names()).map(str::to_owned)),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
