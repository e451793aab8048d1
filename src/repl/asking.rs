//! The confirmation of changes: on a real account every change is shown and confirmed, each time.

use super::host::Ports;
use super::show;
use crate::operation::context::Mode;
use crate::operation::error::Code;
use crate::run::session::{ChangeRequest, Decision};
use crate::value::Value;

/// Whether this session confirms or refuses changes at all.
pub(super) fn reviews_changes(ports: &Ports) -> bool {
    matches!(ports.host.place().mode, Mode::Prod | Mode::ReadOnly)
}

/// Asks for confirmation of a change if the mode requires it.
pub(super) fn consent(ports: &Ports, permit: &ChangeRequest<'_>) -> Decision {
    let place = ports.host.place();
    let profile = permit.to.profile.clone().or_else(|| place.profile.clone());
    let profile = profile.unwrap_or_default();
    match place.mode {
        Mode::Sandbox | Mode::Dev => Decision::Yes,
        Mode::ReadOnly => Decision::Refused {
            code: Code::Forbidden,
            message: format!(
                "`{}` changes the account, and this session is read-only",
                permit.op.signature()
            ),
            hint: "choose another :mode or another :profile".into(),
        },
        Mode::Prod if place.agreed => Decision::Yes,
        Mode::Prod if !ports.screen.can_prompt() => Decision::Refused {
            code: Code::NoTerminal,
            message: format!("{profile} is a real account, and there is no terminal to ask at"),
            hint: "pass --yes to confirm changes".into(),
        },
        Mode::Prod => {
            for line in effect(permit, &profile) {
                ports.screen.note(&line);
            }
            let question = format!("Type {profile} to carry it out, anything else to stop: ");
            match ports.host.ask(&question, permit.interrupt) {
                Some(answer) if answer.trim() == profile => Decision::Yes,
                _ => Decision::No,
            }
        }
    }
}

/// Describes the change and the account it applies to.
fn effect(permit: &ChangeRequest<'_>, profile: &str) -> Vec<String> {
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
    let resource = permit
        .resource
        .map(|resource| format!(": {resource}"))
        .unwrap_or_default();
    lines.push(format!("  {}{resource}", op.summary));
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
