//! Rows that are broken, slow, blank or endless, and the effect on the results.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};

use crate::support::{Home, csv, finish, signal, wait_until};

const DOUBLE: &str =
    "/// @param n int  a number\nfn main(n) { if n < 0 { throw \"negative\" } #{ double: n * 2 } }\n";

fn home() -> Home {
    let home = Home::new();
    home.write("double.rhai", DOUBLE);
    home
}

/// Starts a run whose rows come from a pipe that stays open.
fn piped(home: &Home, words: &str, input: &str) -> (Child, ChildStdin) {
    let words = format!("run double.rhai --rows - {words}");
    let mut command = home.command(words.split_whitespace());
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    (child, stdin)
}

fn numbers(count: usize) -> String {
    let lines = (0..count).map(|number| format!("{number}\n"));
    format!("n\n{}", lines.collect::<String>())
}

fn done_rows(home: &Home, file: &str) -> usize {
    let text = fs::read_to_string(home.work().join(file)).unwrap_or_default();
    text.lines().filter(|line| line.contains(",done,")).count()
}

#[test]
fn results_never_overwrite_their_input_file() {
    let home = home();
    home.write("x.csv", &numbers(3));
    std::os::unix::fs::symlink("x.csv", home.work().join("soft.csv")).unwrap();
    fs::hard_link(home.work().join("x.csv"), home.work().join("hard.csv")).unwrap();
    for out in ["x.csv", "./x.csv", "soft.csv", "hard.csv"] {
        let ran = home.run(&format!("run double.rhai --rows x.csv --out {out}"));
        let _ = ran.ended(2).said(&["the rows come from", out]);
    }
    fs::rename(home.work().join("hard.csv"), home.work().join("y.csv.partial")).unwrap();
    let ran = home.run("run double.rhai --rows x.csv --out y.csv");
    let _ = ran.ended(2).said(&["the rows come from"]);
    let mut command = home.command(["run", "double.rhai", "--rows", "-", "--out", "x.csv"]);
    command.stdin(fs::File::open(home.work().join("x.csv")).unwrap());
    let _ = finish(command.spawn().unwrap()).ended(2);
    assert_eq!(home.read("x.csv"), numbers(3));
    assert!(!home.work().join("x.csv.partial").exists());
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
}

#[test]
fn rows_before_a_broken_line_run_and_the_old_results_stay() {
    let home = home();
    home.write("out.csv", "precious\n");
    home.write("x.csv", "n\n1\n2\n3\n\"4\n5\n");
    let ran = home.run("run double.rhai --rows x.csv --out out.csv").ended(2);
    let _ = ran.said(&["line 5", "never closed", "out.csv.partial", "provisor resume"]);
    assert_eq!(home.read("out.csv"), "precious\n");
    assert_eq!(done_rows(&home, "out.csv.partial"), 3);
    home.write("x.csv", "n\n1\n2\n3\n4\n5\n");
    let _ = home.run("resume").ended(0);
    let results = csv(&home.read("out.csv"));
    let doubles: Vec<&str> = results.iter().map(|row| row["double"].as_str()).collect();
    assert_eq!(doubles, ["2", "4", "6", "8", "10"]);
    assert!(!home.work().join("out.csv.partial").exists());
}

#[test]
fn an_unwritable_results_file_starts_no_run() {
    let home = home();
    home.write("x.csv", &numbers(2));
    fs::create_dir(home.work().join("folder.csv")).unwrap();
    for (out, reason) in [
        ("nowhere/out.csv", "nowhere/out.csv"),
        ("folder.csv", "it is a folder"),
        ("out.xyz", "unsupported file type"),
    ] {
        let ran = home.run(&format!("run double.rhai --rows x.csv --out {out}"));
        let _ = ran.ended(2).said(&[reason]);
    }
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
    assert!(!home.run("runs list").stdout.contains("double"));
}

