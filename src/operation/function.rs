//! Functions that a script passes to an operation, which calls them while it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::error::OpError;
use super::spec::Boxed;
use crate::value::Value;

/// Functions by the option key they were passed under.
pub type Functions = BTreeMap<&'static str, Function>;

/// A function of the script. Its calls are not recorded: it looks up current data each time. It may only read; other
/// calls in it are refused.
#[derive(Clone)]
pub struct Function(Arc<Body>);

type Body = dyn Fn(Vec<Value>) -> Boxed<'static, Result<Value, OpError>> + Send + Sync;

impl Function {
    /// Creates a function with this body. It may be passed more arguments than it takes.
    pub fn new(
        body: impl Fn(Vec<Value>) -> Boxed<'static, Result<Value, OpError>> + Send + Sync + 'static,
    ) -> Function {
        Function(Arc::new(body))
    }

    /// Calls the function. The error is that of the operation that failed in it, or describes the script's mistake.
    pub async fn call(&self, args: Vec<Value>) -> Result<Value, OpError> {
        (self.0)(args).await
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}
