//! Checks, right before a request is sent, that its secrets go only to their own origin or where the user allows it.

use std::fmt;
use std::sync::Arc;

use super::error::{ErrorKind, TransportError};
use super::request::Request;
use crate::sabotage::Sabotage;
use crate::value::origin::Origin;
use crate::value::secret::{Home, Secret};

/// Decides where secrets may go besides their own origin.
#[derive(Clone)]
pub struct Releases(Arc<ReleaseRule>);

/// Whether a secret of this home may go to this origin. The error is a clause that says what would allow it.
type ReleaseRule = dyn Fn(&Home, &Origin) -> Result<(), String> + Send + Sync;

impl Releases {
    /// Allows no other origin.
    pub fn none() -> Releases {
        Releases::new(|_, _| Err("nothing allows it".to_owned()))
    }

    /// Calls `allowed` to decide whether a secret of a home may go to an origin other than its own.
    pub fn new(allowed: impl Fn(&Home, &Origin) -> Result<(), String> + Send + Sync + 'static) -> Releases {
        Releases(Arc::new(allowed))
    }

    /// Refuses a request that would send a secret to an origin where it is not allowed.
    pub(super) fn check(&self, request: &Request) -> Result<(), TransportError> {
        let Some(place) = Origin::of(&request.url).filter(|_| !Sabotage::OriginIgnored.is_on()) else {
            return Ok(());
        };
        let mut refused = None;
        request.for_each_secret(&mut |secret: &Secret| {
            for home in secret.homes_excluding(&place) {
                if let (None, Err(advice)) = (&refused, (self.0)(home, &place)) {
                    refused = Some((home.clone(), advice));
                }
            }
        });
        let Some((home, advice)) = refused else {
            return Ok(());
        };
        let message = format!(
            "{} was not sent: it contains a secret that belongs to {home}; {advice}",
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
