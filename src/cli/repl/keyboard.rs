//! The terminal modes of a session with line editing. The terminal is in raw mode from the session's start to its end,
//! so that keys typed during an evaluation or between two prompts wait for the next prompt: in line mode the terminal
//! would itself handle Ctrl-D, Ctrl-C and others. Ctrl-C is a signal only while something that can be stopped is in
//! progress.

use std::io::stdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::ioctl_fionread;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};

/// A terminal in raw mode. Clones share it.
#[derive(Clone)]
pub(super) struct Keyboard {
    /// The terminal's original state.
    before: Arc<Termios>,
    /// Whether Ctrl-C currently is a signal.
    signals: Arc<AtomicBool>,
}

impl Keyboard {
    /// Switches the terminal to raw mode; `None` if stdin is not a terminal.
    pub(super) fn take() -> Option<Keyboard> {
        let keyboard = Keyboard {
            before: Arc::new(tcgetattr(stdin()).ok()?),
            signals: Arc::default(),
        };
        keyboard.signal(false);
        Some(keyboard)
    }

    /// Sets whether Ctrl-C, Ctrl-Z and Ctrl-\ are signals or ordinary keys.
    pub(super) fn signal(&self, signals: bool) {
        let mut modes = (*self.before).clone();
        // The line editor uses the same modes, so nothing changes when it starts and ends.
        modes.input_modes.remove(
            InputModes::BRKINT
                | InputModes::ICRNL
                | InputModes::INPCK
                | InputModes::ISTRIP
                | InputModes::IXON,
        );
        modes
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN | LocalModes::ISIG);
        if signals {
            // `discard_typed_ahead` discards keys typed ahead, because the terminal could not report that it did.
            modes.local_modes.insert(LocalModes::ISIG | LocalModes::NOFLSH);
        }
        self.signals.store(signals, Ordering::SeqCst);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        set(&modes);
    }

    /// Discards keys typed ahead after Ctrl-C, because they must not run now. Returns whether there were any.
    pub(super) fn discard_typed_ahead(&self) -> bool {
        let waits = || ioctl_fionread(stdin()).is_ok_and(|bytes| bytes > 0);
        self.signals.load(Ordering::SeqCst) && waits() && tcflush(stdin(), QueueSelector::IFlush).is_ok()
    }

    /// Calls `to` with the terminal's original state, for a program such as an editor.
    pub(super) fn with_original_state<T>(&self, to: impl FnOnce() -> T) -> T {
        self.restore_original();
        let done = to();
        self.signal(false);
        done
    }

    /// Restores the terminal's original state.
    pub(super) fn restore_original(&self) {
        set(&self.before);
    }
}

fn set(modes: &Termios) {
    // A terminal that is gone need not be restored.
    let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
}
