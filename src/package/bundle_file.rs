//! Bundles: one file with a script and everything that it imports, which runs elsewhere as it ran here.
//!
//! The file is JSON, so that it can be read and compared. The paths in it count from the deepest folder that has all the
//! script's own files. Its digest is that of the script ([`Bundle::digest`]).

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::loader::with_ending;
use super::lock::{Lock, LockedPackage, is_valid};
use super::manifest::{check_version, version};
use super::source::{inner_path, is_inner_path, is_name, source_name, split_source_name};
use super::{MAX_SOURCE_BYTES, PackageError};
use crate::script::bundle::{Bundle, Loader, PACKAGE, Source, path_from};

/// The version of the format.
const VERSION: u32 = 1;

/// The largest bundle that is read, in bytes.
const MAX_BUNDLE_BYTES: u64 = 16 * MAX_SOURCE_BYTES;

/// How the name of a bundle ends.
pub(crate) const ENDING: &str = "provisor";

/// A bundle that was read from a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BundleFile {
    name: String,
    document: Document,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    digest: String,
    /// The lowest version of provisor that the script and its packages need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needs: Option<String>,
    /// The name of the script in `sources`.
    main: String,
    /// What it uses of each package, by key, as in a lock.
    #[serde(default, rename = "use", skip_serializing_if = "BTreeMap::is_empty")]
    packages: BTreeMap<String, LockedPackage>,
    /// The source that each import refers to: importing source, import, imported source.
    imports: Vec<(String, String, String)>,
    /// The texts by name.
    sources: BTreeMap<String, String>,
}

