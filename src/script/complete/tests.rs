#![allow(clippy::unwrap_used, reason = "tests")]

use super::cursor::{CursorContext, LiteralCompletion, is_of_sub_account};
use super::members;
use crate::script::host::Host;
use crate::script::infer::{missing, type_of};
use crate::script::interactive::Workspace;
use crate::syntax::SourceText;
use crate::value::{Object, Value};
use serde_json::json;

fn space() -> Workspace {
    let mut space = Workspace::new(&Host::new(&crate::platforms::catalogue()));
    let session = Object::new("mobsted::Session", [("login", Value::from("me@example.com"))]);
    let tenant = Object::new("mobsted::Tenant", [("email", Value::from("ann@example.com"))]);
    space.set("partner", Value::Object(session));
    space.set("tenants", Value::List(vec![Value::Object(tenant)]));
    let row =
        json!({"email": "ann@example.com", "address": {"city": "Bern"}, "not a name": 1, "tags": ["x"]});
    space.set("row", Value::from_json(row));
    space.set("text", Value::from("x"));
    space
}

/// The candidates for the typed text.
fn titles(typed: &str) -> Vec<String> {
    let found = super::complete(&space(), typed).candidates;
    found.into_iter().map(|one| one.title).collect()
}

fn cursor_context<'a>(space: &Workspace, typed: &'a str) -> CursorContext<'a> {
    super::cursor_context(space, &SourceText::read(typed))
}

#[track_caller]
fn follows(typed: &str, wanted: &[&str]) {
    let found = titles(typed);
    for title in wanted {
        assert!(
            found.iter().any(|known| known == title),
            "{typed}: {title} is not in {found:?}"
        );
    }
}

#[test]
fn completion_offers_session_variables_platforms_and_keywords() {
    follows("", &["partner", "row", "mobsted::", "now()"]);
    follows("let x = par", &["partner"]);
    follows("mobsted::", &["connect([account])"]);
    follows("prin", &["print(data)"]);
    follows("whi", &["while"]);
    assert!(
        !titles("").iter().any(|title| title.starts_with("print")),
        "the language waits for a letter"
    );
    assert_eq!(titles("let ne"), Vec::<String>::new());
}

#[test]
fn completion_after_a_dot_offers_members_of_the_type() {
    follows(
        "partner.",
        &["login", "ensure_tenant(email, [options])", "tenants()"],
    );
    follows("partner.ensure_t", &["ensure_tenant(email, [options])"]);
    follows("tenants[0].", &["email", "connect()"]);
    follows("tenants.", &["len()", "map(map)"]);
    follows("row.", &["email", "address", "keys()"]);
    follows("row.address.", &["city"]);
    follows("row[\"address\"].", &["city"]);
    follows("row.tags[0].to_", &["to_upper()"]);
    follows("text.to_u", &["to_upper()"]);
    follows("\"x\".to_u", &["to_upper()"]);
    let found = titles("row.");
    assert!(!found.contains(&"not a name".to_owned()), "{found:?}");
    assert_eq!(titles("unknown."), Vec::<String>::new());
}

#[test]
fn completion_follows_declared_return_types_of_call_chains() {
    follows("mobsted::connect().", &["ensure_tenant(email, [options])"]);
    follows(
        "let t = mobsted::connect().ensure_tenant(\"a(b\", #{adopt: true}).",
        &["password", "connect()"],
    );
    follows(
        "mobsted::connect().ensure_tenant(\"a\").connect().",
        &["ensure_app(name, site, [options])"],
    );
    follows("mobsted::connect().tenants()[0].", &["email"]);
    follows(
        "http::connect(\"crm\").",
        &["url", "get(url, [options])", "patch(url, [options])"],
    );
    follows("http::connect(\"crm\").post(\"/x\").", &["status", "body"]);
    follows("partner.tenants().filter(|t| t.email != \"\")[0].", &["email"]);
    follows("if partner.", &["login"]);
    follows("f(1, partner.", &["login"]);
    follows("`${partner.", &["login"]);
}

