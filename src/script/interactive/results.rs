//! The results of earlier inputs: `_` is the last one, `_3` that of input 3. Rhai has no such names, but its parser
//! accepts a substituted token as one. The tokenizer would fail on `_3` and misread `_3 - 1`, so it is given `_D`, a
//! name of the same length, and the parser is given `_3` in its place. A `_D` written by the user is left alone,
//! because the positions are recorded.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{LexError, Position, Token};

use crate::script::{host, parse};

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

fn is_numbered(name: &str) -> bool {
    let digits = name.strip_prefix('_');
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A text as the tokenizer sees it.
pub(super) struct TokenizerText {
    /// The text with `_D` for each `_3`.
    pub(super) text: String,
    /// The positions of those names.
    places: BTreeSet<(usize, usize)>,
}

/// Prepares a text for the tokenizer.
pub(super) fn running(text: &str) -> TokenizerText {
    let mut running = TokenizerText {
        text: text.to_owned(),
        places: BTreeSet::new(),
    };
    let mut pairs = text.as_bytes().windows(2);
    if !pairs.any(|pair| pair[0] == b'_' && pair[1].is_ascii_digit()) {
        return running;
    }
    // The parser stops where such a name confuses it, so this repeats until none is found.
    loop {
        let found = numbered_places(&running);
        if found.is_empty() {
            return running;
        }
        let mut lines: Vec<Vec<char>> = running
            .text
            .split('\n')
            .map(|line| line.chars().collect())
            .collect();
        for at in found {
            let (line, column) = parse::place(at);
            running.places.insert((line, column));
            let Some(line) = lines.get_mut(line - 1) else {
                continue;
            };
            let digits = line.iter_mut().skip(column).take_while(|c| c.is_ascii_digit());
            digits.for_each(|digit| *digit = letter(*digit));
        }
        let lines: Vec<String> = lines.into_iter().map(|line| line.into_iter().collect()).collect();
        running.text = lines.join("\n");
    }
}

#[expect(
    deprecated,
    reason = "Rhai marks its volatile interfaces so; the version is pinned exactly"
)]
fn numbered_places(running: &TokenizerText) -> Vec<Position> {
    let found: Arc<Mutex<Vec<Position>>> = Arc::default();
    let mut engine = host::compiler();
    let (seen, renaming) = (Arc::clone(&found), Renaming::of(running));
    engine.on_parse_token(move |token, position, _| {
        if let Token::LexError(error) = &token
            && let LexError::MalformedIdentifier(name) = &**error
            && is_numbered(name)
        {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(position);
        }
        renaming.rename(token, parse::place(position))
    });
    // Only the tokens matter here, not whether the text parses.
    drop(engine.compile(&running.text));
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *found)
}

/// Maps `3` to `D`.
fn letter(digit: char) -> char {
    let value = digit.to_digit(10).and_then(|value| u8::try_from(value).ok());
    value.map_or(digit, |value| char::from(b'A' + value))
}

/// Maps `D` to `3`.
fn digit(letter: char) -> char {
    let value = u32::from(letter).checked_sub(u32::from('A'));
    value
        .and_then(|value| char::from_digit(value, 10))
        .unwrap_or(letter)
}

/// Substitutes tokens while an input is parsed. A `_` that is the default case of a `switch` is left alone.
pub(super) struct Renaming {
    places: BTreeSet<(usize, usize)>,
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
            places: running.places.clone(),
            state: Mutex::default(),
        }
    }

    /// Returns the token that the parser sees for the one at this line and column.
    pub(super) fn rename(&self, token: Token, place: (usize, usize)) -> Token {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let token = match token {
            Token::Underscore if !state.is_at_switch_case() => Token::Identifier(Box::new(LAST.into())),
            Token::Identifier(name) if self.places.contains(&place) => {
                let written: String = name.chars().map(digit).collect();
                Token::Identifier(Box::new(written.into()))
            }
            token => token,
        };
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
