//! Looking for what a lost answer would have said.

use std::time::Duration;

use super::attempt::{Attempt, Look};
use super::cancel::Cancel;
use crate::clock::Clock;
use crate::value::Value;

/// When a request left, how long it may still land, and how long to look for it: all in milliseconds, the first since
/// the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) sent: i64,
    pub(super) settle: i64,
    pub(super) look_for: i64,
}

/// What the looking came to.
#[derive(Debug)]
pub(super) enum Settled {
    Found(Value),
    /// A look that started at this time, after the settle time, found nothing.
    Absent {
        looked_ms: i64,
    },
    /// It cannot be told, and this is why.
    Unsettled(String),
    Cancelled,
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// However late a resume comes, an answer that cannot be told is asked for this often before a person is.
const FEWEST_LOOKS: u32 = 3;

/// Looks with growing pauses until the answer is clear, the time is over, or the user wants to stop. Every look only
/// reads, so one that is under way may be given up.
pub(super) async fn settle(clock: &Clock, window: Window, attempt: &dyn Attempt, cancel: &Cancel) -> Settled {
    let settled_ms = window.sent.saturating_add(window.settle);
    let give_up_ms = settled_ms.max(window.sent.saturating_add(window.look_for));
    let mut pause = FIRST_PAUSE;
    for looks in 1u32.. {
        let looked_ms = clock.now_millis();
        let Some(look) = cancel.or(attempt.probe()).await else {
            break;
        };
        let now_ms = clock.now_millis();
        match look {
            Look::Found(value) => return Settled::Found(value),
            Look::Absent if looked_ms >= settled_ms => return Settled::Absent { looked_ms },
            Look::Absent => {}
            Look::Unknown(why) | Look::Unreachable(why) => {
                if now_ms >= give_up_ms && looks >= FEWEST_LOOKS {
                    return Settled::Unsettled(why);
                }
            }
        }
        // The look that may conclude comes as soon as it may.
        let left = u64::try_from(settled_ms.saturating_sub(now_ms)).unwrap_or_default();
        let wait = if left == 0 {
            pause
        } else {
            pause.min(Duration::from_millis(left))
        };
        if cancel.or(clock.sleep(wait)).await.is_none() {
            break;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Settled::Cancelled
}
