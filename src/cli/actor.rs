//! Identifies the current user for the audit log.

use super::app::App;

impl App {
    /// The user and the machine: `ann (uid 1000) on desk`. The name comes from the environment, the number from the
    /// system.
    pub(super) fn actor(&self) -> String {
        let named = ["USER", "LOGNAME", "USERNAME"]
            .into_iter()
            .find_map(|name| self.env.get(name));
        let uid = rustix::process::getuid().as_raw();
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy();
        format!("{} (uid {uid}) on {host}", named.unwrap_or("somebody"))
    }
}
