#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::ops;
use crate::script::host::Host;

fn save(inputs: &[(&str, Came)]) -> Saved {
    let typed: Vec<Typed> = inputs
        .iter()
        .enumerate()
        .map(|(index, (text, came))| Typed {
            number: index + 1,
            text: (*text).to_owned(),
            came: came.clone(),
        })
        .collect();
    Workspace::new(&Host::new(ops::ALL, ops::KINDS)).save(&typed, "Saved.")
}

#[test]
fn literals_become_parameters_and_functions_move_to_the_top() {
    let saved = save(&[
        ("let partner = mobsted::connect()", Came::Done(false)),
        ("/// Adds.\nfn add(a, b) { a + b }", Came::Done(false)),
        ("import \"lib\" as lib", Came::Done(false)),
        (
            "let t = partner.ensure_tenant(\"ann@example.com\")",
            Came::Done(false),
        ),
        ("partner.oops()", Came::Failed("there is no method `oops`".into())),
        ("let password = \"hunter2\"", Came::Secret),
        (
            "let app = t.connect().ensure_app(\"Ann's\", \"https://ann.example\")",
            Came::Done(false),
        ),
        (
            "print(\"ann@example.com\"); `mail ${\"x@y.example\"}`",
            Came::Done(true),
        ),
        ("#{ id: app.id, note: _ }", Came::Done(true)),
    ]);
    insta::assert_snapshot!(saved.text, @r#"
    //! Saved.

    import "lib" as lib;

    /// Adds.
    fn add(a, b) { a + b }

    /// What was entered at the prompt.
    ///
    /// @param email    email   for example ann@example.com
    /// @param name     string  for example Ann's
    /// @param site     url     for example https://ann.example
    /// @param email_2  email   for example x@y.example
    fn main(email, name, site, email_2) {
        let partner = mobsted::connect();
        let t = partner.ensure_tenant(email);
        // failed: there is no method `oops`
        //     partner.oops()
        // input 6 is left out: it may hold a secret
        let app = t.connect().ensure_app(name, site);
        print(email);
        let result_8 = `mail ${email_2}`;
        #{ id: app.id, note: result_8 }
    }
    "#);
}

#[test]
fn results_without_their_input_are_left_out() {
    let saved = save(&[
        ("1 + 1", Came::Failed("no".into())),
        ("_1 * 2", Came::Done(true)),
        ("2 // two", Came::Done(true)),
        ("_ + _3", Came::Done(true)),
        ("let s = `a\nb`;", Came::Done(false)),
    ]);
    insta::assert_snapshot!(saved.text, @r"
    //! Saved.

    /// What was entered at the prompt.
    fn main() {
        // failed: no
        //     1 + 1
        // it uses a result that is not among the saved inputs
        //     _1 * 2
        let result_3 = 2 // two
        ;
        result_3 + result_3;
        let s = `a
    b`;
    }
    ");
}
