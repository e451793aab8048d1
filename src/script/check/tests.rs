#![allow(clippy::unwrap_used, reason = "tests")]

mod mistakes;

use crate::operation::catalogue::Catalogue;
use crate::script::bundle::{Bundle, Loader, Source};
use crate::script::error::Diagnostic;
use crate::script::host::Host;
use crate::script::program::Script;

/// A script that runs.
struct Program {
    name: String,
    text: String,
}

impl Program {
    fn new(name: impl Into<String>, text: impl Into<String>) -> Program {
        Program {
            name: name.into(),
            text: text.into(),
        }
    }
}

struct Files<'a>(&'a [(String, String)]);

impl Loader for Files<'_> {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        let found = self.0.iter().find(|(name, _)| name == path);
        let (name, text) = found.ok_or_else(|| format!("there is no {path}"))?;
        Ok(Source::new(format!("{name}.rhai"), text.as_str()))
    }
}

fn catalogue() -> Catalogue {
    crate::platforms::catalogue()
}

/// Everything that is found in a text, which messages call `main.rhai`.
fn check(host: &Host, text: &str, files: &[(String, String)]) -> Vec<Diagnostic> {
    let bundle = Bundle::collect(&Source::new("main.rhai", text), &Files(files));
    match bundle.and_then(|bundle| Script::compile(host, bundle)) {
        Ok(script) => script.check(),
        Err(error) => vec![*error],
    }
}

/// The examples of all operations, which run as tests, and the scripts of this repository.
fn scripts() -> Vec<Program> {
    let mut found: Vec<Program> = Vec::new();
    for op in catalogue().operations() {
        if !found.iter().any(|known| known.text == op.example) {
            found.push(Program::new(op.id(), op.example));
        }
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rhai"))
        // Tests of scripts call functions that only the command line has.
        .filter(|path| !path.to_string_lossy().ends_with(".test.rhai"))
        .collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        found.push(Program::new(path.display().to_string(), text));
    }
    found
}

