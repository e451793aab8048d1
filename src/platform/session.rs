//! A signed-in account: one caller signs in for all, tokens outlive the process, and a token that is not accepted is
//! renewed once.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::answer::Answer;
use super::error::{ApiError, ApiErrorKind};
use super::tokens::Tokens;
use super::{Flight, Network, Password, Sent, TokenKey};
use crate::transport::request::Request;
use crate::transport::token::{Failure, Lease, TokenCache};
use crate::value::secret::Secret;

/// After a failure other than refused credentials, the same error is given for this long without asking again: many
/// callers fail together, and once.
const HOLD: Duration = Duration::from_secs(2);

/// How one account signs in.
pub(super) trait SignIn: Send + Sync + 'static {
    /// The name under which its tokens are kept: bound to platform, address and login, so that no token goes elsewhere.
    fn key(&self) -> String;

    /// The credential that the caller has given, to which the tokens are bound; nothing when it must be asked for.
    fn given(&self) -> Option<Secret> {
        None
    }

    /// Signs in with the account's credentials.
    fn sign_in(&self, network: &Network) -> impl Future<Output = Result<Tokens, ApiError>> + Send;

    /// Trades a refresh token for new tokens. Platforms without refresh tokens never get here.
    fn refresh(
        &self,
        network: &Network,
        token: &Secret,
    ) -> impl Future<Output = Result<Tokens, ApiError>> + Send {
        let _ = (network, token);
        async { Err(local("this platform has no refresh tokens".to_owned())) }
    }

    /// The tokens after they were used at `now`, in milliseconds since the Unix epoch, when that makes them live longer
    /// by so much that it is worth keeping.
    fn slid(&self, tokens: &Tokens, now: i64) -> Option<Tokens> {
        let _ = (tokens, now);
        None
    }

    /// Reads what [`SignIn::dress`] needs besides tokens. Most platforms need nothing.
    fn ready(&self) -> impl Future<Output = Result<(), ApiError>> + Send {
        async { Ok(()) }
    }

    /// Refuses a request that must not be sent.
    fn judge(&self, network: &Network, request: &Request) -> Result<(), ApiError> {
        network.partners.judge(request)
    }

    /// The request as somebody who holds these tokens sends it.
    fn dress(&self, request: Request, tokens: &Tokens) -> Request;
}

/// An account and its tokens, shared by all its callers.
pub(super) struct Session<A> {
    pub(super) account: A,
    pub(super) network: Network,
    tokens: TokenCache<Tokens, ApiError>,
}

impl<A: SignIn> Session<A> {
    /// A session that signs in when it must. Sends nothing.
    pub(super) fn new(account: A, network: Network) -> Session<A> {
        Session {
            account,
            tokens: TokenCache::new(network.clock.clone()),
            network,
        }
    }

    /// Tokens that live, by whatever it takes.
    pub(super) async fn tokens(&self) -> Result<Tokens, ApiError> {
        self.tokens.get(|held| self.renew(held)).await
    }

    /// Sends a request as this account; one that changes something passes `flight` right before it leaves. A token that is
    /// not accepted is renewed, and the request sent once more. Any status but 2xx is an error.
    pub(super) async fn send(&self, request: Request, flight: Option<&Flight>) -> Result<Answer, ApiError> {
        self.account.judge(&self.network, &request)?;
        let flight = flight.filter(|_| request.method.changes()).cloned();
        let request = Request { flight, ..request };
        let mut tokens = self.tokens().await?;
        self.account.ready().await?;
        let mut renewed = false;
        loop {
            let mut request = self.account.dress(request.clone(), &tokens);
            request.known.extend(tokens.refresh.clone());
            let response = self.network.http.send(&request).await;
            let response = response.map_err(|error| ApiError::no_answer(&request, &error))?;
            match response.status {
                401 => self.tokens.reject(&tokens),
                _ if response.is_success() => {
                    self.slide(&tokens).await;
                    return Ok(Answer { request, response });
                }
                _ => return Err(ApiError::from_answer(&request, &response)),
            }
            if renewed {
                return Err(ApiError::from_answer(&request, &response));
            }
            let refused = tokens.access.clone();
            tokens = self.tokens().await?;
            if tokens.access == refused {
                // Somebody has made it live longer meanwhile, which has not helped.
                self.tokens.reject(&tokens);
                tokens = self.tokens().await?;
            }
            renewed = true;
        }
    }

