//! What a contact may ask for: by what it is for a domain, and by nothing else.
//!
//! One table says which role may change what. A registrant has the most, its administrator
//! little less; who runs the servers changes name servers and DS, who pays renews. Statuses
//! and transfers are between registrars. Whatever a contact may not is 2201, before the
//! command is looked at any further, but after the domain was found (2303).

use std::collections::BTreeSet;

use super::super::code::ResultCode;
use super::super::error::RegistryError;
use super::super::policy::ContactRole;
use super::super::signing::named;
use super::super::types::{DomainName, Handle};
use super::answer::rejected;
use super::checks::{Acting, ancestry};
use super::contact::ContactUpdate;
use super::domain::{DomainParts, DomainUpdate};
use super::tables::{Tables, rows, rows_in};
use super::{Command, CommandError, ContactCommand, DomainCommand, HostCommand};

named! {
    /// What a contact is for a domain.
    Place:
        /// Who holds it.
        Registrant = "registrant",
        /// Who administers it.
        Admin = "admin",
        /// Who runs its servers.
        Tech = "tech",
        /// Who pays for it.
        Billing = "billing",
        /// Who hears of its abuse.
        Abuse = "abuse",
}

named! {
    /// What of a domain can be asked for.
    Field:
        /// Its name servers, and hosts below it.
        NameServers = "name-servers",
        /// Its delegation signers.
        Ds = "ds",
        /// Times to live of both.
        Ttl = "ttl",
        /// Who holds it.
        Registrant = "registrant",
        /// Its administrators.
        Admin = "admin",
        /// Its technical contacts.
        Tech = "tech",
        /// Its billing contacts.
        Billing = "billing",
        /// Its abuse contacts.
        Abuse = "abuse",
        /// What authorizes a transfer.
        AuthInfo = "auth-info",
        /// A longer registration.
        Renewal = "renewal",
        /// Its end.
        Deletion = "deletion",
        /// The end of its end.
        Restore = "restore",
        /// The end of its lock.
        Unlock = "unlock",
        /// Its statuses.
        Statuses = "statuses",
}

/// Who may ask for what.
pub const RIGHTS: [(Place, &[Field]); 5] = {
    use Field::*;
    [
        (
            Place::Registrant,
            &[
                NameServers,
                Ds,
                Ttl,
                Registrant,
                Admin,
                Tech,
                Billing,
                Abuse,
                AuthInfo,
                Renewal,
                Deletion,
                Restore,
                Unlock,
            ],
        ),
        // A new registrant needs the old one's consent besides, where the zone says so.
        (
            Place::Admin,
            &[
                NameServers,
                Ds,
                Ttl,
                Registrant,
                Admin,
                Tech,
                Billing,
                Abuse,
                AuthInfo,
                Renewal,
                Restore,
            ],
        ),
        (Place::Tech, &[NameServers, Ds, Ttl, Tech]),
        (Place::Billing, &[Renewal, Billing]),
        (Place::Abuse, &[Abuse]),
    ]
};

fn refuse(object: impl ToString, reason: impl Into<String>) -> CommandError {
    rejected(ResultCode::AuthorizationError, object, reason)
}

/// Whether a contact may ask for a change. Whoever is no contact is not asked here.
pub(super) async fn may_change(
    tables: &mut Tables<'_>,
    acting: &Acting,
    command: &Command,
) -> Result<(), CommandError> {
    let Some(contact) = acting.contact else {
        return Ok(());
    };
    match command {
        Command::Domain(command) => {
            let name = command.name();
            let none = || refuse(name, "contacts do not ask for this");
            let fields = fields(command).ok_or_else(none)?;
            let query = rows::<(i64,)>("SELECT id FROM domains WHERE name = $1");
            match tables.optional(query.bind(name.as_str())).await? {
                Some((id,)) => holds(tables, contact, id, name.as_str(), &fields).await,
                // The command itself says that it is not there.
                None => Ok(()),
            }
        }
        Command::Host(command) => host(tables, contact, command).await,
        Command::Contact(ContactCommand::Update(update)) => {
            own_record(tables, contact, update).await
        }
        // A decision asks for itself who may.
        Command::Changes(_) => Ok(()),
        command => {
            let object = command.object().unwrap_or_else(|| command.kind());
            Err(refuse(object, "contacts do not ask for this"))
        }
    }
}

/// The fields that a command is about; nothing where no contact may ask for it.
fn fields(command: &DomainCommand) -> Option<BTreeSet<Field>> {
    let field = match command {
        DomainCommand::Update(update) => return Some(fields_of(update)),
        DomainCommand::Renew(_) => Field::Renewal,
        DomainCommand::Delete(_) => Field::Deletion,
        DomainCommand::Restore(_) => Field::Restore,
        DomainCommand::Unlock(_) => Field::Unlock,
        _ => return None,
    };
    Some(BTreeSet::from([field]))
}

fn fields_of(update: &DomainUpdate) -> BTreeSet<Field> {
    let mut fields = BTreeSet::new();
    for parts in [&update.add, &update.remove] {
        let DomainParts {
            hosts,
            attributes,
            ds,
            keys,
            statuses,
            contacts,
        } = parts;
        let names_servers = !hosts.is_empty() || !attributes.is_empty();
        fields.extend(names_servers.then_some(Field::NameServers));
        fields.extend((!ds.is_empty() || !keys.is_empty()).then_some(Field::Ds));
        fields.extend((!statuses.is_empty()).then_some(Field::Statuses));
        fields.extend(contacts.iter().map(|link| match link.role {
            ContactRole::Admin => Field::Admin,
            ContactRole::Tech => Field::Tech,
            ContactRole::Billing => Field::Billing,
            ContactRole::Abuse => Field::Abuse,
        }));
    }
    let is_timed = update.ns_ttl.is_some() || update.ds_ttl.is_some();
    fields.extend(is_timed.then_some(Field::Ttl));
    fields.extend(update.registrant.is_some().then_some(Field::Registrant));
    fields.extend(update.auth_info.is_some().then_some(Field::AuthInfo));
    fields
}

