//! JRNI's paths, so that a profile can correct what is only assumed about it.

pub(crate) use crate::client::endpoints::{self, is_name};

/// The endpoint table of one account.
pub(crate) type Endpoints = endpoints::Endpoints<Paths>;

/// JRNI's table. `{company}` stands for a company's id.
///
/// The sources: "vendor" is the vendor's documents, "public" is code published by the vendor or others, "assumed" has
/// no source at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths;

impl endpoints::Table for Paths {
    const ENTRIES: &'static [(&'static str, &'static str, &'static str)] = &[
        ("login", "/login", "signs in when no company is named (vendor)"),
        (
            "login_company",
            "/login/admin/{company}",
            "signs in to a company (vendor); if it does not contain `{company}`, the number goes into the body as `id` \
             (vendor)",
        ),
        ("logout", "/login", "signs out (vendor)"),
        (
            "create_company",
            "/admin/{company}/company",
            "creates a company below `{company}` (assumed: simulator only)",
        ),
        (
            "children",
            "/company/{company}/children",
            "lists the companies below `{company}` by page (public)",
        ),
    ];

    fn invalid_reason(_: &str, _: &str, value: &str) -> Option<&'static str> {
        let path = value.strip_prefix('/').map(|path| path.trim_end_matches('/'));
        let fits = |part: &str| part == COMPANY || is_name(part);
        (!path.is_some_and(|path| path.split('/').all(fits))).then_some(
            "a path starts with a slash and consists of plain names separated by slashes, one of which may be {company}",
        )
    }
}

impl Endpoints {
    /// The entry's path for a company.
    pub(super) fn of(&self, key: &str, company: u64) -> String {
        self.get(key).replace(COMPANY, &company.to_string())
    }

    /// Whether the entry's path contains the company.
    pub(super) fn names_company(&self, key: &str) -> bool {
        self.get(key).contains(COMPANY)
    }
}

const COMPANY: &str = "{company}";

#[cfg(test)]
mod tests;
