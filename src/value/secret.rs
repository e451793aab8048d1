//! Secrets as a type, and the net below it.

mod guess;
mod names;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::origin::Origin;
use crate::sabotage::Sabotage;

pub use guess::{looks_like_a_token, may_name_a_credential};
pub use names::{is_credential_field, names_a_credential};

/// What a secret looks like wherever it is shown.
pub const MASK: &str = "***";

/// A text that is never shown: `Display` and `Debug` print a mask.
///
/// It carries where it belongs: what an account gave may be sent to that account, and elsewhere only where the user's
/// configuration allows it. What a person gave belongs nowhere and goes where it is sent.
///
/// Cloning shares the text; the last clone wipes it from memory. [`Secret::expose`] is the only way to the text, and
/// `tests/it/house.rs` holds the list of files that may call it.
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    text: Zeroizing<String>,
    homes: Vec<Home>,
}

/// Where one secret belongs: the account that gave it, and the account it is for. A tenant's password has two of them:
/// the tenant's address and that of the master account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home(Vec<Origin>);

impl Home {
    /// A home of these origins; `None` when there is none among them.
    pub fn of(origins: impl IntoIterator<Item = Origin>) -> Option<Home> {
        let mut origins: Vec<Origin> = origins.into_iter().collect();
        origins.sort();
        origins.dedup();
        (!origins.is_empty()).then_some(Home(origins))
    }

    /// Its origins; at least one.
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
    /// Takes a text into custody. It belongs nowhere yet: see [`Secret::at_home`].
    pub fn new(text: impl Into<String>) -> Secret {
        Secret::with_homes(text, Vec::new())
    }

    /// A text that may go only where all of these are at home or send theirs.
    pub fn with_homes(text: impl Into<String>, mut homes: Vec<Home>) -> Secret {
        homes.sort();
        homes.dedup();
        Secret(Arc::new(Inner {
            text: Zeroizing::new(text.into()),
            homes,
        }))
    }

    /// The secret with this home, unless it has one already.
    #[must_use]
    pub fn at_home(self, home: &Home) -> Secret {
        if self.0.homes.is_empty() {
            Secret::with_homes(self.expose(), vec![home.clone()])
        } else {
            self
        }
    }

    /// Where it belongs: one home for each secret that it is made of. Empty for one that a person gave.
    pub fn homes(&self) -> &[Home] {
        &self.0.homes
    }

    /// The homes that `place` is not among: whoever sends it there needs their leave.
    pub fn homes_elsewhere(&self, place: &Origin) -> impl Iterator<Item = &Home> {
        self.0.homes.iter().filter(move |home| !home.0.contains(place))
    }

    /// Texts joined in this order, secret as a whole; it may go only where all secrets among them may.
    pub fn join(parts: &[Fragment<'_>]) -> Secret {
        let (mut text, mut homes) = (Zeroizing::new(String::new()), Vec::new());
        // Growing would leave copies behind in freed memory.
        text.reserve_exact(parts.iter().map(|part| part.text().len()).sum());
        for part in parts {
            text.push_str(part.text());
            if let Fragment::Secret(secret) = part {
                homes.extend(secret.0.homes.iter().cloned());
            }
        }
        Secret::with_homes(std::mem::take(&mut *text), homes)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0.text
    }

    /// A digest by which to tell it from others without showing it. For texts that are long and random alone: a short
    /// one could be guessed from it.
    pub fn fingerprint(&self) -> String {
        let mut digest = super::digest::sha256(self.expose().as_bytes());
        digest.truncate(32);
        digest
    }

    /// How long it is, in bytes.
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Is there no text at all?
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

/// A piece of a text that [`Secret::join`] makes.
#[derive(Debug, Clone, Copy)]
pub enum Fragment<'a> {
    /// A text that anybody may see.
    Plain(&'a str),
    /// One that nobody may.
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
    /// Equal texts, wherever they belong; the time taken does not tell where they differ.
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

/// Takes known secrets, anything shaped like a JSON web token, and what is named like a credential out of a text that
/// somebody else wrote, such as a platform's error message. The net below the type, never the first line.
#[derive(Debug, Clone, Default)]
pub struct Scrubber {
    known: Vec<Secret>,
}

/// Shorter secrets are not searched for: masking every "a" would hide the message and tell the secret.
const SHORTEST: usize = 4;

impl Scrubber {
    /// A scrubber that knows no secret yet.
    pub fn new() -> Scrubber {
        Scrubber::default()
    }

    /// Adds a secret to look for: in clear, and as addresses, JSON and web pages write it. Empty and very short ones are
    /// ignored.
    pub fn know(&mut self, secret: &Secret) {
        let clear = secret.expose();
        if clear.len() < SHORTEST {
            return;
        }
        // Every way of writing leaves these as they are; tokens consist of them.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
        if clear.bytes().all(is_plain) {
            self.known.push(secret.clone());
            return;
        }
        let homes = secret.homes();
        let mut forms = forms(clear);
        if !clear.is_ascii() {
            // As somebody reads it who takes its UTF-8 for Latin-1, each byte for a character.
            forms.extend(self::forms(&clear.bytes().map(char::from).collect::<String>()));
        }
        // The longest first: one form may be the beginning of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        let forms = forms.into_iter();
        self.known
            .extend(forms.map(|form| Secret::with_homes(form, homes.to_vec())));
    }

    /// The text as a secret, when it repeats one that is known. It belongs where that one does.
    pub fn echo(&self, text: &str) -> Option<Secret> {
        let repeated = self.known.iter().filter(|secret| text.contains(secret.expose()));
        let homes: Vec<Vec<Home>> = repeated.map(|secret| secret.homes().to_vec()).collect();
        let repeats = !homes.is_empty() && !Sabotage::EchoInClear.is_on();
        repeats.then(|| Secret::with_homes(text, homes.concat()))
    }

    /// The text without what is known to be secret, and without what looks like it: for messages, never for data.
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

/// The ways in which a text is written where it has been encoded, the text itself among them.
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
        // As it is in a text whose space was tidied.
        clear.split_whitespace().collect::<Vec<_>>().join(" "),
    ];
    // Each writer of pages escapes the quotes that it likes.
    for double in ["\"", "&quot;", "&#34;"] {
        for single in ["'", "&#39;", "&#x27;", "&apos;"] {
            forms.push(page.replace('"', double).replace('\'', single));
        }
    }
    forms
}

/// The text with every character outside ASCII written as its units of UTF-16, as many writers of JSON do.
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

/// Masks runs of `eyJ…` made of base64url and dots: tokens as all three platforms issue them.
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
