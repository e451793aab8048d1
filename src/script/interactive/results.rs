//! The results of earlier inputs: `_` is the last, `_3` that of input 3. Rhai has no such names, so that they run under
//! others: `_` under a longer one, which its tokens are exchanged for, and `_3` under `_D`, a name of the same length, so
//! that every character stays in its place.

use std::sync::{Arc, Mutex, PoisonError};

use rhai::{LexError, Position, Token};

use crate::script::error::Diagnostic;
use crate::script::{host, parse};

/// The name under which `_` runs.
pub(super) const LAST: &str = "_out";

/// The name under which `_3` runs.
pub(super) fn numbered(number: usize) -> String {
    letters(&format!("_{number}"))
}

/// Is this such a name?
pub(super) fn is_result(name: &str) -> bool {
    name == LAST || written(name).is_some()
}

/// The name under which a name runs.
pub(super) fn running_name(name: &str) -> String {
    match name {
        "_" => LAST.to_owned(),
        name if is_numbered(name) => letters(name),
        name => name.to_owned(),
    }
}

/// Puts the written names back into a message, where they stand in back-ticks.
pub(super) fn as_written(diagnostic: &mut Diagnostic) {
    let back = |text: &mut String| {
        let parts = text.split('`').map(|part| {
            if part == LAST {
                "_".to_owned()
            } else {
                written(part).unwrap_or_else(|| part.to_owned())
            }
        });
        *text = parts.collect::<Vec<_>>().join("`");
    };
    back(&mut diagnostic.title);
    diagnostic.notes.iter_mut().for_each(back);
    diagnostic.hints.iter_mut().for_each(back);
}

/// The text with each `_3` under the name that it runs under.
pub(super) fn running(text: &str) -> String {
    let mut text = text.to_owned();
    let mut chars = text.as_bytes().windows(2);
    if !chars.any(|pair| pair[0] == b'_' && pair[1].is_ascii_digit()) {
        return text;
    }
    // The parser stops where such a name confuses it, so it is asked until it finds none.
    loop {
        let found = numbered_places(&text);
        if found.is_empty() {
            return text;
        }
        let mut lines: Vec<Vec<char>> = text.split('\n').map(|line| line.chars().collect()).collect();
        for at in found {
            let (line, column) = parse::place(at);
            let Some(line) = lines.get_mut(line - 1) else {
                continue;
            };
            let digits = line.iter_mut().skip(column).take_while(|c| c.is_ascii_digit());
            digits.for_each(|digit| *digit = letter(*digit));
        }
        let lines: Vec<String> = lines.into_iter().map(|line| line.into_iter().collect()).collect();
        text = lines.join("\n");
    }
}

#[expect(
    deprecated,
    reason = "Rhai marks its volatile interfaces so; the version is pinned exactly"
)]
fn numbered_places(text: &str) -> Vec<Position> {
    let found: Arc<Mutex<Vec<Position>>> = Arc::default();
    let mut engine = host::compiler();
    let (seen, renaming) = (Arc::clone(&found), Renaming::default());
    engine.on_parse_token(move |token, position, _| {
        if let Token::LexError(error) = &token
            && let LexError::MalformedIdentifier(name) = &**error
            && is_numbered(name)
        {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(position);
        }
        renaming.rename(token)
    });
    // Whether it can be parsed is not asked here.
    drop(engine.compile(text));
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *found)
}

fn is_numbered(name: &str) -> bool {
    let digits = name.strip_prefix('_');
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `_D` for `_3`.
fn letters(name: &str) -> String {
    name.chars().map(letter).collect()
}

fn letter(c: char) -> char {
    match c.to_digit(10) {
        Some(digit) => char::from_u32(u32::from('A') + digit).unwrap_or(c),
        None => c,
    }
}

/// `_3` for `_D`.
fn written(name: &str) -> Option<String> {
    let letters = name.strip_prefix('_').filter(|letters| !letters.is_empty())?;
    let digit = |c: char| {
        let digit = u32::from(c)
            .checked_sub(u32::from('A'))
            .filter(|digit| *digit < 10)?;
        char::from_digit(digit, 10)
    };
    let digits: Option<String> = letters.chars().map(digit).collect();
    digits.map(|digits| format!("_{digits}"))
}

/// Renames `_` while an input is parsed. One that stands for "any other case" in a `switch` stays.
#[derive(Default)]
pub(super) struct Renaming(Mutex<State>);

#[derive(Default)]
struct State {
    /// The open brackets; `true` for those of a `switch`.
    open: Vec<bool>,
    /// At which depth the braces of a `switch` are still to come.
    switches: Vec<usize>,
    last: Option<Token>,
}

impl Renaming {
    /// The token that the parser is to see.
    pub(super) fn rename(&self, token: Token) -> Token {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let token = match token {
            Token::Underscore if !state.at_case() => Token::Identifier(Box::new(LAST.into())),
            token => token,
        };
        state.pass(&token);
        token
    }
}

impl State {
    /// Can a case of a `switch` begin here?
    fn at_case(&self) -> bool {
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
