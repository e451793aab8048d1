//! A signed-in account: one caller signs in for all, tokens outlive the process, and a token that is not accepted is
//! renewed once.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answer::Answer;
use super::error::{ApiError, ApiErrorKind};
use super::tokens::Tokens;
use super::{Credential, Flight, Network, Password, Sent, TokenKey};
use crate::transport::request::Request;
use crate::transport::token::{Failure, Lease, TokenCache};
use crate::value::secret::Secret;

/// After a failure other than refused credentials, the same error is given for this long without asking again: many
/// callers fail together, and once.
const HOLD: Duration = Duration::from_secs(2);

/// After refused credentials it is looked so often whether somebody has corrected them. The same ones are never sent again:
/// asking ten thousand times would lock the account.
pub(crate) const HOLD_REFUSED: Duration = Duration::from_secs(10);

/// How one account signs in.
pub(crate) trait Authenticator: Send + Sync + 'static {
    /// The name under which its tokens are kept: bound to platform, address and login, so that no token goes elsewhere.
    fn key(&self) -> String;

    /// The credential, to which the tokens are bound.
    fn credential(&self) -> Credential;

    /// Reads what it signs in with: again what [`Authenticator::refuse`] was called for.
    fn credentials(&self) -> impl Future<Output = Result<Vec<Secret>, ApiError>> + Send;

    /// What it signs in with was refused.
    fn refuse(&self);

    /// What it signs in with, as far as that has been read.
    fn secrets(&self) -> Vec<Secret>;

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

    /// Reads what [`Authenticator::dress`] needs besides tokens. Most platforms need nothing.
    fn ready(&self) -> impl Future<Output = Result<(), ApiError>> + Send {
        async { Ok(()) }
    }

    /// Refuses a request that must not be sent.
    fn judge(&self, network: &Network, request: &Request) -> Result<(), ApiError> {
        network.guards().judge(request)
    }

    /// The request as somebody who holds these tokens sends it.
    fn dress(&self, request: Request, tokens: &Tokens) -> Request;
}

/// An account and its tokens, shared by all its callers.
pub(crate) struct Session<A> {
    pub(crate) account: A,
    pub(crate) network: Network,
    tokens: TokenCache<Tokens, ApiError>,
    /// What was refused last, and how.
    refused: Mutex<Option<(Vec<Secret>, ApiError)>>,
}

impl<A: Authenticator> Session<A> {
    /// A session that signs in when it must. Sends nothing.
    pub(crate) fn new(account: A, network: Network) -> Session<A> {
        Session {
            account,
            tokens: TokenCache::new(network.clock.clone()),
            network,
            refused: Mutex::default(),
        }
    }

    /// The account's own secrets, as far as they are at hand: what an answer repeats of them must not be shown.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.account.secrets();
        if let Some(tokens) = self.tokens.held() {
            secrets.push(tokens.access);
            secrets.extend(tokens.refresh);
        }
        secrets
    }

    /// Tokens that live, by whatever it takes.
    pub(crate) async fn tokens(&self) -> Result<Tokens, ApiError> {
        self.tokens.get(|held| self.renew(held)).await
    }

    /// Sends a request as this account; one that changes something passes `flight` right before it leaves. A token that is
    /// not accepted is renewed, and the request sent once more. Any status but 2xx is an error.
    pub(crate) async fn send(&self, request: Request, flight: Option<&Flight>) -> Result<Answer, ApiError> {
        self.account.judge(&self.network, &request)?;
        let flight = flight.filter(|_| request.method.changes()).cloned();
        let request = Request { flight, ..request };
        let mut tokens = self.tokens().await?;
        self.account.ready().await?;
        let mut renewed = false;
        loop {
            let mut request = self.account.dress(request.clone(), &tokens);
            request.known.extend(tokens.refresh.clone());
            request.known.extend(self.account.secrets());
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
    pub(crate) async fn sign_out(&self, request: Request, flight: Option<&Flight>) -> Result<bool, ApiError> {
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
    pub(crate) async fn are_accepted(&self, request: Request) -> Result<bool, ApiError> {
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
    pub(crate) async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        self.known(|tokens| Some(tokens.expires)).await
    }

    /// What the tokens that are kept tell; nothing when there are none.
    pub(crate) async fn known<T>(
        &self,
        tell: impl FnOnce(&Tokens) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        Ok(self.load().await?.and_then(|tokens| tell(&tokens)))
    }

    /// The tokens with more that is known about them, kept so.
    pub(crate) async fn amend(&self, tokens: &Tokens, amended: Tokens) -> Result<Tokens, ApiError> {
        let amended = self.keep(amended).await?;
        self.tokens.extend(tokens, amended.clone().lease());
        Ok(amended)
    }

    /// Tokens of a sign-in of our own, in place of these.
    pub(crate) async fn anew(&self, tokens: &Tokens) -> Result<Tokens, ApiError> {
        self.drop_tokens(tokens).await?;
        self.tokens().await
    }

    /// Drops the tokens that are kept: the next who needs some signs in. Tells nobody.
    pub(crate) async fn forget(&self) -> Result<(), ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        blocking(move || store.forget(&key)).await
    }

    async fn renew(&self, held: Option<Tokens>) -> Result<Lease<Tokens>, Failure<ApiError>> {
        let renewed = self.renewed(held).await;
        renewed.map(Tokens::lease).map_err(|error| Failure {
            hold: Some(if error.kind.refuses_sign_in() {
                HOLD_REFUSED
            } else {
                HOLD
            }),
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
        self.sign_in().await
    }

    /// Signs in, unless the same credentials were refused before.
    async fn sign_in(&self) -> Result<Tokens, ApiError> {
        let tried = self.account.credentials().await?;
        let refused = self
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((refused, error)) = refused
            && refused == tried
        {
            self.account.refuse();
            return Err(error);
        }
        let signed_in = self.account.sign_in(&self.network).await;
        if let Err(error) = &signed_in
            && error.kind.refuses_sign_in()
        {
            self.account.refuse();
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((tried, error.clone()));
        }
        self.keep(signed_in?).await
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
            credential: self.account.credential(),
        }
    }

    /// Stores tokens for others. When that fails (the disk is full), the next process signs in again, and this one goes on.
    async fn keep(&self, tokens: Tokens) -> Result<Tokens, ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        let value = tokens.to_value();
        if let Err(why) = blocking(move || store.save(&key, &value)).await? {
            tracing::warn!(%why, "new tokens cannot be kept: the next run signs in again");
        }
        Ok(tokens)
    }

    async fn load(&self) -> Result<Option<Tokens>, ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        let value = blocking(move || store.load(&key)).await?;
        Ok(value.as_ref().and_then(Tokens::from_value))
    }
}

