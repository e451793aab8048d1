//! Parses `fn main` and its doc comment into a declaration.

use rhai::FnAccess;

use super::bundle::Source;
use super::columns;
use super::doc::{self, Words};
use super::error::Diagnostic;
use super::literal::{self, DefaultExpr};

use super::params::{Declaration, MainFn, Param, ParamDefault};
use super::parse::Parsed;
use super::types::ParamType;
use crate::value::nearest::nearest;

type Checked<T> = Result<T, Box<Diagnostic>>;

/// Returns the declaration of the main source.
pub(super) fn declare(source: &Source, parsed: &Parsed) -> Checked<Declaration> {
    let about = parsed
        .ast
        .doc()
        .lines()
        .map(|line| doc::without_marker(line, "//!"));
    Ok(Declaration {
        about: about.collect::<Vec<_>>().join("\n").trim().to_owned(),
        main: main(source, parsed)?,
        output_columns: columns::output_columns(&parsed.ast),
    })
}

fn main(source: &Source, parsed: &Parsed) -> Checked<Option<MainFn>> {
    if let Some((line, column)) = parsed.mains.get(1) {
        let error = Diagnostic::at(source, *line, *column, "there is more than one `fn main`");
        return Err(error
            .hint("a script has one `main`; give optional parameters a default instead")
            .into());
    }
    let functions = parsed.ast.shared_lib();
    let found = functions
        .iter_script_fn_info()
        .find(|(.., name, _, def)| *name == "main" && def.this_type.is_none());
    let (Some(&(line, column)), Some((_, access, _, _, def))) = (parsed.mains.first(), found) else {
        return Ok(None);
    };
    if access == FnAccess::Private {
        let error = Diagnostic::at(source, line, column, "`main` is private");
        return Err(error
            .hint("remove `private`: `main` is what provisor calls")
            .into());
    }
    let names: Vec<&str> = def.params.iter().map(rhai::ImmutableString::as_str).collect();
    let mut reader = Reader {
        source,
        names: &names,
        found: Vec::new(),
        doc: Vec::new(),
    };
    for (line, text) in doc::doc_comment(source, line) {
        reader.line(line, text)?;
    }
    Ok(Some(reader.finish(line)))
}

