//! Hosts that other domains name, when the domain above them goes.

use std::collections::BTreeMap;

use super::super::super::code::ResultCode;
use super::super::super::error::RegistryError;
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::context::Context;
use super::super::notices::{NAMES_MAX, Notice, NoticeKind, RenamedHost};
use super::super::publication::{note_dependents, refresh_parkable};
use super::super::tables::rows;
use super::{HostOrphan, Leaving, OrphanPolicy, Subordinate};

/// Where names end that cannot resolve (RFC 9874 section 5.1.4.3).
const INVALID_DOMAIN: &str = "sacrificial.invalid";
/// Numbers that are tried for a name: only an imported host can have one.
const NUMBERS_MAX: usize = 1000;
/// Names of users that a refusal lists.
const USERS_MAX: i64 = 10;

/// Where hosts are renamed to.
pub(super) struct Place {
    /// The end of their names.
    parent: String,
    domain_id: Option<i64>,
    zone_id: Option<i64>,
    /// Their sponsor from then on; `None` leaves it.
    registrar_id: Option<i64>,
}

/// Where hosts that are in use go, as the policy says; or a refusal.
pub(super) async fn place(
    context: &mut Context<'_, '_>,
    policy: &OrphanPolicy,
    domain: Leaving<'_>,
    used: &[Subordinate],
) -> Result<Place, CommandError> {
    match policy.host_orphan {
        HostOrphan::Refuse => Err(refusal(context, domain, used).await?),
        HostOrphan::Lame => lame_place(context, policy, domain).await,
        HostOrphan::Invalid | HostOrphan::Restore => Ok(Place {
            parent: INVALID_DOMAIN.to_owned(),
            domain_id: None,
            zone_id: None,
            registrar_id: None,
        }),
    }
}

/// Gives hosts that are in use their new names, and tells whom it concerns.
pub(super) async fn keep(
    context: &mut Context<'_, '_>,
    domain: Leaving<'_>,
    used: &[Subordinate],
    place: &Place,
) -> Result<(), CommandError> {
    let mut told: BTreeMap<i64, Vec<RenamedHost>> = BTreeMap::new();
    for host in used {
        let new = rename(context, host, place).await?;
        for (registrar, renamed) in affected(context, host.id, &host.name, &new).await? {
            told.entry(registrar).or_default().push(renamed);
        }
    }
    for (registrar, mut renamed) in told {
        let mut notice = Notice::new(registrar, NoticeKind::NameServersRenamed, domain.name);
        notice.changes = i64::try_from(renamed.len()).unwrap_or(i64::MAX);
        renamed.truncate(NAMES_MAX);
        notice.renamed = renamed;
        context.notices.push(notice);
    }
    Ok(())
}

/// 2305 with how many domains name its hosts, and which of them are the actor's own.
async fn refusal(
    context: &mut Context<'_, '_>,
    domain: Leaving<'_>,
    used: &[Subordinate],
) -> Result<CommandError, RegistryError> {
    let users = rows::<(String, i64)>(
        "SELECT DISTINCT d.name, d.registrar_id FROM hosts h \
         JOIN delegations n ON n.host_id = h.id JOIN domains d ON d.id = n.domain_id \
         WHERE h.domain_id = $1 AND d.id <> $1 AND (d.registrar_id = $2 OR $3 = 1) \
         ORDER BY d.name LIMIT $4",
    );
    // Another registrar's domains are not told.
    let own = context.acting.registrar;
    let users = users
        .bind(domain.id)
        .bind(own.unwrap_or_default())
        .bind(i64::from(own.is_none()))
        .bind(USERS_MAX);
    let users = context.tables().all(users).await?;
    let names: Vec<_> = users.iter().map(|(name, _)| name.as_str()).collect();
    let among = if names.is_empty() {
        String::new()
    } else {
        format!(", among them {}", names.join(", "))
    };
    let uses: i64 = used.iter().map(|host| host.users).sum();
    let hosts = used.len();
    let reason =
        format!("{hosts} hosts below it are name servers of other domains, {uses} times{among}");
    let code = ResultCode::AssociationProhibits;
    Ok(rejected(code, domain.name, reason))
}

