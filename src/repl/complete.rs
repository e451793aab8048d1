//! What could follow what was typed. Nothing is evaluated and nothing is sent.

use rustyline::completion::Pair;

use super::helper::ReplHelper;
use super::meta::commands;

/// Where the word begins that is being typed, and what it could become.
pub(super) fn complete(helper: &ReplHelper, line: &str, pos: usize) -> (usize, Vec<Pair>) {
    let _ = &helper.outside;
    let typed = line.get(..pos).unwrap_or_default();
    if let Some(command) = typed.strip_prefix(':').filter(|rest| !rest.contains(' ')) {
        let known = commands().filter(|known| known.name.starts_with(command));
        let pairs = known.map(|known| Pair {
            display: format!(":{} {}  {}", known.name, known.args, known.summary),
            replacement: known.name.to_owned(),
        });
        return (1, pairs.collect());
    }
    let start = typed
        .rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + 1);
    let word = &typed[start..];
    let space = helper
        .space
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let variables = space.variables().into_iter().map(|variable| variable.name);
    let functions = space.functions().into_iter().map(|function| function.name);
    let pairs = variables
        .chain(functions)
        .filter(|name| name.starts_with(word))
        .map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
    (start, pairs.collect())
}
