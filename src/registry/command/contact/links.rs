//! Which contacts a domain has: what its zone's data model asks for and allows.

use std::collections::{BTreeMap, BTreeSet};

use super::DomainContact;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::error::RegistryError;
use crate::registry::policy::{ContactRole, DataModel, RegistrationPolicy};
use crate::registry::types::Handle;

/// Registrant and contacts of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::registry::command) struct Links {
    pub(in crate::registry::command) registrant: Option<Handle>,
    pub(in crate::registry::command) contacts: BTreeSet<DomainContact>,
}

impl Links {
    /// What the data model says about them as a whole.
    pub(in crate::registry::command) fn check(
        &self,
        policy: &RegistrationPolicy,
        model: DataModel,
        name: &str,
    ) -> Result<(), CommandError> {
        if model == DataModel::Minimum {
            if self.registrant.is_none() && self.contacts.is_empty() {
                return Ok(());
            }
            let reason = "this registry keeps no contacts for it";
            return Err(rejected(ResultCode::ParameterPolicy, name, reason));
        }
        if self.registrant.is_none() {
            let reason = "a registrant is missing";
            return Err(rejected(ResultCode::ParameterMissing, name, reason));
        }
        for (_, role) in ContactRole::NAMES {
            let count = self
                .contacts
                .iter()
                .filter(|link| link.role == *role)
                .count();
            if count == 0 && policy.contacts_required.0.contains(role) {
                let reason = format!("a contact for {role} is missing");
                return Err(rejected(ResultCode::ParameterMissing, name, reason));
            }
            let most = policy.contacts_max;
            if u32::try_from(count).is_ok_and(|count| count > most) {
                let reason = format!("{count} contacts for {role}, {most} at most");
                return Err(rejected(ResultCode::ParameterPolicy, name, reason));
            }
        }
        Ok(())
    }
}

/// Finds contacts, or 2303 with the first that is not there; those of another sponsor, and
/// those that were erased, are not to be named.
pub(in crate::registry::command) async fn find_contacts(
    tables: &mut Tables<'_>,
    handles: impl Iterator<Item = &Handle>,
    sponsor: i64,
) -> Result<BTreeMap<Handle, i64>, CommandError> {
    let wanted: BTreeSet<_> = handles.cloned().collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<_> = wanted.iter().map(ToString::to_string).collect();
    let query = rows_in::<(String, i64, i64, Option<i64>)>(
        "SELECT handle, id, registrar_id, erased_at FROM contacts WHERE handle IN ({list})",
        &list,
    );
    let mut found: BTreeMap<_, _> = tables
        .all(query)
        .await?
        .into_iter()
        .map(|(handle, id, registrar, erased_at)| (handle, (id, registrar, erased_at)))
        .collect();
    let mut ids = BTreeMap::new();
    for handle in wanted {
        match found.remove(handle.as_str()) {
            Some((_, _, Some(_))) => {
                let reason = "its personal data was erased; name another contact";
                return Err(rejected(ResultCode::StatusProhibits, handle, reason));
            }
            Some((id, registrar, None)) if registrar == sponsor => ids.insert(handle, id),
            Some(_) => {
                let reason = "sponsored by another registrar";
                return Err(rejected(ResultCode::AuthorizationError, handle, reason));
            }
            None => {
                let reason = "no such contact; create it first";
                return Err(rejected(ResultCode::ObjectDoesNotExist, handle, reason));
            }
        };
    }
    Ok(ids)
}

/// The contacts that a domain has.
pub(in crate::registry::command) async fn contacts_of(
    tables: &mut Tables<'_>,
    domain_id: i64,
) -> Result<Links, RegistryError> {
    let query = rows::<(String, String)>(
        "SELECT n.role, c.handle FROM domain_contacts n JOIN contacts c ON c.id = n.contact_id \
         WHERE n.domain_id = $1",
    );
    let mut contacts = BTreeSet::new();
    for (role, handle) in tables.all(query.bind(domain_id)).await? {
        let bad = || tables.inconsistent(format!("contact {handle:?} for {role:?}"));
        contacts.insert(DomainContact {
            role: ContactRole::parse(&role).ok_or_else(bad)?,
            contact: Handle::parse(&handle).map_err(|_| bad())?,
        });
    }
    let query = rows::<(String,)>(
        "SELECT c.handle FROM domains d JOIN contacts c ON c.id = d.registrant_id \
         WHERE d.id = $1",
    );
    let registrant = match tables.optional(query.bind(domain_id)).await? {
        None => None,
        Some((handle,)) => {
            let bad = |_| tables.inconsistent(format!("contact {handle:?}"));
            Some(Handle::parse(&handle).map_err(bad)?)
        }
    };
    Ok(Links {
        registrant,
        contacts,
    })
}

/// Writes what differs; `ids` has those that come.
pub(in crate::registry::command) async fn write_links(
    tables: &mut Tables<'_>,
    domain_id: i64,
    before: &Links,
    after: &Links,
    ids: &BTreeMap<Handle, i64>,
) -> Result<(), RegistryError> {
    for gone in before.contacts.difference(&after.contacts) {
        let delete = sqlx::query(
            "DELETE FROM domain_contacts WHERE domain_id = $1 AND role = $2 \
             AND contact_id = (SELECT id FROM contacts WHERE handle = $3)",
        );
        let delete = delete.bind(domain_id).bind(gone.role.name());
        tables.run(delete.bind(gone.contact.as_str())).await?;
    }
    for come in after.contacts.difference(&before.contacts) {
        let insert = sqlx::query(
            "INSERT INTO domain_contacts (domain_id, role, contact_id) VALUES ($1, $2, $3)",
        );
        let insert = insert.bind(domain_id).bind(come.role.name());
        tables.run(insert.bind(ids[&come.contact])).await?;
    }
    if before.registrant != after.registrant {
        let id = after.registrant.as_ref().map(|handle| ids[handle]);
        let update = sqlx::query("UPDATE domains SET registrant_id = $1 WHERE id = $2");
        tables.run(update.bind(id).bind(domain_id)).await?;
    }
    Ok(())
}

/// Whether any domain names a contact.
pub(super) async fn is_linked(
    tables: &mut Tables<'_>,
    contact_id: i64,
) -> Result<bool, RegistryError> {
    for text in [
        "SELECT domain_id FROM domain_contacts WHERE contact_id = $1 LIMIT 1",
        "SELECT id FROM domains WHERE registrant_id = $1 LIMIT 1",
    ] {
        if tables.any(rows::<(i64,)>(text).bind(contact_id)).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
