//! What a profile of each platform holds, in the order in which it is asked for.

use crate::cli::config::{Platform, Profile};

/// One part of the description of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Field {
    /// Its key in the configuration.
    pub(in crate::cli) key: &'static str,
    /// What it is, for questions and messages.
    pub(in crate::cli) name: &'static str,
    /// Must it be given?
    pub(in crate::cli) required: bool,
}

/// What may be shown; the address first, for secrets are kept for it.
pub(in crate::cli) fn texts(platform: Platform) -> &'static [Field] {
    match platform {
        Platform::Mobsted => {
            const {
                &[
                    field("url", "Address of the master account (https://…)"),
                    field("login", "Login"),
                ]
            }
        }
        Platform::Jrni => {
            const {
                &[
                    field("url", "Address of the API (https://…/api/v1)"),
                    field("login", "Login"),
                    field("app_id", "App-Id"),
                    optional("company", "Company, when the login has several (Enter: none)"),
                ]
            }
        }
        Platform::Sparrow => const { &[field("url", "Address of the API (https://…)")] },
        Platform::Web => {
            const {
                &[
                    field("url", "Address that every request is below (https://…)"),
                    optional(
                        "login",
                        "Login, when it asks for a user and a password (Enter: none)",
                    ),
                    optional(
                        "header",
                        "Header that carries a key, as in X-Api-Key (Enter: none)",
                    ),
                ]
            }
        }
    }
}

/// What must not be shown.
pub(in crate::cli) fn secrets(platform: Platform) -> &'static [Field] {
    match platform {
        Platform::Mobsted => const { &[field("password", "Password")] },
        Platform::Jrni => {
            const {
                &[
                    field("password", "Password"),
                    optional("app_key", "App-Key, when there is one (Enter: none)"),
                ]
            }
        }
        Platform::Sparrow => {
            const {
                &[
                    field("api_token", "API token"),
                    field("partner_token", "Partner token"),
                ]
            }
        }
        Platform::Web => {
            const {
                &[
                    optional("bearer", "Bearer token, when it asks for one (Enter: none)"),
                    optional("password", "Password, when there is a login (Enter: none)"),
                    optional(
                        "header_value",
                        "Value of the header, when there is one (Enter: none)",
                    ),
                ]
            }
        }
    }
}

/// What a profile must have to be used and has not.
pub(in crate::cli) fn missing(profile: &Profile) -> Vec<&'static str> {
    let platform = profile.platform();
    let has_text = |key: &str| match key {
        "url" => profile.url.is_some(),
        key => profile.texts.contains_key(key),
    };
    let texts = texts(platform).iter().filter(|field| !has_text(field.key));
    let secrets = secrets(platform)
        .iter()
        .filter(|field| !profile.secrets.contains_key(field.key));
    let all = texts.chain(secrets).filter(|field| field.required);
    all.map(|field| field.key).collect()
}

const fn field(key: &'static str, name: &'static str) -> Field {
    Field {
        key,
        name,
        required: true,
    }
}

const fn optional(key: &'static str, name: &'static str) -> Field {
    Field {
        key,
        name,
        required: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config::{SECRETS, TEXTS};

    #[test]
    fn every_field_is_a_key_of_the_configuration_and_every_key_a_field() {
        let platforms = Platform::ALL;
        let keys = |fields: fn(Platform) -> &'static [Field]| {
            let all = platforms.iter().flat_map(|platform| fields(*platform));
            let mut keys: Vec<&str> = all.map(|field| field.key).collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        };
        let mut known_texts: Vec<&str> = TEXTS.into_iter().chain(["url"]).collect();
        known_texts.sort_unstable();
        let mut known_secrets = SECRETS.to_vec();
        known_secrets.sort_unstable();
        assert_eq!(keys(texts), known_texts);
        assert_eq!(keys(secrets), known_secrets);
    }
}
