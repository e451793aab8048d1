#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const MAIN: &str = "file:///work/main.rhai";
const LIBRARY: &str = "file:///work/lib.rhai";

const TEXT: &str = "\
import \"lib\" as lib;
const RATE = 2;

/// Price it.
///
/// @param amount int  how much
fn price(amount) {
    amount * global::RATE
}

fn main(email) {
    let tenant = mobsted::connect().ensure_tenant(email, #{ adopt: true });
    let total = price(3);
    lib::greet(`${tenant.email}`, total);
    tenant.connect()
}
";

/// The folder `/work`, with one file.
struct Folder;

impl Loader for Folder {
    fn load(&self, _: &str, import: &str) -> Result<Source, String> {
        match import {
            "lib" => Ok(Source::new(
                "/work/lib.rhai",
                "/// Greet.\nfn greet(name, total) { name + total }",
            )),
            other => Err(format!("there is no {other}")),
        }
    }
}

fn server() -> Server {
    let mut server = Server::new(Workplace {
        host: Host::new(&crate::platforms::catalogue()),
        test_host: Host::for_tests(&crate::platforms::catalogue(), None),
        is_test: |path| path.to_string_lossy().ends_with(".test.rhai"),
        loader: Box::new(|_, _| Box::new(Folder)),
        reserved: BTreeSet::from(["jobs".to_owned()]),
    });
    server.answer("initialize", json!({})).unwrap();
    server
}

fn open(server: &mut Server, uri: &str, text: &str) {
    let item = json!({ "uri": uri, "languageId": "rhai", "version": 1, "text": text });
    server
        .note("textDocument/didOpen", json!({ "textDocument": item }))
        .unwrap();
}

/// Requests something at the place right behind the first `before` in a text.
fn at(method: &str, text: &str, before: &str) -> Json {
    let mut server = server();
    open(&mut server, MAIN, text);
    let byte = text.find(before).unwrap() + before.len();
    let position = server.documents[MAIN].position(byte);
    let params = json!({ "textDocument": { "uri": MAIN }, "position": position });
    server.answer(method, params).unwrap()
}

fn hover(before: &str) -> String {
    let found = at("textDocument/hover", TEXT, before);
    found["contents"]["value"].as_str().unwrap_or_default().to_owned()
}

/// The line and character of a definition, and its document.
fn definition(before: &str) -> (String, u64, u64) {
    let found = at("textDocument/definition", TEXT, before);
    let start = &found["range"]["start"];
    (
        found["uri"].as_str().unwrap_or_default().to_owned(),
        start["line"].as_u64().unwrap_or_default(),
        start["character"].as_u64().unwrap_or_default(),
    )
}

fn messages(server: &mut Server) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    while let Some((uri, findings)) = server.next_findings() {
        let findings = findings["diagnostics"].as_array().unwrap();
        let line = |finding: &Json| {
            let start = &finding["range"]["start"];
            let message = finding["message"].as_str().unwrap();
            format!(
                "{}:{} {}",
                start["line"],
                start["character"],
                message.lines().next().unwrap()
            )
        };
        found.insert(uri.clone(), findings.iter().map(line).collect());
        server.stale.remove(&uri);
    }
    found
}

#[test]
fn hover_describes_every_kind_of_name() {
    for (before, description) in [
        (
            "ensure_ten",
            "session.ensure_tenant(email, [options]) -> mobsted::Tenant",
        ),
        ("mobs", "mobsted::"),
        ("${tenant.em", "email: string"),
        ("let ten", "let tenant: mobsted::Tenant"),
        ("total = pri", "fn price(amount)\n```\n\nPrice it."),
        ("amount * global::RA", "const RATE: int"),
        ("    amo", "amount: int"),
        ("lib::gre", "lib::greet(name, total)\n```\n\nGreet."),
        ("#{ ado", "adopt: bool"),
        ("\nfn", "a function: fn twice(n) { n * 2 }"),
    ] {
        let found = hover(before);
        assert!(found.contains(description), "{before}: {found}");
    }
    assert_eq!(hover("total = price(3"), "");
    assert_eq!(hover("/// Pri"), "");
}

#[test]
fn definitions_are_found_in_the_text_and_in_imports() {
    for (before, uri, line, character) in [
        ("total = pri", MAIN, 6, 3),
        ("${ten", MAIN, 11, 8),
        ("global::RA", MAIN, 1, 6),
        ("    amo", MAIN, 6, 9),
        ("lib::gre", LIBRARY, 1, 3),
        ("\n    li", LIBRARY, 0, 0),
        ("import \"l", LIBRARY, 0, 0),
    ] {
        assert_eq!(definition(before), (uri.to_owned(), line, character), "{before}");
    }
    assert_eq!(definition("ensure_ten"), (String::new(), 0, 0));
}

