//! Time and chance, which tests replace.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::sabotage::Sabotage;

/// A moment by two clocks: the time of day, which people read and anybody can set, and a steady one, which only goes
/// forward but means something within one boot of one machine alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The time of day, in milliseconds since the Unix epoch.
    pub wall_ms: i64,
    /// Whose steady clock: the boot's identifier, or the process's where the system tells no boots apart. Nil when it is
    /// not known.
    pub boot: Uuid,
    /// The steady clock, in milliseconds since its own beginning.
    pub boot_ms: i64,
}

impl Stamp {
    /// A moment of which only the time of day is known.
    pub fn by_wall(wall_ms: i64) -> Stamp {
        Stamp {
            wall_ms,
            boot: Uuid::nil(),
            boot_ms: 0,
        }
    }

    /// How many milliseconds passed between `earlier` and this moment. `None` when that cannot be told: the two are of
    /// different boots or machines, or `earlier` is later.
    pub fn since(self, earlier: Stamp) -> Option<i64> {
        if Sabotage::WallClock.is_on() {
            return Some(self.wall_ms.saturating_sub(earlier.wall_ms));
        }
        let known = self.boot == earlier.boot && !self.boot.is_nil();
        let passed = self.boot_ms.saturating_sub(earlier.boot_ms);
        (known && passed >= 0).then_some(passed)
    }

    /// The moment `millis` later.
    #[must_use]
    pub fn plus(self, millis: i64) -> Stamp {
        Stamp {
            wall_ms: self.wall_ms.saturating_add(millis),
            boot_ms: self.boot_ms.saturating_add(millis),
            ..self
        }
    }
}

/// The time of day and the passing of time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    /// The machine's clock, as if somebody had set it.
    Misset(Misset),
    Frozen(Arc<Mutex<Frozen>>),
}

#[derive(Debug)]
struct Frozen {
    now: Stamp,
    /// What nobody can set.
    truly_ms: i64,
}

/// How a clock was set wrong: for tests of whole processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misset {
    /// So far from the right time of day, in milliseconds.
    pub by_ms: i64,
    /// From so long after the process's start on.
    pub after: Duration,
    /// Does the process live in a boot of its own?
    pub rebooted: bool,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// The machine's clock, set wrong.
    pub fn misset(how: Misset) -> Clock {
        // The process's start is counted from here.
        let _ = process();
        Clock(Source::Misset(how))
    }

    /// A clock that stands at `millis` after the Unix epoch and moves only by [`Clock::sleep`], which returns at once
    /// and adds the duration. All such clocks are of one boot.
    pub fn frozen(millis: i64) -> Clock {
        Clock(Source::Frozen(Arc::new(Mutex::new(Frozen {
            now: Stamp {
                wall_ms: millis,
                boot: Uuid::from_u128(1),
                boot_ms: millis,
            },
            truly_ms: millis,
        }))))
    }

    /// Somebody sets a frozen clock forward, or back: no time passes. Without effect on any other.
    pub fn set(&self, by_ms: i64) {
        self.change(|frozen| frozen.now.wall_ms = frozen.now.wall_ms.saturating_add(by_ms));
    }

    /// A frozen clock's machine starts anew: its steady clock begins again. Without effect on any other.
    pub fn reboot(&self) {
        self.change(|frozen| {
            frozen.now.boot = Uuid::from_u128(frozen.now.boot.as_u128() + 1);
            frozen.now.boot_ms = 0;
        });
    }

    /// What the time of day would be if nobody had ever set it.
    #[cfg(test)]
    pub(crate) fn true_millis(&self) -> i64 {
        match &self.0 {
            Source::Frozen(frozen) => lock(frozen).truly_ms,
            _ => self.now_millis(),
        }
    }

    /// Now, by both clocks.
    pub fn now(&self) -> Stamp {
        match &self.0 {
            Source::Frozen(frozen) => lock(frozen).now,
            Source::System => Stamp {
                wall_ms: wall_millis(),
                ..steady()
            },
            Source::Misset(how) => {
                let steady = if how.rebooted { process() } else { steady() };
                let due = process().boot_ms >= millis(how.after);
                let by_ms = if due { how.by_ms } else { 0 };
                Stamp {
                    wall_ms: wall_millis().saturating_add(by_ms),
                    ..steady
                }
            }
        }
    }

    /// The time of day, in milliseconds since the Unix epoch. Whether a time is over is not told by it: see
    /// [`Stamp::since`].
    pub fn now_millis(&self) -> i64 {
        self.now().wall_ms
    }

    /// Milliseconds of the steady clock: for spans within this process.
    pub fn steady_millis(&self) -> i64 {
        self.now().boot_ms
    }

    /// Ends when `duration` has passed. Needs a tokio runtime with time enabled, unless the clock is frozen.
    pub fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if let Source::Frozen(frozen) = &self.0 {
            let (mut frozen, passed) = (lock(frozen), millis(duration));
            frozen.now = frozen.now.plus(passed);
            frozen.truly_ms = frozen.truly_ms.saturating_add(passed);
            return Box::pin(tokio::task::yield_now());
        }
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    fn change(&self, change: impl FnOnce(&mut Frozen)) {
        if let Source::Frozen(frozen) = &self.0 {
            change(&mut lock(frozen));
        }
    }
}

