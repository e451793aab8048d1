//! Constants that functions use. A function sees only those at the top of a script, so they are moved there from
//! `main` with everything their values need; in `main`, a constant of that name takes its value from there.

use std::collections::{BTreeMap, BTreeSet};

use super::split::{PieceKind, pieces};
use crate::operation::spec::Effect;
use crate::script::host::Host;
use crate::script::interactive::results;
use crate::script::scopes::{Binding, Scopes, Use};
use crate::script::tokens;

/// The statements that move to the top.
#[derive(Debug, Default)]
pub(super) struct Hoisted {
    /// Maps (input, index of the piece in it) to the declared name.
    moved: BTreeMap<(usize, usize), String>,
    /// Constants that cannot move, with the reason.
    immovable_reason: BTreeMap<String, String>,
    /// Names that statements of `main` need.
    needed: BTreeSet<String>,
}

/// A statement of an input that is saved.
struct Statement {
    place: (usize, usize),
    declares: Option<(String, Binding)>,
    /// Variables and results that it needs from other statements.
    needs: BTreeSet<String>,
    changes: BTreeSet<String>,
    reach: StatementEffect,
}

/// The effect of a statement on the outside world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum StatementEffect {
    /// It has none.
    None,
    /// It only reads.
    Reads,
    /// It may change something.
    Changes,
}

impl Hoisted {
    /// Finds the statements to move for these constants. `is_secret` detects texts that must not be written;
    /// `is_known` tells which methods have a known effect.
    pub(super) fn find(
        host: &Host,
        wanted: &BTreeSet<String>,
        inputs: &[(usize, &str)],
        is_secret: &dyn Fn(&str) -> bool,
        is_known: &dyn Fn(&str) -> bool,
    ) -> Hoisted {
        let mut all = Vec::new();
        let mut secret = BTreeSet::new();
        for (number, text) in inputs {
            for (index, piece) in pieces(text).iter().enumerate() {
                if piece.kind == PieceKind::Statement {
                    let place = (*number, index);
                    all.push(Statement::of(host, place, &piece.text, is_known));
                    if is_secret(&piece.text) {
                        secret.insert(place);
                    }
                }
            }
        }
        let mut hoisted = Hoisted::default();
        for name in wanted {
            let is_declaration = |statement: &Statement| matches!(&statement.declares, Some((known, Binding::Constant)) if known == name);
            let Some(at) = all.iter().rposition(is_declaration) else {
                continue;
            };
            let mut moved = hoisted.moved.clone();
            match gather(&all, at, &secret, &mut moved).and_then(|()| check_effect_order(&all, &moved)) {
                Ok(()) => hoisted.moved = moved,
                Err(reason) => drop(hoisted.immovable_reason.insert(name.clone(), reason)),
            }
        }
        let not_hoisted = all
            .iter()
            .filter(|statement| !hoisted.moved.contains_key(&statement.place));
        hoisted.needed = not_hoisted
            .flat_map(|statement| statement.needs.iter().cloned())
            .collect();
        hoisted
    }

    /// Whether a statement of `main` needs this name.
    pub(super) fn is_needed(&self, name: &str) -> bool {
        self.needed.contains(name)
    }

    /// Returns the name declared by a piece that moves to the top.
    pub(super) fn moved(&self, input: usize, piece: usize) -> Option<&str> {
        self.moved.get(&(input, piece)).map(String::as_str)
    }

    /// Whether this constant is at the top.
    pub(super) fn has(&self, constant: &str) -> bool {
        self.moved.values().any(|name| name == constant)
    }

    /// Why a constant cannot move to the top.
    pub(super) fn immovable_reason(&self, constant: &str) -> Option<&str> {
        self.immovable_reason.get(constant).map(String::as_str)
    }
}

/// Turns the statement into a constant declaration, and returns whether it declared a variable.
pub(super) fn as_constant(statement: &str) -> (String, bool) {
    let found = tokens::pieces(statement);
    let word = found
        .iter()
        .find(|piece| piece.kind != tokens::TokenKind::Comment);
    let mut text = statement.to_owned();
    match word {
        Some(word) if word.text(statement) == "let" => {
            text.replace_range(word.at.clone(), "const");
            (text, true)
        }
        _ => (text, false),
    }
}