/// Parses doc lines into parameters.
struct Reader<'a> {
    source: &'a Source,
    names: &'a [&'a str],
    found: Vec<Param>,
    doc: Vec<String>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, number: usize, line: &'a str) -> Checked<()> {
        let text = doc::doc_text(line);
        let Some(tag) = text
            .split_whitespace()
            .next()
            .filter(|word| word.starts_with('@'))
        else {
            self.prose(text);
            return Ok(());
        };
        let mut words = Words {
            line,
            at: line.find(tag).unwrap_or(0),
        };
        let (column, _) = words.word();
        if tag == "@param" {
            let param = self.param(number, column, words)?;
            self.found.push(param);
        } else if nearest(tag, ["@param"]).is_some() {
            let error = self.error(number, column, format!("`{tag}` is not known here"));
            return Err(error.hint("did you mean `@param`?").into());
        } else {
            self.prose(text);
        }
        Ok(())
    }

    /// Handles text outside a `@param` line: if indented, it continues the help of the parameter above.
    fn prose(&mut self, text: &str) {
        match self.found.last_mut() {
            Some(param) if text.starts_with("  ") && !text.trim().is_empty() => {
                let help = format!("{} {}", param.help, text.trim());
                help.trim().clone_into(&mut param.help);
            }
            _ => self.doc.push(text.to_owned()),
        }
    }

    fn error(&self, line: usize, column: usize, title: impl Into<String>) -> Diagnostic {
        Diagnostic::at(self.source, line, column, title)
    }

    fn param(&self, line: usize, tag_column: usize, mut words: Words<'a>) -> Checked<Param> {
        const GRAMMAR: &str = "write `@param name type [= default]  text`";
        let (column, name) = words.word();
        if name.is_empty() {
            return Err(self
                .error(line, tag_column, "`@param` names no parameter")
                .hint(GRAMMAR)
                .into());
        }
        self.check_name(line, column, name)?;
        let (column, word) = words.word();
        let Some(ty) = ParamType::from_name(word) else {
            return Err(self.unknown_type(line, column, name, word).hint(GRAMMAR).into());
        };
        let default = if words.peek_default() {
            Some(self.default(line, name, ty, &mut words)?)
        } else {
            None
        };
        Ok(Param {
            name: name.to_owned(),
            ty,
            default,
            help: words.rest().to_owned(),
            line,
        })
    }

    fn check_name(&self, line: usize, column: usize, name: &str) -> Checked<()> {
        if !self.names.contains(&name) {
            let error = self.error(line, column, format!("`main` has no parameter `{name}`"));
            return Err(match nearest(name, self.names.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("its parameters are {}", self.names.join(", "))),
            }
            .into());
        }
        if let Some(first) = self.found.iter().find(|param| param.name == name) {
            let title = format!(
                "`{name}` is described twice; the first time on line {}",
                first.line
            );
            return Err(self.error(line, column, title).into());
        }
        Ok(())
    }

    fn unknown_type(&self, line: usize, column: usize, name: &str, word: &str) -> Diagnostic {
        let names: Vec<&str> = ParamType::ALL.iter().map(|ty| ty.name()).collect();
        if word.is_empty() {
            return self.error(line, column, format!("`{name}` has no type"));
        }
        let error = self.error(line, column, format!("`{word}` is not a type"));
        match nearest(word, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the types are {}", names.join(", "))),
        }
    }

    fn default(
        &self,
        line: usize,
        name: &str,
        ty: ParamType,
        words: &mut Words<'a>,
    ) -> Checked<ParamDefault> {
        let (column, text) = words.default_text();
        if text.is_empty() {
            return Err(self.error(line, column, "there is no default after `=`").into());
        }
        let (written, rest) =
            literal::split(text).map_err(|reason| self.not_literal(line, column, &reason))?;
        words.at = words.line.len() - rest.len();
        match written {
            DefaultExpr::Name(earlier) => self.earlier(line, column, name, ty, earlier),
            DefaultExpr::Literal(_) if ty == ParamType::Secret => {
                let error = self.error(line, column, "a secret cannot be written into a script");
                let hint = "leave the default out, so that it must be given";
                Err(error.hint(hint).into())
            }
            DefaultExpr::Literal(value) => {
                let fits = ty.accept(value).map(ParamDefault::Value);
                fits.map_err(|reason| {
                    self.error(
                        line,
                        column,
                        format!("the default of `{name}` {}", sentence(&reason)),
                    )
                    .into()
                })
            }
        }
    }

    fn not_literal(&self, line: usize, column: usize, reason: &str) -> Diagnostic {
        self.error(
            line,
            column,
            format!("a default is a literal or the name of an earlier parameter; {reason}"),
        )
        .hint("put a text in quotes; write a map as `#{ key: value }`")
    }

    fn earlier(
        &self,
        line: usize,
        column: usize,
        name: &str,
        ty: ParamType,
        earlier: String,
    ) -> Checked<ParamDefault> {
        let place = |name: &str| self.names.iter().position(|other| *other == name);
        match (place(&earlier), place(name)) {
            (Some(theirs), Some(own)) if theirs < own => {
                let secret = self
                    .found
                    .iter()
                    .any(|p| p.name == earlier && p.ty == ParamType::Secret);
                if secret && !matches!(ty, ParamType::Secret | ParamType::Json) {
                    let title = format!("`{earlier}` is a secret and `{name}` is not");
                    return Err(self.error(line, column, title).into());
                }
                Ok(ParamDefault::Param(earlier))
            }
            (Some(_), _) => {
                let title = format!("`{earlier}` does not come before `{name}` in `fn main(..)`");
                Err(self
                    .error(line, column, title)
                    .hint("a default can only be an earlier parameter")
                    .into())
            }
            (None, _) => {
                let error = self.error(
                    line,
                    column,
                    format!("`main` has no parameter `{earlier}` to take the default from"),
                );
                Err(error
                    .hint(format!("a text is written in quotes: \"{earlier}\""))
                    .into())
            }
        }
    }

    /// The parameters in signature order; those without a `@param` line are strings.
    fn finish(mut self, line: usize) -> MainFn {
        let mut params = Vec::with_capacity(self.names.len());
        for name in self.names {
            let described = self.found.iter().position(|param| param.name == **name);
            params.push(match described {
                Some(index) => self.found.swap_remove(index),
                None => Param {
                    name: (*name).to_owned(),
                    ty: ParamType::String,
                    default: None,
                    help: String::new(),
                    line,
                },
            });
        }
        let doc = self.doc.join("\n").trim().to_owned();
        MainFn { doc, params, line }
    }
}

/// Completes a type's message, which begins with a verb or with the value in quotes.
fn sentence(reason: &str) -> String {
    if reason.starts_with("is ") {
        reason.to_owned()
    } else {
        format!("does not fit: {reason}")
    }
}
