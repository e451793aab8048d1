//! Manifests: what a script or a project needs, and where each of its packages comes from.
//!
//! A project's manifest is the table `[use]` and the key `needs` in its `provisor.toml`. A script can have its own: a
//! block of comments at its top, as Python's inline script metadata:
//!
//! ```text
//! // /// provisor
//! // needs = "0.3"
//! // [use]
//! // steps = "git+https://example.com/acme/steps@v2.1.0"
//! // ///
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_edit::{DocumentMut, Item, Table};

use super::PackageError;
use super::source::{PackageSource, is_name};
use crate::config::{self, Env};
use crate::value::nearest::nearest;

/// The first line of a script's block.
const OPENING: &str = "// /// provisor";

/// Its last line.
const CLOSING: &str = "// ///";

/// What a script or a project needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Manifest {
    /// The lowest version of provisor.
    pub(crate) needs: Option<String>,
    /// The packages by the name under which scripts import them.
    pub(crate) uses: BTreeMap<String, PackageSource>,
}

/// The file that holds a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ManifestFile {
    /// A project's `provisor.toml`.
    Project(PathBuf),
    /// A script with a block.
    Script(PathBuf),
}

/// The block of a script.
struct Block {
    /// The TOML in it.
    toml: String,
    /// The lines of the script that it takes, from the opening to the closing one, counted from 0.
    lines: std::ops::RangeInclusive<usize>,
}

impl Manifest {
    /// Reads a project's file, whose other keys are the configuration's.
    pub(crate) fn of_project(name: &str, text: &str) -> Result<Manifest, PackageError> {
        Manifest::parse(
            without_mark(text),
            &["needs", "use", "default_profile", "profiles"],
            &|line, column| format!("{name}:{line}:{column}"),
        )
    }

    /// Reads the block of a script; `None` if it has none.
    pub(crate) fn of_script(name: &str, text: &str) -> Result<Option<Manifest>, PackageError> {
        let Some(block) = Block::find(name, text)? else {
            return Ok(None);
        };
        let above = block.lines.start() + 1;
        let place = |line: usize, column: usize| format!("{name}:{}:{}", above + line, column + "// ".len());
        Manifest::parse(&block.toml, &["needs", "use"], &place).map(Some)
    }

    fn parse(
        text: &str,
        keys: &[&str],
        place: &dyn Fn(usize, usize) -> String,
    ) -> Result<Manifest, PackageError> {
        let place_of = |offset: usize| {
            let before = text.get(..offset).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            place(before.matches('\n').count() + 1, line.chars().count() + 1)
        };
        let invalid = |offset: usize, problem: String, hint: Option<String>| PackageError::Invalid {
            place: place_of(offset),
            problem,
            hint,
        };
        let root = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            invalid(offset, error.message().replace('\n', ", "), None)
        })?;
        let mut manifest = Manifest::default();
        for (key, value) in root.get_ref() {
            let (name, at): (&str, usize) = (key.get_ref(), key.span().start);
            match name {
                "needs" => {
                    let needs = value.get_ref().as_str().filter(|needs| version(needs).is_some());
                    let needs = needs.ok_or_else(|| {
                        invalid(at, "`needs` must be a version, such as \"0.3\"".to_owned(), None)
                    })?;
                    manifest.needs = Some(needs.to_owned());
                }
                "use" => {
                    let DeValue::Table(table) = value.get_ref() else {
                        return Err(invalid(at, "`use` must be a table: [use]".to_owned(), None));
                    };
                    for (name, source) in table {
                        let source = package(name, source)
                            .map_err(|(problem, hint)| invalid(name.span().start, problem, hint))?;
                        manifest.uses.insert(name.get_ref().to_string(), source);
                    }
                }
                name if keys.contains(&name) => {}
                name => {
                    let known = format!("the keys are {}", keys.join(", "));
                    let hint = nearest(name, keys.iter().copied())
                        .map_or(known, |near| format!("did you mean `{near}`?"));
                    return Err(invalid(at, format!("there is no key `{name}`"), Some(hint)));
                }
            }
        }
        Ok(manifest)
    }

    /// Returns an error if this provisor is older than the manifest needs.
    pub(crate) fn check_version(&self, who: &str) -> Result<(), PackageError> {
        self.needs
            .as_deref()
            .map_or(Ok(()), |needs| check_version(who, needs))
    }

    /// Returns an error if a package has the name of a module or a function that scripts have anyway.
    pub(super) fn check_names(&self, place: &str, taken: &BTreeSet<String>) -> Result<(), PackageError> {
        let Some(name) = self.uses.keys().find(|name| taken.contains(*name)) else {
            return Ok(());
        };
        Err(PackageError::Invalid {
            place: place.to_owned(),
            problem: format!("a package cannot have the name `{name}`, which provisor itself uses"),
            hint: Some("give it another name: it is yours to choose".to_owned()),
        })
    }
}

