//! All other calls: any path below the API, and any link in a response that stays there.

use url::Url;

use super::{Client, link};
use crate::client::error::ApiError;
use crate::transport::request::{Body, Method, Request};
use crate::value::{Record, Value};

impl Client {
    /// Calls `path` and returns the response body: JSON as a value in which fields named like a credential are secret,
    /// text as is, null if empty.
    ///
    /// `path` is below the API and starts with a slash, or is a link from a response; either may be a template, with
    /// variables from `query`. The rest of `query` is added to the query string. A link to anywhere but the account's
    /// own API is refused before anything is sent.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        query: &Record,
        body: Body,
    ) -> Result<Value, ApiError> {
        let (mut url, used) = self.address(path, query)?;
        let own: Vec<(String, Value)> = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), Value::Text(value.into_owned())))
            .collect();
        url.set_query(None);
        url.set_fragment(None);
        let given = query
            .iter()
            .filter(|(name, _)| !used.iter().any(|used| used == *name));
        let given = given.map(|(name, value)| (name.clone(), value.clone()));
        let request = Request {
            query: own.into_iter().chain(given).collect(),
            ..Request::new(method, url).timeout(self.inner.reply).body(body)
        };
        self.call(request).await?.value()
    }

    /// The path segments below the API that a call of this path requests.
    pub fn steps_to(&self, path: &str, query: &Record) -> Option<Vec<String>> {
        let (url, _) = self.address(path, query).ok()?;
        let below = self.account().base.below(&url)?;
        Some(below.trim_matches('/').split('/').map(str::to_owned).collect())
    }

    /// The address of a path or link, and the names of its template variables.
    fn address(&self, path: &str, query: &Record) -> Result<(Url, Vec<String>), ApiError> {
        let path = path.trim();
        let (expanded, used) = if path.contains('{') {
            (link::expand(path, query)?, variables(path))
        } else {
            (path.to_owned(), Vec::new())
        };
        let base = &self.account().base;
        let url = if expanded.contains("://") {
            link::own(base, &expanded)?
        } else {
            if !expanded.starts_with('/') {
                return Err(ApiError::bad_input("a path starts with a slash"));
            }
            let (_, version) = base.as_str().rsplit_once("/api").unwrap_or_default();
            let below = expanded
                .strip_prefix(&format!("/api{version}"))
                .unwrap_or(&expanded);
            link::own(base, &format!("{base}{below}"))?
        };
        Ok((url, used))
    }
}

/// The names of a template's variables, without their modifiers.
fn variables(template: &str) -> Vec<String> {
    let expressions = template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    expressions
        .flat_map(|expression| {
            expression
                .trim_start_matches(['+', '#', '.', '/', ';', '?', '&'])
                .split(',')
        })
        .map(|name| {
            name.trim_end_matches('*')
                .split(':')
                .next()
                .unwrap_or(name)
                .to_owned()
        })
        .collect()
}
