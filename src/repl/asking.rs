//! The confirmation of changes: on a real account every change is shown and confirmed, each time.

use super::around::{Mode, Outside};
use super::show;
use crate::operation::error::Code;
use crate::run::session::{Consent, Permit};
use crate::value::Value;

/// Whether this session confirms or refuses changes at all.
pub(super) fn asks(outside: &Outside) -> bool {
    matches!(outside.around.place().mode, Mode::Prod | Mode::ReadOnly)
}

/// Asks for confirmation of a change if the mode requires it.
pub(super) fn consent(outside: &Outside, permit: &Permit<'_>) -> Consent {
    let place = outside.around.place();
    let profile = permit.to.profile.clone().or_else(|| place.profile.clone());
    let profile = profile.unwrap_or_default();
    match place.mode {
        Mode::Sandbox | Mode::Dev => Consent::Yes,
        Mode::ReadOnly => Consent::Refused {
            code: Code::Forbidden,
            message: format!(
                "`{}` changes the account, and this session is read-only",
                permit.op.signature()
            ),
            hint: "choose another :mode or another :profile".into(),
        },
        Mode::Prod if place.agreed => Consent::Yes,
        Mode::Prod if !outside.screen.can_ask() => Consent::Refused {
            code: Code::NoTerminal,
            message: format!("{profile} is a real account, and there is no terminal to ask at"),
            hint: "pass --yes to confirm changes".into(),
        },
        Mode::Prod => {
            for line in effect(permit, &profile) {
                outside.screen.note(&line);
            }
            let question = format!("Type {profile} to carry it out, anything else to stop: ");
            match outside.around.ask(&question, permit.interrupt) {
                Some(answer) if answer.trim() == profile => Consent::Yes,
                _ => Consent::No,
            }
        }
    }
}

/// Describes the change and the account it applies to.
fn effect(permit: &Permit<'_>, profile: &str) -> Vec<String> {
    let args: Vec<String> = permit
        .args
        .iter()
        .map(|arg| match arg {
            Value::Text(text) => format!("{text:?}"),
            value => show::text(value),
        })
        .collect();
    let op = permit.op;
    let mut lines = vec![format!("{}({})", op.id(), args.join(", "))];
    let thing = permit.thing.map(|thing| format!(": {thing}")).unwrap_or_default();
    lines.push(format!("  {}{thing}", op.summary));
    let login = permit.receiver.map(|session| session.text("login"));
    let login = login.filter(|login| !login.is_empty());
    let login = login.map_or_else(String::new, |login| format!(" as {login}"));
    if !permit.to.url.is_empty() {
        lines.push(format!(
            "  on {}{login} (profile {profile}, mode prod)",
            permit.to.url
        ));
    }
    lines
}
