//! Checks of folders, files and their permissions, of the configuration and of the project file.

use std::path::Path;

use super::Check;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::config::{self, Config, ConfigError, Trust, sealed_file};
use crate::journal::Sealer;
use crate::value::secret::Secret;

const AREA: &str = "files";

pub(super) fn check(app: &App) -> Result<Vec<Check>, CommandError> {
    let paths = app.paths()?;
    let mut checks = Vec::new();
    let private = [
        ("state folder", paths.state().to_owned()),
        ("cache folder", paths.cache().to_owned()),
        ("journal", paths.journal()),
        ("secrets", paths.secrets()),
        ("tokens", paths.tokens()),
        ("trusted files", paths.trusted()),
    ];
    for (what, path) in private {
        checks.extend(check_private(what, &path));
    }
    checks.push(key(app)?);
    checks.extend(check_owner_only("configuration folder", paths.config()));
    checks.extend(check_owner_only("configuration", &paths.config_file()));
    checks.push(check_config(app)?);
    checks.extend(project(app)?);
    Ok(checks)
}

/// Checks that others have none of the `forbidden` permissions on a path; `found` describes it if they have. `None` if
/// the path does not exist yet.
fn check_access(what: &str, path: &Path, forbidden: u32, found: impl Fn(&str) -> String) -> Option<Check> {
    let about = std::fs::metadata(path).ok()?;
    let expected_mode = if about.is_dir() { 0o700 } else { 0o600 };
    let path = path.display().to_string();
    Some(match permission_bits(&about) & forbidden {
        0 => Check::ok(AREA, what, path),
        _ => Check::problem(AREA, what, found(&path)).fix(format!("chmod {expected_mode:o} {path}")),
    })
}

/// Checks that only the owner can access a path.
fn check_private(what: &str, path: &Path) -> Option<Check> {
    check_access(what, path, 0o077, |path| format!("others can reach {path}"))
}

/// Checks that only the owner can change a path, because its content makes provisor run programs.
fn check_owner_only(what: &str, path: &Path) -> Option<Check> {
    check_access(what, path, 0o022, |path| {
        format!("others can change {path}, and so make provisor run programs")
    })
}

/// Checks the key for everything at rest, without creating it.
fn key(app: &App) -> Result<Check, CommandError> {
    let paths = app.paths()?;
    let file = paths.key();
    if let Err(error) = file.try_exists() {
        let found = format!("cannot check it: {}: {error}", file.display());
        return Ok(Check::problem(AREA, "key", found).fix(format!(
            "make sure that you own the folder {} and that its mode is 0700",
            paths.state().display()
        )));
    }
    if app.env.get("PROVISOR_KEY").is_none() && !file.exists() && sealed_file(paths).is_none() {
        return Ok(Check::ok(
            AREA,
            "key",
            "none yet; the first command that needs one creates it",
        ));
    }
    let place = match app.env.get("PROVISOR_KEY") {
        Some(_) => "set by PROVISOR_KEY".to_owned(),
        None => file.display().to_string(),
    };
    let given = app.env.get("PROVISOR_KEY").map(Secret::new);
    Ok(match app.sealer() {
        Ok(_) if given.is_some_and(|text| Sealer::is_passphrase(&text)) => Check::warning(
            AREA,
            "key",
            format!("{place}, a passphrase: anyone who has the files can guess it quickly"),
        )
        .fix("provisor journal rekey, with 64 random hexadecimal digits in PROVISOR_NEW_KEY (openssl rand -hex 32)"),
        Ok(_) => Check::ok(AREA, "key", place),
        Err(error) => Check::failed(AREA, "key", error),
    })
}

/// Checks that the configuration can be parsed.
fn check_config(app: &App) -> Result<Check, CommandError> {
    let area = "configuration";
    Ok(match app.config() {
        Err(error) => Check::failed(area, "", error),
        Ok(config) if config.profiles().is_empty() => {
            Check::warning(area, "", "no profile").fix("provisor profile add NAME, or try it with --sandbox")
        }
        Ok(config) => {
            if let Err(unknown @ ConfigError::UnknownProfile { .. }) = config.choose(None, &app.env) {
                return Ok(Check::failed(area, "", unknown.into()));
            }
            let files: Vec<String> = config
                .files()
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            Check::ok(area, "", files.join(", "))
        }
    })
}

/// Checks the project file, if it contains settings that need trust.
fn project(app: &App) -> Result<Option<Check>, CommandError> {
    let Some(file) = config::project_file(&app.env) else {
        return Ok(None);
    };
    let area = "configuration";
    let name = file.display().to_string();
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    if Trust::of(app.paths()?).covers(&file, &text) {
        return Ok(Some(Check::ok(area, name, "trusted as it is")));
    }
    // A file that cannot be read is reported above.
    let asks = Config::trust_reasons(app.catalogue(), &file).unwrap_or_default();
    Ok(asks.first().map(|first| {
        Check::warning(area, &*name, format!("not trusted: {first}"))
            .fix(format!("review it, then: provisor trust {name}"))
    }))
}

#[cfg(unix)]
fn permission_bits(about: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode()
}

/// On other systems, a user's folders are private by inheritance.
#[cfg(not(unix))]
fn permission_bits(_about: &std::fs::Metadata) -> u32 {
    0
}
