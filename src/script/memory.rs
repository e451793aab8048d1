//! How much memory a script may take.

use super::error::{Diagnostic, Frame};
use super::program::Ended;

/// How much memory a script may take, and how much the process has. Scripts share a process, so what others take
/// meanwhile counts as well.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Bytes that are allocated now. Asked at every step of a script, so it must be cheap.
    pub used: fn() -> usize,
    /// Bytes that may come to that while a script runs.
    pub most: fn() -> usize,
}

impl Memory {
    /// No bounds.
    pub(super) const UNLIMITED: Memory = Memory {
        used: || 0,
        most: || usize::MAX,
    };
}

/// What a script had taken when it was stopped for it, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overrun {
    pub(super) taken: usize,
    pub(super) most: usize,
}

impl Overrun {
    /// How the script ended, whatever it made of being stopped: `ended` tells where. Rhai forgets that when functions
    /// are left; then it is `within` this one.
    pub(super) fn end<T>(self, ended: Result<T, Ended>, within: Option<Frame>) -> Ended {
        let mut frames = match ended {
            Err(Ended::Failed(diagnostic)) => diagnostic.frames,
            _ => Vec::new(),
        };
        if frames.is_empty() {
            let label = "in here, or in what is called from here";
            frames.extend(within.map(|frame| frame.label(label)));
        }
        let title = format!(
            "the script takes more memory than it may: {} more than when it began, and {} are allowed",
            spoken(self.taken),
            spoken(self.most)
        );
        let failed = Diagnostic::new("out_of_memory", title)
            .hint("go through the data in parts, and let go of what is done with")
            .hint("or allow more: --max-memory 4G; rows that run at once share it, so a smaller --jobs helps, too")
            .hint("provisor explain out_of_memory");
        Ended::Failed(Box::new(Diagnostic { frames, ..failed }))
    }
}

/// A size as people say it: `1.5 GiB`, `300 MiB`.
fn spoken(bytes: usize) -> String {
    let mebibytes = bytes / (1024 * 1024);
    if mebibytes < 1024 {
        return format!("{mebibytes} MiB");
    }
    format!("{}.{} GiB", mebibytes / 1024, mebibytes % 1024 * 10 / 1024)
}
