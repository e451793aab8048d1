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
    /// Any other service of the web.
    Web,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Platform; 4] = [
        Platform::Mobsted,
        Platform::Jrni,
        Platform::Sparrow,
        Platform::Web,
    ];

    /// The platform of this name.
    pub fn of_name(name: &str) -> Option<Platform> {
        Platform::ALL.into_iter().find(|platform| platform.name() == name)
    }

    /// The platform whose operations the script module of this name holds.
    pub fn of_module(module: &str) -> Option<Platform> {
        Platform::ALL
            .into_iter()
            .find(|platform| platform.module() == module)
    }

    /// The script module of its operations.
    pub fn module(self) -> &'static str {
        match self {
            Platform::Web => "http",
            platform => platform.name(),
        }
    }

    /// Its name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Platform::Mobsted => "mobsted",
            Platform::Jrni => "jrni",
            Platform::Sparrow => "sparrow",
            Platform::Web => "web",
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
