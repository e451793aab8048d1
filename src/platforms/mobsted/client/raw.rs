//! All other calls: any path below the account's API.

use url::Url;

use super::Client;
use super::account::{API, BaseUrl};
use crate::client::error::{ApiError, ApiErrorKind};
use crate::transport::request::{Body, Method, Request};
use crate::value::{Record, Value};

/// The response to a raw call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status, a 2xx.
    pub status: u16,
    /// JSON as a value in which fields named like a credential are secret; text as is; null if empty.
    pub body: Value,
}

impl Client {
    /// Calls `path` below the account's `/api/v8`; it may contain a query.
    ///
    /// A change of a master account that is not on the allowlist is refused before anything is sent. Reads are retried
    /// after transient failures, changes only if they cannot have been carried out.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        query: &Record,
        body: Body,
    ) -> Result<Reply, ApiError> {
        let mut url = address(&self.account().base, path)?;
        let own = url.query_pairs();
        let own = own.map(|(name, text)| (name.into_owned(), Value::from(text.as_ref())));
        let given = query.iter().map(|(name, value)| (name.clone(), value.clone()));
        let query = own.chain(given).collect();
        url.set_query(None);
        let request = Request {
            url,
            query,
            ..self.request(method, "/")?.body(body)
        };
        let answer = self.call(request).await?;
        Ok(Reply {
            status: answer.response.status,
            body: answer.value()?,
        })
    }
}

impl Client {
    /// The app that a path names, if the path names nothing below it.
    pub fn app_at(&self, path: &str) -> Option<String> {
        let url = address(&self.account().base, path).ok()?;
        let apps = self
            .request(Method::Delete, self.endpoints().get("applications"))
            .ok()?
            .url;
        let id = url
            .path()
            .trim_end_matches('/')
            .strip_prefix(apps.path())?
            .strip_prefix('/')?;
        (!id.is_empty() && !id.contains('/')).then(|| id.to_owned())
    }
}

/// Resolves a path: relative to the API, with `/api/v8`, or a full address below it.
fn address(base: &BaseUrl, path: &str) -> Result<Url, ApiError> {
    let root = format!("{base}{API}/");
    let path = path.trim();
    let full = if path.contains("://") {
        path.to_owned()
    } else {
        let path = path.trim_start_matches('/');
        let below = path.strip_prefix(API.trim_start_matches('/'));
        format!(
            "{root}{}",
            below.and_then(|path| path.strip_prefix('/')).unwrap_or(path)
        )
    };
    let outside = || {
        ApiError::new(
            ApiErrorKind::Address,
            format!("a path must stay below {base}{API}"),
        )
    };
    let mut url = Url::parse(&full).map_err(|_| outside())?;
    url.set_fragment(None);
    let parts: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let plain = format!("/{}", parts.join("/"));
    url.set_path(&plain);
    // Dots have been resolved, so a path that leaves the API is visible.
    if url.as_str().starts_with(&root) {
        Ok(url)
    } else {
        Err(outside())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn base() -> BaseUrl {
        BaseUrl::parse("https://acme-admin.mobsted.com").unwrap()
    }

    #[test]
    fn raw_paths_resolve_below_the_api_in_every_spelling() {
        for path in [
            "/screen/7?a=1",
            "screen/7?a=1#part",
            "/api/v8/screen/7?a=1",
            "https://acme-admin.mobsted.com/api/v8/screen/7?a=1",
            "/x/../screen//7/?a=1",
        ] {
            let url = address(&base(), path).unwrap();
            assert_eq!(
                url.as_str(),
                "https://acme-admin.mobsted.com/api/v8/screen/7?a=1",
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_that_leads_out_of_the_api_is_refused() {
        for path in [
            "/../x",
            "https://evil.example/api/v8/x",
            "https://acme-admin.mobsted.com/other",
            "https://acme-admin.mobsted.com.evil.example/api/v8/x",
            "/a/../../x",
            "/%2e%2e/x",
            "",
        ] {
            let error = address(&base(), path).unwrap_err();
            assert_eq!(error.kind, ApiErrorKind::Address, "{path}");
        }
    }
}
