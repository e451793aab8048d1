//! The account of a session: profile, mode, or sandbox.

use super::host::{CliHost, lock};
use crate::cli::error::CommandError;
use crate::cli::parent_session::effective_mode;
use crate::operation::context::Mode;
use crate::repl::host::{ActiveAccount, ReplHost as _, Switch};
use crate::sandbox;

impl CliHost {
    /// Determines the profile and the mode. A profile requested by name must exist; otherwise none is needed.
    pub(super) fn find_place(&self) -> Result<(), CommandError> {
        let accounts = lock(&self.accounts).clone();
        let profile = if accounts.sandbox && accounts.profile.is_none() {
            None
        } else {
            let config = self.app.config()?;
            let requested = accounts.profile.as_deref();
            match config.choose(requested, &self.app.env) {
                Ok(profile) => Some(profile.clone()),
                Err(error) if requested.is_some() => return Err(error.into()),
                Err(_) => None,
            }
        };
        if let Some(chosen) = profile.as_ref().filter(|profile| profile.sandboxed().is_some()) {
            // The profile selects the sandbox, so a forgotten flag cannot reach the live account.
            tracing::debug!(profile = chosen.name, "the sandbox is used instead");
            lock(&self.accounts).sandbox = true;
        }
        let accounts = lock(&self.accounts).clone();
        let configured = profile
            .as_ref()
            .map_or(Mode::Dev, |profile| effective_mode(profile, &self.app.env));
        let mode = if accounts.sandbox || configured == Mode::Sandbox {
            // A sandbox profile stays in the sandbox, whatever the flags are.
            lock(&self.accounts).sandbox = true;
            Mode::Sandbox
        } else {
            lock(&self.stricter_mode).map_or(configured, |stricter_mode| stricter_mode.max(configured))
        };
        let profile = profile.map(|profile| profile.name);
        // A user who chose a more careful mode wants to confirm changes.
        let agreed_to = |place: &ActiveAccount| place.profile == profile;
        let agreed =
            lock(&self.stricter_mode).is_none() && lock(&self.agreed).as_ref().is_some_and(agreed_to);
        *lock(&self.place) = Some(ActiveAccount {
            profile,
            mode,
            agreed,
        });
        Ok(())
    }

    /// Approves every change on the session's current account.
    pub(super) fn approve_current_account(&self) -> Result<(), CommandError> {
        let place = self.place();
        *lock(&self.agreed) = Some(place);
        self.find_place()
    }

    /// Checks whether the session could switch.
    fn check_switch(&self, to: &Switch) -> Result<(), CommandError> {
        match to {
            Switch::Profile(name) => {
                let _ = self.app.config()?.named(name, ":profile")?;
                Ok(())
            }
            Switch::Fault(fault) => crate::cli::sandbox::faults(std::slice::from_ref(fault)).map(drop),
            Switch::Mode(mode) => {
                if lock(&self.accounts).sandbox {
                    return Err(
                        CommandError::usage("the sandbox has no modes: nothing real is changed")
                            .hint(":sandbox off returns to the profile"),
                    );
                }
                let requested = lock(&self.accounts).profile.clone();
                let config = self.app.config()?;
                let configured = config
                    .choose(requested.as_deref(), &self.app.env)
                    .map_or(Mode::Dev, |profile| effective_mode(profile, &self.app.env));
                if *mode < configured {
                    return Err(CommandError::usage(format!(
                        "the profile's own mode is {}; a session can only be more restrictive",
                        configured.name()
                    ))
                    .hint("change the profile if it is wrong: provisor profile edit"));
                }
                Ok(())
            }
            Switch::Sandbox(_) => Ok(()),
            Switch::Reset => {
                let folder = self.app.paths()?.sandbox();
                let served = sandbox::status(&folder).map_err(CommandError::usage)?.served;
                match served.filter(|(_, pid)| *pid != std::process::id()) {
                    Some((_, pid)) => Err(CommandError::usage(format!(
                        "the sandbox is in use by process {pid}, and cannot be reset"
                    ))
                    .hint("end that process first")),
                    None => Ok(()),
                }
            }
        }
    }

    /// Switches the session if `proceed` agrees once it is known to be possible, and closes everything that is open for
    /// the previous account. Returns whether it switched.
    pub(super) fn switch_to(
        &self,
        to: &Switch,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<bool, CommandError> {
        self.check_switch(to)?;
        if !proceed() {
            return Ok(false);
        }
        if *to == Switch::Reset {
            // The state can be deleted once the sandbox is no longer served.
            drop(lock(&self.engine).take());
            sandbox::reset(&self.app.paths()?.sandbox()).map_err(CommandError::usage)?;
        }
        {
            let mut accounts = lock(&self.accounts);
            match to {
                Switch::Mode(mode) => *lock(&self.stricter_mode) = Some(*mode),
                Switch::Profile(name) => {
                    // Keeps the more careful mode and the sandbox, which only the user turns off.
                    accounts.profile = Some(name.clone());
                }
                Switch::Reset => {
                    accounts.sandbox = true;
                    accounts.faults.clear();
                }
                Switch::Sandbox(on) => {
                    accounts.sandbox = *on;
                    accounts.faults.clear();
                }
                Switch::Fault(fault) => {
                    accounts.sandbox = true;
                    accounts.faults.push(fault.clone());
                }
            }
        }
        if !matches!(to, Switch::Mode(_)) {
            drop(lock(&self.engine).take());
        }
        self.find_place()?;
        Ok(true)
    }
}
