//! The README and the guides in `docs/`: their links work, and the README links to each guide.

use std::path::{Path, PathBuf};

use crate::support::Home;

#[test]
fn every_link_leads_to_a_file_and_a_heading_in_it() {
    let mut followed = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.with_file_name(file),
            };
            let shown = format!("{}: {link}", page.display());
            let text = std::fs::read_to_string(&target).unwrap_or_else(|error| panic!("{shown}: {error}"));
            let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
            assert!(
                heading.is_empty() || headings.any(|known| known == heading),
                "{shown}"
            );
            followed += 1;
        }
    }
    assert!(followed > 20, "{followed}");
}

#[test]
fn the_readme_links_to_each_guide() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for page in pages().iter().filter(|page| !page.ends_with("README.md")) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(
            links(&readme).any(|link| link == format!("docs/{name}")),
            "{name}"
        );
    }
}

#[test]
fn each_example_of_the_language_guide_prints_what_it_states() {
    let guide = std::fs::read_to_string(root().join("docs/language.md")).unwrap();
    let blocks = guide.split("```rhai\n").skip(1);
    let home = Home::new();
    let mut run = 0;
    for block in blocks.map(|rest| rest.split("```").next().unwrap()) {
        let stated = |mark: &str| -> Vec<String> {
            let found = block.lines().filter_map(|line| line.split_once(mark));
            found.map(|(_, text)| format!("{text}\n")).collect()
        };
        let (printed, errors) = (stated("// => ").concat(), stated("// error: "));
        assert!(errors.len() <= 1, "a session ends at its first error:\n{block}");
        let ran = home.run_with_input("repl --sandbox", block);
        let ran = ran.ended(i32::from(!errors.is_empty()));
        assert_eq!(ran.stdout, printed, "{block}");
        for error in errors {
            assert!(ran.stderr.contains(&format!("error: {error}")), "{}", ran.stderr);
        }
        run += 1;
    }
    assert!(run > 10, "{run}");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and every guide.
fn pages() -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join("docs")).unwrap();
    let guides = files.map(|file| file.unwrap().path());
    let mut pages: Vec<PathBuf> = guides
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.push(root().join("README.md"));
    pages
}

/// The targets of the links in a page.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || "-_".contains(c) => Some(c.to_ascii_lowercase()),
            _ => None,
        });
    kept.collect()
}
