//! Help on names, from the table of operations, the library, and the session's own functions and variables.

use super::commands::{Command, GROUPS, commands, settings};
use super::complete::commands as complete;
use super::width::{padded, width};
use super::{Next, Repl, show};
use crate::operation::catalogue::Catalogue;
use crate::operation::doc::OpDoc;
use crate::operation::doc::find::{self, Topic};
use crate::operation::doc::text::{self, DocLayout, wrap};
use crate::operation::platform::Operation;
use crate::operation::spec::Permission;
use crate::script::complete::keyword;
use crate::script::infer::{InferredType, type_of};
use crate::script::interactive::{Answer, Function, Native, Workspace, natives};
use crate::value::nearest::nearest;
use crate::value::visible::printable;

/// The maximum width of documentation.
const MAX_WIDTH: usize = 100;

/// The width of documentation if the terminal's width is unknown.
const DEFAULT_WIDTH: usize = 80;

/// The name in `name?`, or `None` if the input is not of this form.
pub(super) fn asked(typed: &str) -> Option<&str> {
    let name = typed.strip_suffix('?')?.trim_end();
    let is_path = |c: char| c.is_alphanumeric() || "_:.()".contains(c);
    (!name.is_empty() && name.chars().all(is_path)).then_some(name)
}

/// The documentation of an operation, adapted to a session, which has no approval for a whole run.
fn session_doc(catalogue: &Catalogue, op: Operation) -> OpDoc {
    let mut doc = OpDoc::of(catalogue, op);
    if op.permission() == Permission::Change {
        doc.permission.meaning = "refused in mode `read-only` before anything is sent; needs confirmation at each \
                                  change in mode `prod`; allowed in `dev` and `sandbox`";
    }
    doc
}

impl Repl {
    pub(super) fn catalogue(&self) -> &Catalogue {
        self.host.catalogue()
    }

    /// Shows everything known about a name; without a name, an overview.
    pub(super) fn help(&self, name: &str) -> Next {
        let name = name.trim().trim_end_matches('?');
        if name.is_empty() {
            return self.overview();
        }
        if name == "commands" {
            return self.commands();
        }
        if let Some(command) = name.strip_prefix(':') {
            return match commands().find(|known| known.name == command) {
                Some(known) => self.page(&self.about_command(known)),
                None => self.unknown(name),
            };
        }
        let pages = self.pages(name);
        if pages.is_empty() {
            return self.unknown(name);
        }
        self.page(&pages.join("\n\n"))
    }

    /// Shows the operations, functions and commands whose documentation contains all words.
    fn search(&self, terms: &str) -> Next {
        let found = find::search(self.catalogue(), terms);
        let wanted: Vec<String> = terms.split_whitespace().map(str::to_lowercase).collect();
        let mut lines: Vec<String> = Vec::new();
        if !found.is_empty() {
            lines.push(self.listed(&found));
        }
        let has = |text: &str| {
            let text = text.to_lowercase();
            wanted.iter().all(|word| text.contains(word))
        };
        let natives = natives()
            .iter()
            .filter(|one| has(&format!("{} {}", one.name, one.doc)));
        let mut natives: Vec<(String, &str)> =
            natives.map(|one| (one.signature(), one.doc.as_str())).collect();
        natives.dedup_by(|a, b| a.0 == b.0);
        if !natives.is_empty() {
            lines.push(self.heading("language"));
            lines.push(pairs(&natives, self.columns()));
        }
        let known = commands().filter(|one| has(&format!("{} {}", one.name, one.summary)));
        let known: Vec<(String, &str)> = known
            .map(|one| (format!(":{} {}", one.name, one.args), one.summary))
            .collect();
        if !known.is_empty() {
            lines.push(self.heading("commands"));
            lines.push(pairs(&known, self.columns()));
        }
        if lines.is_empty() {
            return self.unknown(terms);
        }
        self.page(&lines.join("\n"))
    }

    /// Shows all operations, or those of a module or kind.
    fn operations(&self, of: &str) -> Next {
        if of.is_empty() {
            return self.page(&self.listed(self.catalogue().operations()));
        }
        match find::find(self.catalogue(), of) {
            Ok(topics) => {
                let found: Vec<Operation> = topics
                    .iter()
                    .flat_map(|topic| find::operations(self.catalogue(), topic))
                    .collect();
                self.page(&self.listed(&found))
            }
            Err(_) => self.unknown(of),
        }
    }