/// Moves the statement with this index, and those that declare what it needs.
fn gather(
    all: &[Statement],
    at: usize,
    secret: &BTreeSet<(usize, usize)>,
    moved: &mut BTreeMap<(usize, usize), String>,
) -> Result<(), String> {
    let statement = &all[at];
    let Some((name, _)) = &statement.declares else {
        return Err("its value is not a plain statement".into());
    };
    if moved.contains_key(&statement.place) {
        return Ok(());
    }
    if secret.contains(&statement.place) {
        return Err("its value may hold a secret".into());
    }
    for needed in &statement.needs {
        let stays = || format!("its value needs `{needed}`, which only `main` has");
        let declares = |other: &Statement| matches!(&other.declares, Some((known, _)) if known == needed);
        let source = all[..at].iter().rposition(declares).ok_or_else(stays)?;
        let changed = all[source + 1..at]
            .iter()
            .any(|other| other.changes.contains(needed));
        let again = moved
            .iter()
            .any(|(place, known)| known == needed && *place != all[source].place);
        if changed || again || results::is_result(needed) {
            return Err(stays());
        }
        gather(all, source, secret, moved)?;
    }
    let again = moved.values().any(|known| known == name);
    if again {
        return Err(format!("its value needs another `{name}`"));
    }
    moved.insert(statement.place, name.clone());
    Ok(())
}

/// Checks that moving the statements does not change the order of effects.
fn check_effect_order(all: &[Statement], moved: &BTreeMap<(usize, usize), String>) -> Result<(), String> {
    let mut passed = StatementEffect::None;
    for statement in all {
        if !moved.contains_key(&statement.place) {
            passed = passed.max(statement.reach);
        } else if statement.reach != StatementEffect::None
            && passed.max(statement.reach) == StatementEffect::Changes
            && passed != StatementEffect::None
        {
            return Err("its value depends on what was done before it".into());
        }
    }
    Ok(())
}

impl Statement {
    fn of(host: &Host, place: (usize, usize), text: &str, is_known: &dyn Fn(&str) -> bool) -> Statement {
        let scopes = Scopes::of(text);
        let mut outer = scopes.declared.iter().filter(|known| known.outer);
        let declares = match (outer.next(), outer.next()) {
            (Some(only), None) if matches!(only.kind, Binding::Variable | Binding::Constant) => {
                Some((only.name.clone(), only.kind))
            }
            _ => None,
        };
        let is_variable = |kind: Use| matches!(kind, Use::Variable | Use::Global);
        let needs = scopes.free().filter(|used| is_variable(used.kind));
        let changes = scopes.free().filter(|used| used.may_change(is_known));
        Statement {
            place,
            declares,
            needs: needs.map(|used| used.name.clone()).collect(),
            changes: changes.map(|used| used.name.clone()).collect(),
            reach: reach(host, text, is_known),
        }
    }
}

/// Determines the effect of a statement from the names of the functions it calls.
fn reach(host: &Host, text: &str, is_known: &dyn Fn(&str) -> bool) -> StatementEffect {
    let found = tokens::pieces(text);
    let called = found.windows(2).filter(|pair| pair[1].text(text) == "(");
    let reaches = called.map(|pair| {
        let name = pair[0].text(text);
        let is_name = pair[0].kind == tokens::TokenKind::Name;
        let operations = host.operations().iter().filter(|op| op.name == name);
        let each = operations.map(|op| match op.effect {
            Effect::Sign => StatementEffect::None,
            Effect::Observe => StatementEffect::Reads,
            _ => StatementEffect::Changes,
        });
        each.max().unwrap_or(if is_name && !is_known(name) {
            StatementEffect::Changes
        } else {
            StatementEffect::None
        })
    });
    reaches.max().unwrap_or(StatementEffect::None)
}