impl BundleFile {
    /// Returns the text of the file for a script whose packages come from this lock. `needs` is the lowest version of
    /// provisor for it. An error if an import leads to a file by a link or an absolute path, as the bundle has neither.
    pub(crate) fn write(
        bundle: &Bundle,
        packages: &Lock,
        needs: Option<&str>,
    ) -> Result<String, PackageError> {
        let main = Path::new(&bundle.main().name);
        let folder = main.parent().unwrap_or(Path::new(""));
        let relative: BTreeMap<&str, String> = bundle
            .sources()
            .iter()
            .map(|source| (source.name.as_str(), path_from(folder, &source.name)))
            .collect();
        // How many folders above the script's own the files begin.
        let up = relative
            .values()
            .map(|path| path.split('/').take_while(|part| *part == "..").count());
        let up = up.max().unwrap_or_default();
        let real = std::fs::canonicalize(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        });
        let real = real
            .map(|real| real.to_string_lossy().replace('\\', "/"))
            .unwrap_or_default();
        let above: Vec<&str> = real.rsplit('/').take(up).collect();
        let prefix: Vec<&str> = above.into_iter().rev().collect();
        let name = |source: &str| -> String {
            let path = relative.get(source).map_or(source, String::as_str);
            if path.starts_with(PACKAGE) {
                return path.to_owned();
            }
            let mut parts = prefix.clone();
            for part in path.split('/') {
                if part == ".." {
                    parts.pop();
                } else {
                    parts.push(part);
                }
            }
            parts.join("/")
        };
        let (sources, imports) = bundle.parts();
        let sources: BTreeMap<String, String> = sources
            .into_iter()
            .map(|(source, text)| (name(&source), text))
            .collect();
        let used = |key: &str, path: &str| sources.contains_key(&source_name(key, path));
        let packages = packages.packages.iter().filter_map(|(key, package)| {
            let mut package = package.clone();
            package.files.retain(|path, _| used(key, path));
            package
                .files
                .contains_key(&package.main)
                .then(|| (key.clone(), package))
        });
        let document = Document {
            version: VERSION,
            digest: bundle.digest(),
            needs: needs.map(str::to_owned),
            main: name(&bundle.main().name),
            packages: packages.collect(),
            imports: imports
                .into_iter()
                .map(|(from, import, to)| (name(&from), import, name(&to)))
                .collect(),
            sources,
        };
        let invalid = |problem: String, hint: Option<&str>| PackageError::Invalid {
            place: bundle.main().name.clone(),
            problem,
            hint: hint.map(str::to_owned),
        };
        if let Some((from, import, to)) = document.misled_import() {
            let problem = format!(
                "`{from}` imports \"{import}\", which leads to `{to}` in a way that a bundle cannot have"
            );
            let hint = "write the path of that file, relative to the file that imports it and without links";
            return Err(invalid(problem, Some(hint)));
        }
        let text =
            serde_json::to_string_pretty(&document).map_err(|error| invalid(error.to_string(), None))?;
        Ok(format!("{text}\n"))
    }

    /// Reads a bundle.
    pub(crate) fn read(path: &Path) -> Result<BundleFile, PackageError> {
        let unreadable = |reason: String| PackageError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        let size = std::fs::metadata(path)
            .map_err(|error| unreadable(error.to_string()))?
            .len();
        if size > MAX_BUNDLE_BYTES {
            return Err(unreadable(format!(
                "it has {size} bytes; at most {MAX_BUNDLE_BYTES} are read"
            )));
        }
        let text = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let invalid = |problem: String| PackageError::Invalid {
            place: path.display().to_string(),
            problem: format!("it is not a bundle: {problem}"),
            hint: Some("`provisor bundle SCRIPT` makes one".to_owned()),
        };
        let document: Document = serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        if document.version != VERSION {
            let problem = format!(
                "it has the format {}, and this provisor reads the format {VERSION}",
                document.version
            );
            return Err(PackageError::Invalid {
                place: path.display().to_string(),
                problem,
                hint: Some("install a later version of provisor".to_owned()),
            });
        }
        let is_source = |name: &str| match split_source_name(name) {
            Some((key, path)) => key.split('/').all(is_name) && is_inner_path(path),
            None => is_inner_path(name),
        };
        let has = |name: &String| document.sources.contains_key(name);
        if !has(&document.main) || !document.imports.iter().all(|(from, _, to)| has(from) && has(to)) {
            return Err(invalid("a source is missing in it".to_owned()));
        }
        let mut names = document.sources.keys();
        if let Some(name) = names.find(|name| !is_source(name)) {
            return Err(invalid(format!("{name:?} cannot be the name of a source")));
        }
        if let Some(needs) = document.needs.as_deref().filter(|needs| version(needs).is_none()) {
            return Err(invalid(format!("{needs:?} is not a version of provisor")));
        }
        let mut packages = document.packages.iter();
        if let Some((key, _)) = packages.find(|(key, package)| !is_valid(key, package)) {
            return Err(invalid(format!("the entry of the package {key:?} is damaged")));
        }
        if document.main.starts_with(PACKAGE) {
            return Err(invalid(format!("its script `{}` is a package's", document.main)));
        }
        if let Some((from, import, to)) = document.misled_import() {
            let problem = format!("`{from}` imports \"{import}\", which is not `{to}`");
            return Err(invalid(problem));
        }
        Ok(BundleFile {
            name: path.display().to_string(),
            document,
        })
    }

    /// The script with what it imports. An error if they are not what the bundle was made of.
    pub(crate) fn bundle(&self) -> Result<Bundle, PackageError> {
        if let Some(needs) = &self.document.needs {
            check_version(&self.name, needs)?;
        }
        let bundle = Bundle::collect(&self.main(), self)?;
        let found = bundle.digest();
        if found == self.document.digest {
            return Ok(bundle);
        }
        Err(PackageError::Stale {
            problem: format!(
                "{} was changed: its sources have the digest {found}, and it was made with {}",
                self.name, self.document.digest
            ),
            command: "`provisor bundle SCRIPT` where it was made, to make it anew".to_owned(),
        })
    }

    /// The lowest version of provisor that it needs.
    pub(super) fn needs(&self) -> Option<&str> {
        self.document.needs.as_deref()
    }

    /// The script.
    fn main(&self) -> Source {
        let main = &self.document.main;
        Source::new(main, self.text(main).unwrap_or_default())
    }

    /// The text of a source.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.document.sources.get(name).map(String::as_str)
    }

    /// The packages by key, as in a lock.
    pub(super) fn packages(&self) -> &BTreeMap<String, LockedPackage> {
        &self.document.packages
    }
}

impl Document {
    /// An import that refers to another source than its text says. The table of imports is not part of the digest, so it
    /// decides nothing.
    fn misled_import(&self) -> Option<&(String, String, String)> {
        let mut imports = self.imports.iter();
        imports.find(|(from, import, to)| self.target(from, import).as_ref() != Some(to))
    }

    /// The name of the source that an import refers to, by the rules of the loader.
    fn target(&self, from: &str, import: &str) -> Option<String> {
        let (key, file) = split_source_name(from).unzip();
        if is_name(import) {
            let child = key
                .as_ref()
                .map_or_else(|| import.to_owned(), |key| format!("{key}/{import}"));
            if let Some(package) = self.packages.get(&child) {
                return Some(source_name(&child, &package.main));
            }
        }
        let path = inner_path(file.unwrap_or(from), &with_ending(import));
        let path = path.filter(|_| !Path::new(import).is_absolute())?;
        Some(key.map_or_else(|| path.clone(), |key| source_name(&key, &path)))
    }
}

