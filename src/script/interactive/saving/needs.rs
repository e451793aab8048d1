//! Which inputs need which others: by the names that they define and use.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::{Came, Typed};
use crate::script::interactive::results;
use crate::script::tokens::{Piece, Sort, pieces};

/// What the inputs of a session define and use.
pub(super) struct Session(Vec<Known>);

struct Known {
    number: usize,
    names: Names,
    /// Can others use what it defines in a script?
    usable: bool,
    gave: bool,
}

/// The names of an input.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    /// Those that it needs from before it.
    uses: BTreeSet<String>,
    /// Those that it gives to what follows: variables, functions, imports, and those that it changes.
    defines: BTreeSet<String>,
    /// Every name in it that means something by itself.
    words: BTreeSet<String>,
}

impl Session {
    pub(super) fn of(inputs: &[Typed]) -> Session {
        let known = inputs.iter().map(|input| Known {
            number: input.number,
            names: Names::of(&input.text),
            usable: matches!(input.came, Came::Done(_)) && !input.hidden,
            gave: input.came == Came::Done(true),
        });
        Session(known.collect())
    }

    /// The inputs from before the range that it cannot do without, and the name that each is needed for.
    pub(super) fn choose(&self, range: &RangeInclusive<usize>) -> BTreeMap<usize, String> {
        let mut chosen: BTreeMap<usize, String> = BTreeMap::new();
        let within = |known: &&Known| known.usable && range.contains(&known.number);
        let mut open: Vec<usize> = self.0.iter().filter(within).map(|known| known.number).collect();
        while let Some(number) = open.pop() {
            for name in self.uses(number) {
                let source = self.before(number).find(|known| known.gives(&name));
                let Some(source) = source.filter(|source| source.usable) else {
                    continue;
                };
                if !range.contains(&source.number) && !chosen.contains_key(&source.number) {
                    chosen.insert(source.number, shown(&name));
                    open.push(source.number);
                }
            }
        }
        chosen
    }

    /// A name that the input needs from an earlier one and that is not known.
    pub(super) fn missing(&self, number: usize, known: &BTreeSet<String>) -> Option<String> {
        let is_missing = |name: &&String| {
            let somebody = self.before(number).any(|earlier| earlier.gives(name));
            (somebody || results::is_result(name)) && !known.contains(*name)
        };
        self.uses(number).iter().find(is_missing).map(|name| shown(name))
    }

    /// What the input gives to those after it.
    pub(super) fn defines(&self, number: usize) -> BTreeSet<String> {
        let Some(known) = self.input(number) else {
            return BTreeSet::new();
        };
        let mut names = known.names.defines.clone();
        if known.gave {
            names.insert(results::numbered(number));
        }
        names
    }

    /// The input whose result `_` means in this one.
    pub(super) fn newest_before(&self, number: usize) -> Option<usize> {
        self.before(number)
            .find(|known| known.gave)
            .map(|known| known.number)
    }

    /// The inputs whose results these use.
    pub(super) fn results_used(&self, numbers: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let used = numbers.flat_map(|number| self.uses(number));
        used.filter_map(|name| name.strip_prefix('_')?.parse().ok())
            .collect()
    }

    /// Every name in these inputs.
    pub(super) fn words(&self, numbers: impl Iterator<Item = usize>) -> BTreeSet<String> {
        let known = numbers.filter_map(|number| self.input(number));
        known
            .flat_map(|known| known.names.words.iter().cloned())
            .collect()
    }

    /// What the input needs from before it; `_` under the name of the input that it means.
    fn uses(&self, number: usize) -> BTreeSet<String> {
        let Some(known) = self.input(number) else {
            return BTreeSet::new();
        };
        let mut uses = known.names.uses.clone();
        if uses.remove(results::LAST) {
            let newest = self.newest_before(number).unwrap_or_default();
            uses.insert(results::numbered(newest));
        }
        uses
    }

    fn input(&self, number: usize) -> Option<&Known> {
        self.0.iter().find(|known| known.number == number)
    }

    /// The inputs before this one, the newest first.
    fn before(&self, number: usize) -> impl Iterator<Item = &Known> {
        self.0.iter().rev().filter(move |known| known.number < number)
    }
}

impl Known {
    fn gives(&self, name: &str) -> bool {
        self.names.defines.contains(name) || (self.gave && results::numbered(self.number) == name)
    }
}

/// A result's name stays; `_0` is a `_` without any result before it.
fn shown(name: &str) -> String {
    if name == "_0" {
        results::LAST.to_owned()
    } else {
        name.to_owned()
    }
}

impl Names {
    fn of(text: &str) -> Names {
        let found: Vec<Piece> = pieces(text)
            .into_iter()
            .filter(|piece| piece.sort != Sort::Comment)
            .collect();
        let mut reader = Reader {
            text,
            found: &found,
            names: Names::default(),
            local: BTreeSet::new(),
            pending: Vec::new(),
            depth: 0,
        };
        let mut at = 0;
        while at < found.len() {
            at = reader.read(at);
        }
        reader.settle(0);
        reader.names
    }
}

