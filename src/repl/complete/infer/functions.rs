//! What functions of the session give, read off their text.

use super::{Known, Locals, Reader};
use crate::script::interactive::{Piece, Sort, Workspace, pieces};

/// What a function gives for such arguments: what `@return` in its comment says, else the type of the expression that its
/// body ends with. Nothing is known of one that returns early or ends with a branch.
pub(super) fn result(space: &Workspace, name: &str, args: &[Known], depth: u8) -> Known {
    let functions = space.functions();
    let found = functions
        .iter()
        .find(|known| known.name == name && known.params.len() == args.len());
    let (Some(function), Some(depth)) = (found, depth.checked_sub(1)) else {
        return Known::Nothing;
    };
    let declared = function.doc.lines().find_map(|line| {
        let words = line.trim().strip_prefix("@return")?;
        Some(words.trim_start_matches('s').trim())
    });
    if let Some(declared) = declared {
        return Known::of_words(declared);
    }
    let Some(text) = space.source_of(name).into_iter().next() else {
        return Known::Nothing;
    };
    let mut locals = Locals::new();
    locals.extend(function.params.iter().cloned().zip(args.iter().cloned()));
    body(space, &text, locals, depth)
}

/// The type of what the body in this text ends with.
fn body(space: &Workspace, text: &str, mut locals: Locals, depth: u8) -> Known {
    let found: Vec<Piece> = pieces(text)
        .into_iter()
        .filter(|piece| piece.sort != Sort::Comment)
        .collect();
    let word = |at: usize| found.get(at).map_or("", |piece| piece.text(text));
    let closing = (0..found.len())
        .find(|at| word(*at) == ")")
        .unwrap_or(found.len());
    let (first, last) = (closing + 2, found.len().saturating_sub(1));
    if first > last || (first..last).any(|at| word(at) == "return") {
        return Known::Nothing;
    }
    if word(last - 1) == ";" || first == last {
        return Known::Plain("()".into());
    }
    let mut statement = first;
    let mut brackets = 0_usize;
    for at in first..last {
        match word(at) {
            "(" | "[" | "{" | "#{" => brackets += 1,
            ")" | "]" | "}" => brackets = brackets.saturating_sub(1),
            ";" if brackets == 0 => {
                if word(statement) == "let" && word(statement + 2) == "=" {
                    let value = reader(space, text, &found[statement + 3..at], &locals, depth).expression();
                    locals.insert(word(statement + 1).to_owned(), value);
                }
                statement = at + 1;
            }
            _ => {}
        }
    }
    reader(space, text, &found[statement..last], &locals, depth).expression()
}

pub(super) fn reader<'a>(
    space: &'a Workspace,
    text: &'a str,
    pieces: &'a [Piece],
    locals: &'a Locals,
    depth: u8,
) -> Reader<'a> {
    Reader {
        space,
        text,
        pieces,
        locals,
        depth,
    }
}