/// Returns an error if this provisor is older than `needs`.
pub(super) fn check_version(who: &str, needs: &str) -> Result<(), PackageError> {
    if version(needs) > version(env!("CARGO_PKG_VERSION")) {
        return Err(PackageError::TooOld {
            who: who.to_owned(),
            needs: needs.to_owned(),
        });
    }
    Ok(())
}

/// Reads one to three numbers with points between them.
pub(super) fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = [0; 3];
    let mut at = parts.iter_mut();
    for number in text.split('.') {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        *at.next()? = number.parse().ok().filter(|_| is_number)?;
    }
    Some(parts)
}

/// Reads an entry of `[use]`. The error is a problem and what to do about it.
fn package(
    name: &Spanned<std::borrow::Cow<'_, str>>,
    source: &Spanned<DeValue<'_>>,
) -> Result<PackageSource, (String, Option<String>)> {
    let name = name.get_ref();
    if !is_name(name) {
        let problem = format!("`{name}` cannot be the name of a package");
        let hint = "a name has lower-case letters, digits, _ and -, and begins with a letter";
        return Err((problem, Some(hint.to_owned())));
    }
    let source = source.get_ref().as_str().ok_or_else(|| {
        let hint = "write a path, a bundle or git+URL@TAG as a text";
        (
            format!("the source of `{name}` must be a text"),
            Some(hint.to_owned()),
        )
    })?;
    PackageSource::parse(source).map_err(|error| (error.to_string(), error.hint()))
}

impl ManifestFile {
    /// A project's file. Its path is shown as it counts from the current folder, if it is in or below that.
    pub(crate) fn project(path: PathBuf, env: &Env) -> ManifestFile {
        let real = std::fs::canonicalize(env.folder()).unwrap_or_default();
        let below = path
            .strip_prefix(env.folder())
            .or_else(|_| path.strip_prefix(real));
        ManifestFile::Project(below.map(Path::to_owned).unwrap_or(path))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        match self {
            ManifestFile::Project(path) | ManifestFile::Script(path) => path,
        }
    }

