//! Tests of the module above.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

fn imported(files: &[&Json]) -> Result<Imported, ImportError> {
    let named = files.iter().map(|json| ("x.json".to_owned(), (*json).clone()));
    let files: Vec<(String, Json)> = named.collect();
    let options = ImportOptions {
        reserved: BTreeSet::from(["rows".to_owned()]),
        ..ImportOptions::default()
    };
    import(&files, &crate::platforms::catalogue(), &options)
}

fn script_of(json: &Json) -> ImportedScript {
    imported(&[json]).unwrap().script.unwrap()
}

fn one(request: &Json) -> ImportedScript {
    script_of(&json!({"info": {"name": "x"}, "item": [{"name": "Do it", "request": request}]}))
}

#[test]
fn postman_collections_and_environments_are_detected_by_content() {
    let refused = |json: Json| document(&json).unwrap_err();
    assert!(matches!(
        document(&json!({"name": "x", "values": []})),
        Ok(Document::Environment(_))
    ));
    assert!(matches!(
        document(&json!({"info": {}, "item": []})),
        Ok(Document::Collection(_))
    ));
    assert!(matches!(
        document(&json!({"collection": {"info": {}, "item": []}})),
        Ok(Document::Collection(_))
    ));
    assert!(refused(json!({"requests": []})).contains("version 1"));
    assert!(refused(json!({"info": {"schema": "https://x/v3.0.0/"}, "item": []})).contains("v3.0.0"));
    assert!(refused(json!([1, 2])).contains("neither"));
}

#[test]
fn a_backslash_does_not_escape_a_postman_variable() {
    let script = one(&json!({
        "method": "GET", "url": "https://x.example/", "header": [{"key": "a", "value": "\\{{n}}"}]
    }));
    let sum = r#""" + "\\" + n"#;
    assert!(script.text.contains(sum), "no `{sum}` in\n{}", script.text);
}