#[test]
fn completion_offers_option_keys_inside_an_options_map() {
    follows("partner.ensure_tenant(\"a\", #{", &["adopt: bool"]);
    let found = titles("ann.connect().ensure_app(\"n\", \"s\", #{adopt: true, ");
    assert!(
        !found.is_empty() && !found.iter().any(|title| title.starts_with("adopt")),
        "{found:?}"
    );
    follows(
        "mobsted::connect(#{",
        &["url: string", "login: string", "password: string or secret"],
    );
    follows(
        "let j = jrni::connect(#{ url: \"https://x.example\", app",
        &["app_id: string", "app_key: string or secret"],
    );
    follows("http::connect(#{", &["url: string", "bearer: string or secret"]);
    follows(
        "http::connect(\"crm\").put(\"/x\", #{",
        &["json: any value", "check: bool"],
    );
    follows(
        "sparrow::connect(#{",
        &["api_token: string or secret", "partner_token: string or secret"],
    );
    assert!(
        !titles("mobsted::connect(#{ url: \"x\", ")
            .iter()
            .any(|title| title.starts_with("url"))
    );
    assert_eq!(titles("partner.ensure_tenant(#{"), Vec::<String>::new());
    assert_eq!(titles("let x = #{"), Vec::<String>::new());
}

#[test]
fn completion_inside_quotes_offers_paths_or_profiles() {
    let space = space();
    assert_eq!(
        cursor_context(&space, "import \"lib/x"),
        CursorContext::Text {
            start: 8,
            wanted: LiteralCompletion::Path
        }
    );
    assert_eq!(
        cursor_context(&space, "mobsted::connect(\"ac"),
        CursorContext::Text {
            start: 18,
            wanted: LiteralCompletion::Profile
        }
    );
    for (typed, wanted) in [
        ("mobsted::connect(#{ profile: \"", LiteralCompletion::Profile),
        (
            "http::get(u, #{ check: true, profile: \"ac",
            LiteralCompletion::Profile,
        ),
        ("let x = #{ profile: \"", LiteralCompletion::Nothing),
        ("f(#{ profile: \"", LiteralCompletion::Nothing),
        ("http::get(\"", LiteralCompletion::Nothing),
        ("greet(\"An", LiteralCompletion::Nothing),
        ("let file = \"./da", LiteralCompletion::Path),
        ("let file = \"/tmp", LiteralCompletion::Path),
        ("[\"x", LiteralCompletion::Nothing),
    ] {
        assert!(
            matches!(cursor_context(&space, typed), CursorContext::Text { wanted: found, .. } if found == wanted),
            "{typed}"
        );
    }
    assert_eq!(
        cursor_context(&space, "\"done\""),
        CursorContext::Name { start: 6 }
    );
    assert_eq!(cursor_context(&space, "// a comment par"), CursorContext::Nothing);
}

#[test]
fn completion_writes_non_identifier_keys_in_brackets() {
    let space = space();
    assert_eq!(titles("row[\""), ["address", "email", "not a name", "tags"]);
    assert_eq!(titles("row.address[\"c"), ["city"]);
    let CursorContext::Member { start, of } = cursor_context(&space, "row.") else {
        panic!("a member");
    };
    let (start, found) = members::complete_member(&space, &of, "row.", start);
    let replacements: Vec<&str> = found.iter().map(|one| one.replacement.as_str()).collect();
    assert_eq!(start, 3);
    assert!(
        replacements.contains(&"[\"not a name\"]") && replacements.contains(&".email"),
        "{replacements:?}"
    );
    let (start, found) = members::complete_member(&space, &of, "row.em", 4);
    assert_eq!((start, found[0].replacement.as_str()), (4, "email"));
    let index = members::index(&of, "not");
    assert_eq!(index[0].replacement, "not a name\"]");
}

