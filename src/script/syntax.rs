//! Turns parse errors into our own messages.

use rhai::{LexError, ParseError, ParseErrorType};

use super::bundle::Source;
use super::error::Diagnostic;
use super::script_error;
use super::{foreign, literal, parse};

/// Explains a text that does not parse.
pub(super) fn syntax(source: &Source, error: &ParseError) -> Diagnostic {
    let (line, column) = if error.position().is_none() {
        end_of(&source.text)
    } else {
        parse::place(error.position())
    };
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
        ParseErrorType::MissingToken(token, _) if token == ";" => {
            unterminated(source, line, column, diagnostic)
        }
        ParseErrorType::MissingToken(token, _) if token == "}" && at_dots(source, line, column) => {
            diagnostic.hint("maps are joined with `a + b`")
        }
        ParseErrorType::UnknownOperator(operator) => operator_hint(diagnostic, operator),
        ParseErrorType::VariableExpected if at_bracket(source, line, column) => {
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

fn unterminated(source: &Source, line: usize, column: usize, diagnostic: Diagnostic) -> Diagnostic {
    let text = source.line(line);
    let before = text.chars().take(column.saturating_sub(1));
    let from: String = text.chars().skip(column.saturating_sub(1)).collect();
    if from.starts_with(':') {
        return diagnostic.hint("a map is written `#{ key: value }`");
    }
    if from.starts_with("=>") {
        return diagnostic.hint("a closure is written `|x| ...`, with several parameters `|a, b| ...`");
    }
    let before_it: String = before.clone().collect();
    if let Some(hint) = [first_word(&from), last_word(&before_it)]
        .into_iter()
        .find_map(foreign::word)
    {
        return diagnostic.hint(hint);
    }
    if before.clone().all(char::is_whitespace) {
        return diagnostic.hint("the statement before this place has no `;`");
    }
    diagnostic
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !is_of_word(c)).unwrap_or(text.len());
    &text[..end]
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.rfind(|c: char| !is_of_word(c));
    start
        .map_or(text, |at| &text[at..])
        .trim_start_matches(|c: char| !is_of_word(c))
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn at_bracket(source: &Source, line: usize, column: usize) -> bool {
    let at = source.line(line).chars().nth(column.saturating_sub(1));
    matches!(at, Some('[' | '{' | '#'))
}

fn at_dots(source: &Source, line: usize, column: usize) -> bool {
    let text = source.line(line).chars().skip(column.saturating_sub(1));
    text.take(2).all(|c| c == '.')
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
    if !literal::is_name(word) {
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

fn end_of(text: &str) -> (usize, usize) {
    let line = text.lines().count().max(1);
    let last = text.lines().last().unwrap_or_default();
    (line, last.chars().count() + 1)
}
