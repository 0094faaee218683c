//! `domain move`: to another registrar by the registry's word alone, as when a registrar
//! gives up its business.
//!
//! Nobody is asked, no year is added and no fee's grace period begins; the case says why.
//! Hosts below the domain go along, contacts and hosts elsewhere stay with their sponsor. What
//! the losing registrar forbids does not bind the registry; what the registry forbids, such
//! as a lock, does. Never takes a domain from another registrar than the one named.

use serde::{Deserialize, Serialize};

use super::{Row, TransferState, handle_of, store, taker};
use crate::registry::code::ResultCode;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    active, no_pending, not_prohibited, registry_only, zone_of,
};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::domain::row::{clear_graces, existing};
use crate::registry::command::notices::{Notice, NoticeKind};
use crate::registry::command::{CommandError, past};
use crate::registry::error::RegistryError;
use crate::registry::life::Phase;
use crate::registry::types::{DomainName, Handle, Status};

/// Moves a domain from one registrar to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainMove {
    /// The domain.
    pub name: DomainName,
    /// Its sponsor.
    pub from: Handle,
    /// The sponsor that it gets.
    pub to: Handle,
}

/// Runs it; the domain's zone.
pub(in crate::registry::command::domain) async fn move_over(
    context: &mut Context<'_, '_>,
    command: &DomainMove,
) -> Result<i64, CommandError> {
    let (name, at) = (&command.name, context.at);
    registry_only(&context.acting, name.as_str())?;
    if !context.has_case {
        let reason = "to move a domain needs the number of its case";
        return Err(rejected(ResultCode::ParameterMissing, "case", reason));
    }
    let mut tables = context.tables();
    let row = existing(&mut tables, name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let (statuses, life) = (row.statuses(&tables)?, row.life(&tables)?);
    let (gaining, _) = taker(&mut tables, &command.to).await?;
    let losing = handle_of(&mut tables, row.registrar_id).await?;
    if losing != command.from.as_str() {
        let reason = format!("its sponsor is {losing}");
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    if gaining == row.registrar_id {
        let reason = "it is there already";
        return Err(rejected(ResultCode::NotTransferable, name, reason));
    }
    active(&zone)?;
    // A domain that was deleted goes along as well: whoever has it can restore it.
    if life.phase == Phase::Registered {
        no_pending(&statuses, name.as_str())?;
    }
    not_prohibited(
        &statuses,
        &[Status::ServerTransferProhibited],
        name.as_str(),
    )?;
    hand_over(context, row.id, gaining, at.0).await?;
    let transfer = Row {
        state: TransferState::ServerApproved.name().to_owned(),
        gaining: command.to.to_string(),
        losing,
        years: 0,
        requested_at: at.0,
        acted_at: at.0,
        expires_at: life.expires_at.map(|at| at.0),
    };
    store(&mut context.tables(), row.id, transfer).await?;
    context.touch(Touched::Domain, row.id).await?;
    let sides = serde_json::json!({ "losing": command.from, "gaining": command.to });
    for side in [row.registrar_id, gaining] {
        let mut notice = Notice::new(side, NoticeKind::DomainsMoved, name.as_str());
        notice.after = Some(sides.clone());
        context.notices.push(notice);
    }
    Ok(row.zone_id)
}

/// A domain and the hosts below it have another sponsor from now on. What authorized
/// a transfer is void, and nobody gets back what somebody else paid.
pub(super) async fn hand_over(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    gaining: i64,
    at: i64,
) -> Result<(), RegistryError> {
    past::keep_below(context, domain_id).await?;
    let mut tables = context.tables();
    let update = sqlx::query(
        "UPDATE domains SET registrar_id = $1, transferred_at = $2, auth = NULL WHERE id = $3",
    );
    tables
        .run(update.bind(gaining).bind(at).bind(domain_id))
        .await?;
    let hosts =
        sqlx::query("UPDATE hosts SET registrar_id = $1, transferred_at = $2 WHERE domain_id = $3");
    tables
        .run(hosts.bind(gaining).bind(at).bind(domain_id))
        .await?;
    clear_graces(&mut tables, domain_id).await
}
