//! Splits a text into tokens with Rhai's own lexer. Every character belongs to a token or is whitespace between two.

use std::ops::Range;

use rhai::{InputStream, LexError, Position, Token as Lexed, TokenizeState, get_next_token};

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its byte range.
    pub at: Range<usize>,
    /// Its kind.
    pub kind: TokenKind,
    /// Whether it is a string or a comment that has no end.
    pub is_open: bool,
    /// For a bracket, where the matching one starts; `None` if there is none.
    pub partner: Option<usize>,
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `let`, `if`, `fn`, `true`.
    Keyword,
    /// A name. Includes `_` and `_3`, which a session gives to its results, and reserved words.
    Name,
    /// A string or a character, with its quotes. A string with interpolations has several: each but the last includes
    /// the `$` before the brace.
    Text,
    /// A number.
    Number,
    /// A bracket, an operator, a comma.
    Symbol,
    /// A comment without its line end. Includes a `#!` line.
    Comment,
    /// A token that the language does not have.
    Strange,
}

impl Token {
    /// Its text.
    pub(crate) fn text<'a>(&self, input: &'a str) -> &'a str {
        input.get(self.at.clone()).unwrap_or_default()
    }

    /// Whether it is the part of a string before an interpolation, whose brace follows.
    pub(crate) fn interpolates(&self, input: &str) -> bool {
        self.kind == TokenKind::Text && !self.is_open && self.text(input).ends_with('$')
    }
}

/// Returns the tokens of a text in order, comments included. `()` is two of them.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut stream = CharStream { text, at: 0 };
    let mut state = TokenizeState::default();
    let mut found = Vec::new();
    let mut brackets = Brackets::default();
    let mut in_template = false;
    loop {
        if !in_template {
            stream.skip_whitespace();
        }
        let start = stream.at;
        if start == text.len() {
            return found;
        }
        let comment = (!in_template).then(|| comment(text, start)).flatten();
        let (kind, is_open) = if let Some((length, is_open)) = comment {
            stream.at += length;
            (TokenKind::Comment, is_open)
        } else {
            state.is_within_text_terminated_by = in_template.then(|| "`".to_owned().into());
            stream.token(&mut state)
        };
        let token = |at, kind| Token {
            at,
            kind,
            is_open,
            partner: None,
        };
        if kind == TokenKind::Symbol && &text[start..stream.at] == "()" {
            // One token of the language, but two brackets everywhere else.
            found.push(token(start..start + 1, kind));
            brackets.pass(text, &mut found);
            found.push(token(start + 1..stream.at, kind));
        } else {
            found.push(token(start..stream.at, kind));
        }
        in_template = kind == TokenKind::Symbol && brackets.pass(text, &mut found);
    }
}

/// Whether the language or this program gives the word a fixed meaning, or it is no name at all.
pub(crate) fn is_reserved(word: &str) -> bool {
    const OWN_WORDS: &[&str] = &["global", "exit"];
    let mut stream = CharStream { text: word, at: 0 };
    let lexed = get_next_token(
        &mut stream,
        &mut TokenizeState::default(),
        &mut Position::new(1, 0),
    )
    .0;
    OWN_WORDS.contains(&word) || !matches!(lexed, Lexed::Identifier(name) if name.as_str() == word)
}

/// Whether the word has the form of a name: ASCII letters, digits and `_`.
pub(crate) fn is_name(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    word.starts_with(|c: char| is_part(c) && !c.is_ascii_digit()) && word.chars().all(is_part)
}