    /// The folder from which its paths count.
    pub(super) fn folder(&self) -> &Path {
        match self.path().parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Reads the manifest. A script without a block has an empty one.
    pub(crate) fn read(&self) -> Result<Manifest, PackageError> {
        let text = self.text()?;
        let name = self.path().display().to_string();
        match self {
            ManifestFile::Project(_) => Manifest::of_project(&name, &text),
            ManifestFile::Script(_) => Ok(Manifest::of_script(&name, &text)?.unwrap_or_default()),
        }
    }

    /// Sets the source of a package, or removes the package. Everything else in the file stays as it is, its byte order
    /// mark and its line ends included.
    pub(super) fn set(&self, package: &str, source: Option<&PackageSource>) -> Result<(), PackageError> {
        let read = self.text()?;
        let body = without_mark(&read);
        let mark = read.strip_suffix(body).unwrap_or_default();
        let ends = body.matches("\r\n").count();
        let is_crlf = ends > 0 && ends == body.matches('\n').count();
        let text = if is_crlf {
            body.replace("\r\n", "\n")
        } else {
            body.to_owned()
        };
        let name = self.path().display().to_string();
        let changed = match self {
            ManifestFile::Project(_) => edited(&name, &text, package, source)?,
            ManifestFile::Script(_) => match Block::find(&name, &text)? {
                Some(block) => block.replaced(&text, &edited(&name, &block.toml, package, source)?),
                None => Block::inserted(&text, &edited(&name, "", package, source)?),
            },
        };
        let changed = if is_crlf {
            changed.replace('\n', "\r\n")
        } else {
            changed
        };
        let changed = format!("{mark}{changed}");
        config::rewrite(self.path(), &changed, self.path()).map_err(|error| PackageError::Unwritable {
            path: self.path().to_owned(),
            reason: error.to_string(),
        })
    }

    /// The lock: `provisor.lock` beside the project's file, `SCRIPT.lock` beside the script.
    pub(crate) fn lock_file(&self) -> PathBuf {
        match self {
            ManifestFile::Project(path) => path.with_file_name("provisor.lock"),
            ManifestFile::Script(path) => with_ending(path, ".lock"),
        }
    }

    /// The folder of vendored packages: `vendor` in the project's folder, `SCRIPT.vendor` beside the script.
    pub(crate) fn vendor_folder(&self) -> PathBuf {
        match self {
            ManifestFile::Project(path) => path.with_file_name("vendor"),
            ManifestFile::Script(path) => with_ending(path, ".vendor"),
        }
    }

    /// A command with these words for this manifest, for messages.
    pub(crate) fn command(&self, words: &str) -> String {
        match self {
            ManifestFile::Project(path) => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => {
                    format!("`provisor {words}` in {}", folder.display())
                }
                _ => format!("`provisor {words}`"),
            },
            ManifestFile::Script(path) => format!("`provisor {words} --script {}`", path.display()),
        }
    }

    fn text(&self) -> Result<String, PackageError> {
        std::fs::read_to_string(self.path()).map_err(|error| PackageError::Unreadable {
            path: self.path().to_owned(),
            reason: error.to_string(),
        })
    }
}

/// The text without the byte order mark at its start.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.to_owned();
    path.as_mut_os_string().push(ending);
    path
}

/// Returns the TOML with another source for a package, or without the package.
fn edited(
    file: &str,
    toml: &str,
    package: &str,
    source: Option<&PackageSource>,
) -> Result<String, PackageError> {
    let invalid = |problem: String| PackageError::Invalid {
        place: file.to_owned(),
        problem,
        hint: None,
    };
    let mut document: DocumentMut = toml
        .parse()
        .map_err(|error: toml_edit::TomlError| invalid(error.message().to_owned()))?;
    let table = document.entry("use").or_insert(Item::Table(Table::new()));
    let table = table
        .as_table_like_mut()
        .ok_or_else(|| invalid("`use` must be a table: [use]".to_owned()))?;
    match source {
        Some(source) => drop(table.insert(package, toml_edit::value(source.to_string()))),
        None => drop(table.remove(package)),
    }
    let is_empty = table.is_empty();
    if is_empty {
        document.remove("use");
    }
    Ok(document.to_string())
}

impl Block {
    /// Finds the block among the comments at the top of a script.
    fn find(name: &str, text: &str) -> Result<Option<Block>, PackageError> {
        let invalid = |line: usize, problem: &str, hint: &str| PackageError::Invalid {
            place: format!("{name}:{}", line + 1),
            problem: problem.to_owned(),
            hint: Some(hint.to_owned()),
        };
        let comments = without_mark(text).lines().map(str::trim_end).enumerate();
        let mut comments = comments
            .take_while(|(_, line)| line.is_empty() || line.starts_with("//") || line.starts_with("#!"));
        let mut found: Option<Block> = None;
        while let Some((start, line)) = comments.next() {
            if line != OPENING {
                continue;
            }
            if found.is_some() {
                return Err(invalid(
                    start,
                    "there is a second block `/// provisor`",
                    "put all into one block",
                ));
            }
            let mut toml = String::new();
            let end = loop {
                let inner = comments.next().and_then(|(at, line)| {
                    let rest = line.strip_prefix("//")?;
                    let rest = rest
                        .strip_prefix(' ')
                        .or_else(|| rest.is_empty().then_some(rest))?;
                    Some((at, line, rest))
                });
                match inner {
                    Some((at, CLOSING, _)) => break at,
                    Some((_, _, rest)) => {
                        // Writing to a String cannot fail.
                        let _ = writeln!(toml, "{rest}");
                    }
                    None => {
                        let hint = "each line of it begins with `// `, and the last one is `// ///`";
                        return Err(invalid(start, "the block `/// provisor` does not end", hint));
                    }
                }
            };
            found = Some(Block {
                toml,
                lines: start..=end,
            });
        }
        Ok(found)
    }

