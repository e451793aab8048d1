//! Tests of the module above.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

type Cache = TokenCache<u32, &'static str>;

fn lease(token: u32, renew_at: i64, dead_at: i64) -> Lease<u32> {
    Lease {
        token,
        renew_at,
        dead_at,
    }
}

async fn renewed(cache: &Cache, lease: Lease<u32>) -> Result<u32, &'static str> {
    cache.get(|_| async { Ok(lease) }).await
}

async fn failed(cache: &Cache, error: &'static str, cooldown: Option<Duration>) -> Result<u32, &'static str> {
    cache
        .get(|_| async move { Err(Failure { error, cooldown }) })
        .await
}

#[tokio::test]
async fn fifty_callers_cause_one_renewal() {
    let cache = Arc::new(Cache::new(Clock::frozen(0)));
    let renewals = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let (cache, renewals) = (Arc::clone(&cache), Arc::clone(&renewals));
            tokio::spawn(async move {
                let renew = |_| async {
                    renewals.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok(lease(7, 10, 20))
                };
                cache.get(renew).await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(7));
    }
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let clock = Clock::frozen(0);
    let cache = Cache::new(clock.clone());
    assert_eq!(renewed(&cache, lease(1, 100, 200)).await, Ok(1));
    assert_eq!(renewed(&cache, lease(2, 300, 400)).await, Ok(1));
    clock.sleep(Duration::from_millis(100)).await;
    assert_eq!(renewed(&cache, lease(2, 300, 400)).await, Ok(2));
}

#[tokio::test]
async fn a_failed_early_renewal_leaves_the_old_token_for_a_while() {
    let clock = Clock::frozen(0);
    let cache = Cache::new(clock.clone());
    assert_eq!(renewed(&cache, lease(1, 100, 5_000)).await, Ok(1));
    clock.sleep(Duration::from_millis(150)).await;
    let second = Some(Duration::from_secs(1));
    assert_eq!(failed(&cache, "away", second).await, Ok(1));
    // Not renewed again within the second.
    assert_eq!(renewed(&cache, lease(2, 9_000, 9_000)).await, Ok(1));
    clock.sleep(Duration::from_secs(2)).await;
    assert_eq!(renewed(&cache, lease(2, 9_000, 9_000)).await, Ok(2));
}

#[tokio::test]
async fn a_late_rejection_of_an_old_token_keeps_the_new_one() {
    let cache = Cache::new(Clock::frozen(0));
    assert_eq!(renewed(&cache, lease(1, 100, 200)).await, Ok(1));
    cache.reject(&1);
    assert_eq!(renewed(&cache, lease(2, 100, 200)).await, Ok(2));
    cache.reject(&1);
    assert_eq!(renewed(&cache, lease(3, 100, 200)).await, Ok(2));
}

#[tokio::test]
async fn a_token_renewal_failure_is_shared_by_callers_while_held() {
    let clock = Clock::frozen(0);
    let cache = Cache::new(clock.clone());
    assert_eq!(
        failed(&cache, "away", Some(Duration::from_secs(1))).await,
        Err("away")
    );
    assert_eq!(renewed(&cache, lease(1, 100, 200)).await, Err("away"));
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(
        failed(&cache, "wrong password", None).await,
        Err("wrong password")
    );
    clock.sleep(Duration::from_secs(1_000_000)).await;
    assert_eq!(renewed(&cache, lease(1, 100, 200)).await, Err("wrong password"));
}
