//! Looking for what a lost answer would have said, and listening for one that is late.

use std::pin::pin;
use std::time::Duration;

use super::attempt::{Attempt, Boxed, Look, Sending};
use super::cancel::Cancel;
use super::step::{Loss, Window};
use crate::clock::{Clock, Stamp, millis};
use crate::sabotage::Sabotage;
use crate::value::Value;
use crate::waiting::{Wait, Waits};

/// What is to be found out, and how long that may take.
pub(super) struct Search<'a> {
    pub(super) clock: &'a Clock,
    pub(super) waits: &'a Waits,
    /// What is told when it takes long.
    pub(super) what: Wait,
    pub(super) attempt: &'a dyn Attempt,
    pub(super) cancel: &'a Cancel,
    /// How long the request may land, by a clock that tells.
    pub(super) window: Window,
    /// Can anything look for it?
    pub(super) probes: bool,
    /// How long after the sending to look while it cannot be told, in milliseconds.
    pub(super) look_for_ms: i64,
    /// Is what is not there after the window certainly not carried out?
    pub(super) absence_counts: bool,
}

/// What the looking came to.
#[derive(Debug)]
pub(super) enum Settled {
    /// The answer, or the thing.
    Answered(Sending),
    Found(Value),
    /// A look that started at this time, after the window, found nothing.
    Absent {
        looked: Stamp,
    },
    /// It cannot be told, and this is why.
    Unsettled(String),
    Cancelled,
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// However late a resume comes, an answer that cannot be told is asked for this often before a person is.
const FEWEST_LOOKS: u32 = 3;

/// What is said of a thing that was not there when it should have been, and that may be made all the same.
const STILL_ABSENT: &str = "it was not found, but may still appear";

impl Search<'_> {
    /// Looks with growing pauses until the answer is clear, the time is over, or the user wants to stop; an answer that is
    /// late, and comes meanwhile, counts. Every look only reads, so one that is under way may be given up.
    pub(super) async fn settle(&self, mut late: Option<Boxed<'_, Sending>>) -> Settled {
        let mut pause = FIRST_PAUSE;
        let began = self.clock.steady_millis();
        let mut told = None;
        for looks in 1u32.. {
            let looked = self.clock.now();
            let look = match self.first(&mut late, self.look()).await {
                Ok(look) => look,
                Err(settled) => return settled,
            };
            let now = self.clock.now();
            let is_over = self.window.is_over(looked);
            let look = match look {
                Some(Look::Found(_)) if Sabotage::LookUpIgnored.is_on() => Some(Look::Absent),
                Some(Look::Unknown(_)) if Sabotage::UnknownIsAbsent.is_on() => Some(Look::Absent),
                look => look,
            };
            match look {
                Some(Look::Found(value)) => return Settled::Found(value),
                Some(Look::Absent) if is_over && self.absence_counts => return Settled::Absent { looked },
                Some(Look::Absent) if is_over => return Settled::Unsettled(STILL_ABSENT.to_owned()),
                None if is_over => return Settled::Unsettled(String::new()),
                Some(Look::Absent) | None => {}
                Some(Look::Unknown(why) | Look::Unreachable(why)) => {
                    if self.gives_up(now) && looks >= FEWEST_LOOKS {
                        return Settled::Unsettled(why);
                    }
                }
            }
            let passed = self.clock.steady_millis().saturating_sub(began);
            if told.is_none() && passed >= millis(self.waits.untold()) {
                told = Some(self.waits.begin(self.wait(now)));
            }
            // The look that may conclude comes as soon as it may.
            let wait = match u64::try_from(self.window.left_ms(now)) {
                Ok(0) | Err(_) => pause,
                Ok(left_ms) => pause.min(Duration::from_millis(left_ms)),
            };
            if let Err(settled) = self.first(&mut late, self.clock.sleep(wait)).await {
                return settled;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Settled::Cancelled
    }

    /// What is waited for, and until when: the end of the window, or later of the time for an unclear answer.
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

    async fn look(&self) -> Option<Look> {
        if self.probes {
            Some(self.attempt.probe().await)
        } else {
            None
        }
    }

    /// The result of `work`, unless the late answer comes first, or the wish to stop.
    async fn first<T>(
        &self,
        late: &mut Option<Boxed<'_, Sending>>,
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
                Sending::Done(_)
                | Sending::Refused(_)
                | Sending::HalfDone(_)
                | Sending::Lost { loss: Loss::Yes, .. } => {
                    return Err(Settled::Answered(answer));
                }
                // Nothing else can come, and nobody can look.
                Sending::Failed(_) | Sending::PutOff(_) | Sending::Lost { .. } if !self.probes => {
                    return Err(Settled::Unsettled(String::new()));
                }
                // It tells nothing: what is known stays.
                Sending::Failed(_) | Sending::PutOff(_) | Sending::Lost { .. } => {}
            }
        }
    }

    fn gives_up(&self, now: Stamp) -> bool {
        let looked_for = now.since(self.window.sent).unwrap_or_default() >= self.look_for_ms;
        looked_for && self.window.is_over(now)
    }
}
