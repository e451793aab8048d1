//! The results of earlier inputs: `_` is the last one, `_3` that of input 3. Rhai has no such names: it takes `_` for the
//! default case of a `switch`, and `_3` for an error. But its parser accepts a substituted token as one, so its tokenizer
//! is given `A` and `A3`, names of the same length, and the parser `_` and `_3` in their place. The letter is one for
//! which the text has no such names itself.

use rhai::Token;

use crate::syntax::{SourceText, TokenKind, is_numbered};

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
    /// The letter that stands for `_`; `None` if the text has no results, or names with every letter.
    letter: Option<char>,
}

/// Prepares a text for the tokenizer.
pub(super) fn running(text: &str) -> TokenizerText {
    let mut running = TokenizerText {
        text: text.to_owned(),
        letter: None,
    };
    let source = SourceText::read(text);
    let code = source.code();
    let is_name = |at: &usize| code.kind(*at) == Some(TokenKind::Name) && !code.is_default_case(*at);
    let names = || (0..code.len()).filter(is_name);
    let results: Vec<usize> = names().filter(|at| is_result(code.word(*at))).collect();
    if results.is_empty() {
        return running;
    }
    let is_free = |letter: &char| names().all(|at| written(*letter, code.word(at)).is_none());
    running.letter = ('A'..='Z').chain('a'..='z').find(is_free);
    if let Some(letter) = running.letter {
        for underscore in results.into_iter().map(|at| code.start(at)) {
            let range = underscore..=underscore;
            running.text.replace_range(range, letter.encode_utf8(&mut [0; 4]));
        }
    }
    running
}

impl TokenizerText {
    /// Returns a function from the tokenizer's tokens to those that the parser sees.
    pub(super) fn rename(&self) -> impl Fn(Token) -> Token + Send + Sync + use<> {
        let letter = self.letter;
        move |token| {
            let name = match &token {
                Token::Identifier(name) => letter.and_then(|letter| written(letter, name)),
                _ => None,
            };
            name.map_or(token, |name| Token::Identifier(Box::new(name.into())))
        }
    }
}

/// Returns the result that a name stands for: `_3` for `A3`.
fn written(letter: char, name: &str) -> Option<String> {
    let result = format!("_{}", name.strip_prefix(letter)?);
    is_result(&result).then_some(result)
}