#[test]
fn every_postman_body_mode_becomes_an_http_option() {
    let post = |body: Json| one(&json!({"method": "POST", "url": "https://x.example/a", "body": body})).text;
    let raw = |language: &str, raw: &str| json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": language}}});
    let json = post(raw(
        "json",
        r#"{"id": {{id}}, "name": "{{name}}!", "list": [1, 2.5, null, true]}"#,
    ));
    assert!(
        json.contains("json: #{id: id, list: [1, 2.5, (), true], name: `${name}!`}"),
        "{json}"
    );
    assert!(json.contains("@param id json  "), "{json}");
    let xml = post(raw("xml", "<a>{{name}}</a>"));
    assert!(
        xml.contains(r#"content_type: "application/xml"}"#) && xml.contains("body: `<a>${name}</a>`"),
        "{xml}"
    );
    assert!(post(raw("json", "no json {{x}")).contains(r#"body: "no json {{x}""#));
    let form = post(json!({"mode": "urlencoded", "urlencoded": [
        {"key": "a", "value": "1"}, {"key": "a", "value": "2"}, {"key": "off", "value": "x", "disabled": true}]}));
    assert!(form.contains(r#"form: #{a: ["1", "2"]}"#), "{form}");
    let parts = post(json!({"mode": "formdata", "formdata": [
        {"key": "a", "value": "1", "type": "text"}, {"key": "doc", "type": "file", "src": "/home/ann/cv.pdf"}]}));
    assert!(
        parts.contains(r#"multipart: #{a: "1", doc: #{content: doc_content, filename: "cv.pdf"}}"#),
        "{parts}"
    );
    assert!(
        parts.contains("the content of the file cv.pdf") && !parts.contains("/home/ann"),
        "{parts}"
    );
    let file = post(json!({"mode": "file", "file": {"src": "a.bin"}}));
    assert!(file.contains("body: file_content"), "{file}");
    let graphql = post(
        json!({"mode": "graphql", "graphql": {"query": "{ me { id } }", "variables": "{\"n\": {{n}}}"}}),
    );
    assert!(
        graphql.contains(r#"json: #{query: "{ me { id } }", variables: #{n: n}}"#),
        "{graphql}"
    );
    assert!(
        post(json!({"mode": "raw", "raw": "", "disabled": true}))
            .contains("http::post(\"https://x.example/a\")")
    );
    let mut deep = String::from("1");
    for _ in 0..60 {
        deep = format!("[{deep}]");
    }
    assert!(
        post(raw("json", &deep)).contains("body: \"[[[["),
        "too deep for an expression: it stays a text"
    );
}

#[test]
fn postman_auth_types_become_http_options() {
    let with = |auth: Json| one(&json!({"method": "GET", "url": "https://x.example/a", "auth": auth})).text;
    let basic = with(json!({"type": "basic", "basic": {"username": "ann", "password": "{{pw}}"}}));
    assert!(
        basic.contains(r#"basic: #{user: "ann", password: pw}"#) && basic.contains("@param pw secret"),
        "{basic}"
    );
    let bearer = with(json!({"type": "bearer", "bearer": [{"key": "token", "value": "abc"}]}));
    assert!(
        bearer.contains("bearer: token") && !bearer.contains("abc"),
        "{bearer}"
    );
    let header =
        with(json!({"type": "apikey", "apikey": {"key": "X-Own", "value": "abcdef", "in": "header"}}));
    assert!(
        header.contains("headers: #{\"X-Own\": api_key}") && !header.contains("abcdef"),
        "{header}"
    );
    let query = with(json!({"type": "apikey", "apikey": {"key": "k", "value": "{{mine}}", "in": "query"}}));
    assert!(
        query.contains("query: #{k: mine}") && query.contains("@param mine secret"),
        "{query}"
    );
    let oauth = with(json!({"type": "oauth2", "oauth2": []}));
    assert!(oauth.contains("bearer: access_token"), "{oauth}");
    assert!(with(json!({"type": "hawk", "hawk": {}})).contains("signs in with `hawk`"));
    let own = one(&json!({"method": "GET", "url": "https://ann:s3cretpw@x.example/a"})).text;
    assert!(
        own.contains("basic: #{user: \"ann\", password: password}") && !own.contains("s3cretpw"),
        "{own}"
    );
    let typed = one(
        &json!({"url": "https://x.example", "header": [{"key": "Authorization", "value": "Bearer {{t}}"}]}),
    )
    .text;
    assert!(
        typed.contains("bearer: t") && typed.contains("@param t secret"),
        "{typed}"
    );
}

#[test]
fn a_credential_in_a_url_path_becomes_a_plain_string_parameter() {
    let script = one(&json!(
        "https://x.example/hooks/5a4d0b0c1e2f3a4b5c6d7e8f90a1b2c3/send?token={{t}}"
    ));
    assert!(
        script.text.contains("`https://x.example/hooks/${token}/send`"),
        "{}",
        script.text
    );
    assert!(script.text.contains("@param token string  "), "{}", script.text);
    assert!(
        script.text.contains("query: #{token: t}") && script.text.contains("@param t secret"),
        "{}",
        script.text
    );
    assert_eq!(script.secrets, ["t"]);
}

#[test]
fn only_a_request_with_a_password_signs_in() {
    let ask = |path: &str, body: Json| {
        json!({"name": path, "request": {"method": "POST", "url": format!("https://uk.bookingbug.com/api/v1{path}"),
            "header": [{"key": "App-Id", "value": "{{app_id}}"}], "body": {"mode": "raw", "raw": body.to_string()}}})
    };
    let script = script_of(&json!({"info": {"name": "x"}, "item": [
        ask("/login/admin/37", json!({"email": "{{email}}", "password": ""})),
        ask("/login/admin/reset_password_email", json!({"email": "{{email}}"})),
    ]}));
    assert_eq!((script.typed, script.omitted), (1, 1), "{}", script.text);
    assert!(
        script
            .text
            .contains("session.post(\"/login/admin/reset_password_email\", #{email: email})"),
        "{}",
        script.text
    );
}

#[test]
fn map_keys_that_are_not_identifiers_are_quoted() {
    for key in ["_", "__", "_1", "1a", "a-b", "new", "\u{e4}"] {
        let form = json!({"mode": "urlencoded", "urlencoded": [{"key": key, "value": "x"}]});
        let script = one(&json!({"method": "POST", "url": "https://x.example", "body": form})).text;
        assert!(script.contains(&format!("form: #{{{key:?}: \"x\"}}")), "{script}");
    }
}

#[test]
fn a_placeholder_password_is_not_redacted_from_urls() {
    let auth = json!({"type": "basic", "basic": {"username": "postman", "password": "password"}});
    let script = one(&json!({"url": "https://x.example/password/reset", "auth": auth})).text;
    assert!(
        script.contains("https://x.example/password/reset") && script.contains("password: password"),
        "{script}"
    );
}

#[test]
fn a_credential_from_a_later_request_is_redacted_everywhere() {
    let script = script_of(
        &json!({"info": {"name": "x", "description": "use hunter2hunter2"}, "item": [
            {"name": "a", "request": {"url": "https://x.example/a", "header": [{"key": "X", "value": "id-hunter2hunter2"}]}},
            {"name": "b", "request": {"url": "https://x.example/b", "auth": {"type": "basic", "basic": {"username": "a", "password": "hunter2hunter2"}}}},
        ]}),
    );
    assert!(!script.text.contains("hunter2"), "{}", script.text);
}

#[test]
fn reserved_and_duplicate_names_are_renamed_on_import() {
    let script = script_of(&json!({"info": {"name": "x"}, "item": [
        {"name": "main", "request": "https://x.example/{{rows}}/{{default}}/{{done}}"},
        {"name": "main", "request": "https://x.example"},
        {"name": "", "request": "https://x.example"},
    ]}));
    let names: Vec<&str> = script
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("fn "))
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(
        script.text.contains("${the_rows}/${the_default}/${the_done}"),
        "{}",
        script.text
    );
    let names: BTreeSet<&str> = names.into_iter().collect();
    assert_eq!(names.len(), 4);
}

#[test]
fn folder_variables_are_scoped_to_their_folder() {
    let bearer = json!({"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]});
    let post = |name: &str| json!({"name": name, "request": {"method": "POST", "url": "{{url}}/out", "auth": bearer}});
    let json = json!({"info": {"name": "x"},
    "variable": [{"key": "base", "value": "https://api.example.com"}, {"key": "url", "value": "{{base}}/v1"}],
    "item": [
        {"name": "A", "variable": [{"key": "base", "value": "https://folder.example.com"}, {"key": "token", "value": "hush-4711-hush"}],
         "item": [post("inside"), {"name": "Deep", "item": [post("deeper")]}]},
        post("outside"),
    ]});
    let script = script_of(&json);
    for part in [
        "@param base url = \"https://api.example.com\"  the variable `base`\n",
        "@param a_base url = \"https://folder.example.com\"  the variable `base` of the folder `A`",
        "fn inside(a_base, token) {\n    http::post(`${a_base}/v1/out`, #{bearer: token})",
        "fn deeper(a_base, token) {\n    http::post(`${a_base}/v1/out`, #{bearer: token})",
        "fn outside(base, token_2) {\n    http::post(`${base}/v1/out`, #{bearer: token_2})",
    ] {
        assert!(script.text.contains(part), "no `{part}` in\n{}", script.text);
    }
    assert!(!script.text.contains("hush"), "{}", script.text);
    // The environment's value applies to all of them.
    let environment = json!({"name": "x", "values": [{"key": "base", "value": "https://env.example.com"}]});
    let script = imported(&[&environment, &json]).unwrap().script.unwrap();
    assert!(
        script.text.contains("https://env.example.com") && !script.text.contains("folder.example.com"),
        "{}",
        script.text
    );
}

#[test]
fn requests_with_circular_or_oversized_variables_are_left_out() {
    let variable = |key: &str, value: &str| json!({"key": key, "value": value});
    let mut variables = vec![
        variable("a", "{{b}}"),
        variable("b", "{{a}}"),
        variable("own", "{{own}}"),
    ];
    let name = |n: usize| format!("v{n}");
    variables.extend((0..30).map(|n| variable(&name(n), &format!("{{{{v{}}}}}{{{{v{}}}}}", n + 1, n + 1))));
    variables.extend((100..190).map(|n| variable(&name(n), &format!("{{{{v{}}}}}/", n + 1))));
    let unused = script_of(
        &json!({"info": {}, "variable": variables, "item": [{"name": "x", "request": "https://x.example"}]}),
    );
    assert_eq!((unused.web, unused.notes.len()), (1, 0), "{:?}", unused.notes);
    let used = script_of(&json!({"info": {}, "variable": variables, "item": [
        {"name": "x", "request": "https://x.example/{{free}}"},
        {"name": "Circle", "request": "https://x.example/{{never}}/{{a}}"},
        {"name": "Own", "request": "https://x.example/{{own}}"},
        {"name": "Doubling", "request": "https://x.example/{{v0}}"},
        {"name": "Chain", "request": "https://x.example/{{v100}}"}]}));
    assert_eq!((used.web, used.omitted), (1, 4), "{}", used.text);
    for (note, reason) in used.notes.iter().zip([
        "a -> b -> a",
        "own -> own",
        "value is too large",
        "more than 32 levels deep",
    ]) {
        assert!(note.contains(reason), "{note}");
        assert!(used.text.contains(reason), "{}", used.text);
    }
    assert!(
        used.text.contains("fn main(free) {"),
        "nothing is asked for what is left out: {}",
        used.text
    );
}

#[test]
fn import_notes_about_a_host_appear_once() {
    let script = script_of(
        &json!({"info": {}, "variable": [{"key": "near", "value": "localhost:3000"}, {"key": "far", "value": "far.example"}], "item": [
        {"name": "a", "request": "http://127.0.0.1:8080/a"}, {"name": "b", "request": "http://localhost/b"},
        {"name": "c", "request": "localhost:3000/c"}, {"name": "d", "request": "{{near}}/d"},
        {"name": "e", "request": "http://plain.example/e"}, {"name": "f", "request": "http://plain.example:80/f"},
        {"name": "g", "request": "bare.example/g"}, {"name": "h", "request": "{{far}}/h"}, {"name": "i", "request": "{{far}}/i"}]}),
    );
    assert_eq!(script.notes.len(), 3, "{:?}", script.notes);
    for (note, host) in script
        .notes
        .iter()
        .zip(["`bare.example`", "`far.example`", "`plain.example`"])
    {
        assert!(note.contains(host), "{note}");
        assert_eq!(script.text.matches(note.as_str()).count(), 1, "{}", script.text);
    }
    for part in [
        "http::get(\"http://127.0.0.1:8080/a\")",
        "http::get(\"http://localhost:3000/c\")",
        "http::get(`http://${near}/d`)",
        "http::get(`https://${far}/h`)",
    ] {
        assert!(script.text.contains(part), "no `{part}` in\n{}", script.text);
    }
}

#[test]
fn websocket_requests_are_imported_as_comments() {
    let script = script_of(
        &json!({"info": {}, "variable": [{"key": "socket", "value": "wss://live.example"}], "item": [
        {"name": "Feed", "request": "ws://x.example/feed"}, {"name": "Live", "request": "{{socket}}/live"},
        {"name": "Loud", "request": "HTTPS://x.example/a"}]}),
    );
    assert_eq!((script.web, script.omitted), (1, 2), "{}", script.text);
    for part in [
        "the request is GET ws://x.example/feed",
        "the request is GET {{socket}}/live",
    ] {
        assert!(
            script.text.contains(&format!(
                "    // {}",
                if part.contains("feed") { "feed: " } else { "live: " }
            )),
            "{}",
            script.text
        );
        assert!(script.text.contains(part), "{}", script.text);
    }
}

#[test]
fn the_import_summary_uses_singular_for_one_request() {
    let script = script_of(
        &json!({"info": {"name": "x"}, "event": [{"listen": "test", "script": {"exec": "a();"}}],
        "item": [{"name": "a", "request": "https://x.example"}]}),
    );
    for line in [
        "//! 1 request: 0 with platform operations, 1 with `http::`, 0 left out.\n",
        "//! Scripts of the collection do not run here; 1 script is a comment.\n",
        "/// Send the requests in order, and return the outcome of each.\nfn main() {\n",
    ] {
        assert!(script.text.contains(line), "no `{line}` in\n{}", script.text);
    }
}

#[test]
fn unsupported_headers_and_pagination_parameters_are_reported_as_notes() {
    let ask = |name: &str, method: &str, path: &str, header: Json| {
        json!({"name": name, "request": {"method": method, "url": format!("https://acme.bookingbug.com/api/v1{path}"), "header": header,
            "body": {"mode": "raw", "raw": if method == "PUT" { "{\"name\": \"x\"}" } else { "" }}}})
    };
    let usual = json!([{"key": "App-Id", "value": "a"}, {"key": "Authorization", "value": "Bearer {{t}}"}, {"key": "Accept", "value": "application/hal+json"},
        {"key": "Content-Type", "value": "application/json"}]);
    let script = script_of(&json!({"info": {"name": "x"}, "item": [
        ask("Usual", "GET", "/admin/37/people", usual),
        ask("Match", "PUT", "/admin/37/services/1", json!([{"key": "If-Match", "value": "x"}])),
        ask("Typed", "GET", "/admin/37/people", json!([{"key": "Accept-Language", "value": "fr"}, {"key": "Prefer", "value": "x"}])),
        ask("First", "GET", "/admin/37/people?page=1&per_page=5", json!([])),
        ask("Third", "GET", "/company/37/children?page=3", json!([])),
        ask("French", "GET", "/company/37/children?locale=fr", json!([])),
    ]}));
    for part in [
        "session.within(\"37\").people()",
        "session.put(\"/admin/37/services/1\", #{name: \"x\"})",
        "session.get(\"/company/37/children\", #{page: \"3\"})",
        "session.get(\"/company/37/children\", #{locale: \"fr\"})",
    ] {
        assert!(script.text.contains(part), "no `{part}` in\n{}", script.text);
    }
    assert_eq!(
        script.notes,
        [
            "Match: the operation does not take the header `If-Match`",
            "Typed: the operation does not take the headers `Accept-Language`, `Prefer`",
            "First: the operation reads the whole list, and does not take `page`, `per_page`",
        ]
    );
}

#[test]
fn the_platform_of_an_environment_is_detected_from_request_urls() {
    let collection = |url: &str| {
        let ask = |path: &str| json!({"name": path, "request": {"url": format!("{url}{path}"), "header": [{"key": "App-Id", "value": "{{app_id}}"}]}});
        json!({"info": {"name": "x"}, "item": [ask("/login/admin/{{companyId}}"), ask("/admin/{{companyId}}/people")]})
    };
    let environment = |host: &str, password: &str| {
        json!({"name": "Local", "values": [{"key": "host", "value": host}, {"key": "email", "value": "ann@x.example"},
            {"key": "password", "value": password}, {"key": "app_id", "value": "app-1"}, {"key": "companyId", "value": "37"}]})
    };
    let account =
        |collection: &Json, environment: &Json| imported(&[collection, environment]).unwrap().profile;
    for (host, url, becomes) in [
        (
            "http://127.0.0.1:4711/jrni/api/v1",
            "{{host}}",
            "http://127.0.0.1:4711/jrni/api/v1",
        ),
        (
            "127.0.0.1:4711",
            "http://{{host}}/jrni/api/v1",
            "http://127.0.0.1:4711/jrni/api/v1",
        ),
        (
            "bookings.example",
            "https://{{host}}/api/v1",
            "https://bookings.example",
        ),
    ] {
        let found = account(&collection(url), &environment(host, "hush")).unwrap();
        assert_eq!(found.platform, &crate::platforms::jrni::PLATFORM);
        assert_eq!(found.text("url"), becomes);
    }
    // Requests to other hosts are ignored, and an incomplete account is none.
    assert!(
        account(
            &collection("https://other.example/api/v1"),
            &environment("mine.example", "hush")
        )
        .is_none()
    );
    assert!(
        account(
            &collection("https://{{host}}/api/v1"),
            &environment("mine.example", "")
        )
        .is_none()
    );
}

#[test]
fn json_keeps_its_types_and_its_digits() {
    let raw = |text: &str| json!({"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}});
    let post = |name: &str, body: Json| json!({"name": name, "request": {"method": "POST", "url": "https://x.example/{{n}}", "body": body}});
    let variables: Vec<Json> = [
        ("n", "5"),
        ("f", "true"),
        ("only", "7"),
        ("list", "[1, 2]"),
        ("word", "abc"),
        ("big", "12345678901234567890"),
        ("sum", "{{n}}{{n}}"),
    ]
    .iter()
    .map(|(key, value)| json!({"key": key, "value": value}))
    .collect();
    let script = script_of(&json!({"info": {"name": "x"}, "variable": variables, "item": [
        post("Mixed", raw(r#"{"count": {{n}}, "f": {{f}}, "text": "{{f}}", "only": {{only}}, "list": {{list}}, "sum": {{sum}}}"#)),
        post("Big", raw(r#"{"count": {{n}}, "big": 12345678901234567890, "text": "{{word}}"}"#)),
        post("Held", raw(r#"{"big": {{big}}}"#)),
        post("Word", raw(r#"{"word": {{word}}}"#)),
        post("Pin", raw(r#"{"pin": 471147}"#)),
    ]}));
    for part in [
        " count: parse_json(n),\n",
        " f: parse_json(f),\n",
        " list: list,\n",
        " only: only,\n",
        " sum: parse_json(`${n}${n}`),\n",
        " text: f,\n",
        "@param n string = \"5\"",
        "@param f string = \"true\"",
        "@param only json = 7",
        "@param list json = [1, 2]",
        "@param big string = \"12345678901234567890\"",
        "`{\"count\": ${n}, \"big\": 12345678901234567890, \"text\": \"${word}\"}`",
        "`{\"big\": ${big}}`",
        "`{\"word\": ${word}}`",
    ] {
        assert!(script.text.contains(part), "no `{part}` in\n{}", script.text);
    }
    assert_eq!(
        script.text.matches("content_type: \"application/json\"").count(),
        3,
        "{}",
        script.text
    );
    assert_eq!(script.notes.len(), 4, "{:?}", script.notes);
    // An operation cannot take JSON as text.
    let ask = json!({"name": "x", "request": {"method": "POST", "url": "https://a-admin.mobsted.com/api/v8/lists", "body": raw(r#"{"id": 12345678901234567890}"#)}});
    let script = script_of(&json!({"info": {"name": "x"}, "item": [ask]}));
    assert!(
        script.text.contains(r#"body: "{\"id\": 12345678901234567890}""#),
        "{}",
        script.text
    );
}

#[test]
fn duplicate_json_keys_and_invalid_graphql_variables_are_not_dropped_silently() {
    let post = |body: Json| json!({"name": "x", "request": {"method": "POST", "url": "//x.example/a", "body": body}});
    let script = script_of(&json!({"info": {"name": "x"}, "item": [
        post(json!({"mode": "raw", "raw": r#"{"a": 1, "a": {"b": ":"}}"#})),
        post(json!({"mode": "graphql", "graphql": {"query": "{ me }", "variables": "{\"n\": 1,}"}})),
        {"name": "Nowhere", "request": "/relative"},
    ]}));
    for part in [
        r#"body: "{\"a\": 1, \"a\": {\"b\": \":\"}}""#,
        "Note: the variables of its query are not JSON and are left out.",
        "http::post(\"https://x.example/a\"",
        "its address has no host",
    ] {
        assert!(script.text.contains(part), "no `{part}` in\n{}", script.text);
    }
    assert_eq!((script.web, script.omitted), (2, 1));
}

#[test]
fn json_values_of_variables_become_defaults() {
    let body =
        json!({"mode": "raw", "raw": r#"{"a": {{none}}, "b": {{map}}, "c": {{hidden}}, "d": {{half}}}"#});
    let variables: Vec<Json> = [
        ("none", "null"),
        ("map", r#"{"x": [1, null], "y z": "t"}"#),
        ("hidden", r#"{"password": "hunter2"}"#),
        ("half", "0.50"),
    ]
    .iter()
    .map(|(key, value)| json!({"key": key, "value": value}))
    .collect();
    let script = script_of(&json!({"info": {"name": "x"}, "variable": variables, "item": [
        {"name": "x", "request": {"method": "POST", "url": "https://x.example", "body": body}}]}));
    for part in [
        "@param none json = ()  ",
        r#"@param map json = #{x: [1, ()], "y z": "t"}  "#,
        "@param hidden json  ",
        "@param half json = 0.50  ",
    ] {
        assert!(script.text.contains(part), "no `{part}` in\n{}", script.text);
    }
    assert!(!script.text.contains("hunter2"), "{}", script.text);
}

/// A collection with a request of Sparrow's bulk API for each name and body.
fn bulk(requests: &[(&str, Json)]) -> Json {
    let item = requests.iter().map(|(name, body)| {
        json!({"name": name, "request": {"method": "POST", "url": "https://api.sparrowsms.com/v2/sms/", "body": body}})
    });
    json!({"info": {"name": "x"}, "item": item.collect::<Vec<_>>()})
}

fn sms(token: &str, sender: &str) -> Json {
    let pairs = [
        ("token", token),
        ("from", sender),
        ("to", "9800000000"),
        ("text", "Hi"),
    ];
    let fields = pairs.map(|(key, value)| json!({"key": key, "value": value}));
    json!({"mode": "urlencoded", "urlencoded": fields})
}

fn assert_contains(script: &ImportedScript, parts: &[&str]) {
    for part in parts {
        assert!(script.text.contains(part), "no `{part}` in\n{}", script.text);
    }
}

#[test]
fn a_credential_that_a_session_replaces_is_redacted_everywhere() {
    let hook = |value: &str| json!({"method": "POST", "url": "https://hook.example/a", "body": {"mode": "raw", "raw": json!({"sms": value}).to_string()}});
    let ask =
        |url: &str| json!({"method": "GET", "url": url, "description": "Uses kathmandu-shop-77 of the shop"});
    let mut json = json!({"info": {"name": "x", "description": "Our token is kathmandu-shop-77, keep it."}, "item": [
        {"name": "earlier", "request": hook("kathmandu-shop-77")},
        {"name": "Credit of kathmandu-shop-77", "request": ask("https://api.sparrowsms.com/v2/credit/?token=kathmandu-shop-77"),
         "event": [{"listen": "test", "script": {"exec": ["check('kathmandu-shop-77');"]}}]},
        {"name": "later", "request": hook("kathmandu-shop-77")},
    ]});
    let script = script_of(&json);
    assert!(!script.text.contains("kathmandu-shop-77"), "{}", script.text);
    assert!(
        script
            .notes
            .iter()
            .all(|note| !note.contains("kathmandu-shop-77")),
        "{:?}",
        script.notes
    );
    assert_contains(
        &script,
        &[
            "session.credit()",
            "fn credit_of(session)",
            "json: #{sms: sms}",
            "@param sms secret",
        ],
    );
    // The same through a variable whose name does not show that it is a credential.
    json["variable"] = json!([{"key": "shop", "value": "kathmandu-shop-77"}]);
    json["item"][0]["request"] = hook("{{shop}}");
    json["item"][1]["request"] = ask("https://api.sparrowsms.com/v2/credit/?token={{shop}}");
    let script = script_of(&json);
    assert!(!script.text.contains("kathmandu-shop-77"), "{}", script.text);
    assert_contains(
        &script,
        &["session.credit()", "json: #{sms: shop}", "@param shop secret"],
    );
}

#[test]
fn a_credential_that_signs_in_is_redacted_though_the_profile_replaces_it() {
    let environment = json!({"name": "Acme", "values": [{"key": "url", "value": "https://acme.mobsted.com"},
        {"key": "login", "value": "ann@x.example"}, {"key": "password", "value": "kept-apart-77"}]});
    let ask = |path: &str, about: &str| {
        json!({"name": path, "request": {"url": format!("https://acme.mobsted.com/api/v8/{path}"),
        "description": about, "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "from-the-auth"}]},
        "header": [{"key": "Authorization", "value": "Bearer from-the-header"}]}})
    };
    let script = imported(&[
        &environment,
        &json!({"info": {"name": "x", "description": "Sign in with in-the-query."}, "item": [
            ask("auth?login=ann@x.example&password=in-the-query", ""),
            ask("applications", "Send from-the-auth or from-the-header."),
        ]}),
    ]);
    let script = script.unwrap().script.unwrap();
    assert_eq!((script.typed, script.omitted), (1, 1), "{}", script.text);
    assert_contains(
        &script,
        &[
            "Sign in with ***",
            "Send *** or ***",
            "mobsted::connect(\"acme\")",
        ],
    );
}

#[test]
fn a_request_with_the_credential_of_another_account_does_not_use_the_session() {
    let requests = [
        ("a", sms("{{token_a}}", "A")),
        ("b", sms("{{token_b}}", "B")),
        ("c", sms("{{same}}", "C")),
        ("d", sms("", "D")),
    ];
    let mut json = bulk(&requests);
    json["variable"] = json!([{"key": "same", "value": "{{token_a}}"}]);
    let script = script_of(&json);
    assert_eq!((script.typed, script.web), (3, 1), "{}", script.text);
    assert_contains(
        &script,
        &[
            "fn b(token_b) {\n    http::post(\"https://api.sparrowsms.com/v2/sms/\"",
            "token: token_b",
            "session.send_sms(#{sender: \"C\"",
        ],
    );
    // Two folders with a variable of the same name have two accounts.
    let folder = |token: &str| {
        let mut folder = bulk(&[("x", sms("{{token}}", "A"))]);
        folder["name"] = token.into();
        folder["variable"] = json!([{"key": "token", "value": token}]);
        folder
    };
    let script =
        script_of(&json!({"info": {"name": "x"}, "item": [folder("tok-1111-tok"), folder("tok-2222-tok")]}));
    assert_eq!((script.typed, script.web), (1, 1), "{}", script.text);
    // The profile of the environment has one of the tokens, not that of the first request.
    let environment = json!({"name": "Shop", "values": [{"key": "url", "value": "https://api.sparrowsms.com"},
        {"key": "token", "value": "tok-4711-tok"}, {"key": "token_a", "value": "tok-1111-tok"}]});
    let requests = [
        ("a", sms("{{token_a}}", "A")),
        ("b", sms("{{token}}", "B")),
        ("c", sms("tok-4711-tok", "C")),
    ];
    let script = imported(&[&environment, &bulk(&requests)])
        .unwrap()
        .script
        .unwrap();
    assert_eq!((script.typed, script.web), (2, 1), "{}", script.text);
    assert_contains(&script, &["sparrow_bulk::connect(\"shop\")", "token: token_a"]);
}

#[test]
fn only_a_session_of_a_profile_has_the_credential_of_a_profile() {
    let other = |token: &str| json!({"name": "other", "request": format!("https://api.sparrowsms.com:444/v2/credit/?token={token}")});
    let mut json = bulk(&[("first", sms("tok-4711-tok", "A"))]);
    json["item"].as_array_mut().unwrap().push(other("tok-4712-tok"));
    let script = script_of(&json);
    assert_contains(
        &script,
        &["session_2 = sparrow_bulk::connect(#{", "session_2.credit()"],
    );
    assert_eq!(script.notes, ["first: the token is that of the profile"]);
}

#[test]
fn several_recipients_in_json_become_a_list() {
    let raw = |to: &str| json!({"mode": "raw", "raw": format!(r#"{{"token": "{{{{token}}}}", "from": "A", "to": {to}, "text": "a,b"}}"#)});
    let script = script_of(&bulk(&[
        ("two", raw(r#""9800000000, 9811111111""#)),
        ("many", raw(r#""{{numbers}}""#)),
        ("list", raw(r#"["9822222222"]"#)),
        ("bare", raw("{{all}}")),
        ("number", raw("9833333333")),
    ]));
    assert_eq!(script.typed, 5, "{}", script.text);
    assert_contains(
        &script,
        &[
            "recipients: [\"9800000000\", \"9811111111\"], text: \"a,b\"}",
            "recipients: `${numbers}`.split(\",\")",
            "recipients: [\"9822222222\"]",
            "recipients: [\"9833333333\"]",
            "recipients: all,",
        ],
    );
}

#[test]
fn a_query_field_beside_a_body_is_not_dropped() {
    let body = json!({"mode": "raw", "raw": r#"{"Name": "A", "appWebSiteUrl": "https://a.example", "type": "pwaless"}"#});
    let ask = |name: &str, query: &str| {
        let url = format!("https://ppp-admin.mobsted.com/api/v8/applications{query}");
        json!({"name": name, "request": {"method": "POST", "url": url, "body": body}})
    };
    let script =
        script_of(&json!({"info": {"name": "x"}, "item": [ask("plain", ""), ask("with", "?type=x")]}));
    assert_contains(
        &script,
        &[
            "session.ensure_app(\"A\", \"https://a.example\")",
            "query: #{type: \"x\"}",
        ],
    );
}

#[test]
fn all_spellings_of_a_field_are_one_argument() {
    let body = json!({"mode": "raw", "raw": r#"{"ref": "r", "REF": "q", "name": "n"}"#});
    let url = "https://acme.bookingbug.com/api/v1/admin/37/company";
    let script = one(&json!({"method": "POST", "url": url, "body": body}));
    assert_contains(&script, &["ensure_company(\"q\", #{name: \"n\"})"]);
}

#[test]
fn a_failed_conversion_reports_an_incomplete_account_too() {
    let environment = json!({"name": "x", "values": [{"key": "a", "value": "b"}]});
    let error = imported(&[&environment, &json!({"info": {}, "item": []})]).unwrap_err();
    assert!(matches!(error, ImportError::WithoutAccount(_)), "{error}");
    assert_eq!(error.to_string(), "the collection has no requests");
}

proptest! {
    /// Any script generated from a collection compiles, as `import` checks.
    #[test]
    fn a_script_imported_from_any_collection_compiles(
        name in "\\PC{0,30}", about in "(\\PC|\\n|\\r|\\*/|@param x){0,40}", path in "\\PC{0,20}", key in "\\PC{1,12}",
        value in "(\\PC|\\n|`|\\$\\{|\\{\\{\\PC\\}\\}){0,30}", script in "(\\PC|\\n){0,30}",
    ) {
        let json = json!({"info": {"name": name, "description": about},
            "event": [{"listen": "test", "script": {"exec": [script]}}],
            "variable": [{"key": key, "value": value}],
            "item": [{"name": name, "item": [{"name": about, "event": [{"listen": "prerequest", "script": {"exec": script}}], "request": {
                "method": "POST", "url": {"raw": format!("https://x.example/{path}?{key}={value}"), "query": [{"key": key, "value": value}]},
                "header": [{"key": key, "value": value}], "description": about,
                "body": {"mode": "formdata", "formdata": [{"key": key, "value": value}, {"key": "f", "type": "file", "src": value}]}}}]}]});
        // A circular variable or a credential in a name is an error; a script that does not compile is a bug.
        if let Err(error) = imported(&[&json]) {
            prop_assert!(!matches!(error, ImportError::Script(_)), "{error} {json}");
        }
    }
}

#[test]
fn an_address_of_this_machine_without_a_scheme_is_that_of_its_profile() {
    let environment = |extra: Json| {
        let mut values = vec![json!({"key": "url", "value": "localhost:3000"})];
        values.extend(extra.as_array().cloned().unwrap());
        json!({"name": "Local", "values": values})
    };
    let ask = |path: &str| {
        json!({"info": {"name": "x"}, "item": [
            {"name": "Ask", "request": {"method": "GET", "url": format!("{{{{url}}}}{path}")}}]})
    };
    let account = environment(json!([
        {"key": "partner_token", "value": "partner-4711"}, {"key": "api_token", "value": "api-4711"}]));
    let script = imported(&[&account, &ask("/v1/intlsms/compose/tarrif")]);
    let script = script.unwrap().script.unwrap();
    assert_contains(&script, &["sparrow::connect(\"local\")", "session.tariffs()"]);
    let files = [environment(json!([])), ask("/orders")].map(|json| ("x.json".to_owned(), json));
    let catalogue = crate::platforms::catalogue();
    let options = ImportOptions {
        platform: catalogue.platform("web"),
        ..ImportOptions::default()
    };
    let script = import(&files, &catalogue, &options).unwrap().script.unwrap();
    assert_contains(&script, &["http::get(\"/orders\", #{profile: \"local\"})"]);
}
