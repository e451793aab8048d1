//! Turns parse errors into our own messages.

use rhai::{LexError, ParseError, ParseErrorType};

use super::bundle::Source;
use super::error::Diagnostic;
use super::script_error;
use super::{foreign, parse};
use crate::syntax::{SourceText, is_name};

/// Explains why a text does not parse.
pub(super) fn explain(source: &Source, error: &ParseError) -> Diagnostic {
    let text = SourceText::read(&source.text);
    let (line, column) = if error.position().is_none() {
        let end = source.text.strip_suffix('\n').unwrap_or(&source.text);
        text.line_and_column(end.strip_suffix('\r').unwrap_or(end).len())
    } else {
        parse::place(error.position())
    };
    let at = text.code().index(text.offset(line, column));
    let word = text.code().word(at);
    let diagnostic = Diagnostic::at(
        source,
        line,
        column,
        script_error::lower_first(&error.err_type().to_string()),
    );
    match error.err_type() {
        ParseErrorType::Reserved(word) | ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) => {
            reserved(diagnostic, word)
        }
        ParseErrorType::MissingToken(token, _) if token == ";" => unterminated(&text, line, at, diagnostic),
        ParseErrorType::MissingToken(token, _) if token == "}" && word.starts_with("..") => {
            diagnostic.hint("maps are joined with `a + b`")
        }
        ParseErrorType::UnknownOperator(operator) => operator_hint(diagnostic, operator),
        ParseErrorType::VariableExpected if word.starts_with(['[', '{', '#']) => {
            diagnostic.hint("a list or map cannot be destructured; write `let a = list[0]; let b = list[1];`")
        }
        ParseErrorType::MissingToken(token, wanted) if token == "," && wanted.contains("parameters") => {
            diagnostic
                .hint("a parameter has no default; write a second function of the name with fewer parameters")
        }
        ParseErrorType::MismatchedType(wanted, _) => condition_or_list(diagnostic, wanted),
        ParseErrorType::BadInput(LexError::MalformedChar(_)) => {
            diagnostic.hint("put text in double quotes: \"...\"")
        }
        ParseErrorType::ExprTooDeep => diagnostic.hint("move parts of the expression into variables"),
        ParseErrorType::WrongFnDefinition => {
            diagnostic.hint("put functions at the top of the script, not inside blocks or functions")
        }
        ParseErrorType::WrongDocComment => {
            diagnostic.hint("`///` describes a function; write `//` for a note")
        }
        _ => diagnostic,
    }
}

/// Explains what follows a statement without a `;` in between: the token with this index, on this line.
fn unterminated(text: &SourceText<'_>, line: usize, at: usize, diagnostic: Diagnostic) -> Diagnostic {
    let code = text.code();
    let word = code.word(at);
    if word.starts_with(':') {
        return diagnostic.hint("a map is written `#{ key: value }`");
    }
    if word.starts_with("=>") {
        return diagnostic.hint("a closure is written `|x| ...`, with several parameters `|a, b| ...`");
    }
    let before = at.checked_sub(1);
    let before = before.filter(|before| text.line_and_column(code.end(*before)).0 == line);
    let words = [word, before.map_or("", |before| code.word(before))];
    match words.into_iter().find_map(foreign::word) {
        Some(hint) => diagnostic.hint(hint),
        None if before.is_none() => diagnostic.hint("the statement before this place has no `;`"),
        None => diagnostic,
    }
}

/// Adds what `if`, `while` and `for` accept.
pub(super) fn condition_or_list(diagnostic: Diagnostic, wanted: &str) -> Diagnostic {
    if wanted.contains("bool") {
        return diagnostic
            .hint("a condition is true or false: compare, as in `x != 0`, `x != ()` or `!list.is_empty()`");
    }
    if wanted.contains("iterable") {
        return diagnostic.hint(
            "`for` iterates over a list, a range or a text's characters; over a map as `for key in map.keys()`",
        );
    }
    diagnostic
}

fn operator_hint(diagnostic: Diagnostic, operator: &str) -> Diagnostic {
    match operator {
        "?" => diagnostic.hint("a choice is written `if a { b } else { c }`"),
        "++" | "--" => diagnostic.hint(format!("write `x {}= 1`", &operator[..1])),
        _ => diagnostic,
    }
}

fn reserved(mut diagnostic: Diagnostic, word: &str) -> Diagnostic {
    if word == "eval" {
        "`eval` is switched off".clone_into(&mut diagnostic.title);
        return diagnostic.hint("what a script does must be readable before it runs");
    }
    if word == "..." {
        return diagnostic.hint("lists are joined with `a + b`, maps with `a + b`, too");
    }
    if !is_name(word) {
        return diagnostic;
    }
    diagnostic.title = format!("`{word}` is a reserved word");
    if let Some(hint) = foreign::word(word) {
        return diagnostic.hint(hint);
    }
    diagnostic.hint(format!(
        "choose another name; a property of this name is read as `value[\"{word}\"]`"
    ))
}