#[test]
fn completion_distinguishes_tenant_sessions_from_master_accounts() {
    let mut space = space();
    let own = Object::new("mobsted::Session", [("$role", Value::from("tenant"))]);
    space.set("own", Value::Object(own));
    for (typed, is_own) in [
        ("own", true),
        ("partner", false),
        ("tenants[0].connect()", true),
        ("mobsted::connect()", false),
        ("partner.find_tenant(\"x\").connect()", true),
        ("partner.ensure_tenant(\"x\").connect()", true),
        ("", false),
    ] {
        assert_eq!(is_of_sub_account(&space, typed), is_own, "{typed}");
    }
    let hidden: Vec<String> = members::refused_to_sub_accounts(space.catalogue(), "mobsted::Session")
        .into_iter()
        .map(|one| one.replacement)
        .collect();
    assert!(
        hidden.contains(&"tenants()".to_owned()) && hidden.contains(&"ensure_tenant(".to_owned()),
        "{hidden:?}"
    );
    assert!(!hidden.contains(&"apps()".to_owned()));
}

#[test]
fn completion_infers_types_of_local_and_loop_variables() {
    follows("let s = sparrow::connect(); s.", &["send_viber(message)"]);
    follows("let t = partner.tenants(); for q in t { q.", &["email"]);
    follows("for q in tenants { q.", &["email"]);
    follows("tenants.map(|r| r.", &["email"]);
    follows("partner.tenants().filter(|one| one.", &["email"]);
    assert_eq!(titles("let s = s.").len(), 0);
    assert_eq!(titles("tenants.map(|r| q.").len(), 0);
}

#[test]
fn completion_offers_keys_of_nested_option_maps() {
    follows(
        "http::get(\"x\", #{ basic: #{",
        &["user: string", "password: string or secret"],
    );
    follows(
        "http::get(\"x\", #{ check: true, basic: #{ user: \"a\", pass",
        &["password: string or secret"],
    );
    follows(
        "sparrow::connect().send_viber(#{ action: #{",
        &["url: string", "caption: string"],
    );
    follows(
        "sparrow::connect().send_viber(#{ action: #{ url: \"x\" }, ",
        &["image: string"],
    );
    assert_eq!(titles("http::get(\"x\", #{ headers: #{").len(), 0);
    assert_eq!(titles("let x = #{ basic: #{").len(), 0);
}

#[test]
fn completion_offers_fields_of_http_responses_and_caught_errors() {
    follows("http::get(u).", &["status", "headers", "body"]);
    follows("let a = http::post(u, #{}); a.", &["status", "headers", "body"]);
    follows(
        "try { f() } catch (err) { err.",
        &["kind", "message", "status", "hint"],
    );
    follows("try { f() } catch (err) { err.kind.to_u", &["to_upper()"]);
}

#[test]
fn completion_inspects_elements_of_a_live_list() {
    let mut space = space();
    let rows = json!([{"a": {"city": "Bern", "b": {"deep": 1}}, "tags": [{"id": 1}]}]);
    space.set("rows", Value::from_json(rows));
    for (typed, key) in [
        ("rows[0].a.", "city"),
        ("rows.map(|row| row.a.", "city"),
        ("rows.map(|row| row.a.b.", "deep"),
        ("for row in rows { row.a.", "city"),
        ("for row in rows { let a = row.a; a.b.", "deep"),
        ("for row in rows { for tag in row.tags { tag.", "id"),
        ("rows.filter(|row| row.a.city == \"\").map(|row| row.", "a"),
    ] {
        let CursorContext::Member { start, of } = cursor_context(&space, typed) else {
            panic!("{typed}");
        };
        let found = members::members(&space, &of, &typed[start..]);
        assert!(found.iter().any(|one| one.title == key), "{typed}: {found:?}");
    }
}

#[test]
fn expression_types_are_inferred_without_evaluation() {
    let space = space();
    let words = |text: &str| type_of(&space, text).words();
    for (text, ty) in [
        ("mobsted::connect()", "mobsted::Session"),
        ("partner.tenants()", "list of mobsted::Tenant"),
        ("partner.tenants().len()", "int"),
        ("tenants[0].email", "string"),
        ("row.address", "map"),
        ("1 + 2", "int"),
        ("1 + 2.5", "float"),
        ("\"a\" + 1", "string"),
        ("text.len() > 3", "bool"),
        ("`a ${1} b`", "string"),
        ("#{a: 1}.a", "int"),
        ("#{a: [1.5]}.a[0]", "float"),
        ("[1.5, 2][0]", "float"),
        ("let x = tenants[0]", "mobsted::Tenant"),
        ("tenants.map(|t| t.email)", "list of string"),
        (
            "tenants.map(|t| t.connect()).filter(|s| true)[0].apps()",
            "list of mobsted::App",
        ),
        ("tenants.find(|t| t.email == \"x\")", "mobsted::Tenant"),
        ("text[0]", "char"),
        ("!true", "bool"),
        ("-1.5", "float"),
        ("0..10", "range"),
        ("|x| x + 1", "closure"),
        ("row[\"address\"].city", "string"),
        ("row.address.city.len() * 2", "int"),
        ("tenants[0] ?? 1", ""),
        ("text ?? \"none\"", "string"),
        ("if 1 < 2 { 1 } else { 2 }", ""),
        ("(1 + 2).to_string()", "string"),
        ("nothing_known()", ""),
        ("", ""),
        (")(", ""),
        ("a.", ""),
    ] {
        assert_eq!(words(text), ty, "{text}");
    }
}

