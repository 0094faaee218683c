//! Which commands wait, and for whom.

use std::collections::BTreeSet;

use super::{Needs, Panel};
use crate::registry::command::checks::{ancestry, closest_zone, zone_of};
use crate::registry::command::context::Context;
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::command::{Command, CommandError, DomainCommand, HostCommand, lock};
use crate::registry::policy::ChangeControl;

/// What a command is about, as far as somebody's consent depends on it.
#[derive(Debug, Default)]
struct Place {
    zones: BTreeSet<i64>,
    /// Domains whose lock it is subject to.
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
    let is_registry = context.acting.registrar.is_none();
    let tables = &mut context.tables();
    let place = place(tables, command).await?;
    let (mut needs, mut wait) = (Needs::default(), 0);
    let mut panels = BTreeSet::new();
    for domain in &place.domains {
        panels.extend(lock::panel(tables, *domain).await?);
    }
    for zone in place.zones {
        let policy = zone_of(tables, zone).await?.policy;
        wait = wait.max(policy.review_wait);
        if is_registry || !is_reviewed(command) {
            continue;
        }
        if policy.change_control == ChangeControl::Verify {
            panels.insert(Panel {
                approvals: policy.approvals,
                approvers: policy.approvers,
            });
        }
    }
    needs.panels = panels.into_iter().collect();
    Ok((!needs.are_none()).then_some((needs, wait)))
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
fn is_locked_against(command: &DomainCommand) -> bool {
    match command {
        DomainCommand::Transfer(transfer) => transfer.is_request(),
        command => matches!(
            command,
            DomainCommand::Update(_)
                | DomainCommand::Delete(_)
                | DomainCommand::Restore(_)
                | DomainCommand::Purge(_)
                | DomainCommand::Unlock(_)
        ),
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
                place
                    .domains
                    .extend(is_locked_against(command).then_some(id));
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
