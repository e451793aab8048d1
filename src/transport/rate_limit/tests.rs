#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

/// Returns the permit, unless it must be waited for.
async fn at_once(pace: &RateLimiter, origin: &str) -> Option<RatePermit> {
    tokio::select! {
        biased;
        pass = pace.enter(origin) => Some(pass),
        () = tokio::task::yield_now() => None,
    }
}

#[test]
fn rate_limits_are_parsed_and_invalid_ones_refused() {
    for (text, micros) in [
        ("10/s", 100_000),
        ("1/s", 1_000_000),
        (" 90 / min ", 666_666),
        ("60/m", 1_000_000),
        ("1000/h", 3_600_000),
        ("3/second", 333_333),
    ] {
        assert_eq!(rate(text).interval_us(), micros, "{text}");
        assert_eq!(Rate::parse(&rate(text).to_string()), Rate::parse(text));
    }
    for text in [
        "", "10", "10/", "/s", "0/s", "-1/s", "1.5/s", "10/d", "100001/s", "10/s/s", "ten/s",
    ] {
        assert_eq!(Rate::parse(text), None, "{text}");
    }
}

#[tokio::test]
async fn the_rate_limiter_spaces_requests_evenly_without_bursts() {
    let clock = Clock::frozen(5_000);
    let pace = RateLimiter::new(Some(rate("10/s")), None, clock.clone());
    for count in 0..30 {
        drop(pace.enter("a").await);
        assert_eq!(clock.now_millis(), 5_000 + 100 * count);
    }
    // Unused time is not saved up.
    clock.sleep(Duration::from_mins(1)).await;
    let from = clock.now_millis();
    for _ in 0..11 {
        drop(pace.enter("b").await);
    }
    assert_eq!(clock.now_millis() - from, 1_000);
}

#[tokio::test]
async fn all_callers_share_one_rate() {
    let clock = Clock::frozen(0);
    let pace = Arc::new(RateLimiter::new(Some(rate("10/s")), None, clock.clone()));
    let callers: Vec<_> = (0..50)
        .map(|caller| {
            let pace = Arc::clone(&pace);
            tokio::spawn(async move { drop(pace.enter(&caller.to_string()).await) })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(clock.now_millis() >= 4_900, "{}", clock.now_millis());
}

#[tokio::test]
async fn the_concurrency_limit_bounds_requests_in_flight() {
    let pace = RateLimiter::new(None, Some(3), Clock::frozen(0));
    let mut passes = Vec::new();
    for _ in 0..3 {
        passes.push(at_once(&pace, "a").await.unwrap());
    }
    // A dropped wait does not take a slot.
    for _ in 0..3 {
        assert!(at_once(&pace, "b").await.is_none());
    }
    passes.pop();
    assert!(at_once(&pace, "b").await.is_some());
}

#[tokio::test]
async fn a_hold_applies_to_its_origin_and_the_longest_wins() {
    let clock = Clock::frozen(0);
    let pace = RateLimiter::new(None, None, clock.clone());
    pace.hold("a", Duration::from_secs(7));
    pace.hold("a", Duration::from_secs(2));
    assert!(at_once(&pace, "b").await.is_some());
    assert_eq!(clock.now_millis(), 0);
    drop(pace.enter("a").await);
    assert!(
        (7_000..7_251).contains(&clock.now_millis()),
        "{}",
        clock.now_millis()
    );
    let then = clock.now_millis();
    drop(pace.enter("a").await);
    assert_eq!(clock.now_millis(), then);
}

#[tokio::test]
async fn a_clock_set_back_does_not_stall_the_rate_limiter() {
    let ahead = Clock::frozen(10_000_000);
    let pace = RateLimiter::new(Some(rate("1/s")), None, ahead);
    drop(pace.enter("a").await);
    pace.hold("a", Duration::from_secs(5));
    let state = std::mem::take(&mut *pace.state());
    let back = RateLimiter {
        clock: Clock::frozen(0),
        state: Mutex::new(state),
        ..pace
    };
    drop(back.enter("a").await);
    assert!(back.clock.now_millis() <= 1_000, "{}", back.clock.now_millis());
}
