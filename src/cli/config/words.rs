//! The modes of a profile, and their names in configuration files.

/// What a profile permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The simulated platforms only.
    Sandbox,
    /// Makes changes without confirmation.
    Dev,
    /// Asks for confirmation before it changes anything from a terminal.
    Prod,
    /// Changes nothing.
    ReadOnly,
}

impl Mode {
    /// Returns its name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Sandbox => "sandbox",
            Mode::Dev => "dev",
            Mode::Prod => "prod",
            Mode::ReadOnly => "read-only",
        }
    }
}
