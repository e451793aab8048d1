//! A signed-in account: one caller signs in for all, tokens outlive the process, and a rejected token is renewed once.

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

/// How long a failure other than refused credentials is repeated to callers without asking again, so that many
/// concurrent callers cause a single failed attempt.
const FAILURE_COOLDOWN: Duration = Duration::from_secs(2);

/// How often corrected credentials are looked for after a refusal. Refused credentials are never sent again: ten
/// thousand attempts would lock the account.
pub(crate) const REFUSAL_COOLDOWN: Duration = Duration::from_secs(10);

/// How one account signs in.
pub(crate) trait Authenticator: Send + Sync + 'static {
    /// The account's name in the token store, bound to platform, address and login so that no token is sent elsewhere.
    fn key(&self) -> String;

    /// The credential that the tokens are bound to.
    fn credential(&self) -> Credential;

    /// Reads the credentials, again after [`Authenticator::refuse`].
    fn credentials(&self) -> impl Future<Output = Result<Vec<Secret>, ApiError>> + Send;

    /// Marks the credentials as refused.
    fn refuse(&self);

    /// The credentials that have been read so far.
    fn secrets(&self) -> Vec<Secret>;

    /// Signs in with the account's credentials.
    fn sign_in(&self, network: &Network) -> impl Future<Output = Result<Tokens, ApiError>> + Send;

    /// Exchanges a refresh token for new tokens. Never called for platforms without refresh tokens.
    fn refresh(
        &self,
        network: &Network,
        token: &Secret,
    ) -> impl Future<Output = Result<Tokens, ApiError>> + Send {
        let _ = (network, token);
        async { Err(local("this platform has no refresh tokens".to_owned())) }
    }

    /// The tokens with a later expiry after use at `now`, in milliseconds since the Unix epoch; `None` if the gain is
    /// not worth storing.
    fn extended(&self, tokens: &Tokens, now: i64) -> Option<Tokens> {
        let _ = (tokens, now);
        None
    }

    /// Reads what [`Authenticator::authorize`] needs besides tokens. Most platforms need nothing.
    fn ready(&self) -> impl Future<Output = Result<(), ApiError>> + Send {
        async { Ok(()) }
    }

    /// Refuses a request that must not be sent.
    fn judge(&self, network: &Network, request: &Request) -> Result<(), ApiError> {
        network.guards().judge(request)
    }

    /// Adds these tokens to the request.
    fn authorize(&self, request: Request, tokens: &Tokens) -> Request;
}

/// An account and its tokens, shared by all its callers.
pub(crate) struct Session<A> {
    pub(crate) account: A,
    pub(crate) network: Network,
    tokens: TokenCache<Tokens, ApiError>,
    /// The credentials that were refused last, and the error.
    refused: Mutex<Option<(Vec<Secret>, ApiError)>>,
}

impl<A: Authenticator> Session<A> {
    /// Creates a session that signs in on demand. Sends nothing.
    pub(crate) fn new(account: A, network: Network) -> Session<A> {
        Session {
            account,
            tokens: TokenCache::new(network.clock.clone()),
            network,
            refused: Mutex::default(),
        }
    }