    /// Ends the sign-in for all who share its tokens: sends `request` with them, and forgets them here and in the store.
    /// Says whether there were any; nothing is sent when there are none. Tokens that the platform no longer accepts are
    /// forgotten, too.
    pub(super) async fn sign_out(&self, request: Request, flight: Option<&Flight>) -> Result<bool, ApiError> {
        let Some(tokens) = self.load().await? else {
            return Ok(false);
        };
        let request = Request {
            flight: flight.cloned(),
            ..request
        };
        self.ask_with(&tokens, request).await?;
        self.drop_tokens(&tokens).await?;
        Ok(true)
    }

    /// Does the platform still accept the tokens that are kept? `request` asks it. Those that it does not are forgotten.
    pub(super) async fn are_accepted(&self, request: Request) -> Result<bool, ApiError> {
        let Some(tokens) = self.load().await? else {
            return Ok(false);
        };
        let accepted = self.ask_with(&tokens, request).await?;
        if !accepted {
            self.drop_tokens(&tokens).await?;
        }
        Ok(accepted)
    }

    /// Sends a request with these tokens and no others. Says whether they were accepted.
    async fn ask_with(&self, tokens: &Tokens, request: Request) -> Result<bool, ApiError> {
        self.account.judge(&self.network, &request)?;
        self.account.ready().await?;
        let request = self.account.dress(request, tokens);
        let response = self.network.http.send(&request).await;
        let response = response.map_err(|error| ApiError::no_answer(&request, &error))?;
        match response.status {
            401 => Ok(false),
            _ if response.is_success() => Ok(true),
            _ => Err(ApiError::from_answer(&request, &response)),
        }
    }

    async fn drop_tokens(&self, tokens: &Tokens) -> Result<(), ApiError> {
        self.forget().await?;
        self.tokens.reject(tokens);
        Ok(())
    }

    /// Tokens that live longer for having been used are kept so. When they cannot be, a sign-in comes sooner than it
    /// must.
    async fn slide(&self, tokens: &Tokens) {
        let now = self.network.clock.now_millis();
        let Some(longer) = self.account.slid(tokens, now) else {
            return;
        };
        match self.keep(longer).await {
            Ok(longer) => self.tokens.extend(tokens, longer.lease()),
            Err(error) => tracing::warn!(%error, "the new end of a token is not kept"),
        }
    }

