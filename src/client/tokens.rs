//! The tokens of a signed-in user, and their lifetimes.

use std::sync::{Mutex, PoisonError};

use super::{TokenKey, TokenStore};
use crate::transport::token::Lease;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// How long before its expiry a token is renewed, unless a tenth of its lifetime is shorter.
const EARLY_MILLIS: i64 = 10 * 60 * 1000;

/// An access token, and the refresh token issued with it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    /// When they were issued, in milliseconds since the Unix epoch.
    pub(crate) issued: i64,
    /// When the access token expires, in milliseconds since the Unix epoch.
    pub(crate) expires: i64,
    /// The id of the company that they are for, if the platform has companies and has reported it.
    pub(crate) company: Option<u64>,
}

impl Tokens {
    /// When they are due for renewal, in milliseconds since the Unix epoch.
    pub(super) fn renew_at(&self) -> i64 {
        let life = self.expires.saturating_sub(self.issued).max(0);
        self.expires.saturating_sub(EARLY_MILLIS.min(life / 10))
    }

    /// The tokens as a lease with their renewal and expiry times.
    pub(super) fn lease(self) -> Lease<Tokens> {
        Lease {
            renew_at: self.renew_at(),
            dead_at: self.expires,
            token: self,
        }
    }

    /// The tokens as stored.
    pub(super) fn to_value(&self) -> Value {
        let mut fields = Record::new();
        fields.insert("access".into(), self.access.clone().into());
        if let Some(refresh) = &self.refresh {
            fields.insert("refresh".into(), refresh.clone().into());
        }
        fields.insert("issued".into(), Value::Int(self.issued));
        fields.insert("expires".into(), Value::Int(self.expires));
        if let Some(company) = self.company.and_then(|company| i64::try_from(company).ok()) {
            fields.insert("company".into(), Value::Int(company));
        }
        Value::Record(fields)
    }

    /// Parses what [`Tokens::to_value`] wrote.
    pub(super) fn from_value(value: &Value) -> Option<Tokens> {
        let fields = value.as_record()?;
        let secret = |name: &str| match fields.get(name)? {
            Value::Secret(secret) => Some(secret.clone()),
            Value::Text(text) => Some(Secret::new(text.as_str())),
            _ => None,
        };
        let int = |name: &str| match fields.get(name)? {
            Value::Int(int) => Some(*int),
            _ => None,
        };
        Some(Tokens {
            access: secret("access")?,
            refresh: secret("refresh"),
            issued: int("issued")?,
            expires: int("expires")?,
            company: int("company").and_then(|company| u64::try_from(company).ok()),
        })
    }
}

/// Tokens that are lost when the process ends.
#[derive(Default)]
pub(crate) struct MemoryTokens(Mutex<Vec<(TokenKey, Value)>>);

impl TokenStore for MemoryTokens {
    fn load(&self, key: &TokenKey) -> Option<Value> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tokens.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.clone())
    }

    fn save(&self, key: &TokenKey, value: &Value) -> Result<(), String> {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|(known, _)| known != key);
        tokens.push((key.clone(), value.clone()));
        Ok(())
    }

    fn forget(&self, key: &TokenKey) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|(known, _)| known != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(life: i64) -> Tokens {
        Tokens {
            access: Secret::new("a"),
            refresh: Some(Secret::new("r")),
            issued: 0,
            expires: life,
            company: None,
        }
    }

    #[test]
    fn tokens_are_refreshed_ten_minutes_or_a_tenth_early() {
        assert_eq!(tokens(604_800_000).lease().renew_at, 604_200_000);
        assert_eq!(tokens(10_000).lease().renew_at, 9_000);
    }

    #[test]
    fn tokens_round_trip_through_storage() {
        let of_a_company = Tokens {
            company: Some(37),
            ..tokens(7)
        };
        for tokens in [tokens(7), of_a_company] {
            assert_eq!(Tokens::from_value(&tokens.to_value()), Some(tokens));
        }
        assert_eq!(Tokens::from_value(&Value::Null), None);
    }
}