#[test]
fn resuming_a_run_over_a_pipe_needs_the_rows_as_a_file() {
    let home = home();
    let (mut child, stdin) = piped(&home, "--out out.csv", &numbers(300));
    wait_until("all rows that were sent are done", || {
        done_rows(&home, "out.csv.partial") == 300
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    drop(stdin);
    for _ in 0..2 {
        let ran = home.run("resume").ended(9);
        let _ = ran.said(&["300 rows were read", "--rows FILE", "a new run"]);
    }
    home.write("all.csv", &numbers(310));
    let _ = home.run("resume --rows all.csv").ended(0);
    assert_eq!(done_rows(&home, "out.csv"), 310);
}

#[test]
fn piped_csv_rows_run_as_they_arrive_and_ctrl_c_stops_reading() {
    let home = home();
    let (child, mut stdin) = piped(&home, "--out out.csv", "n\n1\n");
    wait_until("the first row is done", || {
        done_rows(&home, "out.csv.partial") == 1
    });
    stdin.write_all(b"2\n").unwrap();
    wait_until("the second row is done", || {
        done_rows(&home, "out.csv.partial") == 2
    });
    signal(child.id(), "INT");
    let ran = finish(child).ended(130);
    let _ = ran.said(&["2 rows were read", "provisor resume"]);
    drop(stdin);
    assert_eq!(done_rows(&home, "out.csv.partial"), 2);
}

#[test]
fn piped_json_lines_run_as_they_arrive_and_stop_after_stops_reading() {
    let home = home();
    let (child, mut stdin) = piped(&home, "--out out.csv --stop-after 1", "{\"n\": 1}\n");
    wait_until("the first row is done", || {
        done_rows(&home, "out.csv.partial") == 1
    });
    stdin.write_all(b"{\"n\": -1}\n").unwrap();
    let ran = finish(child).ended(9);
    let _ = ran.said(&["2 rows were read", "stopped after failures"]);
    drop(stdin);
}

#[test]
fn blank_cells_and_null_count_as_missing_values() {
    let home = Home::new();
    home.write(
        "d.rhai",
        "/// @param who string  who\n/// @param n int = 7  how many\n/// @param label string = \"none\"  what\n\
         fn main(who, n, label) { #{ said: `${who} ${n} ${label}` } }\n",
    );
    home.write("x.csv", "who,n,label,other\nann,, , \nbob,1,x,y\n ,1,x,y\n");
    let _ = home.run("run d.rhai --rows x.csv --out out.csv").ended(8);
    let rows = csv(&home.read("out.csv"));
    assert_eq!(rows[0]["said"], "ann 7 none");
    assert_eq!(rows[0]["other"], " ", "carried through as it is");
    assert_eq!(rows[1]["said"], "bob 1 x");
    assert_eq!(rows[2]["_error"], "row 3, column `who`: is required");
    home.write(
        "x.jsonl",
        "{\"who\": \"ann\", \"n\": null, \"label\": \"\"}\n{\"who\": null}\n",
    );
    let _ = home.run("run d.rhai --rows x.jsonl --out out2.csv").ended(8);
    let rows = csv(&home.read("out2.csv"));
    assert_eq!(rows[0]["said"], "ann 7 ", "an empty JSON text is given");
    assert_eq!(rows[1]["_error"], "row 2, column `who`: is required");
}

#[test]
fn secret_columns_of_every_json_type_are_masked_in_results() {
    let home = Home::new();
    home.write(
        "s.rhai",
        "/// @param pin secret  a secret\nfn main(pin) { #{ got: pin } }\n",
    );
    home.write(
        "x.jsonl",
        "{\"pin\": 4711}\n{\"pin\": \"***\"}\n{\"pin\": [815]}\n",
    );
    let _ = home.run("run s.rhai --rows x.jsonl --out out.csv").ended(8);
    let text = home.read("out.csv");
    assert!(!text.contains("4711") && !text.contains("815"), "{text}");
    let rows = csv(&text);
    assert_eq!(rows[0]["got"], "***");
    assert!(rows[1]["_error"].contains("a masked secret"), "{:?}", rows[1]);
    let _ = home
        .run("run s.rhai --rows x.jsonl --out shown.csv --reveal got")
        .ended(8);
    assert_eq!(csv(&home.read("shown.csv"))[0]["got"], "4711");
}

#[test]
fn columns_of_rows_that_never_began_are_in_the_results() {
    let home = home();
    let later = "{\"n\": 2, \"late\": \"x\"}\n".repeat(40);
    home.write("x.jsonl", &format!("{{\"n\": -1}}\n{later}"));
    let ran = home.run("run double.rhai --rows x.jsonl --out out.csv --jobs 1 --stop-after 1");
    let _ = ran.ended(9);
    let rows = csv(&home.read("out.csv"));
    assert_eq!(rows.len(), 41);
    assert_eq!(rows[40]["late"], "x");
}

#[test]
fn a_closed_stdout_pipe_does_not_end_the_run() {
    for format in ["csv", "jsonl"] {
        let home = home();
        home.write("x.csv", &numbers(500));
        let words = format!("run double.rhai --rows x.csv --format {format}");
        let mut child = home.command(words.split_whitespace()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = finish(child).ended(0);
        assert!(ran.stderr.contains("500 done"), "{}", ran.stderr);
    }
}

#[test]
fn a_second_ctrl_c_ends_the_run_while_results_are_written() {
    let home = home();
    home.write("x.csv", &numbers(4000));
    let mut child = home
        .command(["run", "double.rhai", "--rows", "x.csv"])
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    // The results exceed the pipe's capacity, so they are being written from here on.
    stdout.read_exact(&mut [0]).unwrap();
    signal(child.id(), "INT");
    let mut line = String::new();
    while !line.contains("stopping") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended too early");
    }
    signal(child.id(), "INT");
    assert_eq!(finish(child).code, 130);
}

#[test]
fn an_unknown_reveal_column_is_reported() {
    let home = home();
    home.write("x.csv", &numbers(2));
    let ran = home.run("run double.rhai --rows x.csv --out out.csv --reveal duoble,double");
    let ran = ran.ended(0).said(&["--reveal duoble: no result"]);
    assert!(!ran.stderr.contains("--reveal double:"), "{}", ran.stderr);
    let once = home.run("run double.rhai --n 1 --reveal duoble").ended(0);
    let _ = once.said(&["--reveal duoble: no result"]);
}

#[test]
fn resume_with_a_run_id_writes_lost_results_again() {
    let home = home();
    home.write("x.csv", &numbers(3));
    let ran = home.run("run double.rhai --rows x.csv --out out.csv").ended(0);
    let run = ran
        .stderr
        .split("run ")
        .nth(1)
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    let written = home.read("out.csv");
    fs::remove_file(home.work().join("out.csv")).unwrap();
    let _ = home.run("resume").ended(0);
    assert!(!home.work().join("out.csv").exists(), "nobody named it");
    let _ = home
        .run(&format!("resume {run}"))
        .ended(0)
        .said(&["`out.csv` again"]);
    assert_eq!(home.read("out.csv"), written);
}

#[test]
fn a_missing_column_is_reported_for_every_row_format() {
    let home = home();
    home.write("x.tsv", "m\to\n1\t2\n");
    home.write("x.jsonl", "{\"m\": 1}\n");
    home.write("twice.json", "[{\"n\": 1, \"n\": 2}]");
    let ran = home.run("run double.rhai --rows twice.json").ended(2);
    let _ = ran.said(&["no row can be read: row 1 (line 1): it has the key `n` twice"]);
    let ran = home.run("run double.rhai --rows .").ended(2);
    let _ = ran.said(&["`.` is a folder"]);
    for rows in ["x.tsv", "x.jsonl"] {
        let ran = home.run(&format!("run double.rhai --rows {rows}"));
        let _ = ran
            .ended(2)
            .said(&["no column `n`", "double.rhai:1", "their columns: m"]);
    }
}

#[test]
fn misspelt_and_unused_columns_are_reported_before_the_run() {
    let home = Home::new();
    home.write(
        "m.rhai",
        "/// @param site string\n/// @param email string = \"none\"\nfn main(site, email) { #{ to: email, id: 1 } }\n",
    );
    home.write("x.csv", "site,emial,notes,region,id\na,ann@x.example,n,r,7\n");
    home.write("x.tsv", "site\temial\tnotes\tregion\na\tann@x.example\tn\tr\n");
    home.write(
        "x.jsonl",
        "{\"site\": \"a\"}\n{\"site\": \"b\", \"emial\": 1, \"notes\": 2}\n{\"site\": \"c\", \"region\": 2}\n",
    );
    for rows in ["x.csv", "x.tsv", "x.jsonl"] {
        let ran = home.run(&format!("run m.rhai --rows {rows}")).ended(0).said(&[
            "warning: column `emial` is not a parameter of main; did you mean `email`?",
            "columns not used by main: notes, region\n",
        ]);
        assert_eq!(ran.stderr.matches("emial").count(), 1, "{}", ran.stderr);
    }
    // The parameter has its own column, so the other one is no typo.
    home.write("y.csv", "site,email,emails\na,b,c\n");
    let ran = home.run("run m.rhai --rows y.csv --out y1.csv").ended(0);
    let _ = ran.said(&["columns not used by main: emails\n"]);
    let again = home.run("run m.rhai --rows y1.csv").ended(0);
    assert!(
        again.stderr.contains("columns not used by main: emails\n"),
        "{}",
        again.stderr
    );
    home.write("z.csv", "site,email\na,b\n");
    let quiet = home.run("run m.rhai --rows z.csv").ended(0).stderr;
    assert!(!quiet.contains("column"), "{quiet}");
}

/// Three unreadable rows, and one with an invalid cell.
const MIXED: &str = "n,who\n1,ann\nx,\"bob, the second\"\n3,eve,site\n4\n5,zoe\n";

#[test]
fn unreadable_rows_keep_their_cells_and_run_once_fixed() {
    let home = home();
    home.write("x.csv", MIXED);
    let _ = home.run("run double.rhai --rows x.csv --out out.csv").ended(8);
    let rows = csv(&home.read("out.csv"));
    let cells: Vec<[&str; 3]> = rows
        .iter()
        .map(|row| ["n", "who", "_unread"].map(|name| row[name].as_str()))
        .collect();
    assert_eq!(
        cells,
        [
            ["1", "ann", ""],
            ["x", "bob, the second", ""],
            ["3", "eve", "3,eve,site"],
            ["4", "", "4"],
            ["5", "zoe", ""]
        ]
    );
    assert!(rows[1]["_error"].contains("column `n`"), "{:?}", rows[1]);
    assert!(rows[2]["_error"].contains("3 fields, but the header has 2"));
    // Unless fixed they do not run, since their cells may belong to other columns.
    let _ = home
        .run("run double.rhai --rows out.csv --out again.csv")
        .ended(8);
    let again = csv(&home.read("again.csv"));
    assert!(
        again[2]["_error"].contains("clear the column `_unread`"),
        "{:?}",
        again[2]
    );
    // Rows that are done are left out.
    assert_eq!(again.len(), 3);
    let mended = home
        .read("out.csv")
        .replace("\"3,eve,site\"", "")
        .replace("\nx,", "\n2,");
    home.write("mended.csv", &mended.replace(",4,failed", ",,failed"));
    let _ = home
        .run("run double.rhai --rows mended.csv --out last.csv")
        .ended(0);
    let last = csv(&home.read("last.csv"));
    let doubles: Vec<&str> = last.iter().map(|row| row["double"].as_str()).collect();
    assert_eq!(doubles, ["4", "6", "8"]);
}

#[test]
fn invalid_json_lines_and_non_utf8_cells_are_kept_in_results() {
    let home = home();
    home.write("x.jsonl", "{\"n\": 1}\n{\"n\": 2,\n[3]\n{\"n\": \"four\"}\n");
    let _ = home
        .run("run double.rhai --rows x.jsonl --out out.jsonl")
        .ended(8);
    let text = home.read("out.jsonl");
    let rows: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows[1]["_unread"], "{\"n\": 2,");
    assert_eq!(rows[2]["_unread"], "[3]");
    assert_eq!(rows[3]["n"], "four");
    fs::write(home.work().join("l.csv"), b"n,who\n1,Jos\xe9\n").unwrap();
    let ran = home.run("run double.rhai --rows l.csv --out l-out.csv").ended(8);
    let ran = ran.said(&["fix them in the results file", "run double.rhai --rows"]);
    assert!(
        !ran.stderr.contains("--retry-failed"),
        "it reads the same row again: {}",
        ran.stderr
    );
    let rows = csv(&home.read("l-out.csv"));
    assert_eq!(
        (rows[0]["n"].as_str(), rows[0]["who"].as_str()),
        ("1", "Jos\u{e9}")
    );
}

#[test]
fn the_cells_of_an_unreadable_row_with_secrets_are_masked() {
    let home = Home::new();
    home.write(
        "s.rhai",
        "/// @param pin secret  a secret\nfn main(pin, who) { #{ who: who } }\n",
    );
    home.write("x.csv", "pin,who\n0815,ann\nann,4711,x\n");
    let _ = home.run("run s.rhai --rows x.csv --out out.csv").ended(8);
    let text = home.read("out.csv");
    assert!(!text.contains("4711"), "{text}");
    assert_eq!(csv(&text)[1]["_unread"], "***");
}

#[test]
fn the_resume_summary_separates_earlier_rows_from_its_own() {
    let home = Home::new();
    home.write(
        "t.rhai",
        "/// @param n int\nfn main(n) { let t = mobsted::connect().ensure_tenant(`c${n}@x.example`); if n == 8 { throw \"eight\" } #{ url: t.url } }\n",
    );
    let rows: Vec<String> = (1..=12).map(|n| n.to_string()).collect();
    home.write("x.csv", &format!("n\n{}\n", rows.join("\n")));
    let ran = home.run("run t.rhai --sandbox --rows x.csv --out out.csv --jobs 1 --stop-after 1");
    let _ = ran.ended(9).said(&[
        "12 rows: 7 done, 1 failed, 4 not started, in",
        "tenants: 8 created",
        "4 rows not started",
    ]);
    let _ = home.run("resume").ended(8).said(&[
        "12 rows: 11 done (7 before, 4 now), 1 failed (before), in",
        "tenants in the whole run: 12 created",
        "row 8 failed: eight",
    ]);
    let _ = home.run("resume --retry-failed").ended(9).said(&[
        "12 rows: 11 done (before), 1 failed (now), in",
        "tenants in the whole run: 12 created",
        "row 8 failed: eight",
    ]);
    assert_eq!(home.snapshot().totals.tenants_created, 12);
}
