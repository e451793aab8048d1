//! Replays the session in `docs/repl.md`, so that the guide cannot become outdated.
//!
//! `PROVISOR_RECORD=1 cargo test --test it walkthrough` records `docs/repl-walkthrough.txt` again from its own inputs.

use std::path::Path;

use crate::support::Home;
use crate::support::pty::{Terminal, key};

const PROMPT: &str = "sandbox>";

#[test]
fn the_walkthrough_is_what_a_terminal_shows() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/repl-walkthrough.txt");
    let recorded = std::fs::read_to_string(&file).unwrap();
    let shown = played(&recorded);
    if std::env::var_os("PROVISOR_RECORD").is_some() {
        std::fs::write(&file, &shown).unwrap();
        return;
    }
    assert_eq!(
        shown, recorded,
        "docs/repl-walkthrough.txt differs from what is shown now"
    );
}

#[test]
fn the_guide_shows_the_walkthrough() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recorded = std::fs::read_to_string(root.join("docs/repl-walkthrough.txt")).unwrap();
    let guide = std::fs::read_to_string(root.join("docs/repl.md")).unwrap();
    assert!(recorded.lines().count() > 10, "the walk-through is there");
    assert!(
        guide.contains(&format!("```text\n{recorded}```\n")),
        "docs/repl.md does not contain docs/repl-walkthrough.txt as it is"
    );
}

/// Types the inputs of a transcript, and returns the new transcript.
fn played(recorded: &str) -> String {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command, 120, 96);
    let mut prompts = 1;
    let wait = |terminal: &Terminal, prompts: usize| {
        let _ = terminal.wait_until("the prompt is back", |screen| {
            let text = screen.contents();
            let count = text.lines().filter(|line| line.starts_with(PROMPT)).count();
            count == prompts && text.trim_end().ends_with(PROMPT)
        });
    };
    wait(&terminal, prompts);
    let inputs = recorded.lines().filter_map(|line| line.strip_prefix(PROMPT));
    for input in inputs.map(str::trim).filter(|input| !input.is_empty()) {
        terminal.type_line(input);
        prompts += 1;
        wait(&terminal, prompts);
    }
    terminal.press(key::CTRL_D);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    normalised(screen.trim_end(), &home)
}

/// Replaces what differs between sessions: the version, the run's name, and the address of a tenant.
fn normalised(screen: &str, home: &Home) -> String {
    let mut text = screen.replace(env!("CARGO_PKG_VERSION"), "X.Y.Z");
    text = text.replace(&home.newest(), "r7f3k");
    let tenant = format!("http://{}-admin.", home.snapshot().tenants[0].name);
    while let Some(at) = text.find(&tenant) {
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        text.replace_range(at..end, "http://ann.mobsted.sandbox");
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