    /// Returns the script with another TOML in the block; without the block if that is empty.
    fn replaced(&self, script: &str, toml: &str) -> String {
        let lines: Vec<&str> = script.split_inclusive('\n').collect();
        let (before, rest) = lines.split_at((*self.lines.start()).min(lines.len()));
        let after = rest.get(self.lines.clone().count()..).unwrap_or_default();
        let (before, after) = (before.concat(), after.concat());
        if toml.trim().is_empty() {
            let after = if before.is_empty() || before.ends_with("\n\n") {
                after.trim_start_matches('\n')
            } else {
                &after
            };
            return format!("{before}{after}");
        }
        format!("{before}{}{after}", Block::written(toml))
    }

    /// Returns the script with a block below its `#!` line and its description.
    fn inserted(script: &str, toml: &str) -> String {
        let head = script
            .split_inclusive('\n')
            .take_while(|line| line.starts_with("#!") || line.starts_with("//!"));
        let head: String = head.collect();
        let rest = script.get(head.len()..).unwrap_or_default();
        let above = match head.as_str() {
            "" => "",
            head if head.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        let below = if rest.starts_with('\n') || rest.is_empty() {
            ""
        } else {
            "\n"
        };
        format!("{head}{above}{}{below}{rest}", Block::written(toml))
    }

    fn written(toml: &str) -> String {
        let mut block = format!("{OPENING}\n");
        for line in toml.lines() {
            // Writing to a String cannot fail.
            let _ = writeln!(block, "{}", format!("// {line}").trim_end());
        }
        format!("{block}{CLOSING}\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const SCRIPT: &str = "\
#!/usr/bin/env provisor
//! Onboards a client.

// /// provisor
// needs = \"0.1\"   # the first
//
// [use]
// steps = \"../steps\"
// ///

import \"steps\" as steps;
";

    #[test]
    fn a_block_at_the_top_of_a_script_is_its_manifest() {
        let manifest = Manifest::of_script("s.rhai", SCRIPT).unwrap().unwrap();
        assert_eq!(manifest.needs.as_deref(), Some("0.1"));
        let uses: Vec<(&str, String)> = manifest
            .uses
            .iter()
            .map(|(name, source)| (name.as_str(), source.to_string()))
            .collect();
        assert_eq!(uses, [("steps", "../steps".to_owned())]);
        assert_eq!(
            Manifest::of_script("s.rhai", "//! library\nfn a() {}").unwrap(),
            None
        );
        let below = format!("let x = 1;\n{SCRIPT}");
        assert_eq!(Manifest::of_script("s.rhai", &below).unwrap(), None);
    }

    #[test]
    fn a_mistake_in_a_manifest_is_shown_at_its_line() {
        for (text, message) in [
            (
                "// /// provisor\n// usee = 1\n// ///\n",
                "s.rhai:2:4: there is no key `usee`",
            ),
            (
                "// /// provisor\n// [use]\n// steps = 1\n// ///\n",
                "s.rhai:3:4: the source of `steps` must be a text",
            ),
            ("// /// provisor\n// [use\n// ///\n", "s.rhai:2:8: "),
            (
                "// /// provisor\n// needs = \"x\"\n// ///\n",
                "s.rhai:2:4: `needs` must be a version",
            ),
            (
                "// /// provisor\n// [use]\n// Steps = \"a\"\n// ///\n",
                "s.rhai:3:4: `Steps` cannot be the name",
            ),
            (
                "// /// provisor\n// [use]\nfn a() {}\n",
                "s.rhai:1: the block `/// provisor` does not end",
            ),
            (
                "// /// provisor\n// ///\n// /// provisor\n// ///\n",
                "s.rhai:3: there is a second block",
            ),
            (
                "// /// provisor\n// default_profile = \"a\"\n// ///\n",
                "s.rhai:2:4: there is no key",
            ),
        ] {
            let error = Manifest::of_script("s.rhai", text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let error = Manifest::of_project("provisor.toml", "[profile.a]\n").unwrap_err();
        assert_eq!(error.to_string(), "provisor.toml:1:2: there is no key `profile`");
        assert!(Manifest::of_project("provisor.toml", "[profiles.a]\n").is_ok());
    }

    #[test]
    fn a_change_keeps_the_rest_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.rhai");
        let source = PackageSource::parse("dates.provisor").unwrap();
        let script = ManifestFile::Script(path.clone());
        let read = || std::fs::read_to_string(&path).unwrap();

        std::fs::write(&path, SCRIPT).unwrap();
        script.set("dates", Some(&source)).unwrap();
        let expected = SCRIPT.replace("// ///\n\n", "// dates = \"dates.provisor\"\n// ///\n\n");
        assert_eq!(read(), expected);
        script.set("dates", None).unwrap();
        assert_eq!(read(), SCRIPT);

        for plain in [
            "fn main() {}\n",
            "//! A script.\n\nfn main() {}\n",
            "#!/bin/x\nfn main() {}",
            "",
        ] {
            std::fs::write(&path, plain).unwrap();
            script.set("dates", Some(&source)).unwrap();
            assert!(
                read().contains("// /// provisor\n// [use]\n// dates = \"dates.provisor\"\n// ///\n"),
                "{}",
                read()
            );
            assert_eq!(script.read().unwrap().uses.len(), 1);
            script.set("dates", None).unwrap();
            assert_eq!(read().replace('\n', ""), plain.replace('\n', ""));
        }

        let path = folder.path().join("provisor.toml");
        let project = ManifestFile::Project(path.clone());
        std::fs::write(&path, "# Ours.\n[profiles.a] # one\nlogin = \"x\"\n").unwrap();
        project.set("dates", Some(&source)).unwrap();
        let expected = "# Ours.\n[profiles.a] # one\nlogin = \"x\"\n\n[use]\ndates = \"dates.provisor\"\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_change_keeps_line_ends_and_the_byte_order_mark() {
        let folder = tempfile::tempdir().unwrap();
        let source = PackageSource::parse("dates.provisor").unwrap();
        let script = "// /// provisor\n// needs = \"0.1\"\n// ///\nfn main() {}\n";
        let project = "# Ours.\nneeds = \"0.1\"\n[profiles.a] # one\nlogin = \"x\"\n";
        let plain = "//! A script.\n\nfn main() {}\n";
        for (mark, end) in [("", "\r\n"), ("\u{feff}", "\n"), ("\u{feff}", "\r\n")] {
            for (name, text) in [("s.rhai", script), ("s.rhai", plain), ("provisor.toml", project)] {
                let path = folder.path().join(name);
                let file = match name {
                    "s.rhai" => ManifestFile::Script(path.clone()),
                    _ => ManifestFile::Project(path.clone()),
                };
                // As the same change writes it without a mark and with plain line ends.
                std::fs::write(&path, text).unwrap();
                file.set("dates", Some(&source)).unwrap();
                let expected = std::fs::read_to_string(&path).unwrap();
                let written = |text: &str| format!("{mark}{}", text.replace('\n', end));

                std::fs::write(&path, written(text)).unwrap();
                file.set("dates", Some(&source)).unwrap();
                assert_eq!(std::fs::read_to_string(&path).unwrap(), written(&expected));
                assert_eq!(file.read().unwrap().uses.len(), 1);
                file.set("dates", None).unwrap();
                assert_eq!(std::fs::read_to_string(&path).unwrap(), written(text));
            }
        }
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(version("0.10") > version("0.9.9"));
        assert_eq!(version("1"), version("1.0.0"));
        for wrong in ["", "a", "1.", "1.2.3.4", "-1", "1.2-rc"] {
            assert_eq!(version(wrong), None, "{wrong}");
        }
        assert!(check_version("s.rhai", "0.1").is_ok());
        let error = check_version("s.rhai", "99").unwrap_err().to_string();
        assert!(
            error.starts_with("s.rhai needs provisor 99 or later; this is provisor "),
            "{error}"
        );
    }
}
