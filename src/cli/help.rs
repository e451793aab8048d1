//! `provisor --help`: the commands in groups.
//!
//! Clap lists all subcommands under one heading, so this module builds the list from clap's names and summaries.

use std::fmt::Write as _;

use clap::Command;

use super::GROUPS;

/// Returns the program, with its commands as they are defined, with a help that lists them in groups.
pub(super) fn grouped(program: Command) -> Command {
    let (header, name) = (
        *program.get_styles().get_header(),
        *program.get_styles().get_literal(),
    );
    let mut template = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    let mut commands = program.get_subcommands();
    for (group, count) in GROUPS {
        let _ = write!(template, "\n{header}{group}:{header:#}\n");
        for command in commands.by_ref().take(*count) {
            let summary = command.get_about().map(ToString::to_string).unwrap_or_default();
            let command = command.get_name();
            let _ = writeln!(template, "  {name}{command:<8}{name:#} {summary}");
        }
    }
    drop(commands);
    let _ = write!(
        template,
        "\n{header}Options:{header:#}\n{{options}}{{after-help}}"
    );
    program.help_template(template)
}

#[cfg(test)]
mod tests {
    use crate::cli::program;

    #[test]
    fn each_command_is_in_its_group_and_has_a_summary() {
        let mut program = program(&crate::platforms::catalogue());
        for command in program.get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
        let help = program.render_help().to_string();
        let group = |title: &str| {
            let lines = help.lines().skip_while(|line| *line != title).skip(1);
            let names = lines.map_while(|line| line.split_whitespace().next());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            group("Accounts:"),
            ["profile", "login", "logout", "trust", "config"]
        );
        assert_eq!(group("Maintenance:"), ["doctor", "journal", "paths", "torture"]);
    }

    #[test]
    fn the_examples_of_platforms_can_be_copied() {
        let mut program = program(&crate::platforms::catalogue()).term_width(80);
        program.build();
        let add = program
            .find_subcommand_mut("profile")
            .and_then(|profile| profile.find_subcommand_mut("add"));
        let help = add
            .map(|add| add.render_long_help().to_string())
            .unwrap_or_default();
        for name in ["jrni", "sparrow", "sparrow_bulk", "web"] {
            let line = format!("\n  provisor profile add acme --platform {name} \\\n      --url ");
            assert!(help.contains(&line), "{help}");
        }
        let examples = help.split("Examples:").nth(1).unwrap_or_default();
        let goes_on = |line: &&str| line.starts_with("      ");
        assert!(
            examples
                .lines()
                .filter(goes_on)
                .all(|line| line.trim_start().starts_with("--")),
            "{help}"
        );
    }

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        let mut program = program(&crate::platforms::catalogue()).term_width(80);
        for help in [program.render_help(), program.render_long_help()] {
            let help = help.to_string();
            assert!(
                help.contains("\nRun workflows:\n  run      Run a script"),
                "{help}"
            );
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
