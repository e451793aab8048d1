//! Completes files and folders.

use std::fs;
use std::path::Path;

use crate::script::complete::Candidate;
use crate::value::visible::is_control_or_bidi;

/// The files and folders that match the typed path; the replacement is the whole path.
pub(super) fn paths(typed: &str) -> Vec<Candidate> {
    let (folder, word) = match typed.rfind(['/', std::path::MAIN_SEPARATOR]) {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let listed = fs::read_dir(if folder.is_empty() {
        Path::new(".")
    } else {
        Path::new(folder)
    });
    let Ok(listed) = listed else {
        return Vec::new();
    };
    let mut found: Vec<Candidate> = Vec::new();
    for entry in listed.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Hidden files only after a typed dot; never a name with control characters, which would garble the line.
        let is_hidden = name.starts_with('.') && !word.starts_with('.');
        if !name.starts_with(word)
            || is_hidden
            || name
                .chars()
                .any(|c| is_control_or_bidi(c) || matches!(c, '\n' | '\t'))
        {
            continue;
        }
        let mark = if entry.path().is_dir() { "/" } else { "" };
        found.push(Candidate::new(
            format!("{folder}{name}{mark}"),
            format!("{name}{mark}"),
            "",
        ));
    }
    found.sort_by(|a, b| a.title.cmp(&b.title));
    found
}

/// The same inside a text: an import names a file with `./`.
pub(super) fn in_text(typed: &str) -> Vec<Candidate> {
    if ["/", "./", "../"].iter().any(|begin| typed.starts_with(begin)) {
        paths(typed)
    } else {
        paths(&format!("./{typed}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn folders_are_listed_and_their_names_end_in_a_slash() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for name in ["b.rhai", "a.csv", ".hidden"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let base = format!("{}/", folder.path().display());
        let titles = |typed: &str| -> Vec<String> {
            paths(&format!("{base}{typed}"))
                .into_iter()
                .map(|one| one.title)
                .collect()
        };
        assert_eq!(titles(""), ["a.csv", "b.rhai", "sub/"]);
        assert_eq!(titles("b"), ["b.rhai"]);
        assert_eq!(titles("."), [".hidden"]);
        assert_eq!(paths("/nowhere/at/all/"), []);
    }

    #[test]
    fn every_file_of_a_large_folder_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..1000 {
            fs::write(folder.path().join(format!("file_{number}")), "").unwrap();
        }
        let typed = format!("{}/file_", folder.path().display());
        assert_eq!(paths(&typed).len(), 1000);
        assert_eq!(paths(&format!("{typed}999")).len(), 1);
    }
}
