//! The secret type and the scrubber below it.

#![allow(
    clippy::disallowed_methods,
    reason = "secrets are compared, sealed and masked here"
)]

mod guess;
mod names;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::origin::Origin;
use crate::sabotage::Sabotage;

pub use guess::{looks_like_a_token, may_name_a_credential};
pub use names::{is_credential_field, names_a_credential};

/// The text shown in place of a secret.
pub const MASK: &str = "***";

/// A text that is never shown: `Display` and `Debug` print a mask.
///
/// It records where it belongs: a secret received from an account may be sent back to that account, and elsewhere only
/// where the user's configuration allows it. A secret entered by a person has no home and may be sent anywhere.
///
/// Clones share the text; dropping the last one wipes it from memory. [`Secret::expose`] is the only access to the
/// text, and only files that allow it by an attribute call it (`clippy.toml`).
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    text: Zeroizing<String>,
    homes: Vec<Home>,
}

/// Where a secret belongs: the account that issued it and the account it is for. A tenant's password has two origins:
/// the tenant's address and that of the master account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home(Vec<Origin>);

impl Home {
    /// Creates a home of these origins; `None` if there are none.
    pub fn of(origins: impl IntoIterator<Item = Origin>) -> Option<Home> {
        let mut origins: Vec<Origin> = origins.into_iter().collect();
        origins.sort();
        origins.dedup();
        (!origins.is_empty()).then_some(Home(origins))
    }

    /// Returns the origins; at least one.
    pub fn origins(&self) -> &[Origin] {
        &self.0
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(Origin::as_str).collect();
        f.write_str(&names.join(" and "))
    }
}

impl Secret {
    /// Wraps a text. It has no home yet: see [`Secret::with_home`].
    pub fn new(text: impl Into<String>) -> Secret {
        Secret::with_homes(text, Vec::new())
    }

    /// Creates a secret that may be sent only where every one of these homes includes or permits the destination.
    pub fn with_homes(text: impl Into<String>, mut homes: Vec<Home>) -> Secret {
        homes.sort();
        homes.dedup();
        Secret(Arc::new(Inner {
            text: Zeroizing::new(text.into()),
            homes,
        }))
    }

    /// Gives the secret this home, unless it already has one.
    #[must_use]
    pub fn with_home(self, home: &Home) -> Secret {
        if self.0.homes.is_empty() {
            Secret::with_homes(self.expose(), vec![home.clone()])
        } else {
            self
        }
    }

    /// Returns one home for each secret that this one is made of. Empty for a secret entered by a person.
    pub fn homes(&self) -> &[Home] {
        &self.0.homes
    }

    /// Returns the homes that do not include `place`: sending the secret there needs permission from each.
    pub fn homes_excluding(&self, place: &Origin) -> impl Iterator<Item = &Home> {
        self.0.homes.iter().filter(move |home| !home.0.contains(place))
    }