    /// When the tokens that are kept end, in milliseconds since the Unix epoch; nothing when there are none.
    pub(super) async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        Ok(self.load().await?.map(|tokens| tokens.expires))
    }

    /// The tokens with more that is known about them, kept so.
    pub(super) async fn amend(&self, tokens: &Tokens, amended: Tokens) -> Result<Tokens, ApiError> {
        let amended = self.keep(amended).await?;
        self.tokens.extend(tokens, amended.clone().lease());
        Ok(amended)
    }

    /// Tokens of a sign-in of our own, in place of these.
    pub(super) async fn anew(&self, tokens: &Tokens) -> Result<Tokens, ApiError> {
        self.drop_tokens(tokens).await?;
        self.tokens().await
    }

    /// Drops the tokens that are kept: the next who needs some signs in. Tells nobody.
    pub(super) async fn forget(&self) -> Result<(), ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        blocking(move || store.forget(&key)).await
    }

    async fn renew(&self, held: Option<Tokens>) -> Result<Lease<Tokens>, Failure<ApiError>> {
        let renewed = self.renewed(held).await;
        renewed.map(Tokens::lease).map_err(|error| Failure {
            // A refused password stays refused; asking ten thousand times would lock the account.
            hold: (!error.kind.refuses_sign_in()).then_some(HOLD),
            // Whatever became of the sign-in, the request that it was for has not left.
            error: ApiError {
                sent: Sent::No,
                ..error
            },
        })
    }

    async fn renewed(&self, held: Option<Tokens>) -> Result<Tokens, ApiError> {
        // Another process may have renewed them.
        let stored = self.load().await?;
        if let Some(fresh) = self.fresh(stored.as_ref(), held.as_ref()) {
            return Ok(fresh);
        }
        let old = stored.or(held);
        if let Some(refresh) = old.as_ref().and_then(|old| old.refresh.clone()) {
            match self.account.refresh(&self.network, &refresh).await {
                Ok(tokens) => return self.keep(tokens).await,
                Err(error) if is_out_of_reach(error.kind) => return Err(error),
                Err(_) => {}
            }
            // Perhaps another process was faster, and the refresh token is used up for that reason.
            let stored = self.load().await?;
            if let Some(fresh) = self.fresh(stored.as_ref(), old.as_ref()) {
                return Ok(fresh);
            }
        }
        let tokens = self.account.sign_in(&self.network).await?;
        self.keep(tokens).await
    }

    /// The stored tokens, when they are others than `known` and need no renewal yet.
    fn fresh(&self, stored: Option<&Tokens>, known: Option<&Tokens>) -> Option<Tokens> {
        let now = self.network.clock.now_millis();
        let other = stored.filter(|stored| known.is_none_or(|known| known.access != stored.access));
        other.filter(|tokens| tokens.renew_at() > now).cloned()
    }

    fn token_key(&self) -> TokenKey {
        TokenKey {
            account: self.account.key(),
            given: self.account.given(),
        }
    }

    /// Stores tokens; only then may they be used.
    async fn keep(&self, tokens: Tokens) -> Result<Tokens, ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        let value = tokens.to_value();
        let saved = blocking(move || store.save(&key, &value)).await?;
        saved.map_err(|why| local(format!("new tokens cannot be kept: {why}")))?;
        Ok(tokens)
    }

    async fn load(&self) -> Result<Option<Tokens>, ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        let value = blocking(move || store.load(&key)).await?;
        Ok(value.as_ref().and_then(Tokens::from_value))
    }
}

/// A credential that is asked for once, when it is first needed.
pub(super) struct Credential {
    source: Password,
    known: Mutex<Option<Secret>>,
}

impl Credential {
    pub(super) fn new(source: Password) -> Credential {
        Credential {
            source,
            known: Mutex::new(None),
        }
    }

    /// The credential, when it has been read.
    pub(super) fn known(&self) -> Option<Secret> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The credential, when the caller has given it.
    pub(super) fn at_hand(&self) -> Option<Secret> {
        self.source.at_hand().cloned()
    }

    /// The credential; `what` names it in errors. Only one caller at a time signs in, so only one asks.
    pub(super) async fn get(&self, what: &str) -> Result<Secret, ApiError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = known().clone() {
            return Ok(secret);
        }
        let source = self.source.clone();
        let secret = blocking(move || source.read()).await?;
        let secret = secret.map_err(|why| local(format!("the {what} cannot be read: {why}")))?;
        if secret.is_empty() {
            return Err(local(format!("the {what} is empty")));
        }
        *known() = Some(secret.clone());
        Ok(secret)
    }
}

/// Would signing in fail in the same way?
fn is_out_of_reach(kind: ApiErrorKind) -> bool {
    use ApiErrorKind::{Address, RateLimited, Unreachable};
    matches!(kind, Address | RateLimited | Unreachable)
}

fn local(message: String) -> ApiError {
    ApiError::new(ApiErrorKind::Local, message)
}

/// Runs what may block away from the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| local("reading credentials failed unexpectedly".to_owned()))
}
