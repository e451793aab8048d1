//! The names in one input.

use std::collections::{BTreeMap, BTreeSet};

use crate::script::scopes::{Binding, Scopes, Use, Used};

/// A function's name and number of parameters.
pub(in crate::script::interactive::saving) type Signature = (String, usize);

/// The names in an input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Names from earlier inputs that it needs to run.
    pub(super) uses: BTreeSet<String>,
    /// Names that it provides to later inputs: variables, functions, imports.
    pub(super) declares: BTreeSet<String>,
    /// Earlier variables that it may change.
    pub(super) changes: BTreeSet<String>,
    /// Variables that its closures may change when called.
    pub(super) in_closures: BTreeSet<String>,
    /// Its functions, with what each needs when called.
    pub(super) functions: BTreeMap<Signature, BTreeSet<String>>,
    /// The constants that it declares.
    pub(super) own_constants: BTreeSet<String>,
    /// The names of its imports.
    pub(super) modules: BTreeSet<String>,
    /// Constants that it or its functions use as `global::NAME`.
    pub(super) constants: BTreeSet<String>,
    /// Every standalone name in it, outside of functions.
    pub(super) identifiers: BTreeSet<String>,
}

impl Names {
    /// `is_known` tells which methods have a known effect, `is_own` which functions the session defines.
    pub(super) fn of(
        scopes: &Scopes,
        is_known: &dyn Fn(&str) -> bool,
        is_own: &dyn Fn(&str) -> bool,
    ) -> Names {
        let mut names = Names::default();
        for known in scopes.declared.iter().filter(|known| known.function.is_none()) {
            names.identifiers.insert(known.name.clone());
            if known.outer {
                names.declares.insert(known.name.clone());
            }
            let of_its_sort = match known.kind {
                Binding::Module => &mut names.modules,
                Binding::Constant => &mut names.own_constants,
                _ => continue,
            };
            if known.outer {
                of_its_sort.insert(known.name.clone());
            }
        }
        // A method belongs to the language or an operation unless the session has a function of that name.
        let counts = |used: &&Used| used.kind != Use::Method || is_own(&used.name);
        let used_here = scopes.used.iter().filter(|used| used.function.is_none());
        for used in used_here.filter(counts) {
            names.identifiers.insert(used.name.clone());
            let means = used.means.and_then(|index| scopes.declared.get(index));
            if means.is_none_or(|known| known.outer) && used.may_change(is_known) && used.closure.is_some() {
                names.in_closures.insert(used.name.clone());
            }
        }
        for used in scopes.free().filter(counts) {
            names.uses.insert(used.name.clone());
            if used.may_change(is_known) {
                names.changes.insert(used.name.clone());
            }
        }
        for function in &scopes.functions {
            names.identifiers.insert(function.name.clone());
            names.declares.insert(function.name.clone());
            let needs = scopes.free_in(function).filter(|used| used.kind != Use::Variable);
            let called = scopes.used.iter().filter(|used| {
                // Other functions of this input have needs, too.
                matches!(used.kind, Use::Call | Use::Method) && function.at.contains(&used.at.start)
            });
            let name = |used: &Used| used.name.clone();
            let signature = (function.name.clone(), function.params.len());
            let all = names.functions.entry(signature).or_default();
            all.extend(needs.chain(called).filter(counts).map(name));
            all.remove(&function.name);
        }
        let constants = scopes.used.iter().filter(|used| used.kind == Use::Global);
        names.constants.extend(constants.map(|used| used.name.clone()));
        names
    }

    /// The functions of this name.
    pub(super) fn signatures(&self, name: &str) -> impl Iterator<Item = &Signature> {
        self.functions.keys().filter(move |(known, _)| known == name)
    }

    /// Whether both define the same function or the same constant.
    pub(super) fn shares_signature(&self, other: &Names, name: &str) -> bool {
        let both = |constants: &BTreeSet<String>| constants.contains(name);
        let mut signatures = self.signatures(name);
        signatures.any(|signature| other.functions.contains_key(signature))
            || (both(&self.own_constants) && both(&other.own_constants))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_an_input_uses_and_defines_are_found() {
        for (text, uses, gives) in [
            ("let a = b + 1; let c = a;", "b", "a c"),
            ("let x = x + 1", "x", "x"),
            ("x = 2; y += x", "x y", "x y"),
            ("list.map(|item| item.name + suffix)", "list suffix", ""),
            ("for (v, i) in list { let w = v; print(w + i) }", "list print", ""),
            ("import \"lib\" as lib; lib::one()", "", "lib"),
            ("#{ id: app.id, note: _, n: _3 }", "_ _3 app", ""),
            ("`${who} ${3}`", "who", ""),
            ("try { risky() } catch (err) { print(err) }", "print risky", ""),
            ("if a || b { c }", "a b c", ""),
            ("const K = 1; K", "", "K"),
            ("switch n { 3 => a, _ => _ }", "_ a n", ""),
            // Outside of its scope, the name is needed from elsewhere.
            ("xs.map(|x| x); x", "x xs", ""),
            ("for i in 0..3 { i } i", "i", ""),
            ("try { f() } catch (e) { e } e", "e f", ""),
            ("{ let a = 1; } a", "a", ""),
            (
                "list.push(x); m.a = 1; n[\"k\"] += 1; l[0] = len(l)",
                "l len list m n x",
                "l list m n",
            ),
        ] {
            let is_known = |name: &str| ["map", "print", "len"].contains(&name);
            let names = Names::of(&Scopes::of(text), &is_known, &|_| false);
            let join =
                |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>().join(" ");
            assert_eq!(
                (
                    join(&mut names.uses.iter()).as_str(),
                    join(&mut names.declares.union(&names.changes)).as_str()
                ),
                (uses, gives),
                "{text}"
            );
        }
    }

    #[test]
    fn a_function_body_adds_no_dependencies_to_its_input() {
        let text = "fn f(a) { let b = a; g(b).i() + lib::h(c).j() + global::K }";
        let names = Names::of(&Scopes::of(text), &|_| true, &|name| name == "i");
        assert!(names.uses.is_empty());
        let needs: Vec<&str> = names.functions[&("f".to_owned(), 1)]
            .iter()
            .map(String::as_str)
            .collect();
        assert_eq!(needs, ["K", "g", "i", "lib"]);
        assert_eq!(names.constants.iter().collect::<Vec<_>>(), ["K"]);
    }

    #[test]
    fn variables_changed_inside_closures_are_found() {
        let text = "let n = 0; let add = |x| { list.push(x); n += 1; let y = 1; y += 1 }";
        let names = Names::of(&Scopes::of(text), &|_| false, &|_| false);
        assert_eq!(names.in_closures.iter().collect::<Vec<_>>(), ["list", "n"]);
    }
}
