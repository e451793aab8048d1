//! A company's people and administrators, fully described by tables.

use super::{ADMINISTRATOR, PERSON};
use crate::operation::error::Code;
use crate::operation::resource::{KeyField, KeyForm, Preset, Property, Resource};

pub(super) static RESOURCES: &[Resource] = &[
    Resource {
        summary: "A user who may sign in to a company",
        properties: &[
            property("name", "their name on the platform"),
            property("email", "who signs in"),
            property("role", "what they may do, as in `owner`"),
        ],
        needs_fields: true,
        doc: "The administrator may sign in to the company that the session acts on. The fields of the request (`name`, `role`, \
              `password`) are assumed: the vendor documents none.",
        errors: FORBIDDEN,
        example: ("\"ann@example.com\"", "#{name: \"Ann\", role: \"admin\"}"),
        ..Resource::new(
            ADMINISTRATOR,
            ("administrator", "administrators"),
            "/administrators",
            KeyField {
                field: "email",
                form: KeyForm::Email,
                doc: "who signs in; case and surrounding blanks are ignored",
            },
        )
    },
    Resource {
        summary: "A person who works for a company",
        by_key: Some("/people/find_by_ref/{key}"),
        properties: &[
            property("name", "the person's name"),
            property("reference", "the reference by which your systems know them"),
            property("email", "the person's address"),
        ],
        needs_fields: true,
        // The platform mails new staff unless told not to (vendor's documents).
        defaults: &[("notify", Preset::Bool(false))],
        doc: "The person works for the company that the session acts on. The platform mails new staff unless told not to, so \
              `notify` is false unless the fields (`name`, `email`, `phone`, …) set it.",
        errors: FORBIDDEN,
        example: ("\"staff-7\"", "#{name: \"Ann Lee\", email: \"ann@example.com\"}"),
        ..Resource::new(
            PERSON,
            ("person", "people"),
            "/people",
            KeyField {
                field: "reference",
                form: KeyForm::Exact,
                doc: "the reference by which your systems know the person; case-sensitive",
            },
        )
    },
];

const FORBIDDEN: &[(Code, &str)] = &[(Code::Forbidden, "the login is not for this company")];

const fn property(name: &'static str, doc: &'static str) -> Property {
    Property { name, doc }
}
