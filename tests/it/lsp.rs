//! `provisor lsp`: an editor over standard input and output.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value as Json, json};

use crate::support::Home;

/// An editor, connected to the server.
struct Editor<'a> {
    home: &'a Home,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    requests: u64,
}

impl Editor<'_> {
    fn start(home: &Home) -> Editor<'_> {
        let mut command = home.command(["lsp", "--stdio"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        Editor {
            home,
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            requests: 0,
        }
    }

    /// An editor that is ready to work.
    fn ready(home: &Home) -> Editor<'_> {
        let mut editor = Editor::start(home);
        let ready = editor.request("initialize", &json!({ "processId": null, "capabilities": {} }));
        assert_eq!(ready["result"]["capabilities"]["positionEncoding"], "utf-16");
        assert_eq!(ready["result"]["serverInfo"]["name"], "provisor");
        editor.notify("initialized", &json!({}));
        editor
    }

    fn send(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        input.flush().unwrap();
    }

    fn notify(&mut self, method: &str, params: &Json) {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.send(&message.to_string());
    }

    /// The next message of the server.
    fn receive(&mut self) -> Json {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server ended");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().unwrap(),
                None if line == "\r\n" => break,
                None => panic!("{line}"),
            }
        }
        let mut content = vec![0; length];
        self.output.read_exact(&mut content).unwrap();
        serde_json::from_slice(&content).unwrap()
    }

    /// Requests something. Returns the response.
    fn request(&mut self, method: &str, params: &Json) -> Json {
        self.requests += 1;
        let id = self.requests;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send(&message.to_string());
        loop {
            let received = self.receive();
            if received["id"] == id {
                return received;
            }
        }
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.home.work().join(name).display())
    }

    fn open(&mut self, name: &str, text: &str) {
        let item = json!({ "uri": self.uri(name), "languageId": "rhai", "version": 1, "text": text });
        self.notify("textDocument/didOpen", &json!({ "textDocument": item }));
    }

    fn change(&mut self, name: &str, version: u64, text: &str) {
        let params = json!({
            "textDocument": { "uri": self.uri(name), "version": version },
            "contentChanges": [{ "text": text }],
        });
        self.notify("textDocument/didChange", &params);
    }

    /// The findings of this version of a document: `line:character message`.
    fn findings(&mut self, name: &str, version: u64) -> Vec<String> {
        let uri = self.uri(name);
        loop {
            let received = self.receive();
            let found = &received["params"];
            if received["method"] != "textDocument/publishDiagnostics"
                || found["uri"] != uri
                || found["version"] != version
            {
                continue;
            }
            let line = |finding: &Json| {
                let start = &finding["range"]["start"];
                let message = finding["message"].as_str().unwrap();
                format!("{}:{} {message}", start["line"], start["character"])
            };
            return found["diagnostics"]
                .as_array()
                .unwrap()
                .iter()
                .map(line)
                .collect();
        }
    }

    fn at(&mut self, method: &str, name: &str, line: u64, character: u64) -> Json {
        let params = json!({
            "textDocument": { "uri": self.uri(name) },
            "position": { "line": line, "character": character },
        });
        self.request(&format!("textDocument/{method}"), &params)["result"].take()
    }

    /// Closes the connection. Returns the exit code and what the server wrote to standard error.
    fn leave(mut self) -> (i32, String) {
        drop(self.input.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        let ended = self.child.wait_with_output().unwrap();
        (
            ended.status.code().unwrap(),
            String::from_utf8(ended.stderr).unwrap(),
        )
    }

    /// Ends the session as the protocol demands.
    fn end(mut self) {
        let response = self.request("shutdown", &Json::Null);
        assert_eq!(response["result"], Json::Null);
        self.notify("exit", &Json::Null);
        assert_eq!(self.leave(), (0, String::new()));
    }
}

#[test]
fn an_editor_sees_mistakes_and_definitions_of_the_text_that_it_shows() {
    let home = Home::new();
    home.write("lib.rhai", "/// Twice as much.\nfn twice(n) { n * 2 }\n");
    let mut editor = Editor::ready(&home);
    editor.open("a.rhai", "import \"lib\" as lib;\nprint(lib::twic(1));\n");
    assert_eq!(
        editor.findings("a.rhai", 1),
        ["1:11 there is no function `lib::twic`\ndid you mean `lib::twice`?"]
    );
    editor.change("a.rhai", 2, "import \"lib\" as lib;\nprint(lib::twice(1));\n");
    assert_eq!(editor.findings("a.rhai", 2), Vec::<String>::new());
    let definition = editor.at("definition", "a.rhai", 1, 14);
    let start = json!({ "line": 1, "character": 3 });
    let end = json!({ "line": 1, "character": 8 });
    assert_eq!(
        definition,
        json!({ "uri": editor.uri("lib.rhai"), "range": { "start": start, "end": end } })
    );
    let hover = editor.at("hover", "a.rhai", 1, 14);
    assert_eq!(
        hover["contents"]["value"],
        "```rhai\nlib::twice(n)\n```\n\nTwice as much."
    );
    // What is typed counts, not what is on the disk.
    editor.open("lib.rhai", "fn thrice(n) { n * 3 }\n");
    assert_eq!(
        editor.findings("a.rhai", 2),
        ["1:11 there is no function `lib::twice`"]
    );
    editor.end();
    assert!(!home.provisor().exists(), "nothing is opened");
}

#[test]
fn what_is_no_request_is_answered_with_an_error_and_the_session_continues() {
    let home = Home::new();
    let mut editor = Editor::start(&home);
    let early = editor.request("textDocument/hover", &json!({}));
    assert_eq!(early["error"]["code"], -32002);
    let _ = editor.request("initialize", &json!({ "capabilities": {} }));
    editor.send("{ this is not JSON");
    let refused = editor.receive();
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&Json::Null, &json!(-32700))
    );
    let refused = editor.request("workspace/executeCommand", &json!({}));
    assert_eq!(refused["error"]["code"], -32601);
    let refused = editor.request("textDocument/completion", &json!({ "position": 1 }));
    assert_eq!(refused["error"]["code"], -32602);
    editor.notify("textDocument/didOpen", &json!({ "textDocument": 1 }));
    let log = editor.receive();
    assert_eq!(log["method"], "window/logMessage");
    editor.notify("$/somethingNew", &json!({}));
    editor.open("a.rhai", "let _x = \"😀\"; pri");
    let found = editor.at("completion", "a.rhai", 0, 18);
    let item = &found["items"][0];
    assert_eq!(item["label"], "print(data)");
    assert_eq!(
        item["textEdit"]["range"]["start"],
        json!({ "line": 0, "character": 15 })
    );
    editor.end();
}

#[test]
fn an_editor_that_goes_away_without_shutdown_ends_the_server_with_code_1() {
    let home = Home::new();
    let editor = Editor::ready(&home);
    assert_eq!(editor.leave(), (1, String::new()));
    let mut editor = Editor::ready(&home);
    editor.notify("exit", &Json::Null);
    assert_eq!(editor.leave(), (1, String::new()));
}
