//! The words that platforms and modes have in configuration files.

/// A partner's software service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Platform {
    /// Mobsted; the platform of a profile that names none.
    #[default]
    Mobsted,
    /// JRNI, formerly `BookingBug`.
    Jrni,
    /// Sparrow SMS.
    Sparrow,
}

impl Platform {
    /// The platform of this name.
    pub fn of_name(name: &str) -> Option<Platform> {
        let all = [Platform::Mobsted, Platform::Jrni, Platform::Sparrow];
        all.into_iter().find(|platform| platform.name() == name)
    }

    /// Its name in configuration files, which is also that of its script module.
    pub fn name(self) -> &'static str {
        match self {
            Platform::Mobsted => "mobsted",
            Platform::Jrni => "jrni",
            Platform::Sparrow => "sparrow",
        }
    }
}

/// What a profile permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The simulated platforms only.
    Sandbox,
    /// Changes without asking.
    Dev,
    /// Asks before it changes anything from a terminal.
    Prod,
    /// Changes nothing.
    ReadOnly,
}

impl Mode {
    /// Its name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Sandbox => "sandbox",
            Mode::Dev => "dev",
            Mode::Prod => "prod",
            Mode::ReadOnly => "read-only",
        }
    }
}
