//! Functions that a script hands to an operation, to be called while it is carried out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::error::OpError;
use super::spec::Boxed;
use crate::value::Value;

/// Functions by the name of the key that they were given under.
pub type Functions = BTreeMap<&'static str, Function>;

/// A function of the script. What it asks for is not recorded: it looks anew each time. It may only read; anything
/// else in it is refused.
#[derive(Clone)]
pub struct Function(Arc<Body>);

type Body = dyn Fn(Vec<Value>) -> Boxed<'static, Result<Value, OpError>> + Send + Sync;

impl Function {
    /// A function with this body. It may be given more arguments than it takes.
    pub fn new(
        body: impl Fn(Vec<Value>) -> Boxed<'static, Result<Value, OpError>> + Send + Sync + 'static,
    ) -> Function {
        Function(Arc::new(body))
    }

    /// Calls it. Its error is that of the operation that failed in it, or says what the script did wrong.
    pub async fn call(&self, args: Vec<Value>) -> Result<Value, OpError> {
        (self.0)(args).await
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}
