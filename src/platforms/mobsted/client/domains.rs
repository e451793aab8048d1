//! Branded domains. Body and behaviour are public; the path `/nginx/config` is assumed.

use super::Client;
use crate::client::Sent;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::transport::request::{Body, Method};
use crate::value::{Record, Value};

impl Client {
    /// Sets a custom domain for an app or the account. The domain must already point to the platform (a CNAME).
    ///
    /// On a master account the app must be named: without one the platform might use App 1.
    pub async fn set_domain(&self, domain: &str, app: Option<&str>) -> Result<Value, ApiError> {
        let domain = domain.trim().trim_end_matches('.').to_lowercase();
        let custom = is_custom(&domain)?;
        let mut fields = Record::from([
            ("domain".to_owned(), Value::from(domain.as_str())),
            ("isCustom".to_owned(), Value::Int(custom.into())),
        ]);
        if let Some(id) = app {
            fields.insert(
                "appId".to_owned(),
                id.parse().map_or_else(|_| Value::from(id), Value::Int),
            );
        }
        let request = self.request(Method::Post, self.endpoints().get("domains"))?;
        let answer = self.call(request.body(Body::Json(Value::Record(fields)))).await;
        let answer = answer.map_err(plain_refusal)?;
        if answer.response.is_html() {
            return Err(answer.unreadable("it is a web page"));
        }
        answer.value()
    }
}

/// Whether a domain has three labels rather than two, which the request must state. The platform accepts no others.
fn is_custom(domain: &str) -> Result<bool, ApiError> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels = domain.split('.').count();
    if domain.len() > 253 || !domain.split('.').all(is_label) {
        return Err(ApiError::bad_input(format!("`{domain}` is not a domain name")));
    }
    match labels {
        2 => Ok(false),
        3 => Ok(true),
        _ => Err(ApiError::bad_input(format!(
            "`{domain}` has {labels} parts; the platform takes domains of two (shop.com) or three (go.shop.com)"
        ))),
    }
}

/// Turns a 500 with a known reason into a refusal: the platform sends it if the domain does not point to it or the user
/// lacks the permission (Mobsted's own back-end code). Nothing was changed then.
fn plain_refusal(error: ApiError) -> ApiError {
    const REASONS: &[&str] = &[
        "cname",
        "dns",
        "not configured",
        "back-office",
        "back office",
        "permission",
    ];
    let platform_text = error.platform_text.as_deref().unwrap_or_default().to_lowercase();
    if error.status == Some(500) && REASONS.iter().any(|reason| platform_text.contains(reason)) {
        return ApiError {
            kind: ApiErrorKind::Refused,
            sent: Sent::No,
            transient: false,
            ..error
        };
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_two_or_three_parts() {
        assert_eq!(is_custom("shop.com"), Ok(false));
        assert_eq!(is_custom("go.shop.com"), Ok(true));
        for wrong in [
            "shop",
            "a.b.c.d",
            "",
            "shop..com",
            "-shop.com",
            "sh op.com",
            "https://shop.com",
        ] {
            assert!(is_custom(wrong).is_err(), "{wrong}");
        }
        assert!(is_custom(&format!("{}.com", "a".repeat(64))).is_err());
    }

    #[test]
    fn a_failure_is_a_refusal_only_for_known_error_texts() {
        let failed = |platform_text: &str| ApiError {
            status: Some(500),
            platform_text: Some(platform_text.to_owned()),
            sent: Sent::Maybe,
            transient: true,
            ..ApiError::new(ApiErrorKind::Unavailable, "failed")
        };
        assert_eq!(plain_refusal(failed("CNAME record is missing")).sent, Sent::No);
        assert_eq!(plain_refusal(failed("Something went wrong")).sent, Sent::Maybe);
    }
}
