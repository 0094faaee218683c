//! What the public is shown of a contact: the one place that decides it.
//!
//! A zone's rules say it for each role and field (`registry::policy::disclosure`); whether
//! the contact is a natural person, and what it wishes (RFC 5733 section 2.9), fill in what
//! a rule leaves to that. RDAP, WHOIS and web pages get a [`PublicContact`], in which what
//! is hidden is not there: they could not show it by mistake. Hidden is hidden whether or
//! not there is a value, so that nobody learns that there is none.

use crate::registry::command::contact::{ContactKind, Element};
use crate::registry::lookup::ContactRecord;
use crate::registry::policy::disclosure::{DisclosurePolicy, Field, LinkRole, Rule};

/// A part of a contact, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<T> {
    /// It is shown, and there is this.
    Shown(T),
    /// It is shown, and there is nothing.
    Empty,
    /// It is not shown.
    Hidden,
}

impl<T> Part<T> {
    /// What is shown.
    pub fn shown(&self) -> Option<&T> {
        match self {
            Self::Shown(value) => Some(value),
            Self::Empty | Self::Hidden => None,
        }
    }

    /// Whether it is withheld.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden)
    }
}

/// A telephone number, and an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// As `+49.1234567`.
    pub number: String,
    /// Digits.
    pub extension: Option<String>,
}

/// A contact as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of a policy")]
pub struct PublicContact {
    /// What it is, for a domain; `None` where it was asked for by itself.
    pub role: Option<LinkRole>,
    /// Whether it is an organization or a role.
    pub is_legal: bool,
    pub handle: Part<String>,
    pub name: Part<String>,
    pub organization: Part<String>,
    pub street: Part<Vec<String>>,
    pub city: Part<String>,
    pub province: Part<String>,
    pub postal_code: Part<String>,
    pub country: Part<String>,
    pub voice: Part<Phone>,
    pub fax: Part<Phone>,
    pub email: Part<String>,
    /// EPP's words.
    pub statuses: Vec<String>,
}

/// A role under the rules of a zone.
pub type Ruled<'p> = (LinkRole, &'p DisclosurePolicy);

/// A contact in a role; `None` where the rules show nothing of it to anybody.
pub fn in_role(
    contact: &ContactRecord,
    role: LinkRole,
    policy: &DisclosurePolicy,
) -> Option<PublicContact> {
    let mut shown = by_itself(contact, &[(role, policy)])?;
    shown.role = Some(role);
    Some(shown)
}

/// A contact by itself: shown is what all rules show under which it stands. `None` where
/// it stands under none, or they show nothing to anybody.
pub fn by_itself(contact: &ContactRecord, ruled: &[Ruled<'_>]) -> Option<PublicContact> {
    let could = |field| {
        let mut ruled = ruled.iter();
        ruled.all(|(role, policy)| policy.rule(*role, field) != Rule::Never)
    };
    let is_known = !ruled.is_empty() && Field::NAMES.iter().any(|(_, field)| could(*field));
    is_known.then(|| View { contact, ruled }.contact())
}

/// A contact that stands under more rules than can be looked at: nothing of it is shown.
pub fn withheld(contact: &ContactRecord) -> PublicContact {
    let mut policy = DisclosurePolicy::default();
    for (_, field) in Field::NAMES {
        policy
            .rules
            .insert((LinkRole::Registrant, *field), Rule::Never);
    }
    let ruled: &[Ruled<'_>] = &[(LinkRole::Registrant, &policy)];
    View { contact, ruled }.contact()
}

struct View<'c> {
    contact: &'c ContactRecord,
    ruled: &'c [Ruled<'c>],
}

impl View<'_> {
    fn contact(&self) -> PublicContact {
        let (contact, postal) = (self.contact, &self.contact.postal);
        let phone = |number: &Option<String>, extension: &Option<String>| {
            let number = number.clone()?;
            let extension = extension.clone();
            Some(Phone { number, extension })
        };
        let street = Some(postal.street.clone()).filter(|lines| !lines.is_empty());
        PublicContact {
            role: None,
            is_legal: self.is_legal(),
            handle: self.part(Field::Handle, Some(contact.roid.clone())),
            name: self.part(Field::Name, postal.name.clone()),
            organization: self.part(Field::Organization, postal.organization.clone()),
            street: self.part(Field::Street, street),
            city: self.part(Field::City, postal.city.clone()),
            province: self.part(Field::Province, postal.province.clone()),
            postal_code: self.part(Field::PostalCode, postal.postal_code.clone()),
            country: self.part(Field::Country, postal.country.clone()),
            voice: self.part(
                Field::Voice,
                phone(&contact.voice, &contact.voice_extension),
            ),
            fax: self.part(Field::Fax, phone(&contact.fax, &contact.fax_extension)),
            email: self.part(Field::Email, contact.email.clone()),
            statuses: contact.statuses.clone(),
        }
    }

    fn part<T>(&self, field: Field, value: Option<T>) -> Part<T> {
        let mut ruled = self.ruled.iter();
        match ruled.all(|(role, policy)| self.is_shown(policy.rule(*role, field), field)) {
            true => value.map_or(Part::Empty, Part::Shown),
            false => Part::Hidden,
        }
    }

    fn is_shown(&self, rule: Rule, field: Field) -> bool {
        let wish = self.wish(field);
        match rule {
            Rule::Always => true,
            Rule::Legal => wish.unwrap_or_else(|| self.is_legal()),
            Rule::Consent => wish == Some(true),
            Rule::Never => false,
        }
    }

    fn is_legal(&self) -> bool {
        self.contact.kind != ContactKind::Person
    }

    /// Whether the contact wishes a field to be shown; `None` where it says nothing.
    fn wish(&self, field: Field) -> Option<bool> {
        let (show, elements) = &self.contact.wishes;
        let [int, loc] = match field {
            Field::Handle => return None,
            Field::Name => [Element::NameInt, Element::NameLoc],
            Field::Organization => [Element::OrgInt, Element::OrgLoc],
            Field::Street | Field::City | Field::Province | Field::PostalCode | Field::Country => {
                [Element::AddrInt, Element::AddrLoc]
            }
            Field::Voice => [Element::Voice; 2],
            Field::Fax => [Element::Fax; 2],
            Field::Email => [Element::Email; 2],
        };
        let element = if self.contact.is_int { int } else { loc };
        elements.contains(&element).then_some(*show)
    }
}

#[cfg(test)]
mod tests;
