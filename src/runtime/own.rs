//! Standalone operations that a host adds, each a function of a module that the host names.

use std::collections::BTreeMap;

use super::Error;
use crate::operation::platform::Platform;
use crate::operation::spec::OpSpec;
use crate::syntax::is_reserved;

/// Returns one platform for each module that the operations name. They are leaked: they live as long as the process.
pub(super) fn platforms(operations: &[OpSpec]) -> Result<Vec<&'static Platform>, Error> {
    let mut modules: BTreeMap<&'static str, Vec<OpSpec>> = BTreeMap::new();
    for operation in operations {
        for (word, what) in [(operation.module, "module"), (operation.name, "name")] {
            if is_reserved(word) {
                return Err(Error::Setup(format!(
                    "the operation `{}` needs a {what} that a script can write, as in `desk::draw`",
                    operation.id()
                )));
            }
        }
        modules.entry(operation.module).or_default().push(*operation);
    }
    Ok(modules.into_iter().map(platform).collect())
}

fn platform((module, operations): (&'static str, Vec<OpSpec>)) -> &'static Platform {
    let operations: &'static [OpSpec] = operations.leak();
    Box::leak(Box::new(Platform {
        operations: vec![operations].leak(),
        ..Platform::new(module, module)
    }))
}
