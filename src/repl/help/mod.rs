//! Help on names, from the table of operations, the library, and the session's own functions and variables.

mod groups;
mod own;

pub(super) use self::own::preview;
use self::own::{function, native, variable};
use super::commands::{Command, commands, settings};
use super::complete::infer::{InferredType, type_of};
use super::complete::library;
use super::complete::names::keyword;
use super::{Next, Repl};
use crate::operation::catalogue::Catalogue;
use crate::operation::doc::OpDoc;
use crate::operation::doc::find::{self, Topic};
use crate::operation::doc::text::{self, DocLayout};
use crate::operation::platform::Operation;
use crate::operation::spec::Permission;
use crate::value::nearest::nearest;

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
    pub(super) fn search(&self, terms: &str) -> Next {
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
        let natives = library()
            .iter()
            .filter(|one| has(&format!("{} {}", one.name, one.doc)));
        let mut natives: Vec<(String, &str)> =
            natives.map(|one| (one.signature(), one.doc.as_str())).collect();
        natives.dedup_by(|a, b| a.0 == b.0);
        if !natives.is_empty() {
            lines.push(self.heading("language"));
            lines.push(own::pairs(&natives, self.columns()));
        }
        let known = commands().filter(|one| has(&format!("{} {}", one.name, one.summary)));
        let known: Vec<(String, &str)> = known
            .map(|one| (format!(":{} {}", one.name, one.args), one.summary))
            .collect();
        if !known.is_empty() {
            lines.push(self.heading("commands"));
            lines.push(own::pairs(&known, self.columns()));
        }
        if lines.is_empty() {
            return self.unknown(terms);
        }
        self.page(&lines.join("\n"))
    }

    /// Shows all operations, or those of a module or kind.
    pub(super) fn operations(&self, of: &str) -> Next {
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
        let groups: Vec<(String, String)> = groups::GROUPS
            .iter()
            .map(|(title, names)| ((*title).to_owned(), format!(":{}", names.join(" :"))))
            .collect();
        let groups: Vec<(String, &str)> = groups
            .iter()
            .map(|(title, names)| (title.clone(), names.as_str()))
            .collect();
        let more = ":help commands describes each one; NAME? or :help NAME describes a name.";
        let parts = [
            text::wrap(&intro, columns).join("\n"),
            own::pairs(&groups, columns),
            text::wrap(more, columns).join("\n"),
        ];
        self.page(&parts.join("\n\n"))
    }

    /// Shows every command with its arguments and summary.
    fn commands(&self) -> Next {
        let call = |command: &Command| (format!(":{} {}", command.name, command.args), command.summary);
        let parts = groups::GROUPS.iter().map(|(title, names)| {
            let of_group = names
                .iter()
                .filter_map(|name| commands().find(|known| known.name == *name));
            let rows: Vec<(String, &str)> = of_group.map(call).collect();
            format!("{}\n{}", self.heading(title), own::pairs(&rows, self.columns()))
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
                        format!("{} {}", setting.name, setting.values.join("|")),
                        setting.about,
                    )
                })
                .collect();
            lines.push(String::new());
            lines.push(own::pairs(&known, self.columns()));
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
            && let InferredType::Object(kind) = type_of(&self.space(), receiver)
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
            let natives = library().iter().filter(|one| one.name == last);
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
        near.extend(nearest(name, library().iter().map(|one| one.name.as_str())).map(str::to_owned));
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

    pub(super) fn heading(&self, text: &str) -> String {
        if self.ports.screen.has_colour() {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Shows documentation; in the pager if that is enabled and the text is longer than the screen.
    pub(super) fn page(&self, text: &str) -> Next {
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

#[cfg(test)]
mod tests;
