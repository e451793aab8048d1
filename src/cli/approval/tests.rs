//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn an_approval_covers_its_named_profiles_or_every_profile() {
    assert!(!Approvals::default().covers("acme"));
    let acme = Approvals::to(["acme".to_owned()]);
    assert!(acme.covers("acme") && !acme.covers("globex"));
    assert!(Approvals::for_all_profiles().covers("acme"));
    assert!(Approvals::to(Approvals::for_all_profiles().names()).covers("acme"));
}

fn compiled(text: &str) -> Script {
    use crate::script::bundle::{Bundle, Loader, Source};
    struct Nothing;
    impl Loader for Nothing {
        fn load(&self, _: &str, _: &str) -> Result<Source, String> {
            Err("there is nothing".to_owned())
        }
    }
    let host = crate::script::host::Host::new(&crate::platforms::catalogue());
    let bundle = Bundle::collect(&Source::new("main.rhai", text), &Nothing).unwrap();
    Script::compile(&host, bundle).unwrap()
}

#[test]
fn the_approval_prompt_lists_hosts_that_user_entered_secrets_may_reach() {
    let text = "// see https://docs.example/\n/// @param key secret\nfn main(key, base) {\n\
                http::post(\"https://CRM.example.com/a?b=1\", #{bearer: key});\n\
                http::post(`http://localhost:8080/${base}`, #{bearer: key}); }\n";
    let plan = RunPlan {
        constants: [("base".to_owned(), Value::from("https://given.example/x"))].into(),
        ..RunPlan::default()
    };
    assert_eq!(
        secret_destinations(&compiled(text), &plan).unwrap(),
        "the value you pass as `key` may go to crm.example.com, given.example, localhost:8080, and to hosts that the script does \
         not name"
    );
    let asks = "let p = ask_secret(\"?\"); mobsted::connect(#{url: \"https://\" + ask(\"where?\"), login: \"a\", password: p}).apps()";
    assert_eq!(
        secret_destinations(&compiled(asks), &RunPlan::default()).unwrap(),
        "the value you pass as `ask_secret` may go to hosts that the script does not name"
    );
    assert_eq!(
        secret_destinations(&compiled("http::get(\"https://a.example\")"), &RunPlan::default()),
        None
    );
}