    /// The account's own secrets known so far, which must be masked in responses.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.account.secrets();
        if let Some(tokens) = self.tokens.held() {
            secrets.push(tokens.access);
            secrets.extend(tokens.refresh);
        }
        secrets
    }

    /// Returns valid tokens, renewing them or signing in if necessary.
    pub(crate) async fn tokens(&self) -> Result<Tokens, ApiError> {
        self.tokens.get(|held| self.renew(held)).await
    }

    /// Sends a request as this account; a changing one passes `flight` right before it is sent. A rejected token is
    /// renewed and the request sent once more. Any status but 2xx is an error.
    pub(crate) async fn send(&self, request: Request, flight: Option<&Flight>) -> Result<Answer, ApiError> {
        self.account.judge(&self.network, &request)?;
        let flight = flight.filter(|_| request.method.changes()).cloned();
        let request = Request { flight, ..request };
        let mut tokens = self.tokens().await?;
        self.account.ready().await?;
        let mut renewed = false;
        loop {
            let mut request = self.account.authorize(request.clone(), &tokens);
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
                // Another caller has extended the same token meanwhile, which did not help.
                self.tokens.reject(&tokens);
                tokens = self.tokens().await?;
            }
            renewed = true;
        }
    }

    /// Signs out for all who share the tokens: sends `request` with them, and removes them here and in the store.
    /// Returns whether there were any; if not, sends nothing. Also removes tokens that the platform no longer accepts.
    pub(crate) async fn sign_out(&self, request: Request, flight: Option<&Flight>) -> Result<bool, ApiError> {
        let Some(tokens) = self.load().await? else {
            return Ok(false);
        };
        let request = Request {
            flight: flight.cloned(),
            ..request
        };
        self.try_tokens(&tokens, request).await?;
        self.drop_tokens(&tokens).await?;
        Ok(true)
    }

    /// Whether the platform still accepts the stored tokens, according to `request`. Removes them if not.
    pub(crate) async fn verify_tokens(&self, request: Request) -> Result<bool, ApiError> {
        let Some(tokens) = self.load().await? else {
            return Ok(false);
        };
        let accepted = self.try_tokens(&tokens, request).await?;
        if !accepted {
            self.drop_tokens(&tokens).await?;
        }
        Ok(accepted)
    }

    /// Sends a request with exactly these tokens. Returns whether they were accepted.
    async fn try_tokens(&self, tokens: &Tokens, request: Request) -> Result<bool, ApiError> {
        self.account.judge(&self.network, &request)?;
        self.account.ready().await?;
        let request = self.account.authorize(request, tokens);
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

    /// Stores tokens whose life was extended by use. If that fails, the next sign-in comes earlier than necessary.
    async fn slide(&self, tokens: &Tokens) {
        let now = self.network.clock.now_millis();
        let Some(longer) = self.account.extended(tokens, now) else {
            return;
        };
        match self.store_tokens(longer).await {
            Ok(longer) => self.tokens.extend(tokens, longer.lease()),
            Err(error) => tracing::warn!(%error, "the new expiry of a token is not saved"),
        }
    }

    /// When the stored tokens expire, in milliseconds since the Unix epoch; `None` if there are none.
    pub(crate) async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        self.known(|tokens| Some(tokens.expires)).await
    }

    /// Reads a detail of the stored tokens; `None` if there are none.
    pub(crate) async fn known<T>(
        &self,
        read: impl FnOnce(&Tokens) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        Ok(self.load().await?.and_then(|tokens| read(&tokens)))
    }

    /// Replaces the tokens with amended ones and stores them.
    pub(crate) async fn replace_tokens(&self, tokens: &Tokens, amended: Tokens) -> Result<Tokens, ApiError> {
        let amended = self.store_tokens(amended).await?;
        self.tokens.extend(tokens, amended.clone().lease());
        Ok(amended)
    }

    /// Replaces these tokens with those of a new sign-in.
    pub(crate) async fn sign_in_again(&self, tokens: &Tokens) -> Result<Tokens, ApiError> {
        self.drop_tokens(tokens).await?;
        self.tokens().await
    }

    /// Removes the stored tokens, so that the next caller who needs some signs in. Sends nothing.
    pub(crate) async fn forget(&self) -> Result<(), ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        blocking(move || store.forget(&key)).await
    }

    async fn renew(&self, held: Option<Tokens>) -> Result<Lease<Tokens>, Failure<ApiError>> {
        let renewed = self.renewed(held).await;
        renewed.map(Tokens::lease).map_err(|error| Failure {
            cooldown: Some(if error.kind.refuses_sign_in() {
                REFUSAL_COOLDOWN
            } else {
                FAILURE_COOLDOWN
            }),
            // Whatever happened to the sign-in, the request itself has not been sent.
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
                Ok(tokens) => return self.store_tokens(tokens).await,
                Err(error) if prevents_sign_in(error.kind) => return Err(error),
                Err(_) => {}
            }
            // Perhaps another process refreshed first and used up the refresh token.
            let stored = self.load().await?;
            if let Some(fresh) = self.fresh(stored.as_ref(), old.as_ref()) {
                return Ok(fresh);
            }
        }
        self.sign_in().await
    }

    /// Signs in, unless the same credentials were refused before.
    async fn sign_in(&self) -> Result<Tokens, ApiError> {
        let attempted = self.account.credentials().await?;
        let refused = self
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((refused, error)) = refused
            && refused == attempted
        {
            self.account.refuse();
            return Err(error);
        }
        let signed_in = self.account.sign_in(&self.network).await;
        if let Err(error) = &signed_in
            && error.kind.refuses_sign_in()
        {
            self.account.refuse();
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((attempted, error.clone()));
        }
        self.store_tokens(signed_in?).await
    }

    /// The stored tokens, if they differ from `known` and need no renewal yet.
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

    /// Stores tokens for other processes. If that fails (the disk is full), the next process has to sign in again.
    async fn store_tokens(&self, tokens: Tokens) -> Result<Tokens, ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        let value = tokens.to_value();
        if let Err(reason) = blocking(move || store.save(&key, &value)).await? {
            tracing::warn!(%reason, "new tokens cannot be saved: the next run signs in again");
        }
        Ok(tokens)
    }

    async fn load(&self) -> Result<Option<Tokens>, ApiError> {
        let (store, key) = (Arc::clone(&self.network.store), self.token_key());
        let value = blocking(move || store.load(&key)).await?;
        Ok(value.as_ref().and_then(Tokens::from_value))
    }
}