/// A secret that is asked for when it is first needed, and again when it was refused.
pub(crate) struct LazySecret {
    source: Password,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Secret>,
    refused: bool,
}

impl LazySecret {
    pub(crate) fn new(source: Password) -> LazySecret {
        LazySecret {
            source,
            state: Mutex::default(),
        }
    }

    /// The secret, when it has been read.
    pub(crate) fn known(&self) -> Option<Secret> {
        self.state().known.clone()
    }

    /// What tells it from others.
    pub(crate) fn identity(&self) -> Credential {
        self.source.identity()
    }

    /// It was refused: a person may have corrected it by the next time it is needed.
    pub(crate) fn refuse(&self) {
        self.state().refused = true;
    }

    /// The secret; `what` names it in errors. Only one caller at a time signs in, so only one asks.
    pub(crate) async fn get(&self, what: &str) -> Result<Secret, ApiError> {
        {
            let state = self.state();
            if let Some(secret) = state.known.as_ref().filter(|_| !state.refused) {
                return Ok(secret.clone());
            }
        }
        let source = self.source.clone();
        let secret = blocking(move || source.read()).await?;
        let secret = secret.map_err(|why| local(format!("the {what} cannot be read: {why}")))?;
        if secret.is_empty() {
            return Err(local(format!("the {what} is empty")));
        }
        *self.state() = State {
            known: Some(secret.clone()),
            refused: false,
        };
        Ok(secret)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::client::TokenStore;
    use crate::clock::Clock;
    use crate::transport::{Http, HttpConfig};
    use crate::value::Value;

    /// Lets in who says `right`.
    struct Account {
        password: LazySecret,
        asked: Arc<AtomicUsize>,
    }

    impl Authenticator for Account {
        fn key(&self) -> String {
            "test".to_owned()
        }

        fn credential(&self) -> Credential {
            self.password.identity()
        }

        async fn credentials(&self) -> Result<Vec<Secret>, ApiError> {
            Ok(vec![self.password.get("password").await?])
        }

        fn refuse(&self) {
            self.password.refuse();
        }

        fn secrets(&self) -> Vec<Secret> {
            self.password.known().into_iter().collect()
        }

        async fn sign_in(&self, _: &Network) -> Result<Tokens, ApiError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.password.get("password").await? != Secret::new("right") {
                return Err(ApiError::new(ApiErrorKind::SignInRefused, "refused"));
            }
            Ok(Tokens {
                access: Secret::new("access-token"),
                refresh: None,
                issued: 0,
                expires: i64::MAX,
                company: None,
            })
        }

        fn dress(&self, request: Request, _: &Tokens) -> Request {
            request
        }
    }

    /// A store on a full disk.
    struct Full;

    impl TokenStore for Full {
        fn load(&self, _: &TokenKey) -> Option<Value> {
            None
        }

        fn save(&self, _: &TokenKey, _: &Value) -> Result<(), String> {
            Err("no space left on device".to_owned())
        }

        fn forget(&self, _: &TokenKey) {}
    }

    fn session(password: Password, clock: &Clock) -> (Session<Account>, Arc<AtomicUsize>) {
        let asked = Arc::<AtomicUsize>::default();
        let http = Http::new(HttpConfig::default(), clock.clone());
        let network = Network::new(http, Arc::new(Full), clock.clone());
        let account = Account {
            password: LazySecret::new(password),
            asked: Arc::clone(&asked),
        };
        (Session::new(account, network), asked)
    }

    #[tokio::test]
    async fn a_refused_password_is_sent_once_and_a_corrected_one_gets_in() {
        let clock = Clock::frozen(0);
        let kept = Arc::new(Mutex::new("wrong"));
        let source = Arc::clone(&kept);
        let password = Password::ask("test", move || Ok(Secret::new(*source.lock().unwrap())));
        let (session, asked) = session(password, &clock);
        for _ in 0..5 {
            let refused = session.tokens().await.unwrap_err();
            assert_eq!(refused.kind, ApiErrorKind::SignInRefused);
            clock.sleep(HOLD_REFUSED).await;
        }
        assert_eq!(
            asked.load(Ordering::SeqCst),
            1,
            "the same password would lock the account"
        );
        *kept.lock().unwrap() = "right";
        session.tokens().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn tokens_that_cannot_be_kept_are_used_all_the_same() {
        let (session, asked) = session(Password::known(Secret::new("right")), &Clock::frozen(0));
        session.tokens().await.unwrap();
        session.tokens().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
