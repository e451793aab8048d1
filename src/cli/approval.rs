//! Mode `prod`: a real account is changed only after a person has seen what will happen and confirmed it.
//!
//! The prompt comes once per run, before the first request. The confirmation is stored with the run, so a resume need
//! not ask again. Below the script, an operation that would change an unconfirmed `prod` account is refused.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::app::App;
use super::error::CommandError;
use super::parent_session::{self, ParentSession};
use super::plan::RunPlan;
use super::rows;
use crate::config::{Config, Profile};
use crate::operation::context::Mode;
use crate::operation::platform::Operation;
use crate::script::program::Script;
use crate::script::types::ParamType;
use crate::syntax::{TokenKind, tokens};
use crate::value::Value;
use crate::value::origin::Origin;

/// Matches every profile.
const ALL: &str = "*";

/// The most rows that are counted for the prompt.
const MAX_COUNTED_ROWS: usize = 1_000_000;

/// The `prod` profiles that may be changed. Clones share the set.
#[derive(Debug, Clone, Default)]
pub(super) struct Approvals(Arc<Mutex<BTreeSet<String>>>);

impl Approvals {
    /// Approves these profiles; `*` matches every profile.
    pub(super) fn to(profiles: impl IntoIterator<Item = String>) -> Approvals {
        Approvals(Arc::new(Mutex::new(profiles.into_iter().collect())))
    }

    /// Approves every profile.
    pub(super) fn for_all_profiles() -> Approvals {
        Approvals::to([ALL.to_owned()])
    }

    /// Whether this profile may be changed.
    pub(super) fn covers(&self, profile: &str) -> bool {
        let agreed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.contains(ALL) || agreed.contains(profile)
    }

    /// The profile names, as stored in a plan.
    pub(super) fn names(&self) -> Vec<String> {
        let agreed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.iter().cloned().collect()
    }
}

/// Asks for confirmation if the script may change `prod` accounts and neither `yes` nor the plan has confirmed it.
/// Without a terminal, returns an error that names `--yes`.
pub(super) fn ask(app: &App, script: &Script, plan: &RunPlan, yes: bool) -> Result<Approvals, CommandError> {
    if plan.sandbox || yes {
        return Ok(Approvals::for_all_profiles());
    }
    let within = ParentSession::of(&app.env);
    let before: Vec<String> = match &within {
        // In a session, the session decides each time what to ask about.
        Some(within) => within.agreed().map(str::to_owned).into_iter().collect(),
        None => plan.agreed.clone(),
    };
    let agreed = Approvals::to(before.iter().cloned());
    let changing = changing(script);
    // An invalid configuration is reported when an account is needed.
    let config = app.config().unwrap_or_else(|_| Config::of(app.catalogue()));
    let touched_prod_profiles = touched_prod_profiles(app, &config, script, plan, &changing);
    let (covered, open): (Vec<&Profile>, Vec<&Profile>) = touched_prod_profiles
        .into_iter()
        .partition(|profile| agreed.covers(&profile.name));
    for profile in covered.into_iter().filter(|_| within.is_none()) {
        app.ui.note(&format!(
            "changes to the prod account `{}` were confirmed when the run started",
            profile.name
        ));
    }
    if open.is_empty() {
        return Ok(agreed);
    }
    let question = question(&open);
    if app.can_prompt() {
        show_plan(app, &open, &changing, plan);
        if let Some(note) = secret_destinations(script, plan) {
            app.ui.note(&note);
        }
    }
    app.consent(false, &question)?;
    Ok(Approvals::to(
        before
            .into_iter()
            .chain(open.into_iter().map(|profile| profile.name.clone())),
    ))
}

/// `` Change the prod account `crm` at crm.example? ``. A session in mode prod asks about other profiles, too.
fn question(open: &[&Profile]) -> String {
    let named = open.iter().map(|profile| {
        let origin = profile.url().ok().and_then(Origin::parse);
        let at = origin.map_or_else(String::new, |origin| format!(" at {}", origin.as_str()));
        format!("`{}`{at}", profile.name)
    });
    let own = |profile: &&Profile| profile.mode() == Mode::Prod;
    let prod = if open.iter().all(own) { "prod " } else { "" };
    let accounts = if open.len() == 1 { "account" } else { "accounts" };
    let named: Vec<String> = named.collect();
    format!("Change the {prod}{accounts} {}?", named.join(" and "))
}