impl Loader for BundleFile {
    fn load(&self, from: &str, import: &str) -> Result<Source, String> {
        let imports = &self.document.imports;
        let found = imports
            .iter()
            .find(|(importer, path, _)| importer == from && path == import);
        let source = found.and_then(|(_, _, name)| Some(Source::new(name, self.text(name)?)));
        source.ok_or_else(|| format!("the bundle {} has no such file", self.name))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn bundle(folder: &str) -> Bundle {
        let sources = [
            (
                format!("{folder}main.rhai"),
                "import \"../lib/a\" as a; import \"steps\" as s; 1",
            ),
            (format!("{folder}../lib/a.rhai"), "import \"./b\" as b; 2"),
            (format!("{folder}../lib/b.rhai"), "3"),
            ("use:steps/lib.rhai".to_owned(), "4"),
        ];
        let imports = [(0, "../lib/a", 1), (0, "steps", 3), (1, "./b", 2)];
        let name = |at: usize| sources[at].0.clone();
        let imports: Vec<_> = imports
            .iter()
            .map(|(from, path, to)| (name(*from), (*path).to_owned(), name(*to)))
            .collect();
        Bundle::from_parts(
            sources.clone().map(|(name, text)| (name, text.to_owned())),
            imports,
        )
        .unwrap()
    }

    /// A lock with the package of that script.
    fn steps() -> Lock {
        let package = LockedPackage {
            source: "../steps".to_owned(),
            commit: None,
            needs: Some("0.1".to_owned()),
            main: "lib.rhai".to_owned(),
            files: [("lib.rhai".to_owned(), "ab".repeat(32))].into(),
        };
        Lock {
            packages: [("steps".to_owned(), package)].into(),
        }
    }

    #[test]
    fn a_bundle_has_the_digest_of_its_script_and_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("scripts/acme")).unwrap();
        let here = bundle(&format!("{}/scripts/acme/", folder.path().display()));
        let path = folder.path().join("main.provisor");
        let text = BundleFile::write(&here, &steps(), Some("0.1")).unwrap();
        std::fs::write(&path, &text).unwrap();
        let read = BundleFile::read(&path).unwrap();
        let there = read.bundle().unwrap();
        assert_eq!(there.digest(), here.digest());
        let names: Vec<&str> = there
            .sources()
            .iter()
            .map(|source| source.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["acme/main.rhai", "lib/a.rhai", "lib/b.rhai", "use:steps/lib.rhai"]
        );
        assert!(there.source("use:steps/lib.rhai").unwrap().is_library());

        for (from, to, problem) in [
            ("\"3\"", "\"33\"", "was changed: its sources have the digest"),
            ("\"needs\": \"0.1\"", "\"needs\": \"99\"", "needs provisor 99"),
            (
                "\"needs\": \"0.1\",\n  \"main\"",
                "\"needs\": \"soon\",\n  \"main\"",
                "\"soon\" is not a version",
            ),
            ("abab", "xxab", "the entry of the package \"steps\" is damaged"),
            (
                "\"source\": \"../steps\",",
                "\"source\": \"../steps\", \"commit\": \"--x\",",
                "the entry of the package \"steps\" is damaged",
            ),
            ("\"version\": 1", "\"version\": 2", "it has the format 2"),
            ("\"version\": 1", "\"version\": 1, \"x\": 1", "unknown field `x`"),
            (
                "\"lib/b.rhai\": \"3\"",
                "\"lib/c.rhai\": \"3\"",
                "a source is missing",
            ),
            ("\"lib/b.rhai\"", "\"/b.rhai\"", "cannot be the name of a source"),
            (
                "\"lib/b.rhai\"",
                "\"use:b.rhai\"",
                "cannot be the name of a source",
            ),
            (
                "\"lib/b.rhai\"",
                "\"lib/b\\n.rhai\"",
                "cannot be the name of a source",
            ),
            (
                "\"./b\",\n      \"lib/b.rhai\"",
                "\"./b\",\n      \"use:steps/lib.rhai\"",
                "imports \"./b\", which is not `use:steps/lib.rhai`",
            ),
            (
                "\"steps\",\n      \"use:steps/lib.rhai\"",
                "\"steps\",\n      \"lib/b.rhai\"",
                "imports \"steps\", which is not `lib/b.rhai`",
            ),
            (
                "\"main\": \"acme/main.rhai\"",
                "\"main\": \"use:steps/lib.rhai\"",
                "its script `use:steps/lib.rhai` is a package's",
            ),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            std::fs::write(&path, changed).unwrap();
            let error = BundleFile::read(&path)
                .and_then(|read| read.bundle())
                .unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}