fn lock(frozen: &Mutex<Frozen>) -> MutexGuard<'_, Frozen> {
    frozen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A duration in whole milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, millis)
}

/// The steady clock: the boot's, which goes on while the machine sleeps, where the system has one that processes share;
/// else the process's own.
fn steady() -> Stamp {
    match boot() {
        Some((boot, boot_ms)) => Stamp {
            wall_ms: 0,
            boot,
            boot_ms,
        },
        None => process(),
    }
}

/// The process's own clock.
fn process() -> Stamp {
    static PROCESS: OnceLock<(Uuid, Instant)> = OnceLock::new();
    let (boot, began) = PROCESS.get_or_init(|| (Uuid::new_v4(), Instant::now()));
    Stamp {
        wall_ms: 0,
        boot: *boot,
        boot_ms: millis(began.elapsed()),
    }
}

/// The boot and its clock.
#[cfg(target_os = "linux")]
fn boot() -> Option<(Uuid, i64)> {
    static BOOT: OnceLock<Option<Uuid>> = OnceLock::new();
    let read = || {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Uuid::parse_str(id.trim()).ok()
    };
    let boot = (*BOOT.get_or_init(read))?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some((
        boot,
        now.tv_sec
            .saturating_mul(1000)
            .saturating_add(now.tv_nsec / 1_000_000),
    ))
}

/// Other systems tell the boots apart by calls that take unsafe code; there each process counts for itself.
#[cfg(not(target_os = "linux"))]
fn boot() -> Option<(Uuid, i64)> {
    None
}

/// Identifiers and random numbers.
#[derive(Debug, Clone, Default)]
pub struct Ids(Option<Arc<Mutex<fastrand::Rng>>>);

impl Ids {
    /// Unpredictable ones.
    pub fn random() -> Ids {
        Ids(None)
    }

    /// The same sequence for the same seed.
    pub fn seeded(seed: u64) -> Ids {
        let rng = fastrand::Rng::with_seed(seed);
        Ids(Some(Arc::new(Mutex::new(rng))))
    }

    /// A version 4 UUID in its usual form.
    pub fn uuid(&self) -> String {
        let random = match self.lock() {
            Some(mut rng) => uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid(),
            None => Uuid::new_v4(),
        };
        random.to_string()
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        match self.lock() {
            Some(mut rng) => rng.f64(),
            None => fastrand::f64(),
        }
    }

    /// `length` characters of lower-case letters and digits that are hard to confuse.
    pub fn short(&self, length: usize) -> String {
        const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
        let pick = |index: usize| char::from(ALPHABET[index]);
        (0..length)
            .map(|_| match self.lock() {
                Some(mut rng) => pick(rng.usize(..ALPHABET.len())),
                None => pick(fastrand::usize(..ALPHABET.len())),
            })
            .collect()
    }

    fn lock(&self) -> Option<MutexGuard<'_, fastrand::Rng>> {
        self.0
            .as_ref()
            .map(|rng| rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steady_clock_goes_on_whatever_is_done_to_the_time_of_day() {
        let clock = Clock::frozen(1_000);
        let began = clock.now();
        clock.set(3_600_000);
        assert_eq!(
            (clock.now_millis(), clock.now().since(began)),
            (3_601_000, Some(0))
        );
        clock.set(-7_200_000);
        assert_eq!(clock.now().since(began), Some(0));
        assert_eq!(began.plus(5).since(began), Some(5));
        assert_eq!(
            began.since(began.plus(5)),
            None,
            "an earlier moment is not after a later one"
        );
    }

    #[test]
    fn moments_of_different_boots_cannot_be_compared() {
        let clock = Clock::frozen(1_000);
        let began = clock.now();
        clock.reboot();
        assert_eq!(clock.now().since(began), None);
        assert_eq!(clock.now().since(Stamp::by_wall(1_000)), None);
        assert_eq!(Stamp::by_wall(2_000).since(Stamp::by_wall(1_000)), None);
    }

    #[test]
    fn processes_of_one_boot_share_its_clock_and_a_set_one_keeps_it() {
        let began = Clock::system().now();
        let set = Clock::misset(Misset {
            by_ms: 3_600_000,
            after: Duration::ZERO,
            rebooted: false,
        });
        assert!(set.now().wall_ms >= began.wall_ms + 3_500_000);
        assert!(set.now().since(began).is_some_and(|passed| passed < 3_000_000));
        let other = Clock::misset(Misset {
            by_ms: 0,
            after: Duration::ZERO,
            rebooted: true,
        });
        assert_eq!(other.now().since(other.now()), Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(other.now().since(began), None);
    }
}
