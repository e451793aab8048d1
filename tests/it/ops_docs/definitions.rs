//! Definition files have the form that Rhai's language server reads, checked with a parser for the grammar they use.

use std::collections::BTreeSet;
use std::fs;

use crate::support::Home;

#[test]
fn definition_files_can_be_read_and_declare_every_operation() {
    let home = Home::new();
    let _ = home.run("ops definitions defs").ended(0);
    let mut declared: BTreeSet<(String, String, usize)> = BTreeSet::new();
    for entry in fs::read_dir(home.work().join("defs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.ends_with(".d.rhai"), "{name}");
        let text = fs::read_to_string(&path).unwrap();
        let file = read(&text).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        assert!(
            !file.functions.is_empty() || name == "rhai-operators.d.rhai",
            "{name}"
        );
        let functions = file.functions.into_iter();
        declared.extend(functions.map(|(function, count)| (file.module.clone(), function, count)));
    }
    for op in provisor::platforms::catalogue().operations() {
        let global = op.module.is_empty() || op.receiver.is_some();
        let module = if global { "static" } else { op.module };
        for count in op.required()..=op.params.len() {
            let count = count + usize::from(op.receiver.is_some());
            let wanted = (module.to_owned(), op.name.to_owned(), count);
            assert!(declared.contains(&wanted), "{wanted:?}");
        }
    }
    for kind in provisor::platforms::catalogue().kinds() {
        for (property, ..) in kind.properties {
            let wanted = ("static".to_owned(), format!("get {property}"), 1);
            assert!(declared.contains(&wanted), "{} {wanted:?}", kind.name);
        }
    }
    // The language itself, without disabled functions.
    let is_there = |name: &str| declared.iter().any(|(_, declared, _)| declared == name);
    assert!(is_there("print") && is_there("get_or") && is_there("to_upper"));
    assert!(!is_there("eval"));
}

#[test]
fn the_test_parser_rejects_invalid_definition_files() {
    for wrong in [
        "fn a();",
        "module m;\nfn a(x) -> int;",
        "module m;\nfn a(x: int -> int;",
        "module m;\nfn a(x: Result<int, Box<E>::x>) -> int;",
        "module m;\nfn a(x: int) -> ;",
        "module m;\nlet x = 1;",
        "module m;\nfn a()",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    assert!(
        read("/// Doc.\nmodule static;\n/// `x`\nfn get a(x: #{ b: int | String }) -> Array<T> | ();\n")
            .is_ok()
    );
}

/// The declarations of a file.
struct File {
    module: String,
    functions: Vec<(String, usize)>,
}

fn read(text: &str) -> Result<File, String> {
    let mut tokens = Tokens(tokens(text)?);
    tokens.expect("module")?;
    let module = tokens.word()?;
    tokens.expect(";")?;
    let mut functions = Vec::new();
    while let Some(token) = tokens.next() {
        match token.as_str() {
            ";" => continue,
            "fn" => functions.push(tokens.function()?),
            "op" => {
                tokens.next();
                tokens.expect("(")?;
                tokens.types(")")?;
                tokens.result()?;
            }
            "const" | "let" => {
                tokens.word()?;
                if tokens.read_snapshot(":") {
                    tokens.expect(":")?;
                    tokens.ty()?;
                }
            }
            other => return Err(format!("`{other}` begins no declaration")),
        }
        tokens.expect(";")?;
    }
    Ok(File { module, functions })
}

/// The remaining tokens, the next one last.
struct Tokens(Vec<String>);

impl Tokens {
    fn next(&mut self) -> Option<String> {
        self.0.pop()
    }

    fn read_snapshot(&self, token: &str) -> bool {
        self.0.last().is_some_and(|next| next == token)
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.read_snapshot(token);
        if found {
            self.0.pop();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.next() {
            Some(next) if next == token => Ok(()),
            next => Err(format!("`{token}` is missing before {next:?}")),
        }
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next() {
            Some(word) if is_word(&word) => Ok(word),
            other => Err(format!("a name is missing before {other:?}")),
        }
    }

    fn function(&mut self) -> Result<(String, usize), String> {
        let mut name = self.word()?;
        if (name == "get" || name == "set") && !self.read_snapshot("(") {
            name = format!("{name} {}", self.word()?);
        }
        self.expect("(")?;
        let mut count = 0;
        while !self.eat(")") {
            self.eat("...");
            self.word()?;
            self.expect(":")?;
            self.ty()?;
            count += 1;
            if !self.read_snapshot(")") {
                self.expect(",")?;
            }
        }
        self.result()?;
        Ok((name, count))
    }

    fn result(&mut self) -> Result<(), String> {
        if self.eat("->") { self.ty() } else { Ok(()) }
    }

    fn types(&mut self, end: &str) -> Result<(), String> {
        while !self.eat(end) {
            self.ty()?;
            if !self.read_snapshot(end) {
                self.expect(",")?;
            }
        }
        Ok(())
    }

    fn ty(&mut self) -> Result<(), String> {
        match self.next().as_deref() {
            Some("?") => {}
            Some("(") => self.types(")")?,
            Some("[") => self.types("]")?,
            Some("#{") => {
                while !self.eat("}") {
                    self.word()?;
                    self.expect(":")?;
                    self.ty()?;
                    if !self.read_snapshot("}") {
                        self.expect(",")?;
                    }
                }
            }
            Some(word) if is_word(word) => {
                if self.eat("<") {
                    self.types(">")?;
                }
            }
            other => return Err(format!("a type is missing before {other:?}")),
        }
        if self.eat("|") { self.ty() } else { Ok(()) }
    }
}

fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.starts_with(|c: char| c.is_ascii_digit())
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    const SIGNS: &[&str] = &[
        "...", "..=", "**=", ">>=", "<<=", ">>", "<<", "**", "..", "->", "#{", "==", "!=", "<=", ">=", "&&",
        "||", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=",
    ];
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let mut rest = line.trim();
        let operator = rest.starts_with("op ");
        while let Some(first) = rest.chars().next() {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let length = match sign {
                // In types, `>>` is two closing brackets.
                Some(&">>") if !operator => 1,
                Some(sign) => sign.len(),
                None if first.is_alphanumeric() || first == '_' => rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len()),
                None if "()[]{}<>,:;|?=+-*/%&^!~".contains(first) => 1,
                None => return Err(format!("`{first}` is in no definition: {line}")),
            };
            found.push(rest[..length].to_owned());
            rest = rest[length..].trim_start();
        }
    }
    found.reverse();
    Ok(found)
}
