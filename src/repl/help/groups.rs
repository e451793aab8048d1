//! The groups of commands in the help overview.

/// The groups: a title and its commands, in the order in which users meet them.
pub(super) static GROUPS: &[(&str, &[&str])] = &[
    (
        "look",
        &["help", "search", "ops", "funcs", "source", "vars", "type"],
    ),
    ("values", &["out", "page", "reveal", "export", "set", "time"]),
    (
        "input",
        &["history", "rerun", "edit", "paste", "break", "why", "quit"],
    ),
    ("files", &["load", "run", "reload", "save", "trust"]),
    ("account", &["profile", "mode", "sandbox"]),
    ("runs", &["runs", "resume", "undo"]),
];

#[cfg(test)]
mod tests {
    use super::GROUPS;
    use crate::repl::commands::commands;

    #[test]
    fn every_command_is_in_one_group() {
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        for command in commands() {
            let count = grouped.iter().filter(|name| **name == command.name).count();
            assert_eq!(count, 1, ":{}", command.name);
        }
        assert_eq!(grouped.len(), commands().count());
    }
}