/// Whether this is `_3`, the name of a session's result: not a name in Rhai itself.
pub(crate) fn is_numbered(name: &str) -> bool {
    let digits = name.strip_prefix('_').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the length of the comment that starts here, and whether it has no end.
fn comment(text: &str, start: usize) -> Option<(usize, bool)> {
    let text = &text[start..];
    if text.starts_with("//") || (start == 0 && text.starts_with("#!")) {
        return Some((text.find(['\n', '\r']).unwrap_or(text.len()), false));
    }
    let inner = text.strip_prefix("/*")?;
    // Rhai takes the second star of `/**/` for the marker of a doc comment, which then has no end.
    let mut rest = inner.strip_prefix('*').unwrap_or(inner).as_bytes();
    let mut depth = 1;
    while depth > 0 {
        let length = match rest {
            [] => return Some((text.len(), true)),
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        rest = &rest[length..];
    }
    Some((text.len() - rest.len(), false))
}

/// The characters of a text from a byte position on.
struct CharStream<'a> {
    text: &'a str,
    at: usize,
}

impl InputStream for CharStream<'_> {
    /// The lexer only puts back what it has just taken.
    fn unget(&mut self, c: char) {
        self.at -= c.len_utf8();
    }

    fn get_next(&mut self) -> Option<char> {
        let next = self.peek_next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn peek_next(&mut self) -> Option<char> {
        self.text[self.at..].chars().next()
    }
}

impl CharStream<'_> {
    /// Skips what Rhai takes for whitespace.
    fn skip_whitespace(&mut self) {
        let rest = &self.text[self.at..];
        self.at = self.text.len() - rest.trim_start_matches(|c: char| c.is_ascii_whitespace()).len();
    }

    /// Takes the next token. Returns its kind, and whether it is a string without an end.
    fn token(&mut self, state: &mut TokenizeState) -> (TokenKind, bool) {
        let start = self.at;
        // The lexer's own positions are not used: they are wrong after `\${`, and do not exceed 65,535.
        let (lexed, _) = get_next_token(self, state, &mut Position::new(1, 0));
        if self.at == start {
            self.get_next();
        }
        let taken = &self.text[start..self.at];
        let is_error = matches!(lexed, Lexed::LexError(_));
        // A string that is not closed ends with its line.
        let text = if is_error {
            taken.trim_end_matches(['\n', '\r'])
        } else {
            taken
        };
        self.at = start + text.len();
        let kind = kind(&lexed, text);
        if kind == TokenKind::Name {
            // Where Rhai reads `_3` as an error, `-1` would be a number in `_3 -1`.
            state.next_token_cannot_be_unary = true;
        }
        let is_open = match &lexed {
            Lexed::LexError(error) if kind == TokenKind::Text => {
                let quote = text.chars().next().unwrap_or_default();
                matches!(**error, LexError::UnterminatedString) || text.len() < 2 || !text.ends_with(quote)
            }
            _ => state.is_within_text_terminated_by.is_some(),
        };
        (kind, is_open)
    }
}

fn kind(lexed: &Lexed, text: &str) -> TokenKind {
    let is_word = text.starts_with(|c: char| c.is_alphabetic());
    match lexed {
        Lexed::IntegerConstant(_) | Lexed::FloatConstant(_) => TokenKind::Number,
        Lexed::StringConstant(_) | Lexed::CharConstant(_) | Lexed::InterpolatedString(_) => TokenKind::Text,
        Lexed::LexError(_) if text.starts_with(['"', '`', '\'']) => TokenKind::Text,
        Lexed::LexError(_) if is_numbered(text) => TokenKind::Name,
        Lexed::Identifier(_) | Lexed::Underscore => TokenKind::Name,
        // Every script is compiled without `eval`.
        Lexed::Reserved(word) if is_word && word.as_str() != "eval" => TokenKind::Name,
        Lexed::LexError(_) | Lexed::Reserved(_) => TokenKind::Strange,
        _ if is_word => TokenKind::Keyword,
        _ => TokenKind::Symbol,
    }
}

/// Matches brackets while a text is read. A brace closes what is open inside of it; a bracket of another kind closes
/// nothing outside of its braces. So a missing or misplaced bracket changes little of what follows.
struct Brackets {
    /// The open braces, innermost last. The first is the text itself.
    open: Vec<Brace>,
}

/// An open brace. Tokens are given by their index.
#[derive(Default)]
struct Brace {
    at: usize,
    /// Whether it is that of an interpolation.
    interpolates: bool,
    /// The open `(` and `[` in it.
    round: Vec<usize>,
    square: Vec<usize>,
}

impl Default for Brackets {
    fn default() -> Brackets {
        Brackets {
            open: vec![Brace::default()],
        }
    }
}

impl Brackets {
    /// Matches the last token, if it is a bracket. Returns whether it ends an interpolation, after which the template
    /// continues.
    fn pass(&mut self, text: &str, found: &mut [Token]) -> bool {
        let (Some(at), Some(brace)) = (found.len().checked_sub(1), self.open.last_mut()) else {
            return false;
        };
        let mut ends = false;
        let opening = match found[at].text(text) {
            "(" => {
                brace.round.push(at);
                None
            }
            "[" | "?[" => {
                brace.square.push(at);
                None
            }
            "{" | "#{" => {
                let before = at.checked_sub(1).map(|before| &found[before]);
                let interpolates = before.is_some_and(|before| before.interpolates(text));
                self.open.push(Brace {
                    at,
                    interpolates,
                    ..Brace::default()
                });
                None
            }
            ")" => Brackets::close(&mut brace.round, &mut brace.square),
            "]" => Brackets::close(&mut brace.square, &mut brace.round),
            "}" if self.open.len() > 1 => {
                let brace = self.open.pop();
                ends = brace.as_ref().is_some_and(|brace| brace.interpolates);
                brace.map(|brace| brace.at)
            }
            _ => None,
        };
        if let Some(opening) = opening {
            found[at].partner = Some(found[opening].at.start);
            found[opening].partner = Some(found[at].at.start);
        }
        ends
    }

    /// Closes the innermost bracket of this kind, and those of the other kind in it.
    fn close(same: &mut Vec<usize>, other: &mut Vec<usize>) -> Option<usize> {
        let opening = same.pop()?;
        while other.pop_if(|at| *at > opening).is_some() {}
        Some(opening)
    }
}

#[cfg(test)]
mod tests;
