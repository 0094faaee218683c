//! Which commands wait, and for whom.

use std::collections::BTreeSet;

use super::{Needs, Panel};
use crate::registry::command::checks::{Acting, ancestry, closest_zone, zone_of};
use crate::registry::command::contact::{Change, ContactUpdate, DomainContact, contacts_of};
use crate::registry::command::context::Context;
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::command::{
    Command, CommandError, ContactCommand, DomainCommand, HostCommand, lock,
};
use crate::registry::policy::{ChangeControl, ContactRole, RegistrantChange, Silence};
use crate::registry::types::Handle;

/// What a command is about, as far as somebody's consent depends on it.
#[derive(Debug, Default)]
struct Place {
    zones: BTreeSet<i64>,
    /// Domains that it is about.
    domains: BTreeSet<i64>,
}

/// Who has to agree to a command, and for how many seconds one waits for that.
///
/// Nobody, where the command changes nothing that anybody looks at: what it would be
/// refused for is not looked for here. The registry's own commands are subject to locks
/// only, and its timers to nothing.
pub(in crate::registry::command) async fn needs(
    context: &mut Context<'_, '_>,
    command: &Command,
) -> Result<Option<(Needs, u32)>, CommandError> {
    if !context.write.has_reviews || context.is_system {
        return Ok(None);
    }
    let acting = context.acting.clone();
    let is_registry = acting.registrar.is_none();
    let tables = &mut context.tables();
    if let Command::Contact(ContactCommand::Update(update)) = command {
        let is_asked = !is_registry && update.is_of_identity();
        return match is_asked {
            true => identity(tables, &acting, update).await,
            false => Ok(None),
        };
    }
    let place = place(tables, command).await?;
    let (mut needs, mut wait, mut veto_wait) = (Needs::default(), 0, None);
    let mut panels = BTreeSet::new();
    if is_locked_against(command) {
        for domain in &place.domains {
            panels.extend(lock::panel(tables, *domain).await?);
        }
    }
    for zone in place.zones.iter().copied() {
        let policy = zone_of(tables, zone).await?.policy;
        wait = wait.max(policy.review_wait);
        if is_registry || !is_reviewed(command) {
            continue;
        }
        match policy.change_control {
            ChangeControl::Auto => {}
            ChangeControl::Signed => needs.signature = true,
            ChangeControl::Verify => {
                panels.insert(Panel {
                    approvals: policy.approvals,
                    approvers: policy.approvers,
                });
            }
        }
        if policy.registrant_change == RegistrantChange::Veto {
            needs.registrant = vetoer(tables, &acting, command).await?;
            needs.silence = needs.registrant.is_some().then_some(policy.veto_silence);
            veto_wait = needs.registrant.is_some().then_some(policy.veto_wait);
        }
    }
    needs.panels = panels.into_iter().collect();
    if needs.signature {
        needs.signers = signers(tables, command, &place.domains).await?;
    }
    let is_veto_alone = needs.panels.is_empty() && !needs.signature;
    let wait = match veto_wait {
        Some(veto_wait) if is_veto_alone => veto_wait,
        veto_wait => wait.max(veto_wait.unwrap_or_default()),
    };
    Ok((!needs.are_none()).then_some((needs, wait)))
}

/// The registrant that a domain is taken from, unless it is that one who asks.
async fn vetoer(
    tables: &mut Tables<'_>,
    acting: &Acting,
    command: &Command,
) -> Result<Option<Handle>, CommandError> {
    let Command::Domain(DomainCommand::Update(update)) = command else {
        return Ok(None);
    };
    let Some(change) = &update.registrant else {
        return Ok(None);
    };
    let query = rows::<(i64, String)>(
        "SELECT c.id, c.handle FROM domains d JOIN contacts c ON c.id = d.registrant_id \
         WHERE d.name = $1",
    );
    let found = tables.optional(query.bind(update.name.as_str())).await?;
    let Some((id, handle)) = found.filter(|(id, _)| acting.contact != Some(*id)) else {
        return Ok(None);
    };
    let handle = Handle::parse(&handle)
        .map_err(|_| tables.inconsistent(format!("contact {id}: {handle:?}")))?;
    Ok((*change != Change::Set(handle.clone())).then_some(handle))
}

/// A registrant whose record is to become somebody else's is asked as one whose domain is.
async fn identity(
    tables: &mut Tables<'_>,
    acting: &Acting,
    update: &ContactUpdate,
) -> Result<Option<(Needs, u32)>, CommandError> {
    let handle = &update.handle;
    let query = rows::<(i64, i64, Option<i64>)>(
        "SELECT c.id, COUNT(*), MAX(z.veto_wait) FROM contacts c \
         JOIN domains d ON d.registrant_id = c.id JOIN zones z ON z.id = d.zone_id \
         WHERE c.handle = $1 AND z.registrant_change = 'veto' GROUP BY c.id",
    );
    let found = tables.optional(query.bind(handle.as_str())).await?;
    let Some((_, _, Some(wait))) = found.filter(|(id, ..)| acting.contact != Some(*id)) else {
        return Ok(None);
    };
    let silent = rows::<(i64,)>(
        "SELECT d.id FROM contacts c JOIN domains d ON d.registrant_id = c.id \
         JOIN zones z ON z.id = d.zone_id WHERE c.handle = $1 \
         AND z.registrant_change = 'veto' AND z.veto_silence = 'reject' LIMIT 1",
    );
    let silence = match tables.any(silent.bind(handle.as_str())).await? {
        true => Silence::Reject,
        false => Silence::Approve,
    };
    let needs = Needs {
        registrant: Some(handle.clone()),
        silence: Some(silence),
        ..Needs::default()
    };
    let wait = u32::try_from(wait).unwrap_or(u32::MAX);
    Ok(Some((needs, wait)))
}

