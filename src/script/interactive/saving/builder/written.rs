//! Writes out the script, and names its results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Builder;
use crate::script::interactive::saving::dependencies::InputGraph;
use crate::script::interactive::saving::format::indented;
use crate::script::interactive::saving::split::{PieceKind, pieces};
use crate::script::interactive::saving::{SavedScript, TypedInput, naming, params};

impl Builder<'_> {
    /// Returns the whole script.
    pub(in crate::script::interactive::saving) fn write(self, about: &str) -> SavedScript {
        let mut text = format!("//! {about}\n\n");
        for lines in [&self.imports, &self.constants] {
            for line in lines {
                let _ = writeln!(text, "{line}");
            }
            if !lines.is_empty() {
                text.push('\n');
            }
        }
        let main = self.functions.main().map(str::to_owned);
        for function in self.functions.kept() {
            let _ = writeln!(text, "{function}\n");
        }
        let params = self.lift.into_params();
        text.push_str("/// What was entered at the prompt.\n");
        text.push_str(&params::documented(&params));
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        let _ = writeln!(text, "fn main({}) {{", names.join(", "));
        for statement in &self.body {
            text.push_str(&indented(statement));
        }
        text.push_str("}\n");
        SavedScript {
            text,
            params,
            dependencies: Vec::new(),
            main,
            commented_out: self.commented_out,
            redefined: self.redefined.into_iter().collect(),
            lost: self.lost.into_iter().collect(),
        }
    }
}

/// Returns the inputs whose results others use, as `_3` or `_`, each with a unique name.
pub(super) fn results(
    session: &InputGraph,
    done: &[&TypedInput],
    taken: &mut BTreeSet<String>,
) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    for number in session.results_used(done.iter().map(|input| input.number)) {
        let Some(input) = done.iter().find(|input| input.number == number) else {
            continue;
        };
        let ends = pieces(&input.text);
        let last = ends.iter().rfind(|piece| piece.kind == PieceKind::Statement);
        let noun = last.and_then(|piece| naming::result_name(&piece.text));
        let name = noun
            .filter(|noun| !taken.contains(noun))
            .unwrap_or_else(|| naming::free(&format!("result_{number}"), taken.iter()));
        taken.insert(name.clone());
        found.insert(number, name);
    }
    found
}
