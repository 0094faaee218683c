//! What the public is shown of the contacts of a zone's domains.
//!
//! A rule for each role and field; where an operator said nothing, what is safe: of a
//! natural person its country and province, and nothing else without its consent. Whether
//! a contact is a person, and what it wishes, is asked where a rule is followed
//! (`crate::disclosure`); nothing here knows a contact.

use std::collections::BTreeMap;

use crate::registry::signing::named;

named! {
    /// What a contact is for a domain.
    LinkRole:
        /// Has it.
        Registrant = "registrant",
        /// Administers it.
        Admin = "admin",
        /// Runs its servers.
        Tech = "tech",
        /// Pays for it.
        Billing = "billing",
        /// Hears of its abuse.
        Abuse = "abuse",
}

named! {
    /// A part of a contact.
    Field:
        /// Its identifier.
        Handle = "handle",
        /// Its name.
        Name = "name",
        /// Its organization.
        Organization = "organization",
        /// Street of its address.
        Street = "street",
        /// City.
        City = "city",
        /// Province or state.
        Province = "province",
        /// Postal code.
        PostalCode = "postal-code",
        /// Country.
        Country = "country",
        /// Telephone with its extension.
        Voice = "voice",
        /// Fax with its extension.
        Fax = "fax",
        /// E-mail.
        Email = "email",
}

named! {
    /// Whether a field is shown.
    Rule:
        /// Of everybody, whatever it wishes.
        Always = "always",
        /// Of organizations and roles unless they wish otherwise; of persons if they wish.
        Legal = "legal",
        /// Of whoever wishes it.
        Consent = "consent",
        /// Of nobody.
        Never = "never",
}

/// The rules of a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisclosurePolicy {
    /// Those that are not the default.
    pub(crate) rules: BTreeMap<(LinkRole, Field), Rule>,
}

impl DisclosurePolicy {
    /// The rule for a field of a contact in a role.
    pub fn rule(&self, role: LinkRole, field: Field) -> Rule {
        let said = self.rules.get(&(role, field)).copied();
        said.unwrap_or_else(|| default_rule(role, field))
    }
}

/// After the Registration Data Policy of ICANN, section 9: what it lets a registry hide is
/// hidden. It knows no administrative and billing contacts, so these are not shown at all.
fn default_rule(role: LinkRole, field: Field) -> Rule {
    match (role, field) {
        (LinkRole::Admin | LinkRole::Billing, _) => Rule::Never,
        (LinkRole::Registrant, Field::Province | Field::Country) => Rule::Always,
        (
            LinkRole::Registrant,
            Field::Handle | Field::Organization | Field::Street | Field::City | Field::PostalCode,
        ) => Rule::Legal,
        (LinkRole::Registrant, _) => Rule::Consent,
        (LinkRole::Tech, Field::Handle) => Rule::Legal,
        (LinkRole::Tech, Field::Name | Field::Voice | Field::Email) => Rule::Consent,
        // Who hears of abuse is there to be found.
        (LinkRole::Abuse, Field::Handle | Field::Name | Field::Voice | Field::Email) => Rule::Legal,
        (LinkRole::Tech | LinkRole::Abuse, _) => Rule::Never,
    }
}