#[test]
fn completion_replaces_the_word_at_the_cursor() {
    let text = "let tenant = mobsted::connect().ensure_tenant(\"a\");\nlet name = \"😀\"; tenant.conn";
    let found = at("textDocument/completion", text, "tenant.conn");
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{found}");
    assert_eq!(items[0]["label"], "connect()");
    assert_eq!(items[0]["kind"], 3);
    let start = text.lines().last().unwrap().find("conn").unwrap() as u64;
    // The smiley has four bytes, and two UTF-16 code units.
    let range = &items[0]["textEdit"]["range"];
    assert_eq!(range["start"], json!({ "line": 1, "character": start - 2 }));
    assert_eq!(range["end"], json!({ "line": 1, "character": start + 2 }));
}

#[test]
fn completion_knows_imports_parameters_and_functions_further_down() {
    let labels = |before: &str| -> Vec<String> {
        let found = at("textDocument/completion", TEXT, before);
        let items = found["items"].as_array().unwrap().clone();
        let label = |item: &Json| item["label"].as_str().unwrap().to_owned();
        items.iter().map(label).collect()
    };
    assert_eq!(labels("lib::gr"), ["greet(name, total)"]);
    assert!(labels("    amo").contains(&"amount".to_owned()));
    assert!(labels("    tenant.con").contains(&"connect()".to_owned()));
    assert!(labels("let total = pri").contains(&"price(amount)".to_owned()));
    assert_eq!(labels("/// Pri"), Vec::<String>::new());
    let found = at("textDocument/completion", TEXT, "ensure_ten");
    // The bracket is there already.
    assert_eq!(found["items"][0]["textEdit"]["newText"], "ensure_tenant");
}

#[test]
fn signature_help_marks_the_argument_that_is_typed() {
    let found = at("textDocument/signatureHelp", TEXT, "ensure_tenant(email, ");
    assert_eq!(found["activeParameter"], 1);
    let signature = &found["signatures"][0];
    assert_eq!(signature["label"], "session.ensure_tenant(email, [options])");
    assert_eq!(signature["parameters"][1]["label"], json!([29, 38]));
    let found = at("textDocument/signatureHelp", TEXT, "price(3");
    assert_eq!(found["signatures"][0]["label"], "price(amount)");
    let found = at("textDocument/signatureHelp", TEXT, "lib::greet(`${tenant.email}`");
    assert_eq!(found["signatures"][0]["label"], "lib::greet(name, total)");
    assert_eq!(at("textDocument/signatureHelp", TEXT, "const RATE"), Json::Null);
}

#[test]
fn symbols_are_functions_imports_and_outer_names() {
    let mut server = server();
    open(&mut server, MAIN, TEXT);
    let params = json!({ "textDocument": { "uri": MAIN } });
    let found = server
        .answer("textDocument/documentSymbol", params.clone())
        .unwrap();
    let symbols = found.as_array().unwrap().iter();
    let symbols: Vec<String> = symbols
        .map(|symbol| format!("{} {}{}", symbol["kind"], symbol["name"], symbol["detail"]))
        .collect();
    assert_eq!(
        symbols,
        [
            "2 \"lib\"\"\"",
            "14 \"RATE\"\"\"",
            "12 \"price\"\"(amount)\"",
            "12 \"main\"\"(email)\"",
        ]
    );
    assert_eq!(
        server.answer("textDocument/formatting", params).unwrap(),
        json!([])
    );
}

#[test]
fn formatting_replaces_the_text_unless_it_has_a_syntax_error() {
    let formatted = |text: &str| {
        let mut server = server();
        open(&mut server, MAIN, text);
        let params = json!({ "textDocument": { "uri": MAIN } });
        server.answer("textDocument/formatting", params).unwrap()
    };
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 1, "character": 0 } });
    assert_eq!(
        formatted("let  x=1;\n"),
        json!([{ "range": range, "newText": "let x = 1;\n" }])
    );
    assert_eq!(formatted("let x = ;"), Json::Null);
}

#[test]
fn findings_follow_the_text_in_the_editor_also_of_imports() {
    let mut server = server();
    let text = "import \"lib\" as lib;\nlet _x = lib::greet(1, 2);";
    open(&mut server, MAIN, text);
    assert_eq!(
        messages(&mut server),
        BTreeMap::from([(MAIN.to_owned(), Vec::new())])
    );
    open(&mut server, LIBRARY, "fn greet(name) { nam }");
    let found = messages(&mut server);
    assert_eq!(found[LIBRARY], ["0:17 there is no variable `nam` here"]);
    assert_eq!(found[MAIN], ["1:14 `lib::greet` does not take 2 arguments"]);
    let closed = json!({ "textDocument": { "uri": LIBRARY } });
    server.note("textDocument/didClose", closed).unwrap();
    let found = messages(&mut server);
    assert_eq!((found[LIBRARY].len(), found[MAIN].len()), (0, 0));
}

