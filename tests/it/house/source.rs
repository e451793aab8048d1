//! A source file as tokens, without comments and without the content of strings.

use std::path::Path;

/// A word or punctuation mark of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// Its text; `""` for any string or character.
    pub(super) text: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// The number of inline modules (`mod name { … }`) around it.
    pub(super) inline: usize,
    /// Whether it is in test-only code.
    pub(super) test: bool,
}

/// A file below `src`.
pub(super) struct Source {
    /// Its path below `src`, with slashes.
    pub(super) path: String,
    /// The number of lines.
    pub(super) lines: usize,
    /// Its tokens.
    pub(super) tokens: Vec<Token>,
}

/// A function with a body.
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// The line of `fn`.
    pub(super) line: usize,
    /// The number of lines from `fn` to the closing brace.
    pub(super) lines: usize,
}

impl Source {
    /// Parses a file; `path` is relative to `src`.
    pub(super) fn new(path: &str, text: &str) -> Source {
        let all_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        let mut tokens = Lexer::new(text).tokens();
        mark_modules(&mut tokens, all_test);
        Source {
            path: path.to_owned(),
            lines: text.lines().count(),
            tokens,
        }
    }

    /// The top-level module of the file; empty for `lib.rs` and `main.rs`.
    pub(super) fn module(&self) -> &str {
        match self.path.split_once('/') {
            Some((folder, _)) => folder,
            None => match self.path.trim_end_matches(".rs") {
                "lib" | "main" => "",
                name => name,
            },
        }
    }

    /// The module depth of the file: 1 for `clock.rs` and `ops/mod.rs`, 2 for `ops/spec.rs`.
    pub(super) fn depth(&self) -> usize {
        let path = Path::new(&self.path);
        let parts = path.components().count();
        parts - usize::from(path.ends_with("mod.rs"))
    }

