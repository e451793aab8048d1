//! The results of earlier inputs: `_` is the last one, `_3` that of input 3. Rhai has no such names, but its parser
//! accepts a substituted token as one. The tokenizer would fail on `_3` and misread `_3 - 1`, so it is given `A3`, a
//! name of the same length, and the parser is given `_3` in its place. The letter is one for which the text has no such
//! name itself.

use std::sync::{Mutex, PoisonError};

use rhai::Token;

use crate::syntax::{self, TokenKind, is_numbered};

/// The name of the last result.
pub(super) const LAST: &str = "_";

/// Returns the name of this input's result.
pub(super) fn numbered(number: usize) -> String {
    format!("_{number}")
}

/// Whether this is the name of a result.
pub(super) fn is_result(name: &str) -> bool {
    name == LAST || is_numbered(name)
}

/// A text as the tokenizer sees it.
pub(super) struct TokenizerText {
    /// The text with `A3` for each `_3`.
    pub(super) text: String,
    /// The letter that stands for `_`; `None` if the text has no numbered results, or names with every letter.
    letter: Option<char>,
}

/// Prepares a text for the tokenizer.
pub(super) fn running(text: &str) -> TokenizerText {
    let mut running = TokenizerText {
        text: text.to_owned(),
        letter: None,
    };
    let mut pairs = text.as_bytes().windows(2);
    if !pairs.any(|pair| pair[0] == b'_' && pair[1].is_ascii_digit()) {
        return running;
    }
    let tokens = syntax::tokens(text);
    let names = || tokens.iter().filter(|token| token.kind == TokenKind::Name);
    let is_taken = |letter| {
        let mut names = names();
        names.any(|name| number_after(letter, name.text(text)).is_some())
    };
    running.letter = ('A'..='Z').chain('a'..='z').find(|letter| !is_taken(*letter));
    if let Some(letter) = running.letter {
        for name in names().filter(|name| is_numbered(name.text(text))) {
            let underscore = name.at.start..=name.at.start;
            running
                .text
                .replace_range(underscore, letter.encode_utf8(&mut [0; 4]));
        }
    }
    running
}

/// Returns `_3` for `A3`.
fn number_after(letter: char, name: &str) -> Option<String> {
    let numbered = format!("_{}", name.strip_prefix(letter)?);
    is_numbered(&numbered).then_some(numbered)
}

/// Substitutes tokens while an input is parsed. A `_` that is the default case of a `switch` is left alone.
pub(super) struct Renaming {
    letter: Option<char>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The open brackets; `true` for those of a `switch`.
    open: Vec<bool>,
    /// The bracket depths at which the braces of a `switch` are still to come.
    switches: Vec<usize>,
    last: Option<Token>,
}

impl Renaming {
    /// Creates a renaming for the tokens of this text.
    pub(super) fn of(running: &TokenizerText) -> Renaming {
        Renaming {
            letter: running.letter,
            state: Mutex::default(),
        }
    }

    /// Returns the token that the parser sees for this one.
    pub(super) fn rename(&self, token: Token) -> Token {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match &token {
            Token::Underscore if !state.is_at_switch_case() => Some(LAST.to_owned()),
            Token::Identifier(name) => self.letter.and_then(|letter| number_after(letter, name)),
            _ => None,
        };
        let token = written.map_or(token, |name| Token::Identifier(Box::new(name.into())));
        state.pass(&token);
        token
    }
}

impl State {
    /// Whether a case of a `switch` can start here.
    fn is_at_switch_case(&self) -> bool {
        let begins = matches!(
            self.last,
            Some(Token::LeftBrace | Token::Comma | Token::RightBrace)
        );
        begins && self.open.last() == Some(&true)
    }

    fn pass(&mut self, token: &Token) {
        match token {
            Token::Switch => self.switches.push(self.open.len()),
            Token::LeftBrace => {
                let of_switch = self.switches.last() == Some(&self.open.len());
                if of_switch {
                    self.switches.pop();
                }
                self.open.push(of_switch);
            }
            Token::MapStart | Token::LeftParen | Token::LeftBracket => self.open.push(false),
            Token::RightBrace | Token::RightParen | Token::RightBracket => {
                self.open.pop();
            }
            _ => {}
        }
        self.last = Some(token.clone());
    }
}