/// Goes through an input from its first word to its last.
struct Reader<'a> {
    text: &'a str,
    found: &'a [Piece],
    names: Names,
    /// Names that mean something of this input from here on.
    local: BTreeSet<String>,
    /// Variables whose statement is not over, and how deep it lies.
    pending: Vec<(String, usize)>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn word(&self, at: usize) -> &'a str {
        self.found.get(at).map_or("", |piece| piece.text(self.text))
    }

    /// Reads what stands here, and gives where it ends.
    fn read(&mut self, at: usize) -> usize {
        let (word, next) = (self.word(at), self.word(at + 1));
        match word {
            "let" | "const" => {
                self.names.words.insert(next.to_owned());
                self.pending.push((next.to_owned(), self.depth));
                return at + 2;
            }
            "fn" => return self.function(at),
            "for" | "catch" => return self.declared(at + 1, &["in", "{"]),
            "as" => {
                self.define(next);
                return at + 2;
            }
            "|" if !self.is_operand(at) => return self.declared(at + 1, &["|"]),
            "(" | "[" | "{" | "#{" => self.depth += 1,
            ")" | "]" | "}" => {
                self.depth = self.depth.saturating_sub(1);
                self.settle(self.depth + 1);
            }
            ";" => self.settle(self.depth),
            _ if self.found[at].sort == Sort::Name => self.name(at),
            _ => {}
        }
        at + 1
    }

    /// Does a value end before this place?
    fn is_operand(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.found.get(at));
        before.is_some_and(|piece| {
            matches!(piece.sort, Sort::Name | Sort::Number | Sort::Text)
                || [")", "]", "}"].contains(&piece.text(self.text))
        })
    }

    /// Names up to one of these words are the input's own.
    fn declared(&mut self, from: usize, ends: &[&str]) -> usize {
        let mut at = from;
        while at < self.found.len() && !ends.contains(&self.word(at)) {
            if self.found[at].sort == Sort::Name {
                self.names.words.insert(self.word(at).to_owned());
                self.local.insert(self.word(at).to_owned());
            }
            at += 1;
        }
        if self.word(at) == "{" { at } else { at + 1 }
    }

    /// A function sees nothing from outside but functions and modules.
    fn function(&mut self, at: usize) -> usize {
        self.define(self.word(at + 1));
        let mut depth = 0_usize;
        let mut at = at + 2;
        while at < self.found.len() {
            let (word, next) = (self.word(at), self.word(at + 1));
            match word {
                "{" | "#{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ if self.found[at].sort == Sort::Name => {
                    let is_member = [".", "?.", "::"].contains(&self.word(at - 1));
                    if depth > 0 && !is_member && ["(", "::"].contains(&next) && !self.local.contains(word) {
                        self.names.uses.insert(word.to_owned());
                    }
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    fn name(&mut self, at: usize) {
        let (word, next) = (self.word(at), self.word(at + 1));
        let before = at.checked_sub(1).map_or("", |at| self.word(at));
        // `_ =>` is the last case of a `switch`, not a result.
        let is_case = word == results::LAST && next == "=>";
        if [".", "?.", "::"].contains(&before) || next == ":" || is_case {
            return;
        }
        self.names.words.insert(word.to_owned());
        if !self.local.contains(word) {
            self.names.uses.insert(word.to_owned());
        }
        let changes = [
            "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=",
        ];
        if changes.contains(&next) && !self.local.contains(word) {
            self.names.defines.insert(word.to_owned());
        }
    }

    fn define(&mut self, name: &str) {
        self.names.words.insert(name.to_owned());
        self.names.defines.insert(name.to_owned());
        self.local.insert(name.to_owned());
    }

    /// Variables of statements at this depth or deeper are there from now on; those of the input itself for others, too.
    fn settle(&mut self, depth: usize) {
        for (name, _) in self.pending.extract_if(.., |(_, at)| *at >= depth) {
            if depth == 0 {
                self.names.defines.insert(name.clone());
            }
            self.local.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_tells_what_it_needs_and_gives() {
        for (text, uses, defines) in [
            ("let a = b + 1; let c = a;", "b", "a c"),
            ("let x = x + 1", "x", "x"),
            ("x = 2; y += x", "x y", "x y"),
            ("list.map(|item| item.name + suffix)", "list suffix", ""),
            ("for (v, i) in list { let w = v; print(w + i) }", "list print", ""),
            ("fn f(a) { let b = a; g(b) + lib::h(c) }", "g lib", "f"),
            ("import \"lib\" as lib; lib::one()", "", "lib"),
            ("#{ id: app.id, note: _, n: _3 }", "_ _3 app", ""),
            ("`${who} ${3}`", "who", ""),
            ("try { risky() } catch (err) { print(err) }", "print risky", ""),
            ("if a || b { c }", "a b c", ""),
            ("const K = 1; K", "", "K"),
            ("switch n { 3 => a, _ => _ }", "_ a n", ""),
        ] {
            let names = Names::of(text);
            let join = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
            assert_eq!(
                (join(&names.uses).as_str(), join(&names.defines).as_str()),
                (uses, defines),
                "{text}"
            );
        }
    }
}
