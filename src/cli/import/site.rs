//! Determines the platform of an address: by its host, by marks of the requests to it, or by the profile made from an
//! environment.

use std::collections::BTreeSet;

use super::address;
use super::collection::{Collection, Request, Variable};
use super::values::{Part, Values, is_secret, parts};
use crate::operation::catalogue::Catalogue;
use crate::operation::import::{ApiRoot, Mark};
use crate::operation::platform::Platform;

/// An address on a platform, split into the account's address and the path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Site {
    pub(super) platform: &'static Platform,
    /// The account's address as written, with variables unresolved.
    pub(super) written: String,
    /// The same address with known variables resolved; it identifies the account.
    pub(super) base: String,
    /// The path segments below the API root; a variable is `{{name}}`.
    pub(super) path: Vec<String>,
}

/// Account addresses known to belong to a platform, whatever their host name.
#[derive(Debug, Default)]
pub(super) struct Evidence(BTreeSet<(&'static str, String)>);

impl Evidence {
    /// Collects the profile's address and those whose requests have a mark of a platform.
    pub(super) fn of(
        catalogue: &Catalogue,
        collection: &Collection,
        profile: Option<(&'static Platform, &str)>,
        values: &mut Values,
    ) -> Evidence {
        let mut known = BTreeSet::new();
        if let Some((platform, url)) = profile {
            known.insert((platform.name, trimmed(url)));
        }
        for request in &collection.requests {
            values.enter(&request.variables);
            let address = address::read(&request.url);
            for (platform, root) in roots(catalogue) {
                if let Some((_, base, path)) = cut(root, &address.base, values)
                    && shows(platform, request, &path)
                {
                    known.insert((platform.name, base));
                }
            }
        }
        Evidence(known)
    }
}

/// Returns the site of an address without its query; `None` if it belongs to no known platform.
pub(super) fn of(catalogue: &Catalogue, address: &str, evidence: &Evidence, values: &Values) -> Option<Site> {
    roots(catalogue).find_map(|(platform, root)| {
        let (written, base, path) = cut(root, address, values)?;
        let host = base.to_lowercase();
        let is_platform_site = root.distinctive
            || platform.import.hosts.iter().any(|name| host.contains(name))
            || evidence.0.contains(&(platform.name, base.clone()));
        is_platform_site.then_some(Site {
            platform,
            written,
            base,
            path,
        })
    })
}

/// Returns the first site that the collection's requests use and whose host is that of an environment variable.
pub(super) fn find_in_environment(
    catalogue: &Catalogue,
    collection: &Collection,
    environment: &[Variable],
) -> Option<Site> {
    let mut values =
        Values::new(collection.variables.iter().cloned(), BTreeSet::new(), Vec::new()).below(environment);
    let evidence = Evidence::of(catalogue, collection, None, &mut values);
    collection.requests.iter().find_map(|request| {
        values.enter(&request.variables);
        let site = of(catalogue, &address::read(&request.url).base, &evidence, &values)?;
        let leads = |variable: &Variable| {
            !is_secret(variable)
                && address::host(&values.expanded(&variable.value)) == address::host(&site.base)
        };
        environment.iter().any(leads).then_some(site)
    })
}

/// Returns the path of an address below a service's, as written; `None` if it is not below it.
pub(super) fn path_below(address: &str, service: &str, values: &Values) -> Option<String> {
    let service = service.trim().trim_end_matches('/');
    let shown = values.expanded(address);
    let mut resolved = if shown.contains("://") {
        String::new()
    } else {
        "https://".to_owned()
    };
    let mut all = parts(address).into_iter();
    while let Some(part) = all.next() {
        resolved.push_str(&values.expanded(&as_text(part)));
        if resolved.len() < service.len() {
            continue;
        }
        let rest = resolved.strip_prefix(service)?;
        let rest = format!("{rest}{}", all.map(as_text).collect::<String>());
        return (rest.is_empty() || rest.starts_with('/')).then_some(rest);
    }
    None
}

/// Every platform with each of its API roots.
fn roots(catalogue: &Catalogue) -> impl Iterator<Item = (&'static Platform, &'static ApiRoot)> {
    let platforms = catalogue.platforms().iter().copied();
    platforms.flat_map(|platform| platform.import.roots.iter().map(move |root| (platform, root)))
}

/// Whether the request has a mark of the platform.
fn shows(platform: &Platform, request: &Request, path: &[String]) -> bool {
    platform.import.marks.iter().any(|mark| match mark {
        Mark::Header(name) => request
            .headers
            .iter()
            .any(|header| header.key.eq_ignore_ascii_case(name)),
        Mark::Path(start) => {
            let mut own = path.iter();
            start
                .split('/')
                .all(|part| own.next().is_some_and(|own| own == part))
        }
        Mark::Variable(_) => false,
    })
}

/// Splits an address at an API root: returns the base as written, the base resolved, and the path below the root.
/// Variables are resolved up to the root, and left as they are after it.
fn cut(root: &ApiRoot, address: &str, values: &Values) -> Option<(String, String, Vec<String>)> {
    let (mut written, mut base) = (String::new(), String::new());
    let mut all = parts(address).into_iter();
    while let Some(part) = all.next() {
        let (as_written, resolved) = match part {
            Part::Text(text) => (text.clone(), text),
            Part::Placeholder(name) => {
                let placeholder = format!("{{{{{name}}}}}");
                let resolved = values.expanded(&placeholder);
                (placeholder, resolved)
            }
        };
        let before = base.len();
        base.push_str(&resolved);
        let more: String = all.clone().map(as_text).collect();
        let Some(at) = find(root.path, &base, more.is_empty() || more.starts_with('/')) else {
            written.push_str(&as_written);
            continue;
        };
        let end = at + root.path.len();
        let rest = format!("{}{more}", &base[end..]);
        let cut = if root.in_address { end } else { at };
        base.truncate(cut);
        // A variable whose value ends with the root can stay as written.
        if as_written == resolved && cut >= before {
            written.push_str(&resolved[..cut - before]);
        } else if root.in_address && rest == more {
            written.push_str(&as_written);
        } else {
            written.clone_from(&base);
        }
        let path = rest.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
        return Some((written, trimmed(&base), path.collect()));
    }
    None
}

/// Returns the byte offset of a root that is followed by `/` or, if `end_counts`, by the end of the text.
fn find(path: &str, text: &str, end_counts: bool) -> Option<usize> {
    let mut places = text.match_indices(path).map(|(at, _)| at);
    places.find(|at| match &text[at + path.len()..] {
        "" => end_counts,
        rest => rest.starts_with('/'),
    })
}

fn as_text(part: Part) -> String {
    match part {
        Part::Text(text) => text,
        Part::Placeholder(name) => format!("{{{{{name}}}}}"),
    }
}

fn trimmed(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    if url.contains("://") || url.starts_with("{{") {
        url.to_owned()
    } else {
        format!("https://{url}")
    }
}