#[test]
fn a_mistake_in_a_closed_import_is_shown_at_the_import() {
    let mut server = server();
    open(&mut server, MAIN, "import \"nowhere\" as lib;\nlib::one();");
    let found = messages(&mut server);
    assert_eq!(
        found[MAIN],
        ["0:7 cannot import \"nowhere\": there is no nowhere"]
    );
    open(&mut server, MAIN, "fn main(jobs) { jobs }\nlet ä");
    assert_eq!(messages(&mut server)[MAIN], ["1:4 unexpected 'ä'"]);
    open(&mut server, MAIN, "fn main(jobs) { jobs }");
    let found = messages(&mut server);
    assert_eq!(
        found[MAIN],
        ["0:8 `provisor run` has an option --jobs of its own"]
    );
}

#[test]
fn a_file_of_tests_has_assertions() {
    let mut server = server();
    let text = "fn test_sum() { assert_eq(1 + 1, 2); }";
    let tests = "file:///work/sum.test.rhai";
    open(&mut server, tests, text);
    open(&mut server, MAIN, text);
    let found = messages(&mut server);
    assert_eq!(found[tests], Vec::<String>::new());
    assert_eq!(found[MAIN], ["0:16 there is no function `assert_eq`"]);
}

#[test]
fn a_request_that_is_wrong_or_too_early_or_too_late_is_an_error() {
    let code =
        |server: &mut Server, method: &str, params: Json| server.answer(method, params).unwrap_err().code;
    let mut server = server();
    let server = &mut server;
    let place = json!({ "line": 0, "character": 0 });
    for params in [
        json!(null),
        json!([]),
        json!({ "textDocument": { "uri": 1 }, "position": place }),
        json!({ "textDocument": { "uri": MAIN }, "position": { "line": -1, "character": 0 } }),
        json!({ "textDocument": { "uri": MAIN }, "position": place }),
    ] {
        assert_eq!(code(server, "textDocument/hover", params), code::INVALID_PARAMS);
    }
    assert_eq!(
        code(server, "textDocument/rename", json!({})),
        code::METHOD_NOT_FOUND
    );
    assert_eq!(code(server, "initialize", json!({})), code::INVALID_REQUEST);
    assert_eq!(server.answer("shutdown", Json::Null).unwrap(), Json::Null);
    assert_eq!(
        code(server, "textDocument/hover", json!({})),
        code::INVALID_REQUEST
    );
    server.state = State::New;
    assert_eq!(code(server, "shutdown", Json::Null), code::NOT_INITIALIZED);
    let part = json!({ "range": {}, "text": "x" });
    server.state = State::Running;
    open(server, MAIN, "x");
    let change = json!({ "textDocument": { "uri": MAIN }, "contentChanges": [part] });
    let failure = server.note("textDocument/didChange", change).unwrap_err();
    assert_eq!(failure.code, code::INVALID_PARAMS);
}

#[test]
fn a_cancellation_that_waits_ends_its_request() {
    let cancel = |id: Json| Message::Notification {
        method: "$/cancelRequest".into(),
        params: json!({ "id": id }),
    };
    let queue = VecDeque::from([Message::Response, cancel(json!(4)), cancel(json!("a"))]);
    assert!(is_cancelled(&queue, &json!(4)) && is_cancelled(&queue, &json!("a")));
    assert!(!is_cancelled(&queue, &json!(5)) && !is_cancelled(&queue, &json!("4")));
}

#[test]
fn no_text_and_no_position_is_too_much() {
    let mut server = server();
    let cuts = (0..TEXT.len()).step_by(3).filter(|at| TEXT.is_char_boundary(*at));
    for cut in cuts {
        open(&mut server, MAIN, &TEXT[..cut]);
        let position = server.documents[MAIN].position(cut / 2);
        for position in [
            json!(position),
            json!({ "line": 1_000_000_000_u64, "character": 0 }),
        ] {
            let params = json!({ "textDocument": { "uri": MAIN }, "position": position });
            for method in ["completion", "hover", "signatureHelp", "definition"] {
                server
                    .answer(&format!("textDocument/{method}"), params.clone())
                    .unwrap();
            }
        }
        let params = json!({ "textDocument": { "uri": MAIN } });
        for method in ["documentSymbol", "formatting"] {
            server
                .answer(&format!("textDocument/{method}"), params.clone())
                .unwrap();
        }
        messages(&mut server);
    }
}
