//! Where a package comes from, and how its files are named.

use std::fmt;
use std::path::{Component, Path};

use super::PackageError;
use crate::script::bundle::PACKAGE;

/// The most characters of a package's name.
const MAX_NAME: usize = 64;

/// Where a package comes from, as a manifest names it. Displayed as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageSource {
    text: String,
    /// Its kind.
    pub(super) kind: SourceKind,
}

/// The kind of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// `git+URL@REVISION` or `git+URL@REVISION#PATH`.
    Git(GitSource),
    /// A folder, or a script with the folder that it is in. Relative to the folder of the manifest.
    Path(String),
    /// A bundle: a file that ends in `.provisor`. Relative to the folder of the manifest.
    Bundle(String),
}

/// A commit of a git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GitSource {
    /// The URL, as git takes it.
    pub(super) url: String,
    /// A tag, or a commit.
    pub(super) revision: String,
    /// The folder or script in the repository; empty for the whole.
    pub(super) path: String,
}

impl fmt::Display for PackageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PackageSource {
    /// Reads a source as written in a manifest or on the command line.
    pub(crate) fn parse(text: &str) -> Result<PackageSource, PackageError> {
        let refuse = |problem: &str, hint: Option<&str>| PackageError::Source {
            source_text: without_credentials(text),
            problem: problem.to_owned(),
            hint: hint.map(str::to_owned),
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(refuse("it is empty or has control characters", None));
        }
        let kind = if let Some(address) = text.strip_prefix("git+") {
            SourceKind::Git(GitSource::parse(address).map_err(|(problem, hint)| refuse(problem, hint))?)
        } else if text.contains("://") || text.starts_with("git@") {
            return Err(refuse(
                "it is neither a path nor the URL of a git repository",
                Some("write git+https://HOST/PATH@TAG or git+ssh://git@HOST/PATH@TAG"),
            ));
        } else if text.ends_with(".provisor") {
            SourceKind::Bundle(text.to_owned())
        } else {
            SourceKind::Path(text.to_owned())
        };
        Ok(PackageSource {
            text: text.to_owned(),
            kind,
        })
    }

    /// The path of a folder, a script or a bundle; `None` for a repository.
    pub(crate) fn path(&self) -> Option<&str> {
        match &self.kind {
            SourceKind::Git(_) => None,
            SourceKind::Path(path) | SourceKind::Bundle(path) => Some(path),
        }
    }

    /// The same repository at another tag or commit.
    pub(crate) fn at(&self, revision: &str) -> Result<PackageSource, PackageError> {
        let SourceKind::Git(git) = &self.kind else {
            return Err(PackageError::Source {
                source_text: self.text.clone(),
                problem: "it is not a git repository, so it has no tags and commits".to_owned(),
                hint: None,
            });
        };
        let path = if git.path.is_empty() {
            String::new()
        } else {
            format!("#{}", git.path)
        };
        PackageSource::parse(&format!("git+{}@{revision}{path}", git.url))
    }

    /// The name that a package from here gets, unless the user chooses one: from the last part of its path. `None` if
    /// that makes no name.
    pub(crate) fn usual_name(&self) -> Option<String> {
        let path = match &self.kind {
            SourceKind::Git(git) if git.path.is_empty() => &git.url,
            SourceKind::Git(git) => &git.path,
            SourceKind::Path(path) | SourceKind::Bundle(path) => path,
        };
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let endings = [".git", ".rhai", ".provisor"];
        let stem = endings
            .iter()
            .find_map(|ending| last.strip_suffix(ending))
            .unwrap_or(last);
        let name = stem.to_lowercase();
        is_name(&name).then_some(name)
    }
}

