//! The keyboard of a session that edits its lines. From the session's begin to its end the terminal hands over every key
//! as it is, so that what is typed while an input is evaluated, or between two prompts, waits for the next prompt: a
//! terminal that edits lines itself would take Ctrl-D, Ctrl-C and others away. Only while something is under way that can
//! be stopped is Ctrl-C a signal.

use std::io::stdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::ioctl_fionread;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};

/// A terminal that hands over keys. Clones share it.
#[derive(Clone)]
pub(super) struct Keyboard {
    /// How the terminal was before anybody changed it.
    before: Arc<Termios>,
    /// Is Ctrl-C a signal now?
    signals: Arc<AtomicBool>,
}

impl Keyboard {
    /// Has the terminal hand over every key from now on; `None` when standard input is no terminal.
    pub(super) fn take() -> Option<Keyboard> {
        let keyboard = Keyboard {
            before: Arc::new(tcgetattr(stdin()).ok()?),
            signals: Arc::default(),
        };
        keyboard.signal(false);
        Some(keyboard)
    }

    /// Is Ctrl-C a signal from now on, and Ctrl-Z and Ctrl-\ with it, or a key like any other?
    pub(super) fn signal(&self, signals: bool) {
        let mut modes = (*self.before).clone();
        // As the line editor has them, so that nothing changes when it comes and goes.
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
            // What was typed ahead is dropped by us, who can tell it, and not by the terminal.
            modes.local_modes.insert(LocalModes::ISIG | LocalModes::NOFLSH);
        }
        self.signals.store(signals, Ordering::SeqCst);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        set(&modes);
    }

    /// Ctrl-C has stopped what is under way: what was typed ahead must not run now. Gives whether there was any.
    pub(super) fn drop_ahead(&self) -> bool {
        let waits = || ioctl_fionread(stdin()).is_ok_and(|bytes| bytes > 0);
        self.signals.load(Ordering::SeqCst) && waits() && tcflush(stdin(), QueueSelector::IFlush).is_ok()
    }

    /// The terminal as it was before, for a program of its own such as an editor.
    pub(super) fn lend<T>(&self, to: impl FnOnce() -> T) -> T {
        self.give_back();
        let done = to();
        self.signal(false);
        done
    }

    /// The terminal is as it was before.
    pub(super) fn give_back(&self) {
        set(&self.before);
    }
}

fn set(modes: &Termios) {
    // A terminal that is gone needs nothing.
    let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
}
