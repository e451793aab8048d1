//! Normal forms of e-mail addresses, names and sites, so that different spellings of the same one compare equal.

use icu_normalizer::ComposingNormalizerBorrowed;
use url::{Host, Url};

/// Normalizes a name: trimmed, in lower case, in Unicode's composed form (NFC).
pub fn name(text: &str) -> String {
    composed(text.trim()).to_lowercase()
}

/// Normalizes an e-mail address: lower case, NFC, its domain in ASCII form (`bücher.example` becomes
/// `xn--bcher-kva.example`). `None` if the text is not a bare address, as in `Ann <ann@example.com>`.
pub fn email(text: &str) -> Option<String> {
    let options = email_address::Options::default()
        .without_display_text()
        .without_domain_literal();
    let text = composed(text.trim());
    email_address::EmailAddress::parse_with_options(&text, options).ok()?;
    let (local, domain) = text.rsplit_once('@')?;
    match Host::parse(domain).ok()? {
        Host::Domain(domain) => Some(format!("{}@{domain}", local.to_lowercase())),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Extracts the address from a text such as `Ann <ann@example.com>`.
pub fn extract_email(text: &str) -> Option<&str> {
    let (_, rest) = text.rsplit_once('<')?;
    let address = rest.split('>').next()?.trim();
    email(address).map(|_| address)
}

/// Normalizes a site's address: drops the scheme and trailing slashes, and normalizes the host. The path keeps its
/// case. `None` if the text is not an address.
pub fn site(text: &str) -> Option<String> {
    let url = site_url(text)?;
    let (_, rest) = url.as_str().split_once("://")?;
    Some(rest.trim_end_matches('/').to_owned())
}

/// Whether a site's address contains a user name or a password.
pub fn has_credentials(site: &str) -> bool {
    site_url(site).is_some_and(|url| !url.username().is_empty() || url.password().is_some())
}

fn site_url(text: &str) -> Option<Url> {
    let text = composed(text.trim());
    let full = if text.contains("://") {
        text
    } else {
        format!("https://{text}")
    };
    Url::parse(&full).ok().filter(Url::has_host)
}

fn composed(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(text)
        .into_owned()
}

/// Normalizes an identifier: trims it, and drops leading zeros of a number.
pub fn id(id: &str) -> String {
    let id = id.trim();
    id.parse::<u64>()
        .map_or_else(|_| id.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_email_spellings_normalize_to_one_address() {
        let ann = Some("ann@xn--bcher-kva.example".to_owned());
        for text in [
            " Ann@B\u{fc}cher.example ",
            "ann@bu\u{308}cher.example",
            "ann@xn--bcher-kva.example",
            "ANN@XN--BCHER-KVA.EXAMPLE",
        ] {
            assert_eq!(email(text), ann, "{text}");
        }
        assert_eq!(email("jos\u{e9}@a.example"), email("jose\u{301}@a.example"));
        assert_ne!(email("jose@a.example"), email("jos\u{e9}@a.example"));
    }

    #[test]
    fn a_display_name_is_not_part_of_an_email_address() {
        for text in [
            "Ann Smith <ann@example.com>",
            "<ann@example.com>",
            "ann",
            "ann@[127.0.0.1]",
            "",
        ] {
            assert_eq!(email(text), None, "{text}");
        }
        assert_eq!(
            extract_email("Ann Smith <ann@example.com>"),
            Some("ann@example.com")
        );
        assert_eq!(extract_email("Ann <ann>"), None);
    }

    #[test]
    fn sites_and_names_normalize_composed_and_decomposed_unicode() {
        let shop = Some("xn--bcher-kva.example/caf%C3%A9".to_owned());
        assert_eq!(site("https://B\u{fc}cher.example/caf\u{e9}/"), shop);
        assert_eq!(site(" http://xn--bcher-kva.example/cafe\u{301}"), shop);
        assert_eq!(name(" Caf\u{e9} "), name("CAFE\u{301}"));
        for text in ["", "b @ c", "https://", "a b"] {
            assert_eq!(site(text), None, "{text}");
        }
    }
}
