//! The child's part of the test: it kills itself with SIGKILL when it passes a given moment for the nth time, and its
//! clock is set wrong.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use crate::clock::{Clock, ClockSkew};
use crate::config::Env;
use crate::journal::{Boundary, Journal};

/// The variable that arms the trap: `after-intent:7`. Only `provisor torture` sets it.
pub(in crate::cli) const VARIABLE: &str = "PROVISOR_TORTURE_KILL";

/// The variable that sets the clock wrong: by how many milliseconds, after how many, and optionally as if rebooted, as
/// in `-3600000:250:boot`. Only `provisor torture` sets it.
pub(super) const CLOCK: &str = "PROVISOR_TORTURE_CLOCK";

/// The clock of the process. An invalid variable leaves it correct.
pub(in crate::cli) fn clock(env: &Env) -> Clock {
    env.get(CLOCK)
        .and_then(misset)
        .map_or_else(Clock::system, Clock::misset)
}

/// The variable's value for a wrong clock.
pub(super) fn written(how: ClockSkew) -> String {
    let boot = if how.rebooted { ":boot" } else { "" };
    format!("{}:{}{boot}", how.by_ms, how.after.as_millis())
}

fn misset(text: &str) -> Option<ClockSkew> {
    let mut parts = text.split(':');
    let how = ClockSkew {
        by_ms: parts.next()?.parse().ok()?,
        after: Duration::from_millis(parts.next()?.parse().ok()?),
        rebooted: parts.next() == Some("boot"),
    };
    Some(how)
}

/// Moments of a run, besides the boundaries of its steps.
const RUN_MOMENTS: [KillPoint; 2] = [KillPoint::BeforeResults, KillPoint::AfterResults];

/// A moment at which a run can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum KillPoint {
    /// A boundary in a changing step.
    Step(Boundary),
    /// Every row has ended; the results file is not in place yet.
    BeforeResults,
    /// The results file is in place; the run is not recorded as ended yet.
    AfterResults,
}

impl KillPoint {
    /// All moments, in the order of a run's life.
    pub(super) fn all() -> impl Iterator<Item = KillPoint> {
        let steps = Boundary::ALL.iter().copied().map(KillPoint::Step);
        steps.chain(RUN_MOMENTS)
    }

    /// Its name: `before-intent`.
    pub(super) fn name(self) -> &'static str {
        match self {
            KillPoint::Step(boundary) => boundary.name(),
            KillPoint::BeforeResults => "before-results",
            KillPoint::AfterResults => "after-results",
        }
    }
}

impl FromStr for KillPoint {
    type Err = ();

    fn from_str(text: &str) -> Result<KillPoint, ()> {
        KillPoint::all().find(|moment| moment.name() == text).ok_or(())
    }
}

/// Counts how often a moment passes. Not armed in runs outside of `provisor torture`.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct KillSwitch(Option<Arc<Armed>>);

#[derive(Debug)]
struct Armed {
    moment: KillPoint,
    remaining: AtomicU32,
}

impl KillSwitch {
    /// The trap that the environment requests. An invalid value arms nothing.
    pub(in crate::cli) fn from_env(env: &Env) -> KillSwitch {
        KillSwitch(env.get(VARIABLE).and_then(read).map(Arc::new))
    }

    /// Watches the steps of a journal.
    pub(in crate::cli) fn watch(&self, journal: &Journal) {
        if self.0.is_some() {
            let kill_switch = self.clone();
            journal.on_boundary(move |boundary| kill_switch.pass(KillPoint::Step(boundary)));
        }
    }

    /// Passes a moment. Does not return if the process is to be killed there.
    pub(in crate::cli) fn pass(&self, moment: KillPoint) {
        let Some(armed) = self.0.as_ref().filter(|armed| armed.moment == moment) else {
            return;
        };
        // The count cannot go below zero, because the process is dead.
        if armed.remaining.fetch_sub(1, Ordering::SeqCst) == 1 {
            let killed = kill_process(getpid(), Signal::KILL);
            tracing::error!(?killed, "the process outlived its own SIGKILL");
        }
    }
}

fn read(text: &str) -> Option<Armed> {
    let (moment, count) = text.split_once(':')?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0)?;
    Some(Armed {
        moment: moment.parse().ok()?,
        remaining: AtomicU32::new(count),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kill_switch_needs_a_valid_moment_and_count() {
        for moment in KillPoint::all() {
            assert_eq!(moment.name().parse(), Ok(moment));
            assert!(read(&format!("{}:7", moment.name())).is_some());
        }
        for text in ["", "after-intent", "after-intent:0", "after-intent:x", "lunch:1"] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_clock_skew_setting_round_trips_as_text() {
        let after = Duration::from_millis(250);
        for (by_ms, rebooted) in [(3_600_000, false), (-5, true)] {
            let how = ClockSkew {
                by_ms,
                after,
                rebooted,
            };
            assert_eq!(misset(&written(how)), Some(how));
        }
        assert_eq!(misset("soon"), None);
    }

    #[test]
    fn the_kill_switch_ignores_other_moments_and_earlier_passes() {
        let kill_switch = KillSwitch(read("after-send:3").map(Arc::new));
        kill_switch.pass(KillPoint::Step(Boundary::AfterSend));
        kill_switch.pass(KillPoint::Step(Boundary::AfterSend));
        kill_switch.pass(KillPoint::BeforeResults);
        assert_eq!(kill_switch.0.unwrap().remaining.load(Ordering::SeqCst), 1);
    }
}
