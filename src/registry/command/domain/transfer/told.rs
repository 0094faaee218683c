//! What the sides of a transfer are told: each step to the side that did not take it, and
//! to both what the registry or time did (RFC 5730 section 2.9.2.3).

use super::{TransferState, last, shown};
use crate::registry::command::CommandError;
use crate::registry::command::checks::registrar;
use crate::registry::command::context::Context;
use crate::registry::command::notices::{Notice, NoticeKind};
use crate::registry::types::{DomainName, Handle};

/// Leaves the notices of the step that was just taken with the command.
pub(super) async fn tell(
    context: &mut Context<'_, '_>,
    name: &DomainName,
    domain_id: i64,
    state: TransferState,
) -> Result<(), CommandError> {
    let kind = match state {
        TransferState::Pending => NoticeKind::TransferRequested,
        TransferState::ClientApproved | TransferState::ServerApproved => {
            NoticeKind::TransferApproved
        }
        TransferState::ClientRejected => NoticeKind::TransferRejected,
        TransferState::ClientCancelled | TransferState::ServerCancelled => {
            NoticeKind::TransferCancelled
        }
    };
    let own = context.acting.registrar;
    let mut tables = context.tables();
    let transfer = last(&mut tables, domain_id).await?;
    let transfer = transfer.ok_or_else(|| tables.inconsistent("a transfer without a row"))?;
    let mut sides = Vec::new();
    for handle in [&transfer.losing, &transfer.gaining] {
        // A registrar that was removed meanwhile has no queue.
        if let Some((id, _)) = registrar(&mut tables, &Handle::parse(handle)?).await? {
            sides.push(id);
        }
    }
    let state = serde_json::to_value(shown(name, transfer));
    let state = state.map_err(|error| tables.inconsistent(error.to_string()))?;
    for side in sides.into_iter().filter(|side| own != Some(*side)) {
        let mut notice = Notice::new(side, kind, name.as_str());
        notice.after = Some(state.clone());
        context.notices.push(notice);
    }
    Ok(())
}
