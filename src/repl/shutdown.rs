//! Ends the session's run and reports the result.

use super::SessionExit;
use super::host::Screen;
use super::session::LazySession;

/// Ends the session's run, if there is one, and reports what it created. Returns how it ended unless it ended well.
pub(super) fn shut_down(lazy_session: &LazySession, screen: &dyn Screen) -> Option<SessionExit> {
    // A second caller waits until the report is complete.
    let _turn = lazy_session.lock_end();
    let (session, open) = match lazy_session.close() {
        Ok(closed) => closed?,
        Err(host_error) => {
            screen.error(&host_error.message, &host_error.hints);
            return Some(SessionExit::Broken);
        }
    };
    let counts = match session.tally() {
        Ok(tally) => tally.counts(),
        Err(error) => {
            screen.error(&format!("the journal cannot be read: {error}"), &[]);
            return Some(SessionExit::Broken);
        }
    };
    let made: Vec<String> = counts
        .iter()
        .map(|(kind, outcome, count)| {
            let s = if *count == 1 { "" } else { "s" };
            format!("{count} {kind}{s} {outcome}")
        })
        .collect();
    let id = session.id();
    if screen.is_typed() || !made.is_empty() {
        let made = if made.is_empty() {
            "nothing was created".to_owned()
        } else {
            made.join(", ")
        };
        screen.note(&format!("session {id}: {made}"));
    }
    if open == 0 {
        return None;
    }
    screen.warn(&if session.has_pending_lookups().unwrap_or(true) {
        format!("{open} in doubt; provisor resume {id} looks it up without running anything again")
    } else {
        format!("{open} in doubt; once you know the outcome, record it: provisor runs show {id}")
    });
    Some(SessionExit::InDoubt)
}