    /// Whether the path starts with the module or file `home` (`value`, `value/digest`).
    pub(super) fn lies_in(&self, home: &str) -> bool {
        let path = self.path.trim_end_matches(".rs");
        path == home || path.strip_prefix(home).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The texts of `count` tokens from `at`, fewer at the end of the file.
    pub(super) fn texts(&self, at: usize, count: usize) -> Vec<&str> {
        let tokens = self.tokens.iter().skip(at).take(count);
        tokens.map(|token| token.text.as_str()).collect()
    }

    /// The text of the token before `at`; empty at the beginning.
    pub(super) fn before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |at| &self.tokens[at].text)
    }

    /// The names that can follow in a path at token `at`: one, or those of a group in braces.
    pub(super) fn names_at(&self, at: usize) -> Vec<&Token> {
        match self.tokens.get(at) {
            Some(token) if token.text == "{" => {
                let end = closing(&self.tokens, at).unwrap_or(at);
                let mut depth = 0;
                let mut names = Vec::new();
                for index in at..end {
                    let text = self.tokens[index].text.as_str();
                    depth += usize::from(text == "{");
                    depth -= usize::from(text == "}");
                    if depth == 1 && is_word(text) && matches!(self.before(index), "{" | ",") {
                        names.push(&self.tokens[index]);
                    }
                }
                names
            }
            Some(token) if is_word(&token.text) => vec![token],
            _ => Vec::new(),
        }
    }

    /// The functions with a body.
    pub(super) fn functions(&self) -> Vec<Function> {
        let heads = (0..self.tokens.len()).filter(|at| self.tokens[*at].text == "fn");
        heads.filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let name = self.tokens.get(at + 1).filter(|token| is_word(&token.text))?;
        let mut nesting = 0_usize;
        for index in at + 2..self.tokens.len() {
            match self.tokens[index].text.as_str() {
                "(" | "[" => nesting += 1,
                ")" | "]" => nesting = nesting.saturating_sub(1),
                ";" if nesting == 0 => return None,
                "{" if nesting == 0 => {
                    let end = closing(&self.tokens, index)?;
                    let line = self.tokens[at].line;
                    return Some(Function {
                        name: name.text.clone(),
                        line,
                        lines: self.tokens[end].line - line + 1,
                    });
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether the token is a name.
pub(super) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The position where the brace at `open` is closed.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Marks the tokens in inline modules and in `#[cfg(test)]` items.
fn mark_modules(tokens: &mut [Token], all_test: bool) {
    for token in tokens.iter_mut() {
        token.test = all_test;
    }
    let texts: Vec<String> = tokens.iter().map(|token| token.text.clone()).collect();
    for at in 0..texts.len() {
        let is_module = texts[at] == "mod" && texts.get(at + 2).is_some_and(|text| text == "{");
        if let Some(end) = is_module.then(|| closing(tokens, at + 2)).flatten() {
            tokens[at..end].iter_mut().for_each(|token| token.inline += 1);
        }
        if is_test_attribute(&texts[at..]) {
            let end = item_end(tokens, at);
            tokens[at..=end].iter_mut().for_each(|token| token.test = true);
        }
    }
}

/// Whether this is `#[cfg(test)]`, `#[cfg(all(test, …))]` or `#[test]`.
fn is_test_attribute(texts: &[String]) -> bool {
    let starts =
        |expected: &[&str]| texts.iter().zip(expected).filter(|(a, b)| a == b).count() == expected.len();
    starts(&["#", "[", "cfg", "(", "test"])
        || starts(&["#", "[", "cfg", "(", "all", "(", "test"])
        || starts(&["#", "[", "test", "]"])
}

/// The end of the item whose attribute is at `at`: its closing brace or its semicolon.
fn item_end(tokens: &[Token], at: usize) -> usize {
    let mut nesting = 0_usize;
    for index in at..tokens.len() {
        match tokens[index].text.as_str() {
            "(" | "[" => nesting += 1,
            ")" | "]" => nesting = nesting.saturating_sub(1),
            ";" if nesting == 0 => return index,
            "{" if nesting == 0 => return closing(tokens, index).unwrap_or(index),
            _ => {}
        }
    }
    tokens.len() - 1
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn new(text: &str) -> Lexer {
        Lexer {
            chars: text.chars().collect(),
            at: 0,
            line: 1,
        }
    }

    fn tokens(mut self) -> Vec<Token> {
        let mut tokens = Vec::new();
        while let Some(c) = self.read_snapshot(0) {
            let line = self.line;
            if let Some(text) = self.token(c) {
                tokens.push(Token {
                    text,
                    line,
                    inline: 0,
                    test: false,
                });
            }
        }
        tokens
    }

    /// Reads one token, or skips a blank or comment.
    fn token(&mut self, c: char) -> Option<String> {
        match (c, self.read_snapshot(1)) {
            ('/', Some('/')) => {
                self.skip_while(|c| c != '\n');
                None
            }
            ('/', Some('*')) => {
                self.skip_block_comment();
                None
            }
            ('"', _) => Some(self.string()),
            ('\'', next) => Some(self.quote(next)),
            (':', Some(':')) => {
                self.step(2);
                Some("::".into())
            }
            _ if c.is_alphanumeric() || c == '_' => Some(self.word()),
            _ => {
                self.step(1);
                (!c.is_whitespace()).then(|| c.to_string())
            }
        }
    }

    fn read_snapshot(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn step(&mut self, count: usize) {
        let end = (self.at + count).min(self.chars.len());
        self.line += self.chars[self.at..end].iter().filter(|c| **c == '\n').count();
        self.at = end;
    }

    fn skip_while(&mut self, more: impl Fn(char) -> bool) {
        while self.read_snapshot(0).is_some_and(&more) {
            self.step(1);
        }
    }

    /// Skips a block comment; these nest.
    fn skip_block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.read_snapshot(0), self.read_snapshot(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.step(1);
                    continue;
                }
            }
            self.step(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) -> String {
        self.step(1);
        while let Some(c) = self.read_snapshot(0) {
            self.step(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                break;
            }
        }
        "\"\"".into()
    }

    /// Reads a character or a lifetime.
    fn quote(&mut self, next: Option<char>) -> String {
        let is_char = next == Some('\\') || self.read_snapshot(2) == Some('\'');
        if !is_char {
            self.step(1);
            return format!("'{}", self.word());
        }
        self.step(if next == Some('\\') { 3 } else { 2 });
        self.skip_while(|c| c != '\'');
        self.step(1);
        "\"\"".into()
    }

    /// Reads a name, a number, or a string with a prefix (`r"…"`, `br#"…"#`, `b'…'`).
    fn word(&mut self) -> String {
        let start = self.at;
        self.skip_while(|c| c.is_alphanumeric() || c == '_');
        let word: String = self.chars[start..self.at].iter().collect();
        match (word.as_str(), self.read_snapshot(0)) {
            ("r" | "br" | "cr", Some('"' | '#')) if self.is_raw_string() => self.raw_string(),
            ("b" | "c", Some('"')) => self.string(),
            ("b", Some('\'')) => self.quote(self.read_snapshot(1)),
            _ => word,
        }
    }

    /// Whether this is `r#"` and not a raw name such as `r#type`.
    fn is_raw_string(&self) -> bool {
        let hashes = self.chars[self.at..].iter().take_while(|c| **c == '#').count();
        self.read_snapshot(hashes) == Some('"')
    }

    fn raw_string(&mut self) -> String {
        let hashes = self.chars[self.at..].iter().take_while(|c| **c == '#').count();
        self.step(hashes + 1);
        while let Some(c) = self.read_snapshot(0) {
            let closes = c == '"' && (1..=hashes).all(|ahead| self.read_snapshot(ahead) == Some('#'));
            self.step(1);
            if closes {
                self.step(hashes);
                break;
            }
        }
        "\"\"".into()
    }
}