    /// Shows an overview on one screen.
    fn overview(&self) -> Next {
        let columns = self.columns();
        let intro = format!(
            "Type an expression and Enter. Tab completes, Right accepts the suggestion, Ctrl-R searches, Ctrl-C clears or \
             stops, Ctrl-D leaves. `_` is the last result, `_3` that of input 3, `_err` the last error. Platforms: {}.",
            self.catalogue().modules().collect::<Vec<_>>().join(", ")
        );
        let names = |tables: &[&'static [Command]]| {
            let names = tables.iter().copied().flatten();
            names
                .map(|command| format!(":{}", command.name))
                .collect::<Vec<_>>()
        };
        let groups = GROUPS.iter();
        let groups: Vec<(String, String)> = groups
            .map(|(title, tables)| ((*title).to_owned(), names(tables).join(" ")))
            .collect();
        let more = ":help commands describes each one; NAME? or :help NAME describes a name.";
        let parts = [
            text::wrap(&intro, columns).join("\n"),
            pairs(&groups, columns),
            text::wrap(more, columns).join("\n"),
        ];
        self.page(&parts.join("\n\n"))
    }

    /// Shows every command with its arguments and summary.
    fn commands(&self) -> Next {
        let call = |command: &Command| (format!(":{} {}", command.name, command.args), command.summary);
        let parts = GROUPS.iter().map(|(title, tables)| {
            let rows: Vec<(String, &str)> = tables.iter().copied().flatten().map(call).collect();
            format!("{}\n{}", self.heading(title), pairs(&rows, self.columns()))
        });
        self.page(&parts.collect::<Vec<_>>().join("\n\n"))
    }

    fn about_command(&self, command: &Command) -> String {
        let title = self.heading(format!(":{} {}", command.name, command.args).trim_end());
        let mut lines = vec![title, String::new(), format!("{}.", command.summary)];
        if command.name == "set" {
            let known: Vec<(String, &str)> = settings::SETTINGS
                .iter()
                .map(|setting| {
                    (
                        format!("{} {}", setting.name, (setting.values)().join("|")),
                        setting.about,
                    )
                })
                .collect();
            lines.push(String::new());
            lines.push(pairs(&known, self.columns()));
        }
        lines.join("\n")
    }

    fn pages(&self, name: &str) -> Vec<String> {
        let heading = |text: &str| self.heading(text);
        let look = DocLayout {
            width: self.columns(),
            heading: &heading,
        };
        let mut pages = Vec::new();
        let plain = name.split_once('(').map_or(name, |(name, _)| name);
        if let Some(found) = variable(&self.space(), plain) {
            pages.push(found);
        }
        if let Some(about) = keyword(plain) {
            pages.push(format!("{}\n{about}", self.heading(plain)));
        }
        let own = self.space().functions();
        pages.extend(
            own.iter()
                .filter(|one| one.name == plain)
                .map(|one| function(one, &look)),
        );
        if let Some((receiver, method)) = plain.rsplit_once('.')
            && let InferredType::Object(kind) = type_of(&*self.space(), receiver)
        {
            let methods = self.catalogue().methods(kind.name);
            let methods = methods.filter(|op| op.name == method);
            pages.extend(methods.map(|op| text::op(&session_doc(self.catalogue(), op), &look)));
        }
        if pages.is_empty()
            && let Ok(topics) = find::find(self.catalogue(), name)
        {
            pages.extend(topics.iter().map(|topic| match topic {
                Topic::Op(op) => text::op(&session_doc(self.catalogue(), *op), &look),
                Topic::Kind(kind) => text::kind(self.catalogue(), kind, &look),
                Topic::Module(module) => text::module(self.catalogue(), module, &look),
            }));
        }
        if pages.is_empty() {
            let last = plain.rsplit(['.', ':']).next().unwrap_or(plain);
            let natives = natives().iter().filter(|one| one.name == last);
            pages.extend(natives.map(|one| native(one, &look)));
        }
        if pages.is_empty()
            && let Some(command) = commands().find(|command| command.name == plain)
        {
            pages.push(self.about_command(command));
        }
        pages
    }

