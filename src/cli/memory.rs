//! Memory allocated by the process, and the memory limit of scripts.

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};

use cap::Cap;

use crate::script::memory::{Memory, Scripts};

/// The system allocator with a counter, the only way to know a script's memory use while it runs. Costs one addition
/// per allocation.
#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// The memory limit of scripts, in bytes. One allocator means one limit for all of them.
static MEMORY_LIMIT: AtomicUsize = AtomicUsize::new(DEFAULT_LIMIT);

/// The scripts of this process.
static SCRIPTS: Scripts = Scripts::new();

/// The default memory limit of scripts, in bytes.
const DEFAULT_LIMIT: usize = 1 << 30;

/// The process may allocate this multiple of the scripts' limit, plus the base below. It is the last line of defence:
/// an allocation fails and the process aborts before the machine runs out of memory. Scripts are stopped long before.
const HARD_FACTOR: usize = 4;
const HARD_BASE: usize = 512 << 20;

/// Keeps passwords and tokens out of crash dumps: disables core dumps, and access to this process's memory by the
/// user's other processes.
pub(super) fn keep_private() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = Rlimit {
            current: Some(0),
            ..getrlimit(Resource::Core)
        };
        // If the system refuses, only the precaution is lost.
        let _ = setrlimit(Resource::Core, limit);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// The memory counter and limit of scripts.
pub(super) fn memory() -> Memory {
    Memory {
        used: || ALLOCATED.allocated(),
        limit: || MEMORY_LIMIT.load(Ordering::Relaxed),
        scripts: &SCRIPTS,
    }
}

/// Sets the memory limit of scripts, in bytes; `None` means the default.
pub(super) fn allow(limit: Option<usize>) {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    MEMORY_LIMIT.store(limit, Ordering::Relaxed);
    let hard = limit.saturating_mul(HARD_FACTOR).saturating_add(HARD_BASE);
    // Fails only if the process has already allocated more; then there is nothing to protect.
    let _ = ALLOCATED.set_limit(hard.saturating_add(ALLOCATED.allocated()));
}

/// Parses `512M`, `2G` or `none`. The error completes a sentence.
pub(super) fn parse(text: &str) -> Result<usize, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("none") {
        return Ok(usize::MAX);
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(FORM.to_owned()),
    };
    let count: usize = digits.trim().parse().map_err(|_| FORM.to_owned())?;
    match count.checked_mul(1 << shift) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(FORM.to_owned()),
    }
}

const FORM: &str = "write a size as 512M or 2G, or `none` for no limit";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn core_dumps_are_disabled_for_the_process() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        keep_private();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }

    #[test]
    fn memory_sizes_are_parsed_and_invalid_ones_refused() {
        for (text, bytes) in [
            ("512M", 512 << 20),
            ("2g", 2 << 30),
            (" 3 GiB", 3 << 30),
            ("None", usize::MAX),
        ] {
            assert_eq!(parse(text).unwrap(), bytes, "{text}");
        }
        for text in [
            "",
            "G",
            "2",
            "-1G",
            "1.5G",
            "0M",
            "2T",
            "99999999999999999999G",
            "18446744073709551615G",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn allocated_memory_is_counted() {
        // Other tests allocate and free at the same time, but what is held here is counted whatever they do. None of them
        // holds as much.
        let block = std::hint::black_box(Vec::<u8>::with_capacity(384 << 20));
        let used = (memory().used)();
        assert!(used >= block.capacity(), "{used} {}", block.capacity());
    }
}