#[test]
fn scripts_that_run_get_no_complaint() {
    let host = Host::new(&catalogue());
    let programs = scripts();
    assert!(programs.len() > 40, "{} programs", programs.len());
    let complaints = programs.iter().flat_map(|program| {
        let found = check(&host, &program.text, &[]);
        found
            .into_iter()
            .map(|error| format!("{}: {}", program.name, error.render(false, 100)))
    });
    let complaints: Vec<String> = complaints.collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Checks a text. Returns `kind line:column title; hint` for each finding.
fn findings(text: &str) -> Vec<String> {
    let found = check(&Host::new(&catalogue()), text, &[]);
    let line = |error: &Diagnostic| {
        let place = error
            .place()
            .map(|frame| format!("{}:{}", frame.line, frame.column));
        let sentences = std::iter::once(&error.title).chain(&error.hints);
        let sentences: Vec<&str> = sentences.map(String::as_str).collect();
        format!(
            "{} {} {}",
            error.kind,
            place.unwrap_or_default(),
            sentences.join("; ")
        )
    };
    found.iter().map(line).collect()
}

#[track_caller]
fn finds(text: &str, finding: &str) {
    assert_eq!(findings(text), [finding], "{text}");
}

#[track_caller]
fn accepts(text: &str) {
    assert_eq!(findings(text), Vec::<String>::new(), "{text}");
}

#[test]
fn misspelt_properties_of_known_values_are_reported() {
    finds(
        "let tenant = mobsted::connect().ensure_tenant(\"a@b.example\");\nprint(tenant.pasword);",
        "unknown_property 2:14 a mobsted::Tenant has no property `pasword`; did you mean `password`?",
    );
    finds(
        "for tenant in mobsted::connect().tenants() { print(tenant.emial) }",
        "unknown_property 1:59 a mobsted::Tenant has no property `emial`; did you mean `email`?",
    );
    finds(
        "try { throw 1 } catch (err) { print(err.mesage) }",
        "unknown_property 1:41 an error has no property `mesage`; did you mean `message`?",
    );
    finds(
        "let row = #{ email: 1 };\nrow.emial",
        "unknown_property 2:5 a map has no property `emial`; did you mean `email`?",
    );
    finds(
        "let tenant = mobsted::connect().find_tenant(\"a@b.example\");\nprint(tenant.connect);",
        "unknown_property 2:14 a mobsted::Tenant has no property `connect`; it is a method: `.connect()`",
    );
}

#[test]
fn what_a_value_may_have_by_then_is_not_reported() {
    accepts("let row = #{ email: 1 };\nrow.name = 2;\nprint(row.name);");
    accepts("let row = #{ email: 1 };\nrow.fill_with(#{ name: 2 });\nprint(row.name);");
    accepts("let value = 1;\nvalue = #{ name: 2 };\nprint(value.name);");
    accepts("let list = [1];\nlist.push(#{ name: 2 });\nprint(list[1].name);");
    accepts("fn change() { this = #{ name: 2 } }\nlet row = #{ email: 1 };\nrow.change();\nprint(row.name);");
    accepts("let row = #{};\nprint(row?.name);");
    accepts(
        "let text = \"a\" + mobsted::connect().ensure_tenant(\"a@b.example\").password;\nprint(text.is_empty());",
    );
    accepts("fn pick(a) { if a { 1 } else { #{ name: 2 } } }\nprint(pick(false).name);");
    accepts(
        "for (tenant, number) in mobsted::connect().tenants() { print(`${number.to_string()} ${tenant.email}`) }",
    );
}

#[test]
fn methods_of_other_languages_are_explained() {
    finds(
        "let list = [1];\nlist.push_back(2);",
        "unknown_name 2:6 an array has no method `push_back`; an element is added with `list.push(item)`, a list with \
         `list + other`",
    );
    finds(
        "fn main(list) { list.forEach(|one| one) }",
        "unknown_name 1:22 there is no method `forEach`; iterate over it with `for item in list { ... }`",
    );
    finds(
        "let name = \"Ann\";\nprint(name.length);",
        "unknown_property 2:12 a string has no property `length`; the number of elements is `value.len()`",
    );
    finds(
        "let name = \"Ann\";\nprint(name.toUpperCase());",
        "unknown_name 2:12 a string has no method `toUpperCase`; it is written `text.to_upper()`",
    );
}

#[test]
fn calls_that_always_fail_are_reported() {
    finds(
        "mobsted::connect().ensure_tenant(5)",
        "wrong_arguments 1:34 `email` must be string, not an int",
    );
    finds(
        "mobsted::connect().ensure_tenant(\"a@b.example\", #{ adopt: \"yes\" })",
        "wrong_arguments 1:59 `adopt` must be bool, not a string",
    );
    finds(
        "let text = \"a\";\ntext.pad(3);",
        "wrong_arguments 2:6 `pad` does not take 1 argument; it exists as `pad(array, int, ?)`, `pad(blob, int, int)`, \
         `pad(string, int, char)`, `pad(string, int, string)`",
    );
    finds(
        "let session = mobsted::connect();\nsession.connect()",
        "unknown_name 2:9 a mobsted::Session has no method `connect`; it is a method of a mobsted::Tenant",
    );
    finds(
        "let tenant = mobsted::connect().ensure_tenant(\"a@b.example\");\ntenant.email = \"c\";",
        "wrong_arguments 2:8 `email` of a mobsted::Tenant cannot be set; what operations return cannot be changed; copy \
         what you need into your own map",
    );
}

#[test]
fn unused_names_are_reported_as_warnings() {
    finds(
        "fn main(email) {\n    let tenant = 1;\n    email\n}",
        "unused 2:9 nothing uses the variable `tenant`; remove it, or call it `_tenant` if that is intended",
    );
    finds(
        "fn helper() { 1 }\nfn main() { 2 }",
        "unused 1:4 nothing uses the function `helper`; remove it",
    );
    finds(
        "private fn helper() { helper() }\nfn other() { 2 }",
        "unused 1:12 nothing uses the function `helper`; remove it",
    );
    let found = check(&Host::new(&catalogue()), "let one = 1;", &[]);
    assert!(found.iter().all(Diagnostic::is_warning) && found.len() == 1);
    let lib = [("lib".to_owned(), "fn one() { 1 }".to_owned())];
    let found = check(
        &Host::new(&catalogue()),
        "import \"lib\" as lib;\nprint(1);",
        &lib,
    );
    assert_eq!(found[0].title, "nothing uses the import `lib`");
}

#[test]
fn names_that_others_may_use_are_no_fault() {
    accepts("//! library\nfn helper(a) { a }\nconst RATE = 2;");
    accepts("fn helper(a) { a }\nexport const RATE = 2;");
    accepts("fn twice(a) { a * 2 }\nfn main(list) { list.map(\"twice\") }");
    accepts("fn twice() { this * 2 }\nfn main(n) { n.twice() }");
    accepts("fn main(list) { for item in list { print(\"one\") } }");
    accepts("let _kept = 1;");
    accepts("const RATE = 2;\nfn price(n) { n * global::RATE }\nprint(price(1));");
}