/// What a contact is for a domain.
async fn places(
    tables: &mut Tables<'_>,
    contact: i64,
    domain: i64,
) -> Result<Vec<Place>, RegistryError> {
    let query = rows::<(String,)>(
        "SELECT role FROM domain_contacts WHERE domain_id = $1 AND contact_id = $2",
    );
    let found = tables.all(query.bind(domain).bind(contact)).await?;
    let mut places: Vec<_> = found
        .iter()
        .filter_map(|(role,)| Place::parse(role))
        .collect();
    let query = rows::<(i64,)>("SELECT id FROM domains WHERE id = $1 AND registrant_id = $2");
    if tables.any(query.bind(domain).bind(contact)).await? {
        places.push(Place::Registrant);
    }
    Ok(places)
}

/// Each field is one that the contact may change, as whatever it is for the domain.
async fn holds(
    tables: &mut Tables<'_>,
    contact: i64,
    domain: i64,
    name: &str,
    fields: &BTreeSet<Field>,
) -> Result<(), CommandError> {
    let places = places(tables, contact, domain).await?;
    if places.is_empty() {
        return Err(refuse(name, "not a contact of this domain"));
    }
    let may = |field: &Field| {
        let mut rights = RIGHTS.iter().filter(|(place, _)| places.contains(place));
        rights.any(|(_, fields)| fields.contains(field))
    };
    match fields.iter().find(|field| !may(field)) {
        Some(field) => {
            let places: Vec<_> = places.iter().map(|place| place.name()).collect();
            let reason = format!("as {} it may not change {field}", places.join(" and "));
            Err(refuse(name, reason))
        }
        None => Ok(()),
    }
}

/// A host is part of the domain above it.
async fn host(
    tables: &mut Tables<'_>,
    contact: i64,
    command: &HostCommand,
) -> Result<(), CommandError> {
    let mut names = vec![command.name()];
    if let HostCommand::Update(update) = command {
        names.extend(&update.new_name);
    }
    for name in names {
        let above = ancestry(name.as_str());
        let query = rows_in::<(i64, String)>(
            "SELECT id, name FROM domains WHERE name IN ({list})",
            &above,
        );
        let domains = tables.all(query).await?.into_iter();
        let Some((id, domain)) = domains.max_by_key(|(_, name)| name.len()) else {
            return Err(refuse(name, "below no domain of the contact"));
        };
        let field = BTreeSet::from([Field::NameServers]);
        holds(tables, contact, id, &domain, &field).await?;
    }
    Ok(())
}

/// A contact keeps its own record, and an administrator those of its registrants.
async fn own_record(
    tables: &mut Tables<'_>,
    contact: i64,
    update: &ContactUpdate,
) -> Result<(), CommandError> {
    let handle = &update.handle;
    let is_registrars =
        !update.add.is_empty() || !update.remove.is_empty() || update.auth_info.is_some();
    if is_registrars {
        let reason = "statuses and authorization information are for its registrar";
        return Err(refuse(handle, reason));
    }
    keeps(tables, contact, handle).await
}

async fn keeps(tables: &mut Tables<'_>, contact: i64, handle: &Handle) -> Result<(), CommandError> {
    let query = rows::<(i64,)>("SELECT id FROM contacts WHERE handle = $1");
    let Some((id,)) = tables.optional(query.bind(handle.as_str())).await? else {
        return Ok(());
    };
    let administered = rows::<(i64,)>(
        "SELECT d.id FROM domains d JOIN domain_contacts n ON n.domain_id = d.id \
         WHERE d.registrant_id = $1 AND n.contact_id = $2 AND n.role = 'admin' LIMIT 1",
    );
    if id == contact || tables.any(administered.bind(id).bind(contact)).await? {
        return Ok(());
    }
    Err(refuse(handle, "another's record"))
}

/// Whether a contact may look at something.
pub(super) async fn may_read(
    tables: &mut Tables<'_>,
    acting: &Acting,
    command: &Command,
) -> Result<(), CommandError> {
    let Some(contact) = acting.contact else {
        return Ok(());
    };
    match command {
        Command::Domain(DomainCommand::Info(query)) => knows(tables, contact, &query.name).await,
        Command::Contact(ContactCommand::Info(handle)) => keeps(tables, contact, handle).await,
        Command::Domain(DomainCommand::Check(_) | DomainCommand::CheckToken { .. })
        | Command::Host(_)
        | Command::Changes(_) => Ok(()),
        command => {
            let object = command.object().unwrap_or_else(|| command.kind());
            Err(refuse(object, "not for contacts"))
        }
    }
}

async fn knows(
    tables: &mut Tables<'_>,
    contact: i64,
    name: &DomainName,
) -> Result<(), CommandError> {
    let query = rows::<(i64,)>("SELECT id FROM domains WHERE name = $1");
    match tables.optional(query.bind(name.as_str())).await? {
        Some((id,)) if places(tables, contact, id).await?.is_empty() => {
            Err(refuse(name, "not a contact of this domain"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
