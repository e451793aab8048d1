//! Names that the text itself gives a meaning before the cursor: `let s = ...;`, `for q in list {`, `list.map(|r| `.

use super::functions::reader;
use super::{DEEPEST, Known, Locals};
use crate::script::interactive::{Piece, Sort, Workspace};

/// Methods of a list whose closure takes an element.
const OF_ELEMENTS: &[&str] = &[
    "map", "filter", "find", "find_map", "for_each", "all", "some", "index_of", "retain", "drain", "extract",
];

/// What the names mean at the end of these pieces.
pub(super) fn locals(space: &Workspace, text: &str, found: &[Piece]) -> Locals {
    let mut locals = Locals::new();
    let word = |at: usize| found.get(at).map_or("", |piece| piece.text(text));
    for at in 0..found.len() {
        let read = |from: usize, to: usize, locals: &Locals| {
            reader(
                space,
                text,
                found.get(from..to).unwrap_or_default(),
                locals,
                DEEPEST,
            )
            .expression()
        };
        let known = match (word(at), word(at + 2)) {
            ("let" | "const", "=") => until(found, text, at + 3, ";").map(|end| read(at + 3, end, &locals)),
            ("for", "in") => until(found, text, at + 3, "{").map(|end| element(read(at + 3, end, &locals))),
            ("|", "|" | ",") if at >= 3 && word(at - 1) == "(" && word(at - 3) == "." => {
                let start = reader(space, text, found, &locals, DEEPEST).start_of_value(at - 3);
                let of_elements = OF_ELEMENTS.contains(&word(at - 2));
                of_elements.then(|| element(read(start, at - 3, &locals)))
            }
            _ => None,
        };
        let name = found.get(at + 1).filter(|piece| piece.sort == Sort::Name);
        if let (Some(known), Some(name)) = (known, name) {
            locals.insert(name.text(text).to_owned(), known);
        }
    }
    locals
}

/// The index of this piece outside of brackets; nothing when it is not there yet.
fn until(found: &[Piece], text: &str, from: usize, end: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, piece) in found.iter().enumerate().skip(from) {
        match piece.text(text) {
            word if depth == 0 && word == end => return Some(at),
            "(" | "[" | "{" | "#{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

fn element(of: Known) -> Known {
    match of {
        Known::List(item) => *item,
        Known::Plain(name) if name == "range" => Known::Plain("int".into()),
        _ => Known::Nothing,
    }
}
