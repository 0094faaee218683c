//! What hangs on a domain that is removed: the one way to remove one, whoever asks.
//!
//! Hosts below it that no other domain names go with it. For those that others name, the
//! zone's policy says what becomes of them: the removal is refused, or they get another
//! name, by which their object, and so every NS set that has it, stays (RFC 9874 section
//! 5.1). No name server is ever taken from a domain that its sponsor did not change. A host
//! is renamed into a domain that is never removed, so chains and cycles end. Everything is
//! part of the caller's event; each sponsor of a domain that it affects is told.
//!
//! Deviation: RFC 9874 section 6 recommends names that cannot resolve. Policy `lame` keeps
//! the addresses, under a name of the registry's, so that delegations go on to work.

mod orphans;
mod policy;

use std::collections::BTreeSet;

use super::super::error::RegistryError;
use super::changes::{self, ObjectKind};
use super::context::Context;
use super::host::sweep;
use super::notices::{Notice, NoticeKind};
use super::publication::{hosts_of, refresh_hosts};
use super::tables::{from_row, rows};
use super::{CommandError, past};

use orphans::Place;
pub(super) use orphans::affected;
pub use policy::{HostOrphan, OwnHosts};
pub(super) use policy::{LAME_LABEL_DEFAULT, OrphanPolicy};

/// A domain that is to be removed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving<'n> {
    pub(super) id: i64,
    pub(super) zone_id: i64,
    pub(super) name: &'n str,
}

/// A host below it.
#[derive(Debug, Clone)]
struct Subordinate {
    id: i64,
    name: String,
    zone_id: Option<i64>,
    registrar_id: i64,
    published: i64,
    attribute: i64,
    /// Other domains that name it.
    users: i64,
}

from_row!(Subordinate: id, name, zone_id, registrar_id, published, attribute, users);

/// What becomes of the hosts below a domain that may be removed.
pub(super) struct Plan {
    /// Those that others name, and where they go.
    used: Vec<Subordinate>,
    place: Option<Place>,
    /// Those that go with it.
    unused: Vec<Subordinate>,
}

/// Looks what a removal would do and whether the zone's policy lets it be; changes nothing.
///
/// That the domain may go, by its statuses and sponsor, is for the caller to know.
pub(super) async fn plan(
    context: &mut Context<'_, '_>,
    domain: Leaving<'_>,
) -> Result<Plan, CommandError> {
    let policy = OrphanPolicy::of_zone(&mut context.tables(), domain.zone_id).await?;
    let hosts = subordinates(context, domain.id).await?;
    let (used, unused): (Vec<_>, Vec<_>) = hosts.into_iter().partition(|host| host.users > 0);
    policy.permits(domain.name, &unused)?;
    let place = match used.is_empty() {
        true => None,
        false => Some(orphans::place(context, &policy, domain, &used).await?),
    };
    Ok(Plan {
        used,
        place,
        unused,
    })
}

/// Removes a domain and what hangs on it, or says why not and has changed nothing.
pub(super) async fn remove_domain(
    context: &mut Context<'_, '_>,
    domain: Leaving<'_>,
) -> Result<(), CommandError> {
    let plan = plan(context, domain).await?;
    let named = hosts_of(context, domain.id).await?;
    past::keep(context, ObjectKind::Domain, domain.id).await?;
    past::keep_below(context, domain.id).await?;
    let hosts = plan.used.iter().chain(&plan.unused).map(|host| host.id);
    for object in hosts.chain([domain.id]) {
        Box::pin(changes::abandon(context, object)).await?;
    }
    for statement in [
        "DELETE FROM delegations WHERE domain_id = $1",
        "DELETE FROM ds WHERE domain_id = $1",
        "DELETE FROM domain_keys WHERE domain_id = $1",
        "DELETE FROM domain_contacts WHERE domain_id = $1",
        "DELETE FROM grace_periods WHERE domain_id = $1",
        "DELETE FROM transfers WHERE domain_id = $1",
    ] {
        let delete = sqlx::query(statement).bind(domain.id);
        context.tables().run(delete).await?;
    }
    // Its own use of its hosts is gone: what is left is that of others.
    if let Some(place) = &plan.place {
        orphans::keep(context, domain, &plan.used, place).await?;
    }
    for host in &plan.unused {
        delete_host(context, host).await?;
    }
    let delete = sqlx::query("DELETE FROM domains WHERE id = $1").bind(domain.id);
    context.tables().run(delete).await?;
    context.note_changed(domain.zone_id, domain.name);
    let gone: BTreeSet<_> = plan.unused.iter().map(|host| host.id).collect();
    let left: Vec<_> = named
        .into_iter()
        .filter(|host| !gone.contains(host))
        .collect();
    refresh_hosts(context, left.iter().copied()).await?;
    Ok(sweep(context, left).await?)
}

async fn subordinates(
    context: &mut Context<'_, '_>,
    domain_id: i64,
) -> Result<Vec<Subordinate>, RegistryError> {
    let query = rows::<Subordinate>(
        "SELECT h.id, h.name, h.zone_id, h.registrar_id, h.published, h.attribute, \
         (SELECT COUNT(*) FROM delegations n WHERE n.host_id = h.id AND n.domain_id <> $1) \
         AS users FROM hosts h WHERE h.domain_id = $1 ORDER BY h.name",
    );
    context.tables().all(query.bind(domain_id)).await
}

/// Removes a host that no domain names any more; a sponsor that did not do it is told.
async fn delete_host(
    context: &mut Context<'_, '_>,
    host: &Subordinate,
) -> Result<(), RegistryError> {
    for statement in [
        "DELETE FROM host_addresses WHERE host_id = $1",
        "DELETE FROM hosts WHERE id = $1",
    ] {
        let delete = sqlx::query(statement).bind(host.id);
        context.tables().run(delete).await?;
    }
    if let (1, Some(zone_id)) = (host.published, host.zone_id) {
        context.note_changed(zone_id, &host.name);
    }
    if context.acting.registrar != Some(host.registrar_id) {
        let kind = NoticeKind::HostDeleted;
        let notice = Notice::new(host.registrar_id, kind, &*host.name);
        context.notices.push(notice);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
