//! Time and randomness, which tests can replace.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::sabotage::Sabotage;

/// A moment on two clocks: the time of day, which people read and anyone can set, and a monotonic clock, which is
/// comparable only within one boot of one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The time of day, in milliseconds since the Unix epoch.
    pub wall_ms: i64,
    /// The identifier of the boot that the monotonic clock belongs to, or of the process where the system does not
    /// identify boots. Nil if unknown.
    pub boot: Uuid,
    /// The monotonic clock, in milliseconds since its own origin.
    pub boot_ms: i64,
}

impl Stamp {
    /// Creates a moment of which only the time of day is known.
    pub fn from_wall_clock(wall_ms: i64) -> Stamp {
        Stamp {
            wall_ms,
            boot: Uuid::nil(),
            boot_ms: 0,
        }
    }

    /// Returns the milliseconds that passed between `earlier` and this moment, or `None` if that cannot be determined:
    /// the two come from different boots or machines, or `earlier` is later.
    pub fn since(self, earlier: Stamp) -> Option<i64> {
        if Sabotage::WallClock.is_on() {
            return Some(self.wall_ms.saturating_sub(earlier.wall_ms));
        }
        let known = self.boot == earlier.boot && !self.boot.is_nil();
        let passed = self.boot_ms.saturating_sub(earlier.boot_ms);
        (known && passed >= 0).then_some(passed)
    }

    /// Returns the moment `millis` later.
    #[must_use]
    pub fn plus(self, millis: i64) -> Stamp {
        Stamp {
            wall_ms: self.wall_ms.saturating_add(millis),
            boot_ms: self.boot_ms.saturating_add(millis),
            ..self
        }
    }
}

/// A source of the time of day and of elapsed time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    /// The machine's clock with a simulated wrong setting.
    ClockSkew(ClockSkew),
    Frozen(Arc<Mutex<Frozen>>),
}

#[derive(Debug)]
struct Frozen {
    now: Stamp,
    /// The time of day had the clock never been set.
    truly_ms: i64,
}

/// A wrong clock setting, for tests of whole processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSkew {
    /// The deviation from the correct time of day, in milliseconds.
    pub by_ms: i64,
    /// The delay after the process start from which the setting applies.
    pub after: Duration,
    /// Whether the process appears to run in a boot of its own.
    pub rebooted: bool,
}

impl Clock {
    /// Returns the machine's clock.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// Returns the machine's clock, set wrong.
    pub fn misset(how: ClockSkew) -> Clock {
        // Records the process start, from which `after` is counted.
        let _ = process();
        Clock(Source::ClockSkew(how))
    }

    /// Creates a clock that starts at `millis` after the Unix epoch and advances only by [`Clock::sleep`], which
    /// returns at once and adds the duration. All such clocks belong to the same boot.
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

    /// Sets a frozen clock forward or back; no time elapses. Has no effect on other clocks.
    pub fn set(&self, by_ms: i64) {
        self.change(|frozen| frozen.now.wall_ms = frozen.now.wall_ms.saturating_add(by_ms));
    }

    /// Simulates a reboot of a frozen clock's machine: the monotonic clock starts again. Has no effect on other clocks.
    pub fn reboot(&self) {
        self.change(|frozen| {
            frozen.now.boot = Uuid::from_u128(frozen.now.boot.as_u128() + 1);
            frozen.now.boot_ms = 0;
        });
    }

    /// Returns the time of day as if the clock had never been set.
    #[cfg(test)]
    pub(crate) fn true_millis(&self) -> i64 {
        match &self.0 {
            Source::Frozen(frozen) => lock(frozen).truly_ms,
            _ => self.now_millis(),
        }
    }

    /// Returns the current moment on both clocks.
    pub fn now(&self) -> Stamp {
        match &self.0 {
            Source::Frozen(frozen) => lock(frozen).now,
            Source::System => Stamp {
                wall_ms: wall_millis(),
                ..steady()
            },
            Source::ClockSkew(how) => {
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

    /// Returns the time of day, in milliseconds since the Unix epoch. Do not use it to decide whether a period is over:
    /// see [`Stamp::since`].
    pub fn now_millis(&self) -> i64 {
        self.now().wall_ms
    }

    /// Returns the monotonic clock in milliseconds, for durations within this process.
    pub fn steady_millis(&self) -> i64 {
        self.now().boot_ms
    }

    /// Waits for `duration`. Needs a tokio runtime with time enabled, unless the clock is frozen.
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

/// Converts a duration to whole milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, millis)
}

/// Returns the monotonic clock: the boot's, which also runs while the machine is suspended, where the system has one
/// that all processes share, else the process's own.
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

/// Returns the clock of this process.
fn process() -> Stamp {
    static PROCESS: OnceLock<(Uuid, Instant)> = OnceLock::new();
    let (boot, began) = PROCESS.get_or_init(|| (Uuid::new_v4(), Instant::now()));
    Stamp {
        wall_ms: 0,
        boot: *boot,
        boot_ms: millis(began.elapsed()),
    }
}

/// Returns the boot identifier and the time since boot.
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

/// Other systems identify boots only through calls that need unsafe code; there each process has its own clock.
#[cfg(not(target_os = "linux"))]
fn boot() -> Option<(Uuid, i64)> {
    None
}

/// A generator of identifiers and random numbers.
#[derive(Debug, Clone, Default)]
pub struct Ids(Option<Arc<Mutex<fastrand::Rng>>>);

impl Ids {
    /// Creates an unpredictable generator.
    pub fn random() -> Ids {
        Ids(None)
    }

    /// Creates a reproducible generator.
    pub fn seeded(seed: u64) -> Ids {
        let rng = fastrand::Rng::with_seed(seed);
        Ids(Some(Arc::new(Mutex::new(rng))))
    }

    /// Returns a version 4 UUID in its usual form.
    pub fn uuid(&self) -> String {
        let random = match self.lock() {
            Some(mut rng) => uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid(),
            None => Uuid::new_v4(),
        };
        random.to_string()
    }

    /// Returns a number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        match self.lock() {
            Some(mut rng) => rng.f64(),
            None => fastrand::f64(),
        }
    }

    /// Returns `length` lower-case letters and digits that are hard to confuse.
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
    fn the_monotonic_clock_ignores_changes_of_the_wall_clock() {
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
        assert_eq!(clock.now().since(Stamp::from_wall_clock(1_000)), None);
        assert_eq!(
            Stamp::from_wall_clock(2_000).since(Stamp::from_wall_clock(1_000)),
            None
        );
    }

    #[test]
    fn processes_share_the_boot_clock_despite_a_changed_wall_clock() {
        let began = Clock::system().now();
        let set = Clock::misset(ClockSkew {
            by_ms: 3_600_000,
            after: Duration::ZERO,
            rebooted: false,
        });
        assert!(set.now().wall_ms >= began.wall_ms + 3_500_000);
        assert!(set.now().since(began).is_some_and(|passed| passed < 3_000_000));
        let other = Clock::misset(ClockSkew {
            by_ms: 0,
            after: Duration::ZERO,
            rebooted: true,
        });
        assert_eq!(other.now().since(other.now()), Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(other.now().since(began), None);
    }
}