    /// Joins texts in this order. The result is secret, and may go only where every secret in it may.
    pub fn join(parts: &[Fragment<'_>]) -> Secret {
        let (mut text, mut homes) = (Zeroizing::new(String::new()), Vec::new());
        // Reallocation would leave copies behind in freed memory.
        text.reserve_exact(parts.iter().map(|part| part.text().len()).sum());
        for part in parts {
            text.push_str(part.text());
            if let Fragment::Secret(secret) = part {
                homes.extend(secret.0.homes.iter().cloned());
            }
        }
        Secret::with_homes(std::mem::take(&mut *text), homes)
    }

    /// Returns the plain text.
    pub fn expose(&self) -> &str {
        &self.0.text
    }

    /// Returns a digest that identifies the secret without showing it. Only for long random texts: a short one could be
    /// guessed from its digest.
    pub fn fingerprint(&self) -> String {
        let mut digest = super::digest::sha256(self.expose().as_bytes());
        digest.truncate(32);
        digest
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

/// A part of a text for [`Secret::join`].
#[derive(Debug, Clone, Copy)]
pub enum Fragment<'a> {
    /// A text that is not secret.
    Plain(&'a str),
    /// A secret text.
    Secret(&'a Secret),
}

impl<'a> Fragment<'a> {
    fn text(self) -> &'a str {
        match self {
            Fragment::Plain(text) => text,
            Fragment::Secret(secret) => secret.expose(),
        }
    }
}

impl PartialEq for Secret {
    /// Compares the texts, ignoring homes, in a time that does not depend on where they differ.
    fn eq(&self, other: &Secret) -> bool {
        let (a, b) = (self.expose().as_bytes(), other.expose().as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Masks known secrets, anything that looks like a JSON web token, and values named like a credential in foreign texts,
/// such as a platform's error message. A safety net below the secret type, never the first line of defence.
#[derive(Debug, Clone, Default)]
pub struct Scrubber {
    known: Vec<Secret>,
}

/// Shorter secrets are not searched for: masking every "a" would hide the message and reveal the secret.
const MIN_MASKED_LEN: usize = 4;

impl Scrubber {
    /// Creates a scrubber that knows no secret yet.
    pub fn new() -> Scrubber {
        Scrubber::default()
    }

    /// Adds a secret to search for: in plain text, and as URLs, JSON and HTML encode it. Empty and very short ones are
    /// ignored.
    pub fn add_secret(&mut self, secret: &Secret) {
        let clear = secret.expose();
        if clear.len() < MIN_MASKED_LEN {
            return;
        }
        // No encoding changes these characters; tokens consist of them.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
        if clear.bytes().all(is_plain) {
            self.known.push(secret.clone());
            return;
        }
        let homes = secret.homes();
        let mut forms = forms(clear);
        if !clear.is_ascii() {
            // The form that results from decoding its UTF-8 as Latin-1, one character per byte.
            forms.extend(self::forms(&clear.bytes().map(char::from).collect::<String>()));
        }
        // The longest first: one form may be a prefix of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        let forms = forms.into_iter();
        self.known
            .extend(forms.map(|form| Secret::with_homes(form, homes.to_vec())));
    }

    /// Returns the text as a secret if it repeats a known one, with the homes of that one.
    pub fn echo(&self, text: &str) -> Option<Secret> {
        let repeated = self.known.iter().filter(|secret| text.contains(secret.expose()));
        let homes: Vec<Vec<Home>> = repeated.map(|secret| secret.homes().to_vec()).collect();
        let repeats = !homes.is_empty() && !Sabotage::EchoInClear.is_on();
        repeats.then(|| Secret::with_homes(text, homes.concat()))
    }

    /// Masks known secrets and whatever looks like one. For messages, never for data.
    pub fn scrub(&self, text: &str) -> String {
        if Sabotage::RedactionOff.is_on() {
            return text.to_owned();
        }
        let mut text = text.to_owned();
        for secret in &self.known {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), MASK);
            }
        }
        names::mask_named(&mask_tokens(&text))
    }
}

/// Returns the encoded forms in which a text may appear, including the text itself.
fn forms(clear: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(clear.as_bytes()).collect();
    let json = serde_json::Value::from(clear).to_string();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    let json = json.unwrap_or(clear);
    let page = clear
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut forms = vec![
        clear.to_owned(),
        form.replace('+', "%20"),
        form,
        json.to_owned(),
        json.replace('/', "\\/"),
        in_ascii(json, |unit| format!("\\u{unit:04x}")),
        in_ascii(json, |unit| format!("\\u{unit:04X}")),
        // The text with its whitespace normalized.
        clear.split_whitespace().collect::<Vec<_>>().join(" "),
    ];
    // HTML writers differ in how they escape quotes.
    for double in ["\"", "&quot;", "&#34;"] {
        for single in ["'", "&#39;", "&#x27;", "&apos;"] {
            forms.push(page.replace('"', double).replace('\'', single));
        }
    }
    forms
}

/// Writes every character outside ASCII as its UTF-16 units, as many JSON writers do.
fn in_ascii(json: &str, written: impl Fn(u16) -> String) -> String {
    let units = |c: char| {
        c.encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| written(*unit))
            .collect()
    };
    json.chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { units(c) })
        .collect()
}

/// Masks sequences that begin with `eyJ` and consist of base64url and dots: the form of all three platforms' tokens.
fn mask_tokens(text: &str) -> String {
    let is_token_byte = |c: char| c.is_ascii_alphanumeric() || "-_.=".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("eyJ") {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !is_token_byte(c)).unwrap_or(from.len());
        out.push_str(before);
        out.push_str(if end >= 20 { MASK } else { &from[..end] });
        rest = &from[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
