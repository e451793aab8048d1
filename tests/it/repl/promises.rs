//! Each promise has its test: the table in the documentation names only existing tests.

use std::path::Path;

#[test]
fn every_check_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/repl.md")).unwrap();
    let (_, table) = text.split_once("## Which test holds which promise").unwrap();
    let mut checks = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (check, tests) = (cells[1], cells[2]);
        let digits = check.split(|c: char| !c.is_ascii_digit());
        checks.extend(digits.filter_map(|digits| digits.parse::<u32>().ok()));
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        let named: Vec<(&str, &str)> = named.iter().filter_map(|name| name.split_once("::")).collect();
        assert!(!named.is_empty(), "no test is named in: {row}");
        for (file, test) in named {
            let path = root.join(format!("tests/it/repl/{file}.rs"));
            let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(
                source.contains(&format!("\nfn {test}() {{")),
                "{file}::{test} does not exist"
            );
        }
    }
    checks.sort_unstable();
    assert_eq!(checks, (1..=30).collect::<Vec<_>>(), "each check has one row");
}
