//! The pinned sources of a script: the main source and everything that it imports.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::error::Diagnostic;
use super::parse::{self, Import};
use crate::value::{Value, digest};

/// How the names of sources begin that come from packages. Such a source is a library, whatever its text. Loaders give no
/// other source a name like this.
pub(crate) const PACKAGE: &str = "use:";

/// The most sources that a script can have, the main one included.
const MAX_SOURCES: usize = 2_000;

/// The most sources that can import each other in a chain. Each takes space on the stack while they are read and run.
const MAX_DEPTH: usize = 100;

/// A script text and the name that messages use for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name: a path as the user would write it.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// Creates a source. A byte order mark is removed from the text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        let text: String = text.into();
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        Source {
            name: name.into(),
            text,
        }
    }

    /// Whether it is a library: it comes from a package (its name begins with `use:`), or one of the comments at its top
    /// is `//! library`.
    pub fn is_library(&self) -> bool {
        if self.name.starts_with(PACKAGE) {
            return true;
        }
        let lines = self.text.lines().map(str::trim);
        let mut comments =
            lines.take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!"));
        comments.any(|line| {
            line.strip_prefix("//!")
                .is_some_and(|text| text.trim() == "library")
        })
    }

    /// Returns the text of a line, counted from 1; empty past the end.
    pub(super) fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
    }
}

/// Loads the source of an `import`.
pub trait Loader {
    /// Returns the source that `import` names in the source called `from`. Two imports of the same file must yield the
    /// same name. A source whose name begins with `use:` is a library. The error says why there is none, without a full
    /// stop.
    fn load(&self, from: &str, import: &str) -> Result<Source, String>;
}

/// Loads nothing, for a source without other files.
impl Loader for () {
    fn load(&self, _: &str, import: &str) -> Result<Source, String> {
        Err(format!(
            "`{import}` cannot be imported: the script was passed without other files"
        ))
    }
}

/// A main source and everything that it imports, directly or indirectly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The main source first.
    sources: Vec<Source>,
    /// Maps (name of the importing source, path as written) to the name of the imported source.
    imports: BTreeMap<(String, String), String>,
}

impl Bundle {
    /// Follows the imports of `main` through `loader`. Fails on a syntax error, a computed import path, an import that
    /// the loader rejects, circular imports, more than 2,000 sources, and a chain of more than 100 of them.
    pub fn collect(main: &Source, loader: &dyn Loader) -> Result<Bundle, Box<Diagnostic>> {
        let mut bundle = Bundle {
            sources: Vec::new(),
            imports: BTreeMap::new(),
        };
        let mut chain = Vec::new();
        bundle.follow(main, loader, &mut chain)?;
        Ok(bundle)
    }

    /// Rebuilds a bundle from [`Bundle::parts`]; the main source comes first. `None` if there is no source at all or
    /// an import refers to a missing source.
    pub fn from_parts(
        sources: impl IntoIterator<Item = (String, String)>,
        imports: impl IntoIterator<Item = (String, String, String)>,
    ) -> Option<Bundle> {
        let bundle = Bundle {
            sources: sources
                .into_iter()
                .map(|(name, text)| Source::new(name, text))
                .collect(),
            imports: imports
                .into_iter()
                .map(|(from, path, name)| ((from, path), name))
                .collect(),
        };
        let known = bundle.imports.values().all(|name| bundle.source(name).is_some());
        (known && !bundle.sources.is_empty()).then_some(bundle)
    }