#[test]
fn only_certainly_missing_names_and_members_are_reported() {
    let mut space = space();
    space.define(
        "lib",
        "fn greet(name) { if name == \"\" { 1 } else { name } }",
        &(),
    );
    let told = |text: &str| missing(&space, text).map(|(what, _)| what);
    for (text, what) in [
        ("partner.nope", "this mobsted::Session has no `nope`"),
        ("partner.nope(1).x", "this mobsted::Session has no `nope`"),
        ("row.nope", "this map has no `nope`"),
        ("nope(1)", "there is no function `nope`"),
        ("nope", "there is no variable `nope`"),
        ("row.email + nope", "there is no variable `nope`"),
    ] {
        assert_eq!(told(text).as_deref(), Some(what), "{text}");
    }
    for text in [
        "greet(\"x\")",
        "partner.login",
        "partner.greet()",
        "row.greet()",
        "row.address.city.greet()",
        "http::get(\"u\").body.anything",
        "if true { 1 } else { \"x\" }",
        "type_of(row)",
        "ask(\"x\")",
        "row.tags.map(|tag| tag.nope)",
        "let a = 1; a",
    ] {
        assert_eq!(told(text), None, "{text}");
    }
    assert_eq!(type_of(&space, "()").words(), "()");
}

#[test]
fn return_types_of_session_functions_are_inferred_from_their_definitions() {
    let mut space = space();
    let defined = "fn first(list) { let one = list[0]; one }
        fn greet(name) { `hello ${name}` }
        fn quiet(a) { a; }
        fn branches(a) { if a { 1 } else { \"x\" } }
        fn early(a) { return 1; \"x\" }
        fn again(a) { again(a) }
        fn site(tenant) { tenant.connect().apps() }
        /// @return mobsted::Tenant
        fn somebody(n) { branches(n) }";
    space.define("lib", defined, &());
    for (text, ty) in [
        ("first(tenants)", "mobsted::Tenant"),
        ("first(tenants).email", "string"),
        ("tenants.first()", "mobsted::Tenant"),
        ("greet(\"Ann\").len()", "int"),
        ("quiet(1)", "()"),
        ("branches(true)", ""),
        ("early(true)", ""),
        ("again(1)", ""),
        ("site(tenants[0])[0]", "mobsted::App"),
        ("tenants[0].site()", "list of mobsted::App"),
        ("somebody(1).email", "string"),
        ("first()", ""),
    ] {
        assert_eq!(type_of(&space, text).words(), ty, "{text}");
    }
}

#[test]
fn completion_never_panics_on_partial_input() {
    let whole =
        "partner.ensure_tenant(\"日本\", #{adopt: true}).connect().apps()[0]. `x ${row.address.` :: ]})";
    for (at, _) in whole.char_indices() {
        let _ = titles(&whole[..at]);
        let _ = titles(&whole[at..]);
    }
}

#[test]
fn nothing_is_offered_inside_of_a_template() {
    for typed in [
        "`par",
        "`${row.email} par",
        "`${row.email}${row.email} par",
        "#\"par",
        "'p",
    ] {
        assert_eq!(titles(typed), Vec::<String>::new(), "{typed}");
    }
    follows("`${row.email} ${par", &["partner"]);
    follows("`${row.email}` + par", &["partner"]);
}
