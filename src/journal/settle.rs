//! Looks up what a lost response would have contained, and listens for a late one.

use std::pin::pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Boxed, Probe, SendOutcome};
use super::step::{Loss, Window};
use crate::clock::{Clock, Stamp, millis};
use crate::sabotage::Sabotage;
use crate::value::Value;
use crate::waiting::{Wait, Waits};

/// The parameters of a lookup.
pub(super) struct Search<'a> {
    pub(super) clock: &'a Clock,
    pub(super) waits: &'a Waits,
    /// What is reported when it takes long.
    pub(super) what: Wait,
    pub(super) attempt: &'a dyn Attempt,
    pub(super) cancel: &'a CancellationToken,
    /// The window in which the request may take effect, by a clock that can be relied on.
    pub(super) window: Window,
    /// Whether a lookup is possible.
    pub(super) probes: bool,
    /// How long after sending to keep looking while the result is unclear, in milliseconds.
    pub(super) look_for_ms: i64,
    /// Whether absence after the window proves that the request was not carried out.
    pub(super) trusts_absence: bool,
}

/// The result of a lookup.
#[derive(Debug)]
pub(super) enum Settled {
    /// The late response, or the resource.
    Answered(SendOutcome),
    Found(Value),
    /// A lookup that started at this time, after the window, found nothing.
    Absent {
        looked_up_at: Stamp,
    },
    /// It cannot be determined; this is the reason.
    Unsettled(String),
    Cancelled,
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The minimum number of lookups, even on a late resume, before an unclear result is left to a person.
const MIN_LOOKUPS: u32 = 3;

/// The reason given for a resource that was absent when it should have existed, but may still be created.
const STILL_ABSENT: &str = "it was not found, but may still appear";

impl Search<'_> {
    /// Looks with growing pauses until the result is clear, the time is over, or the user cancels; a late response that
    /// arrives meanwhile counts. Lookups only read, so one in progress may be aborted.
    pub(super) async fn settle(&self, mut late: Option<Boxed<'_, SendOutcome>>) -> Settled {
        let mut pause = FIRST_PAUSE;
        let began = self.clock.steady_millis();
        let mut wait_notice = None;
        for looks in 1u32.. {
            let looked_up_at = self.clock.now();
            let look = match self.first(&mut late, self.look()).await {
                Ok(look) => look,
                Err(settled) => return settled,
            };
            let now = self.clock.now();
            let is_over = self.window.is_over(looked_up_at);
            let look = match look {
                Some(Probe::Found(_)) if Sabotage::LookUpIgnored.is_on() => Some(Probe::Absent),
                Some(Probe::Unknown(_)) if Sabotage::UnknownIsAbsent.is_on() => Some(Probe::Absent),
                look => look,
            };
            match look {
                Some(Probe::Found(value)) => return Settled::Found(value),
                Some(Probe::Absent) if is_over && self.trusts_absence => {
                    return Settled::Absent { looked_up_at };
                }
                Some(Probe::Absent) if is_over => return Settled::Unsettled(STILL_ABSENT.to_owned()),
                None if is_over => return Settled::Unsettled(String::new()),
                Some(Probe::Absent) | None => {}
                Some(Probe::Unknown(reason) | Probe::Unreachable(reason)) => {
                    if self.should_stop(now) && looks >= MIN_LOOKUPS {
                        return Settled::Unsettled(reason);
                    }
                }
            }
            let passed = self.clock.steady_millis().saturating_sub(began);
            if wait_notice.is_none() && passed >= millis(self.waits.report_threshold()) {
                wait_notice = Some(self.waits.begin(self.wait(now)));
            }
            // The lookup that may be conclusive runs as soon as it can be.
            let wait = match u64::try_from(self.window.left_ms(now)) {
                Ok(0) | Err(_) => pause,
                Ok(left_ms) => pause.min(Duration::from_millis(left_ms)),
            };
            if let Err(settled) = self.first(&mut late, self.clock.sleep(wait)).await {
                return settled;
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
        Settled::Cancelled
    }

    /// Returns what is waited for and until when: the end of the window, or later the limit for an unclear result.
    fn wait(&self, now: Stamp) -> Wait {
        let left_ms = match self.window.left_ms(now) {
            left_ms if left_ms > 0 => left_ms,
            _ => self.look_for_ms - now.since(self.window.sent).unwrap_or_default(),
        };
        Wait {
            until_ms: (left_ms > 0).then(|| now.wall_ms.saturating_add(left_ms)),
            ..self.what.clone()
        }
    }

    async fn look(&self) -> Option<Probe> {
        if self.probes {
            Some(self.attempt.probe().await)
        } else {
            None
        }
    }

    /// Returns the result of `work`, unless the late response or a cancellation comes first.
    async fn first<T>(
        &self,
        late: &mut Option<Boxed<'_, SendOutcome>>,
        work: impl Future<Output = T>,
    ) -> Result<T, Settled> {
        let mut work = pin!(work);
        loop {
            let answer = async {
                match late.as_mut() {
                    Some(late) => late.await,
                    None => std::future::pending().await,
                }
            };
            let answer = tokio::select! {
                biased;
                answer = answer => answer,
                () = self.cancel.cancelled() => return Err(Settled::Cancelled),
                value = &mut work => return Ok(value),
            };
            *late = None;
            match answer {
                SendOutcome::Done(_)
                | SendOutcome::Refused(_)
                | SendOutcome::HalfDone(_)
                | SendOutcome::LostResponse { loss: Loss::Yes, .. } => {
                    return Err(Settled::Answered(answer));
                }
                // No other response can arrive, and no lookup is possible.
                SendOutcome::Failed(_) | SendOutcome::Throttled(_) | SendOutcome::LostResponse { .. }
                    if !self.probes =>
                {
                    return Err(Settled::Unsettled(String::new()));
                }
                // Inconclusive: the known state is kept.
                SendOutcome::Failed(_) | SendOutcome::Throttled(_) | SendOutcome::LostResponse { .. } => {}
            }
        }
    }

    fn should_stop(&self, now: Stamp) -> bool {
        let looked_for = now.since(self.window.sent).unwrap_or_default() >= self.look_for_ms;
        looked_for && self.window.is_over(now)
    }
}