impl GitSource {
    /// Reads the part after `git+`. The error is a problem and what to do about it.
    fn parse(address: &str) -> Result<GitSource, (&str, Option<&str>)> {
        const SCHEMES: &str = "a repository is reached by https, ssh or file";
        let (address, path) = address.split_once('#').unwrap_or((address, ""));
        let Some((scheme, rest)) = address.split_once("://") else {
            return Err((SCHEMES, Some("write git+https://HOST/PATH@TAG")));
        };
        if !["https", "ssh", "file"].contains(&scheme) {
            return Err((SCHEMES, Some("write git+https://HOST/PATH@TAG")));
        }
        let (authority, place) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_password = authority
            .split_once('@')
            .is_some_and(|(user, _)| user.contains(':'));
        if has_password || (scheme == "https" && authority.contains('@')) {
            let hint = "remove it from the URL; git's own credential helper knows it";
            return Err((
                "a credential would be written into the manifest and the lock",
                Some(hint),
            ));
        }
        let host = authority.rsplit('@').next().unwrap_or_default();
        if authority.starts_with('-') || host.starts_with('-') || (host.is_empty() && scheme != "file") {
            return Err(("the URL has no host", None));
        }
        let Some((place, revision)) = place.rsplit_once('@') else {
            let hint = "add @TAG or @COMMIT; `git ls-remote --tags URL` lists the tags";
            return Err(("it names no tag and no commit", Some(hint)));
        };
        if !is_revision(revision) {
            return Err(("what follows the @ is neither a tag nor a commit", None));
        }
        if place.trim_matches('/').is_empty() {
            return Err(("the URL has no path", None));
        }
        if !path.is_empty() && !is_inner_path(path.trim_end_matches('/')) {
            return Err(("what follows the # is not a path inside the repository", None));
        }
        Ok(GitSource {
            url: format!("{scheme}://{authority}{place}"),
            revision: revision.to_owned(),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Whether the revision is a whole commit, which never means anything else.
    pub(super) fn is_commit(&self) -> bool {
        is_commit(&self.revision)
    }
}

/// Whether it is the whole hash of a commit.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The rules of `git check-ref-format`, as far as they keep a tag from meaning something else to git.
fn is_revision(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+/".contains(c);
    !text.is_empty()
        && text.chars().all(is_plain)
        && !text.starts_with(['-', '/', '.'])
        && !text.ends_with(['/', '.'])
        && !text.contains("..")
        && !text.contains("//")
}

/// Removes what may be a credential from a URL that is refused.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}{path}"),
        None => text.to_owned(),
    }
}

/// Whether it can name a package: a lower-case letter, and then letters, digits, `_` and `-`.
pub(super) fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    text.len() <= MAX_NAME
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_inner)
}

/// Whether a file or folder of this name can hold sources: its path cannot be taken for that of a package's source, nor for
/// two lines where a digest is computed.
pub(super) fn is_file_name(name: &str) -> bool {
    !name.starts_with(PACKAGE) && !name.contains(char::is_control)
}

/// Whether it is the path of a file inside a package, with `/` between its parts: it leads to no place outside, and its
/// names cannot be taken for another package's.
pub(super) fn is_inner_path(text: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains('\\') && is_file_name(part)
    };
    text.split('/').all(is_plain)
        && Path::new(text)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// Returns the path that `import` leads to from the folder of a file inside the package. `None` if it leads outside.
pub(super) fn inner_path(file: &str, import: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    is_inner_path(&path).then_some(path)
}

/// Returns the folder or file that `path` leads to from a folder inside the package; both may be empty for the whole
/// package. `None` if it leads outside.
pub(super) fn inner_folder(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let file = if folder.is_empty() {
        "x".to_owned()
    } else {
        format!("{folder}/x")
    };
    let inner = inner_path(&file, &format!("{path}/x"))?;
    Some(inner.strip_suffix('x')?.trim_end_matches('/').to_owned())
}

/// The name of a package's source. `key` is the package's place in the lock: `steps`, and `steps/dates` for what `steps`
/// imports as `dates`.
pub(crate) fn source_name(key: &str, path: &str) -> String {
    let packages = key.replace('/', &format!("/{PACKAGE}"));
    format!("{PACKAGE}{packages}/{path}")
}

