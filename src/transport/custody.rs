//! Secrets go where they belong, and elsewhere only where the user allows it: asked right before a request leaves.

use std::fmt;
use std::sync::Arc;

use super::error::{ErrorKind, TransportError};
use super::request::Request;
use crate::sabotage::Sabotage;
use crate::value::origin::Origin;
use crate::value::secret::{Home, Secret};

/// Says where secrets may go besides home.
#[derive(Clone)]
pub struct Releases(Arc<Ask>);

/// May a secret of this home go there? The error says what would allow it, in a clause.
type Ask = dyn Fn(&Home, &Origin) -> Result<(), String> + Send + Sync;

impl Releases {
    /// Nowhere.
    pub fn none() -> Releases {
        Releases::new(|_, _| Err("nothing allows it".to_owned()))
    }

    /// Asks `allowed` whether a secret of a home may go to a place that it does not belong to.
    pub fn new(allowed: impl Fn(&Home, &Origin) -> Result<(), String> + Send + Sync + 'static) -> Releases {
        Releases(Arc::new(allowed))
    }

    /// Refuses a request that would take a secret to a place where it does not belong.
    pub(super) fn check(&self, request: &Request) -> Result<(), TransportError> {
        let Some(place) = Origin::of(&request.url).filter(|_| !Sabotage::OriginIgnored.is_on()) else {
            return Ok(());
        };
        let mut refused = None;
        request.each_secret(&mut |secret: &Secret| {
            for home in secret.homes_elsewhere(&place) {
                if let (None, Err(advice)) = (&refused, (self.0)(home, &place)) {
                    refused = Some((home.clone(), advice));
                }
            }
        });
        let Some((home, advice)) = refused else {
            return Ok(());
        };
        let message = format!(
            "{} was not sent: it carries a secret that belongs to {home}; {advice}",
            request.label()
        );
        Err(TransportError::unsent(ErrorKind::SecretElsewhere, message))
    }
}

impl Default for Releases {
    fn default() -> Releases {
        Releases::none()
    }
}

impl fmt::Debug for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Releases")
    }
}