    fn unknown(&self, name: &str) -> Next {
        let mut near: Vec<String> = find::find(self.catalogue(), name)
            .err()
            .map_or(Vec::new(), |unknown| unknown.nearest);
        let own: Vec<String> = self.space().functions().into_iter().map(|one| one.name).collect();
        near.extend(nearest(name, own.iter().map(String::as_str)).map(str::to_owned));
        near.extend(nearest(name, natives().iter().map(|one| one.name.as_str())).map(str::to_owned));
        let command = nearest(name.trim_start_matches(':'), commands().map(|one| one.name));
        near.extend(command.map(|command| format!(":{command}")));
        near.dedup();
        near.truncate(4);
        let hint = if near.is_empty() {
            ":help lists everything; :search WORD searches everywhere".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        self.wrong(&format!("`{name}` is unknown"), &[hint])
    }

    fn listed(&self, ops: &[Operation]) -> String {
        let heading = |text: &str| self.heading(text);
        text::list(
            ops,
            &DocLayout {
                width: self.columns(),
                heading: &heading,
            },
        )
    }

    /// The maximum width of a line of documentation.
    pub(super) fn columns(&self) -> usize {
        self.ports.screen.width().unwrap_or(DEFAULT_WIDTH).min(MAX_WIDTH)
    }

    fn heading(&self, text: &str) -> String {
        if self.ports.terminal.colour {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Shows documentation; in the pager if that is enabled and the text is longer than the screen.
    fn page(&self, text: &str) -> Next {
        let screen = &self.ports.screen;
        let is_long = screen
            .height()
            .is_some_and(|height| text.lines().count() >= height);
        if self.has_pager() && is_long {
            return match self.ports.host.page(text, true) {
                Ok(()) => Next::Go,
                Err(host_error) => self.refuse(&host_error),
            };
        }
        screen.page(text);
        Next::Go
    }
}

/// The maximum width of the column of names.
const MAX_NAME_WIDTH: usize = 44;

/// Formats names with their descriptions beside them, or below if there is too little room.
fn pairs(rows: &[(String, impl AsRef<str>)], columns: usize) -> String {
    let widest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let column = widest.min(MAX_NAME_WIDTH) + 2;
    let mut lines: Vec<String> = Vec::new();
    for (name, text) in rows {
        let text = text.as_ref();
        let beside = columns >= column + 26 && width(name) < column;
        if !beside {
            lines.push(format!("  {}", name.trim_end()));
            lines.extend(
                wrap(text, columns.saturating_sub(6))
                    .into_iter()
                    .map(|line| format!("      {line}")),
            );
            continue;
        }
        let wrapped = wrap(text, columns - column - 2);
        let first = wrapped.first().map_or("", String::as_str);
        lines.push(format!("  {}{first}", padded(name, column)).trim_end().to_owned());
        let indent = column + 2;
        lines.extend(wrapped.iter().skip(1).map(|line| format!("{:indent$}{line}", "")));
    }
    lines.join("\n")
}

/// The page of a function of the session.
fn function(function: &Function, look: &DocLayout<'_>) -> String {
    let title = (look.heading)(&function.signature());
    let doc = if function.doc.is_empty() {
        "a function of this session without a comment".to_owned()
    } else {
        printable(&function.doc).into_owned()
    };
    format!("{title}\n\n{doc}\n\n:source {} shows it", function.name)
}

/// The page of a function of the language.
fn native(native: &Native, look: &DocLayout<'_>) -> String {
    let params: Vec<String> = native
        .params
        .iter()
        .map(|(name, ty)| format!("{name}: {}", if ty == "?" { "any value" } else { ty }))
        .collect();
    let result = if native.result.is_empty() {
        String::new()
    } else {
        format!(" -> {}", native.result)
    };
    let signature = if native.property {
        format!(".{}", native.name)
    } else {
        format!("{}({})", native.name, params.join(", "))
    };
    let title = (look.heading)(&format!("{signature}{result}"));
    let doc = wrap(&native.doc, look.width).join("\n");
    format!("{title}\n{doc}").trim_end().to_owned()
}

/// The page of a variable: its type and value.
fn variable(space: &Workspace, name: &str) -> Option<String> {
    let answer = space.variable(name)?;
    let known = space.variables().into_iter().find(|one| one.name == name);
    let ty = known.map(|one| one.type_name).unwrap_or_default();
    let preview = preview(&answer);
    Some(match space.catalogue().kind(&ty) {
        Some(kind) => format!(
            "{name}: {ty}, {}\n{preview}\n:help {ty} lists what it can do",
            kind.summary
        ),
        None => format!("{name}: {ty}\n{preview}"),
    })
}

/// A value in one line, with secrets masked.
pub(super) fn preview(answer: &Answer) -> String {
    match answer {
        Answer::Nothing => "()".into(),
        Answer::Value(value) | Answer::Mixed(value) => printable(&show::line(value)).replace('\n', " "),
        Answer::Other(what) => format!("<{what}>"),
    }
}

pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        args: "[NAME]",
        summary: "List everything, or describe a name; `NAME?` does the same",
        complete: |args| args.first(complete::topics),
        run: |repl, name| repl.help(name),
    },
    Command {
        name: "search",
        args: "WORD…",
        summary: "Find operations, functions and commands by words of their documentation",
        complete: complete::nothing,
        run: |repl, words| match words {
            "" => repl.usage("search"),
            words => repl.search(words),
        },
    },
    Command {
        name: "ops",
        args: "[MODULE]",
        summary: "List the operations, all or those of a module or kind of object",
        complete: |args| args.first(complete::modules),
        run: |repl, of| repl.operations(of),
    },
    Command {
        name: "funcs",
        args: "[FILTER]",
        summary: "List this session's functions, then those of the language that contain the filter",
        complete: complete::nothing,
        run: funcs,
    },
    Command {
        name: "source",
        args: "FUNCTION",
        summary: "Show how a function of this session is written",
        complete: |args| args.first(complete::functions),
        run: source,
    },
];

fn funcs(repl: &mut Repl, filter: &str) -> Next {
    let own = repl.space().functions();
    let wanted = |name: &str| name.to_lowercase().contains(&filter.to_lowercase());
    let mut lines: Vec<String> = own
        .iter()
        .filter(|one| wanted(&one.name))
        .map(|one| {
            let line = format!("{}  {}", one.signature(), one.summary());
            line.trim_end().to_owned()
        })
        .collect();
    if !filter.is_empty() {
        let natives = natives().iter().filter(|one| wanted(&one.name));
        let mut natives: Vec<String> = natives.map(Native::signature).collect();
        natives.dedup();
        lines.extend(natives);
    }
    if lines.is_empty() {
        let hint = if filter.is_empty() {
            "this session has defined no function; :funcs WORD also searches the language"
        } else {
            "no function has such a name"
        };
        return repl.note(hint);
    }
    repl.show_text(&lines.join("\n"));
    Next::Go
}

fn source(repl: &mut Repl, name: &str) -> Next {
    if name.is_empty() {
        return repl.usage("source");
    }
    let found = repl.space().source_of(name);
    if found.is_empty() {
        return repl.wrong(
            &format!("this session has defined no function `{name}`"),
            &[":funcs lists them".into()],
        );
    }
    let overloads = repl
        .space()
        .functions()
        .iter()
        .filter(|one| one.name == name)
        .count();
    for text in found.iter().take(overloads.max(1)) {
        repl.ports.screen.out(text);
    }
    Next::Go
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_question_mark_asks_for_help_on_a_name() {
        assert_eq!(asked("ensure_tenant?"), Some("ensure_tenant"));
        assert_eq!(asked("mobsted::connect() ?"), Some("mobsted::connect()"));
        for other in ["a + b?", "?", "ensure_tenant", "\"what?\"", "is it?"] {
            assert_eq!(asked(other), None, "{other}");
        }
    }

    #[test]
    fn help_says_a_session_confirms_each_change_in_prod_mode() {
        let catalogue = crate::platforms::catalogue();
        let op = catalogue.operation("mobsted::ensure_tenant");
        let meaning = op.map_or("", |op| session_doc(&catalogue, op).permission.meaning);
        assert!(
            meaning.contains("at each change in mode `prod`") && !meaning.contains("once per run"),
            "{meaning}"
        );
    }
}
