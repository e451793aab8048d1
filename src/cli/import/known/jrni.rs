//! JRNI's requests.

use super::typed::{Arg, Typed};
use super::{Ask, Done, Meaning};
use crate::cli::import::values::Values;

const ENSURES: &str = "created, or returned unchanged when it is recorded already";
const PERSON: &str =
    "created, or returned unchanged when it is recorded already; no e-mail is sent unless `notify` is true";
const COMPANY: &str =
    "created, or returned unchanged when it is recorded already; the vendor documents no such call";

/// The account of a request that signs in: `/login`, `/login/admin` and `/login/admin/COMPANY` with an address and a
/// password. Members and single sign-on have paths of their own, which are none of provisor's.
pub(super) fn sign_in(ask: &Ask) -> Option<Vec<(&'static str, String)>> {
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    let company = match (ask.method, path.as_slice()) {
        ("POST", ["login"] | ["login", "admin"]) => ask.field_text("id"),
        ("POST", ["login", "admin", company]) => (*company).to_owned(),
        _ => return None,
    };
    let (email, password) = (ask.field_text("email"), ask.field_text("password"));
    // A forgotten password is asked for below the same path.
    let signs_in = !email.is_empty() && ask.field("password").is_some();
    signs_in.then(|| vec![("login", email), ("password", password), ("company", company)])
}

pub(super) fn meaning(ask: &Ask, values: &mut Values) -> Done {
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    let on = |company: &str, values: &mut Values| session(ask, company, values);
    let typed = match (ask.method, path.as_slice()) {
        ("DELETE", ["login"]) => Typed::new("jrni::logout", ask.session, vec![]),
        ("PUT", ["login", "admin"]) => {
            return Ok(Meaning::ByItself("provisor acts on another company by `within`"));
        }
        ("GET", ["admin", company, "company"] | ["company", company]) => {
            Typed::new("jrni::company", &on(company, values)?, vec![])
        }
        ("GET", ["company", company, "children"]) => {
            Typed::new("jrni::children", &on(company, values)?, vec![])
        }
        ("GET", ["admin", company, "company", "find_by_ref", reference]) => {
            let session = on(company, values)?;
            Typed::new("jrni::find_company", &session, vec![Arg::Text(reference)])
        }
        ("GET", ["company", "find_by_ref", reference]) => {
            Typed::new("jrni::find_company", ask.session, vec![Arg::Text(reference)])
        }
        ("POST", ["admin", company, "company"]) => {
            let args = vec![Arg::Field("ref"), Arg::Rest(&["ref"])];
            Typed::new("jrni::ensure_company", &on(company, values)?, args).note(COMPANY)
        }
        ("PUT", ["admin", company, "company"]) => {
            let args = vec![Arg::Text(company), Arg::Body];
            Typed::new("jrni::update_company", ask.session, args)
        }
        ("DELETE", ["admin", company, "company"]) => {
            Typed::new("jrni::disable_company", ask.session, vec![Arg::Text(company)])
        }
        ("GET", ["admin", company, "administrators"]) => {
            Typed::new("jrni::administrators", &on(company, values)?, vec![])
        }
        ("POST", ["admin", company, "administrators"]) => {
            let args = vec![Arg::Field("email"), Arg::Rest(&["email"])];
            Typed::new("jrni::ensure_administrator", &on(company, values)?, args).note(ENSURES)
        }
        ("GET", ["admin", company, "people"]) => Typed::new("jrni::people", &on(company, values)?, vec![]),
        ("POST", ["admin", company, "people"]) => {
            let args = vec![Arg::Field("reference"), Arg::Rest(&["reference"])];
            Typed::new("jrni::ensure_person", &on(company, values)?, args).note(PERSON)
        }
        _ => return ask.raw(values),
    };
    ask.typed(values, &typed)
}

/// The session, acting on the company of the path.
fn session(ask: &Ask, company: &str, values: &mut Values) -> Result<String, String> {
    if ask.company == Some(values.expanded(company).as_str()) {
        return Ok(ask.session.to_owned());
    }
    let company = values.value(company, "company")?.render(4);
    Ok(format!("{}.within({company})", ask.session))
}