/// Reads what [`source_name`] wrote: the key and the path. `None` for any other source.
pub(super) fn split_source_name(name: &str) -> Option<(String, &str)> {
    let mut rest = name;
    let mut key = Vec::new();
    while let Some(inner) = rest.strip_prefix(PACKAGE) {
        let (package, path) = inner.split_once('/')?;
        key.push(package);
        rest = path;
    }
    (!key.is_empty()).then(|| (key.join("/"), rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_git_source_is_a_url_a_revision_and_a_path() {
        for (text, url, revision, path) in [
            (
                "git+https://e.com/a/steps@v2.1.0",
                "https://e.com/a/steps",
                "v2.1.0",
                "",
            ),
            (
                "git+ssh://git@e.com/a/b.git@rel/1#sub/x.rhai",
                "ssh://git@e.com/a/b.git",
                "rel/1",
                "sub/x.rhai",
            ),
            (
                "git+file:///srv/@team/steps@0badc0de",
                "file:///srv/@team/steps",
                "0badc0de",
                "",
            ),
        ] {
            let source = PackageSource::parse(text).unwrap();
            assert_eq!(source.to_string(), text);
            let expected = GitSource {
                url: url.to_owned(),
                revision: revision.to_owned(),
                path: path.to_owned(),
            };
            assert_eq!(source.kind, SourceKind::Git(expected));
        }
    }

    #[test]
    fn sources_that_git_could_misunderstand_are_refused() {
        for text in [
            "git+https://e.com/a/steps",
            "git+https://e.com/a/steps@--upload-pack=x",
            "git+https://e.com/a/steps@a..b",
            "git+https://e.com/a/steps@v1:refs/heads/x",
            "git+https://token@e.com/a/steps@v1",
            "git+ssh://git:pass@e.com/a/steps@v1",
            "git+ssh://-oProxyCommand=x/a@v1",
            "git+ssh://git@-oProxyCommand=x/a@v1",
            "git+ssh://git@/a@v1",
            "git+ext::sh -c x@v1",
            "git+http://e.com/a@v1",
            "git+https://e.com/a@v1#../x",
            "git+https:///a@v1",
            "https://e.com/a@v1",
            "git@e.com:a/b@v1",
            "",
        ] {
            let refused = PackageSource::parse(text);
            assert!(refused.is_err(), "{text}");
        }
        let error = PackageSource::parse("git+https://s3cret@e.com/a@v1").unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn the_usual_name_comes_from_the_last_part_of_the_path() {
        for (text, name) in [
            ("git+https://e.com/acme/Steps.git@v1", Some("steps")),
            ("git+https://e.com/acme/mono@v1#libs/dates.rhai", Some("dates")),
            ("../shared/steps/", Some("steps")),
            ("steps.provisor", Some("steps")),
            ("../..", None),
        ] {
            assert_eq!(
                PackageSource::parse(text).unwrap().usual_name().as_deref(),
                name,
                "{text}"
            );
        }
    }

    #[test]
    fn imports_inside_a_package_do_not_leave_it() {
        assert_eq!(inner_path("lib.rhai", "./a.rhai").as_deref(), Some("a.rhai"));
        assert_eq!(inner_path("s/lib.rhai", "../a.rhai").as_deref(), Some("a.rhai"));
        assert_eq!(
            inner_path("s/lib.rhai", "./t/../a.rhai").as_deref(),
            Some("s/a.rhai")
        );
        for import in [
            "../a.rhai",
            "./../../a.rhai",
            "./use:x/lib.rhai",
            "..",
            "a\\b.rhai",
        ] {
            assert_eq!(inner_path("lib.rhai", import), None, "{import}");
        }
        assert_eq!(inner_folder("", ".").as_deref(), Some(""));
        assert_eq!(inner_folder("a", "..").as_deref(), Some(""));
        assert_eq!(inner_folder("a/b", "../box").as_deref(), Some("a/box"));
        assert_eq!(inner_folder("a", "../.."), None);
        assert_eq!(inner_folder("a", "/a"), None);
    }

    #[test]
    fn the_name_of_a_source_names_its_package() {
        assert_eq!(
            source_name("steps/dates", "lib.rhai"),
            "use:steps/use:dates/lib.rhai"
        );
        assert_eq!(
            split_source_name("use:steps/use:dates/s/lib.rhai"),
            Some(("steps/dates".to_owned(), "s/lib.rhai"))
        );
        assert_eq!(split_source_name("steps/lib.rhai"), None);
    }
}
