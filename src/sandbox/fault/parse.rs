//! Parses a fault from its text.

use std::str::FromStr;
use std::time::Duration;

use super::{Fault, KINDS, Kind, Route};

/// An error in the text of a fault: which part, what is allowed there, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The route or the kind is unknown.
    #[error("\"{text}\": {part} \"{found}\" is not known; allowed: {allowed}{}", nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Unknown {
        /// The text of the fault.
        text: String,
        /// The name of the part.
        part: &'static str,
        /// The text of the part.
        found: String,
        /// The allowed values.
        allowed: String,
        /// The allowed value most similar to it.
        nearest: Option<String>,
    },
    /// A part is missing.
    #[error("\"{text}\" has no {part}; allowed: {allowed}")]
    Missing {
        /// The text of the fault.
        text: String,
        /// The name of the part.
        part: &'static str,
        /// The allowed values.
        allowed: String,
    },
    /// A number is out of range, invalid, or one too many.
    #[error("\"{text}\": {part} \"{found}\" is not {allowed}")]
    Number {
        /// The text of the fault.
        text: String,
        /// The name of the part.
        part: &'static str,
        /// The text of the part.
        found: String,
        /// The allowed values.
        allowed: &'static str,
    },
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Fault, FaultError> {
        let reader = Reader { text: text.trim() };
        let mut parts = reader.text.split(':').map(str::trim);
        let route = reader.route(parts.next().unwrap_or_default())?;
        let kind = parts.next().filter(|kind| !kind.is_empty());
        let kind = reader.kind(kind.ok_or_else(|| reader.missing("kind", &kinds()))?)?;
        let mut fault = Fault::of(route, kind);
        if kind.has_delay() {
            fault.delay = reader.millis(parts.next())?;
        }
        let (mut rated, mut limited) = (false, false);
        for part in parts {
            if let Some(count) = part.strip_prefix('x').filter(|_| !limited) {
                limited = true;
                fault.limit = Some(reader.limit(part, count)?);
            } else if rated {
                return Err(reader.number("part", part, "expected: ROUTE:KIND[:MS][:RATE][:xN]"));
            } else {
                rated = true;
                fault.rate = reader.rate(part)?;
            }
        }
        Ok(fault)
    }
}

fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn route(&self, name: &str) -> Result<Route, FaultError> {
        let names: Vec<&str> = Route::all().map(Route::name).collect();
        if name.is_empty() {
            return Err(self.missing("route", &names));
        }
        let known = Route::all().find(|known| known.name() == name);
        known.ok_or_else(|| self.unknown("route", name, &names))
    }

    fn kind(&self, name: &str) -> Result<Kind, FaultError> {
        let known = KINDS.iter().find(|known| known.name == name);
        known.copied().ok_or_else(|| self.unknown("kind", name, &kinds()))
    }

    fn millis(&self, part: Option<&str>) -> Result<Duration, FaultError> {
        const ALLOWED: &str = "a whole number of milliseconds up to a day, as in 1500";
        let part = part.ok_or_else(|| self.missing("delay", &[ALLOWED]))?;
        let millis = part.parse::<u64>().ok().filter(|millis| *millis <= 86_400_000);
        millis
            .map(Duration::from_millis)
            .ok_or_else(|| self.number("delay", part, ALLOWED))
    }

    fn rate(&self, part: &str) -> Result<f64, FaultError> {
        let rate = part.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate));
        rate.ok_or_else(|| {
            self.number(
                "rate",
                part,
                "a share from 0 to 1, as in 0.2, or a limit, as in x3",
            )
        })
    }

    fn limit(&self, part: &str, count: &str) -> Result<u32, FaultError> {
        let limit = count.parse::<u32>().ok().filter(|limit| *limit > 0);
        limit.ok_or_else(|| self.number("limit", part, "x and a count from 1, as in x3"))
    }

    fn unknown(&self, part: &'static str, found: &str, allowed: &[&str]) -> FaultError {
        FaultError::Unknown {
            text: self.text.to_owned(),
            part,
            found: found.to_owned(),
            allowed: allowed.join(", "),
            nearest: nearest(found, allowed).map(str::to_owned),
        }
    }

    fn missing(&self, part: &'static str, allowed: &[&str]) -> FaultError {
        FaultError::Missing {
            text: self.text.to_owned(),
            part,
            allowed: allowed.join(", "),
        }
    }

    fn number(&self, part: &'static str, found: &str, allowed: &'static str) -> FaultError {
        FaultError::Number {
            text: self.text.to_owned(),
            part,
            found: found.to_owned(),
            allowed,
        }
    }
}

/// Returns the allowed word with the smallest edit distance, unless more than half of it would have to change.
fn nearest<'a>(found: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let scored = allowed.iter().map(|word| (distance(found, word), *word));
    let (score, word) = scored.min_by_key(|(score, _)| *score)?;
    (score * 2 <= word.len().max(found.len())).then_some(word)
}

/// Returns the Levenshtein distance.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let cost = (diagonal + usize::from(a != *b))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
