//! What is published, decided in the write and stored.
//!
//! A domain is published if no status withholds it and it has name servers; a
//! host, if a published domain names it. Views then only join. Deviation: the
//! least number of name servers is asked for where a command sets them, not here,
//! so that a delegation that was imported with one keeps being served.

use super::super::error::RegistryError;
use super::changes::ObjectKind;
use super::context::Context;
use super::past;
use super::tables::rows;

/// Decides about one domain. Notes its name, whose records the caller has changed.
pub(super) async fn refresh_domain(
    context: &mut Context<'_, '_>,
    id: i64,
    allowed: bool,
) -> Result<(), RegistryError> {
    let query = rows::<(i64, i64, String)>(
        "UPDATE domains SET published = CASE WHEN $1 = 1 AND EXISTS \
         (SELECT n.host_id FROM delegations n WHERE n.domain_id = domains.id) THEN 1 ELSE 0 END, \
         parkable = CASE WHEN $1 = 1 AND NOT EXISTS \
         (SELECT n.host_id FROM delegations n WHERE n.domain_id = domains.id) AND NOT EXISTS \
         (SELECT h.id FROM hosts h WHERE h.domain_id = domains.id \
         AND h.statuses NOT LIKE '%pendingCreate%') THEN 1 ELSE 0 END \
         WHERE id = $2 RETURNING zone_id, published, name",
    );
    let query = query.bind(i64::from(allowed)).bind(id);
    if let Some((zone_id, _, name)) = context.tables().optional(query).await? {
        context.note_changed(zone_id, &name);
    }
    Ok(())
}

/// Which domains nothing but the zone's policy keeps from being parked, as the migration
/// that made the column has it. A host below one is to be found, which no parking server
/// knows; one that waits to be created is none yet.
macro_rules! parkable {
    () => {
        "statuses NOT LIKE '%Hold%' AND statuses NOT LIKE '%pendingCreate%' \
         AND statuses NOT LIKE '%pendingDelete%' AND NOT EXISTS \
         (SELECT n.host_id FROM delegations n WHERE n.domain_id = domains.id) AND NOT EXISTS \
         (SELECT h.id FROM hosts h WHERE h.domain_id = domains.id \
         AND h.statuses NOT LIKE '%pendingCreate%')"
    };
}

/// For all domains that came without deciding.
pub(in crate::registry) const SET_PARKABLE: &str = concat!(
    "UPDATE domains SET parkable = 1 WHERE published = 0 AND ",
    parkable!()
);

/// Decides anew whether a domain can be parked, after a host below it came or went.
pub(super) async fn refresh_parkable(
    context: &mut Context<'_, '_>,
    domain_id: Option<i64>,
) -> Result<(), RegistryError> {
    let Some(id) = domain_id else {
        return Ok(());
    };
    let query = rows::<(i64, String)>(concat!(
        "UPDATE domains SET parkable = 1 - parkable WHERE id = $1 AND parkable <> CASE WHEN ",
        parkable!(),
        " THEN 1 ELSE 0 END RETURNING zone_id, name"
    ));
    if let Some((zone_id, name)) = context.tables().optional(query.bind(id)).await? {
        context.note_changed(zone_id, &name);
    }
    Ok(())
}

/// Decides about hosts whose users have changed; notes those for whom it differs.
pub(super) async fn refresh_hosts(
    context: &mut Context<'_, '_>,
    hosts: impl IntoIterator<Item = i64>,
) -> Result<(), RegistryError> {
    for host in hosts {
        let query = rows::<(i64, Option<i64>, String)>(
            "SELECT published, zone_id, name FROM hosts WHERE id = $1",
        );
        let Some((before, zone_id, name)) = context.tables().optional(query.bind(host)).await?
        else {
            continue;
        };
        let used = rows::<(i64,)>(
            "SELECT d.id FROM delegations n JOIN domains d ON d.id = n.domain_id \
             WHERE n.host_id = $1 AND d.published = 1 LIMIT 1",
        );
        let after = i64::from(context.tables().any(used.bind(host)).await?);
        if before == after {
            continue;
        }
        past::keep(context, ObjectKind::Host, host).await?;
        let update = sqlx::query("UPDATE hosts SET published = $1 WHERE id = $2");
        context.tables().run(update.bind(after).bind(host)).await?;
        if let Some(zone_id) = zone_id {
            context.note_changed(zone_id, &name);
        }
    }
    Ok(())
}

/// Hosts that a domain names.
pub(super) async fn hosts_of(
    context: &mut Context<'_, '_>,
    domain_id: i64,
) -> Result<Vec<i64>, RegistryError> {
    let query = rows::<(i64,)>("SELECT host_id FROM delegations WHERE domain_id = $1");
    let hosts = context.tables().all(query.bind(domain_id)).await?;
    Ok(hosts.into_iter().map(|(host,)| host).collect())
}

/// Notes the published domains that name a host: their NS records hold its name.
pub(super) async fn note_dependents(
    context: &mut Context<'_, '_>,
    host_id: i64,
) -> Result<(), RegistryError> {
    let query = rows::<(i64, String)>(
        "SELECT d.zone_id, d.name FROM delegations n JOIN domains d ON d.id = n.domain_id \
         WHERE n.host_id = $1 AND d.published = 1",
    );
    let dependents = context.tables().all(query.bind(host_id)).await?;
    context.changed.extend(dependents);
    Ok(())
}