    /// The sources as (name, text), the main one first, and the imports as (importing source, path, imported source).
    #[expect(
        clippy::type_complexity,
        reason = "plain data for a serialiser, named in the sentence above"
    )]
    pub fn parts(&self) -> (Vec<(String, String)>, Vec<(String, String, String)>) {
        let sources = self.sources.iter();
        let imports = self.imports.iter();
        (
            sources
                .map(|source| (source.name.clone(), source.text.clone()))
                .collect(),
            imports
                .map(|((from, path), name)| (from.clone(), path.clone(), name.clone()))
                .collect(),
        )
    }

    /// Converts the imports of [`Bundle::parts`] to the form stored in the journal; [`Bundle::imports_of`] reads it.
    pub fn imports_to_value(imports: &[(String, String, String)]) -> Value {
        let import = |(from, path, name): &(String, String, String)| {
            Value::List([from, path, name].map(|text| text.as_str().into()).into())
        };
        Value::List(imports.iter().map(import).collect())
    }

    /// Reads the imports that [`Bundle::imports_to_value`] wrote, for [`Bundle::from_parts`].
    pub fn imports_of(value: Option<&Value>) -> Vec<(String, String, String)> {
        let Some(Value::List(imports)) = value else {
            return Vec::new();
        };
        let import = |value: &Value| {
            let Value::List(parts) = value else { return None };
            let text = |at: usize| parts.get(at).and_then(Value::as_text).map(str::to_owned);
            Some((text(0)?, text(1)?, text(2)?))
        };
        imports.iter().filter_map(import).collect()
    }

    /// The main source.
    pub fn main(&self) -> &Source {
        // Every constructor adds at least one source.
        &self.sources[0]
    }

    /// All sources, the main one first.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The source with this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Returns the name of the source that `path` refers to in the source `from`.
    pub(super) fn import(&self, from: &str, path: &str) -> Option<&str> {
        let key = (from.to_owned(), path.to_owned());
        self.imports.get(&key).map(String::as_str)
    }

    /// The script's identity; see [`digest_of`].
    pub fn digest(&self) -> String {
        let sources = self.sources.iter();
        let sources: Vec<(String, String)> = sources
            .map(|source| (source.name.clone(), digest::sha256(source.text.as_bytes())))
            .collect();
        digest_of(&sources)
    }

    fn follow(
        &mut self,
        source: &Source,
        loader: &dyn Loader,
        chain: &mut Vec<String>,
    ) -> Result<(), Box<Diagnostic>> {
        let imports = parse::parse(source)?.imports;
        chain.push(source.name.clone());
        self.sources.push(source.clone());
        for import in imports {
            self.follow_one(source, &import, loader, chain)?;
        }
        chain.pop();
        Ok(())
    }

    fn follow_one(
        &mut self,
        source: &Source,
        import: &Import,
        loader: &dyn Loader,
        chain: &mut Vec<String>,
    ) -> Result<(), Box<Diagnostic>> {
        let refuse = |title: String| Diagnostic::at(source, import.line, import.column, title);
        let Some(path) = &import.path else {
            return Err(refuse("the path of an import must be written out as a string".into())
                .hint("a run is pinned to its sources before it starts, so they must be known from the text")
                .into());
        };
        let found = loader
            .load(&source.name, path)
            .map_err(|reason| refuse(format!("cannot import \"{path}\": {reason}")))?;
        if let Some(start) = chain.iter().position(|name| *name == found.name) {
            let circle = [&chain[start..], &[found.name][..]].concat().join(" -> ");
            return Err(refuse(format!("circular imports: {circle}"))
                .hint("move the shared code into a third file")
                .into());
        }
        if source.is_library() && !found.is_library() {
            let title = format!("a library can import only libraries, and \"{path}\" is not one");
            return Err(refuse(title)
                .hint("add the line `//! library` at the top of that file, or pass what it provides as a parameter")
                .into());
        }
        let key = (source.name.clone(), path.clone());
        self.imports.insert(key, found.name.clone());
        if self.source(&found.name).is_some() {
            return Ok(());
        }
        if chain.len() >= MAX_DEPTH {
            return Err(
                refuse(format!("the imports form a chain of more than {MAX_DEPTH} files"))
                    .hint("import the files from fewer places, or put some of them into one")
                    .into(),
            );
        }
        if self.sources.len() >= MAX_SOURCES {
            return Err(refuse(format!("the script has more than {MAX_SOURCES} files"))
                .hint("put some of them into one")
                .into());
        }
        self.follow(&found, loader, chain)
    }
}

/// Returns the identity of a script, from the names and SHA-256 digests of its sources, the main one first: `sha256:` and
/// the SHA-256 of the lines `PATH SHA256` in the order of the paths, which count from the folder of the main source.
pub(crate) fn digest_of(sources: &[(String, String)]) -> String {
    let main = sources.first().map(|(name, _)| Path::new(name));
    let folder = main.and_then(Path::parent).unwrap_or(Path::new(""));
    let mut lines: Vec<String> = sources
        .iter()
        .map(|(name, sha256)| format!("{} {sha256}\n", path_from(folder, name)))
        .collect();
    lines.sort_unstable();
    format!("sha256:{}", digest::sha256(lines.concat().as_bytes()))
}

/// Returns the name of a source as it counts from a folder, with `/` between its parts: `lib/steps.rhai`,
/// `../steps.rhai`. The name of a package's source does not depend on a folder.
pub(crate) fn path_from(folder: &Path, name: &str) -> String {
    if name.starts_with(PACKAGE) {
        return name.to_owned();
    }
    let path = Path::new(name);
    let parts = |path: &'_ Path| -> Vec<String> {
        let parts = path.components().filter(|part| *part != Component::CurDir);
        parts
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (from, to) = (parts(folder), parts(path));
    if folder.is_absolute() != path.is_absolute() {
        return to.join("/");
    }
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.iter().skip(common).map(|_| "..");
    let down = to.iter().skip(common).map(String::as_str);
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{digest_of, path_from};

    #[test]
    fn a_digest_does_not_depend_on_the_current_folder() {
        let digest = |names: [&str; 4]| {
            let sources = names.iter().zip(["1", "2", "3", "4"]);
            let sources: Vec<(String, String)> = sources
                .map(|(name, sha256)| ((*name).to_owned(), sha256.to_owned()))
                .collect();
            digest_of(&sources)
        };
        let steps = "use:steps/lib.rhai";
        let expected = digest(["s/x.rhai", "s/lib/a.rhai", "common/b.rhai", steps]);
        assert_eq!(
            digest(["x.rhai", "lib/a.rhai", "../common/b.rhai", steps]),
            expected
        );
        assert_eq!(
            digest(["../s/x.rhai", "../s/lib/a.rhai", "../common/b.rhai", steps]),
            expected
        );
        assert_eq!(
            digest(["/p/s/x.rhai", "/p/s/lib/a.rhai", "/p/common/b.rhai", steps]),
            expected
        );
        assert_eq!(
            digest(["./s/x.rhai", "./s/lib/a.rhai", "common/b.rhai", steps]),
            expected
        );
        assert_ne!(
            digest(["s/x.rhai", "s/lib/a.rhai", "s/common/b.rhai", steps]),
            expected
        );
    }

    #[test]
    fn the_path_of_a_packages_source_is_its_name() {
        assert_eq!(
            path_from(Path::new("scripts"), "use:steps/lib.rhai"),
            "use:steps/lib.rhai"
        );
    }
}
