//! When to use colours, and which.

use crate::cli::paths::Env;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb`; elsewhere only with `CLICOLOR_FORCE`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The style of a text. It has no effect without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A failure.
    Error,
    /// A warning.
    Warning,
    /// A success.
    Good,
    /// The important part of a line.
    Strong,
    /// The less important part.
    Faint,
}

impl Style {
    /// The terminal's escape code for the style.
    pub(super) fn code(self) -> &'static str {
        match self {
            Style::Error => "1;31",
            Style::Warning => "1;33",
            Style::Good => "32",
            Style::Strong => "1",
            Style::Faint => "2",
        }
    }
}

/// Whether a stream should be coloured.
pub(super) fn wants_colour(env: &Env, colour: Colour, terminal: bool) -> bool {
    let forced = env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if env.os("NO_COLOR").is_some() => false,
        Colour::Auto if forced => true,
        Colour::Auto => terminal && env.get("TERM") != Some("dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(variables: &[(&str, &str)], choice: Colour, terminal: bool) -> bool {
        wants_colour(&Env::of(variables.iter().copied(), "/"), choice, terminal)
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_terminal() {
        assert!(colour(&[], Colour::Auto, true));
        assert!(!colour(&[], Colour::Auto, false));
        assert!(!colour(&[("NO_COLOR", "1")], Colour::Auto, true));
        assert!(colour(&[("NO_COLOR", "")], Colour::Auto, true));
        assert!(!colour(&[("TERM", "dumb")], Colour::Auto, true));
        assert!(colour(&[("CLICOLOR_FORCE", "1")], Colour::Auto, false));
        assert!(!colour(&[("CLICOLOR_FORCE", "0")], Colour::Auto, false));
        assert!(!colour(
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            Colour::Auto,
            false
        ));
        assert!(colour(&[("NO_COLOR", "1")], Colour::Always, false));
        assert!(!colour(&[("CLICOLOR_FORCE", "1")], Colour::Never, true));
    }
}
