//! Script declarations: the parameters of `main`, and the values that fit them.

use std::collections::BTreeMap;

use super::types::ParamType;
use crate::value::Value;
use crate::value::nearest::nearest;

/// What is known about a script without running it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Declaration {
    /// The `//!` text at the top, without the markers; may be empty.
    pub about: String,
    /// `fn main`, if the script has one. Otherwise its top-level statements run.
    pub main: Option<MainFn>,
    /// The keys of the map that `main` returns, in source order; empty if they cannot be determined.
    pub output_columns: Vec<String>,
}

impl Declaration {
    /// The parameters of `main`; empty without it.
    pub fn params(&self) -> &[Param] {
        self.main.as_ref().map_or(&[], |main| &main.params)
    }
}

/// `fn main` and its doc comment.
#[derive(Debug, Clone, PartialEq)]
pub struct MainFn {
    /// The doc comment without its `@param` lines; may be empty.
    pub doc: String,
    /// The parameters, in signature order.
    pub params: Vec<Param>,
    /// The line of `fn main`, counted from 1.
    pub line: usize,
}

/// One parameter of `main`.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// The name in the script and in tables.
    pub name: String,
    /// The type; `string` without a `@param` line.
    pub ty: ParamType,
    /// The default; `None` if a value is required.
    pub default: Option<ParamDefault>,
    /// One line for `--help`; may be empty.
    pub help: String,
    /// The line of its `@param`, otherwise of `fn main`; counted from 1.
    pub line: usize,
}

/// The value of a parameter that is not given.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamDefault {
    /// This value, which fits the type.
    Value(Value),
    /// The value of the earlier parameter with this name.
    Param(String),
}

/// An error that says why the given values do not fit a parameter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{param}: {kind}")]
pub struct ParamError {
    /// The parameter's name.
    pub param: String,
    /// The script line that describes it; 0 if there is no such parameter.
    pub line: usize,
    /// The kind of the error.
    pub kind: ParamErrorKind,
}

/// The kind of a [`ParamError`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParamErrorKind {
    /// A required value is missing.
    #[error("is required")]
    Missing,
    /// The value does not fit the type; a phrase that says why.
    #[error("{0}")]
    Bad(String),
    /// The script has no such parameter; the closest name, if any.
    #[error("is not a parameter of the script{}", .0.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Unknown(Option<String>),
}

impl Param {
    /// The command-line flag: `--client-name` for `client_name`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// Whether a value must be given.
    pub fn required(&self) -> bool {
        self.default.is_none()
    }

    /// Parses the value from a flag or a table cell. An empty table cell means not given, so do not parse it. The
    /// error says why the text does not fit, as a phrase.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        self.ty.parse(text)
    }

    /// Accepts a value that already has a type, as in a JSON row.
    pub fn accept(&self, value: Value) -> Result<Value, String> {
        self.ty.accept(value)
    }
}

impl MainFn {
    /// Returns the arguments for one call, in signature order: the given values, else the defaults. `Null` counts as
    /// not given. All errors are reported at once.
    pub fn bind(&self, given: &BTreeMap<String, Value>) -> Result<Vec<Value>, Vec<ParamError>> {
        let mut errors = self.unknown(given);
        let mut bound: BTreeMap<&str, Value> = BTreeMap::new();
        for param in &self.params {
            match MainFn::value(param, given, &bound) {
                Ok(Some(value)) => {
                    bound.insert(&param.name, value);
                }
                // The default refers to a parameter that is itself in error and is reported there.
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
                    .map_err(|reason| ParamErrorKind::Bad(format!("like `{earlier}`, {reason}")))
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