/// A secret that is read when it is first needed, and again after it was refused.
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

    /// The secret, if it has been read.
    pub(crate) fn known(&self) -> Option<Secret> {
        self.state().known.clone()
    }

    /// The secret's identity.
    pub(crate) fn identity(&self) -> Credential {
        self.source.identity()
    }

    /// Marks the secret as refused: a person may have corrected it by the next time it is needed.
    pub(crate) fn refuse(&self) {
        self.state().refused = true;
    }

    /// Returns the secret; `what` names it in errors. Only one caller at a time signs in, so only one prompts.
    pub(crate) async fn get(&self, what: &str) -> Result<Secret, ApiError> {
        {
            let state = self.state();
            if let Some(secret) = state.known.as_ref().filter(|_| !state.refused) {
                return Ok(secret.clone());
            }
        }
        let source = self.source.clone();
        let secret = blocking(move || source.read()).await?;
        let secret = secret.map_err(|reason| local(format!("the {what} cannot be read: {reason}")))?;
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

/// Whether signing in would fail in the same way.
fn prevents_sign_in(kind: ApiErrorKind) -> bool {
    use ApiErrorKind::{Address, RateLimited, Unreachable};
    matches!(kind, Address | RateLimited | Unreachable)
}

fn local(message: String) -> ApiError {
    ApiError::new(ApiErrorKind::Local, message)
}

/// Runs blocking work off the async runtime's threads.
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

    /// Accepts the credential `right`.
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

        fn authorize(&self, request: Request, _: &Tokens) -> Request {
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
    async fn a_refused_password_is_not_retried_until_it_changes() {
        let clock = Clock::frozen(0);
        let kept = Arc::new(Mutex::new("wrong"));
        let source = Arc::clone(&kept);
        let password = Password::ask("test", move || Ok(Secret::new(*source.lock().unwrap())));
        let (session, asked) = session(password, &clock);
        for _ in 0..5 {
            let refused = session.tokens().await.unwrap_err();
            assert_eq!(refused.kind, ApiErrorKind::SignInRefused);
            clock.sleep(REFUSAL_COOLDOWN).await;
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
    async fn tokens_are_used_even_if_the_token_cache_cannot_store_them() {
        let (session, asked) = session(Password::known(Secret::new("right")), &Clock::frozen(0));
        session.tokens().await.unwrap();
        session.tokens().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