/// Registrants and administrative contacts of the domains that a command is about: of one
/// that is to come those that it names. Nobody for a host outside the registry: a renaming
/// changes domains of many.
async fn signers(
    tables: &mut Tables<'_>,
    command: &Command,
    domains: &BTreeSet<i64>,
) -> Result<BTreeSet<Handle>, CommandError> {
    if let Command::Domain(DomainCommand::Create(create)) = command {
        let is_admin = |link: &&DomainContact| link.role == ContactRole::Admin;
        let admins = create.contacts.iter().filter(is_admin);
        let admins = admins.map(|link| link.contact.clone());
        return Ok(admins.chain(create.registrant.clone()).collect());
    }
    let mut signers = BTreeSet::new();
    for domain in domains {
        let links = contacts_of(tables, *domain).await?;
        let contacts = links.contacts.into_iter();
        let admins = contacts.filter(|link| link.role == ContactRole::Admin);
        signers.extend(admins.map(|link| link.contact));
        signers.extend(links.registrant);
    }
    Ok(signers)
}

/// Commands that a zone's policy is about: all that change an object of a registrar's.
fn is_reviewed(command: &Command) -> bool {
    match command {
        Command::Domain(DomainCommand::Transfer(transfer)) => transfer.is_request(),
        Command::Domain(command) => matches!(
            command,
            DomainCommand::Create(_)
                | DomainCommand::Update(_)
                | DomainCommand::Renew(_)
                | DomainCommand::Delete(_)
                | DomainCommand::Restore(_)
        ),
        Command::Host(_) => true,
        _ => false,
    }
}

/// Commands that a lock is about: a longer registration hurts nobody.
fn is_locked_against(command: &Command) -> bool {
    match command {
        Command::Domain(DomainCommand::Transfer(transfer)) => transfer.is_request(),
        Command::Host(_) => true,
        Command::Domain(command) => matches!(
            command,
            DomainCommand::Update(_)
                | DomainCommand::Delete(_)
                | DomainCommand::Restore(_)
                | DomainCommand::Purge(_)
                | DomainCommand::Move(_)
                | DomainCommand::Unlock(_)
        ),
        _ => false,
    }
}

async fn place(tables: &mut Tables<'_>, command: &Command) -> Result<Place, CommandError> {
    let mut place = Place::default();
    match command {
        Command::Domain(DomainCommand::Create(create)) => {
            let above = ancestry(create.name.as_str());
            let zone = closest_zone(tables, &above).await?;
            place.zones.extend(zone.map(|zone| zone.id));
        }
        Command::Domain(command) => {
            let query = rows::<(i64, i64)>("SELECT id, zone_id FROM domains WHERE name = $1");
            let found = tables.optional(query.bind(command.name().as_str())).await?;
            if let Some((id, zone)) = found {
                place.zones.insert(zone);
                place.domains.insert(id);
            }
        }
        Command::Host(command) => {
            place.above(tables, command.name().as_str()).await?;
            if let HostCommand::Update(update) = command
                && let Some(name) = &update.new_name
            {
                place.above(tables, name.as_str()).await?;
                place.dependents(tables, update.name.as_str()).await?;
            }
        }
        _ => {}
    }
    Ok(place)
}

impl Place {
    /// The domain at or above a host: whoever moves its addresses moves the domain.
    async fn above(&mut self, tables: &mut Tables<'_>, host: &str) -> Result<(), CommandError> {
        let above = ancestry(host);
        let query = rows_in::<(i64, i64)>(
            "SELECT id, zone_id FROM domains WHERE name IN ({list})",
            &above,
        );
        for (id, zone) in tables.all(query).await? {
            self.zones.insert(zone);
            self.domains.insert(id);
        }
        Ok(())
    }

    /// The zones whose NS records hold a name that changes.
    async fn dependents(
        &mut self,
        tables: &mut Tables<'_>,
        host: &str,
    ) -> Result<(), CommandError> {
        let query = rows::<(i64,)>(
            "SELECT DISTINCT d.zone_id FROM hosts h JOIN delegations n ON n.host_id = h.id \
             JOIN domains d ON d.id = n.domain_id WHERE h.name = $1",
        );
        let zones = tables.all(query.bind(host)).await?;
        self.zones.extend(zones.into_iter().map(|(zone,)| zone));
        Ok(())
    }
}