/// The registry's domain for such hosts, where the policy has made it.
async fn lame_place(
    context: &mut Context<'_, '_>,
    policy: &OrphanPolicy,
    domain: Leaving<'_>,
) -> Result<Place, CommandError> {
    let name = policy.lame_domain.clone().unwrap_or_default();
    let query =
        rows::<(i64, i64)>("SELECT id, registrar_id FROM domains WHERE name = $1 AND zone_id = $2");
    let query = query.bind(name.as_str()).bind(domain.zone_id);
    match context.tables().optional(query).await? {
        Some((id, registrar)) => Ok(Place {
            parent: name,
            domain_id: Some(id),
            zone_id: Some(domain.zone_id),
            registrar_id: Some(registrar),
        }),
        None => {
            let reason = "the zone has no domain for orphaned hosts; \
                          make it with `meridian registry zone orphans`";
            let code = ResultCode::AssociationProhibits;
            Err(rejected(code, domain.name, reason))
        }
    }
}

/// Gives a host its new name; its id, and under a name of ours its addresses, stay.
async fn rename(
    context: &mut Context<'_, '_>,
    host: &Subordinate,
    place: &Place,
) -> Result<String, CommandError> {
    let new = free_name(context, place).await?;
    if let Some(zone_id) = host.zone_id {
        context.note_changed(zone_id, &host.name);
    }
    if place.zone_id.is_none() {
        let clear = sqlx::query("DELETE FROM host_addresses WHERE host_id = $1");
        context.tables().run(clear.bind(host.id)).await?;
    }
    let (at, registrar) = (context.at.0, place.registrar_id);
    let update = sqlx::query(
        "UPDATE hosts SET name = $1, domain_id = $2, zone_id = $3, registrar_id = $4, \
         statuses = '', updated_at = $5, lame_of = $6, lame_zone = $7, lame_since = $5, \
         lame_told_at = $5 WHERE id = $8",
    )
    .bind(new.as_str())
    .bind(place.domain_id)
    .bind(place.zone_id)
    .bind(registrar.unwrap_or(host.registrar_id))
    .bind(at)
    .bind(host.name.as_str())
    .bind(host.zone_id)
    .bind(host.id);
    context.tables().run(update).await?;
    if let Some(zone_id) = place.zone_id {
        context.note_changed(zone_id, &new);
    }
    note_dependents(context, host.id).await?;
    refresh_parkable(context, place.domain_id).await?;
    Ok(new)
}

/// `ns-N` with a number of the sequence of objects, which has none twice.
async fn free_name(context: &mut Context<'_, '_>, place: &Place) -> Result<String, CommandError> {
    for _ in 0..NUMBERS_MAX {
        let name = format!("ns-{}.{}", context.new_object(), place.parent);
        let taken = rows::<(i64,)>("SELECT id FROM hosts WHERE name = $1");
        let taken = taken.bind(name.as_str());
        if !context.tables().any(taken).await? {
            return Ok(name);
        }
    }
    let reason = "every number for a new name of its hosts is taken";
    let code = ResultCode::AssociationProhibits;
    Err(rejected(code, &place.parent, reason))
}

/// Whom a rename concerns: the sponsors of the domains that name the host.
pub(in super::super) async fn affected(
    context: &mut Context<'_, '_>,
    host_id: i64,
    old: &str,
    new: &str,
) -> Result<Vec<(i64, RenamedHost)>, RegistryError> {
    let counts = rows::<(i64, i64)>(
        "SELECT d.registrar_id, COUNT(*) FROM delegations n JOIN domains d ON d.id = n.domain_id \
         WHERE n.host_id = $1 GROUP BY d.registrar_id ORDER BY d.registrar_id",
    );
    let counts = context.tables().all(counts.bind(host_id)).await?;
    let mut affected = Vec::with_capacity(counts.len());
    for (registrar, count) in counts {
        let names = rows::<(String,)>(
            "SELECT d.name FROM delegations n JOIN domains d ON d.id = n.domain_id \
             WHERE n.host_id = $1 AND d.registrar_id = $2 ORDER BY d.name LIMIT $3",
        );
        let most = i64::try_from(NAMES_MAX).unwrap_or(i64::MAX);
        let names = names.bind(host_id).bind(registrar).bind(most);
        let names = context.tables().all(names).await?;
        let renamed = RenamedHost {
            old: old.to_owned(),
            new: new.to_owned(),
            domains: names.into_iter().map(|(name,)| name).collect(),
            count,
        };
        affected.push((registrar, renamed));
    }
    Ok(affected)
}
