//! What a program started by a REPL session knows of that session: where it works, and its mode. It is passed in the
//! environment, and can only make the program more careful.

use super::error::CommandError;
use super::plan::RunPlan;
use crate::config::{Env, Profile};
use crate::operation::context::Mode;
use crate::repl::host::ActiveAccount;

/// The environment variable of programs started by provisor: `repl`, the mode, and the profile, separated by colons.
pub(super) const VARIABLE: &str = "PROVISOR_WITHIN";

/// The first part of its value.
const REPL: &str = "repl";

/// The suffix of a mode that needs no confirmation.
const APPROVED_MARK: char = '!';

/// The session that started this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParentSession(ActiveAccount);

impl ParentSession {
    /// The session that started this program, if any.
    pub(super) fn of(env: &Env) -> Option<ParentSession> {
        ParentSession::read(env.get(VARIABLE)?)
    }

    /// The variable's value for a session's place.
    pub(super) fn written(place: &ActiveAccount) -> String {
        let agreed = if place.agreed {
            APPROVED_MARK.to_string()
        } else {
            String::new()
        };
        let profile = place.profile.as_deref().unwrap_or_default();
        format!("{REPL}:{}{agreed}:{profile}", place.mode.name())
    }

    fn read(text: &str) -> Option<ParentSession> {
        let (mode, profile) = text.strip_prefix(REPL)?.strip_prefix(':')?.split_once(':')?;
        let word = mode.trim_end_matches(APPROVED_MARK);
        Some(ParentSession(ActiveAccount {
            profile: (!profile.is_empty()).then(|| profile.to_owned()),
            // An unknown mode permits nothing.
            mode: Mode::ALL
                .into_iter()
                .find(|mode| mode.name() == word)
                .unwrap_or(Mode::ReadOnly),
            agreed: mode != word,
        }))
    }

    /// The profile that may be changed without confirmation, because the session was started that way.
    pub(super) fn agreed(&self) -> Option<&str> {
        self.0.profile.as_deref().filter(|_| self.0.agreed)
    }

    /// Rejects real accounts if the session works on the sandbox.
    pub(super) fn check_real_accounts_allowed(&self) -> Result<(), CommandError> {
        if self.0.mode != Mode::Sandbox {
            return Ok(());
        }
        Err(
            CommandError::usage("this session uses the sandbox, and this would use real accounts")
                .hint(":sandbox off returns to the profile"),
        )
    }

    /// Rejects continuing a run that works elsewhere than the session, or does what the session may not.
    pub(super) fn check_run_allowed(&self, run: &str, plan: &RunPlan) -> Result<(), CommandError> {
        let simulated = self.0.mode == Mode::Sandbox;
        let here = match &self.0.profile {
            _ if simulated => "on the sandbox".to_owned(),
            Some(profile) => format!("with profile `{profile}`"),
            None => "without a profile".to_owned(),
        };
        let elsewhere = match &plan.profile {
            _ if plan.sandbox && simulated => None,
            _ if plan.sandbox => Some(("on the sandbox".to_owned(), ":sandbox on".to_owned())),
            Some(profile) if simulated || self.0.profile.as_ref() != Some(profile) => {
                let off = if simulated { ":sandbox off, " } else { "" };
                Some((
                    format!("with profile `{profile}`"),
                    format!("{off}:profile {profile}"),
                ))
            }
            None if simulated => Some(("with real accounts".to_owned(), ":sandbox off".to_owned())),
            _ => None,
        };
        if let Some((there, first)) = elsewhere {
            return Err(
                CommandError::usage(format!("run {run} works {there}, and this session {here}")).hint(
                    format!("enter {first} first, or `provisor resume {run}` in a shell"),
                ),
            );
        }
        // The open steps of a session are only looked up.
        if self.0.mode == Mode::ReadOnly && !plan.session {
            return Err(CommandError::usage(format!(
                "run {run} may make changes, and this session is read-only"
            ))
            .hint(format!(
                "choose another :mode, or `provisor resume {run}` in a shell"
            )));
        }
        Ok(())
    }
}

/// The mode that applies to a profile: `sandbox` if it is its own, else the stricter of its own and the session's.
pub(super) fn effective_mode(profile: &Profile, env: &Env) -> Mode {
    match profile.mode() {
        Mode::Sandbox => Mode::Sandbox,
        own => own.max(mode(env)),
    }
}

/// The mode where no profile sets one.
pub(super) fn mode(env: &Env) -> Mode {
    ParentSession::of(env).map_or(Mode::Dev, |within| within.0.mode)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn place(profile: &str, mode: Mode, agreed: bool) -> ActiveAccount {
        ActiveAccount {
            profile: (!profile.is_empty()).then(|| profile.to_owned()),
            mode,
            agreed,
        }
    }

    #[test]
    fn the_repl_session_variable_round_trips_and_invalid_values_are_ignored() {
        for place in [
            place("", Mode::Sandbox, false),
            place("acme", Mode::Prod, true),
            place("a:b", Mode::ReadOnly, false),
        ] {
            assert_eq!(
                ParentSession::read(&ParentSession::written(&place)),
                Some(ParentSession(place))
            );
        }
        assert_eq!(
            ParentSession::read("repl:anything:acme").unwrap().0.mode,
            Mode::ReadOnly
        );
        for other in ["", "repl", "run:dev:acme"] {
            assert_eq!(ParentSession::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_run_resumes_only_in_a_matching_session_profile_and_mode() {
        let plan = |sandbox: bool, profile: &str, session: bool| RunPlan {
            sandbox,
            session,
            profile: (!profile.is_empty()).then(|| profile.to_owned()),
            ..RunPlan::default()
        };
        let (sandbox, real) = (plan(true, "", false), plan(false, "acme", false));
        let (nowhere, left) = (plan(false, "", false), plan(false, "acme", true));
        for (session, plan, admitted) in [
            (place("", Mode::Sandbox, false), &sandbox, true),
            (place("acme", Mode::Sandbox, false), &sandbox, true),
            (place("acme", Mode::Sandbox, false), &real, false),
            (place("acme", Mode::Sandbox, false), &nowhere, false),
            (place("acme", Mode::Dev, false), &real, true),
            (place("acme", Mode::Prod, false), &real, true),
            (place("acme", Mode::ReadOnly, false), &real, false),
            (place("acme", Mode::ReadOnly, false), &left, true),
            (place("other", Mode::ReadOnly, false), &left, false),
            (place("other", Mode::Dev, false), &real, false),
            (place("", Mode::Dev, false), &real, false),
            (place("acme", Mode::Dev, false), &sandbox, false),
            (place("acme", Mode::Dev, false), &nowhere, true),
        ] {
            let done = ParentSession(session.clone()).check_run_allowed("r1", plan);
            assert_eq!(done.is_ok(), admitted, "{session:?} {plan:?}: {done:?}");
        }
    }
}