/// The changing operations the script may call, of the modules it mentions.
fn changing(script: &Script) -> Vec<Operation> {
    let sources = script.bundle().sources();
    let mentions = |module: &str| {
        let path = format!("{module}::");
        module.is_empty() || sources.iter().any(|source| source.text.contains(&path))
    };
    let operations = script.operations().into_iter();
    operations
        .filter(|op| op.effect.changes() && mentions(op.module))
        .collect()
}

/// The `prod` profiles the script may change: the active one of each platform, and those the script names.
fn touched_prod_profiles<'a>(
    app: &App,
    config: &'a Config,
    script: &Script,
    plan: &RunPlan,
    changing: &[Operation],
) -> Vec<&'a Profile> {
    let mut touched_prod_profiles: Vec<&Profile> = Vec::new();
    let modules: BTreeSet<&str> = changing.iter().map(|op| op.module).collect();
    for platform in modules.iter().filter_map(|module| app.catalogue().module(module)) {
        touched_prod_profiles.extend(
            config
                .choose_for(platform.name, plan.profile.as_deref(), &app.env)
                .ok()
                .filter(|profile| profile.platform() == platform),
        );
    }
    let sources = script.bundle().sources();
    // Operations that reach any address, and accounts the script describes itself, use the active profile, whatever its
    // platform.
    let anywhere = changing.iter().any(|op| op.takes_any_address());
    let described = |text: &str| {
        text.split_whitespace()
            .collect::<String>()
            .contains("::connect(#{")
    };
    if anywhere || (!changing.is_empty() && sources.iter().any(|source| described(&source.text))) {
        touched_prod_profiles.extend(config.choose(plan.profile.as_deref(), &app.env).ok());
    }
    if !changing.is_empty() {
        let is_named = |profile: &&Profile| names(script, plan, profile, anywhere);
        touched_prod_profiles.extend(config.profiles().values().filter(is_named));
    }
    touched_prod_profiles.sort_by(|one, other| one.name.cmp(&other.name));
    touched_prod_profiles.dedup_by(|one, other| one.name == other.name);
    touched_prod_profiles.retain(|profile| {
        parent_session::effective_mode(profile, &app.env) == Mode::Prod && profile.sandboxed().is_none()
    });
    touched_prod_profiles
}

/// Whether the script names the profile or, if it may send requests `anywhere`, the profile's address.
fn names(script: &Script, plan: &RunPlan, profile: &Profile, anywhere: bool) -> bool {
    let quoted = format!("\"{}\"", profile.name);
    let address = profile.url().ok().map(|address| address.trim_end_matches('/'));
    let address = address.filter(|address| anywhere && !address.is_empty());
    let addresses = |text: &str| address.is_some_and(|address| text.contains(address));
    let sources = script.bundle().sources();
    let in_sources = sources
        .iter()
        .any(|source| source.text.contains(&quoted) || addresses(&source.text));
    let mut given = plan.constants.values().filter_map(Value::as_text);
    in_sources || given.any(addresses)
}

/// Shows what the run may do, and on which accounts.
fn show_plan(app: &App, open: &[&Profile], changing: &[Operation], plan: &RunPlan) {
    let how_often = match &plan.rows {
        None => "once".to_owned(),
        Some(from) => match count(plan) {
            Some(1) => format!("for the 1 row of {from}"),
            Some(rows) if rows >= MAX_COUNTED_ROWS => {
                format!("for each of more than {MAX_COUNTED_ROWS} rows of {from}")
            }
            Some(rows) => format!("for each of {rows} rows of {from}"),
            None => format!("for each row of {from}"),
        },
    };
    app.ui.note(&format!("{} will run {how_often} on", plan.script));
    for profile in open {
        let login = profile.text("login").map(|login| format!(", as {login}"));
        app.ui.note(&format!(
            "  {}: {}{}",
            profile.name,
            profile.url().unwrap_or_default(),
            login.unwrap_or_default()
        ));
    }
    app.ui.note("and may call");
    for op in changing {
        app.ui.note(&format!("  {}: {}", op.signature(), op.summary));
    }
}

/// Where secrets passed to the script may go, as far as its text and parameters show; `None` if it takes none.
fn secret_destinations(script: &Script, plan: &RunPlan) -> Option<String> {
    let sources = script.bundle().sources();
    let asks = sources.iter().any(|source| source.text.contains("ask_secret"));
    let declared = script.declaration().params();
    let names: Vec<String> = declared
        .iter()
        .filter(|param| param.ty == ParamType::Secret)
        .map(|param| format!("`{}`", param.name))
        .chain(asks.then(|| "`ask_secret`".to_owned()))
        .collect();
    if names.is_empty() {
        return None;
    }
    let written = sources.iter().flat_map(|source| {
        let texts = tokens(&source.text).into_iter();
        texts
            .filter(|token| token.kind == TokenKind::Text)
            .map(|token| token.text(&source.text))
    });
    let given = plan.constants.values().filter_map(Value::as_text);
    let hosts: BTreeSet<Origin> = written.chain(given).flat_map(hosts).collect();
    let hosts: Vec<&str> = hosts.iter().map(Origin::as_str).collect();
    let what = names.join(", ");
    Some(if hosts.is_empty() {
        format!("the value you pass as {what} may go to hosts that the script does not name")
    } else {
        format!(
            "the value you pass as {what} may go to {}, and to hosts that the script does not name",
            hosts.join(", ")
        )
    })
}

/// The hosts of the URLs in a text.
fn hosts(text: &str) -> impl Iterator<Item = Origin> {
    let starts = text.match_indices("://").map(|(at, _)| at);
    starts.filter_map(|at| {
        let scheme = ["https", "http"]
            .into_iter()
            .find(|scheme| text[..at].ends_with(scheme))?;
        let rest = &text[at..];
        let end = rest
            .find(['"', '`', '\'', '$', ' ', '<', '>', '\\', '\n'])
            .unwrap_or(rest.len());
        Origin::parse(&format!("{scheme}{}", &rest[..end]))
    })
}

/// The number of rows, unless counting would consume a stream.
fn count(plan: &RunPlan) -> Option<usize> {
    let from = plan.rows.as_deref()?;
    if rows::is_stream(from) {
        return None;
    }
    Some(rows::read(plan).ok()?.take(MAX_COUNTED_ROWS).count())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_approval_covers_its_named_profiles_or_every_profile() {
        assert!(!Approvals::default().covers("acme"));
        let acme = Approvals::to(["acme".to_owned()]);
        assert!(acme.covers("acme") && !acme.covers("globex"));
        assert!(Approvals::for_all_profiles().covers("acme"));
        assert!(Approvals::to(Approvals::for_all_profiles().names()).covers("acme"));
    }

    fn compiled(text: &str) -> Script {
        use crate::script::bundle::{Bundle, Source};
        let host = crate::script::host::Host::new(&crate::platforms::catalogue());
        let bundle = Bundle::collect(&Source::new("main.rhai", text), &()).unwrap();
        Script::compile(&host, bundle).unwrap()
    }

    #[test]
    fn the_approval_prompt_lists_hosts_that_user_entered_secrets_may_reach() {
        let text = "// see https://docs.example/\n/// @param key secret\nfn main(key, base) {\n\
                http::post(\"https://CRM.example.com/a?b=1\", #{bearer: key});\n\
                http::post(`http://localhost:8080/${base}`, #{bearer: key}); }\n";
        let plan = RunPlan {
            constants: [("base".to_owned(), Value::from("https://given.example/x"))].into(),
            ..RunPlan::default()
        };
        assert_eq!(
            secret_destinations(&compiled(text), &plan).unwrap(),
            "the value you pass as `key` may go to crm.example.com, given.example, localhost:8080, and to hosts that the script does \
         not name"
        );
        let asks = "let p = ask_secret(\"?\"); mobsted::connect(#{url: \"https://\" + ask(\"where?\"), login: \"a\", password: p}).apps()";
        assert_eq!(
            secret_destinations(&compiled(asks), &RunPlan::default()).unwrap(),
            "the value you pass as `ask_secret` may go to hosts that the script does not name"
        );
        assert_eq!(
            secret_destinations(&compiled("http::get(\"https://a.example\")"), &RunPlan::default()),
            None
        );
    }
}
