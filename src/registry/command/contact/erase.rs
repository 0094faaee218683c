//! `contact erase`: what the registry knows of a person, erased for good.
//!
//! The contact's columns are emptied, its keys taken off file, and the key shredded that the
//! log has sealed its words with: no event and no earlier state can be opened again, and the
//! chain of digests is as it was. The object stays, since domains name it; it says nothing, takes
//! no change, and no domain can be given it anew. A contact that was removed leaves its key
//! behind, which `former` shreds. The registry's own, with the number of a case. What is
//! outside of the database, backups and deposits, is not in its hands.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use super::row::{COLUMNS, existing};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{no_pending, registry_only};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::notices::{Notice, NoticeKind};
use crate::registry::command::tables::rows;
use crate::registry::error::RegistryError;
use crate::registry::types::Handle;

/// Most copies of a contact that are named.
const COPIES_MAX: i64 = 100;

/// Erases what is said of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContactErase {
    /// Which contact.
    pub handle: Handle,
    /// Not the contact that has the handle, but those that had it before and were removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub former: bool,
}

pub(super) async fn erase(
    context: &mut Context<'_, '_>,
    command: &ContactErase,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    registry_only(&context.acting, handle.as_str())?;
    if command.former {
        return erase_former(context, handle).await;
    }
    let mut tables = context.tables();
    let row = existing(&mut tables, handle).await?;
    let statuses = row.statuses(&tables)?;
    no_pending(&statuses, handle.as_str())?;
    if row.erased_at.is_some() {
        let reason = "erased already";
        return Err(rejected(ResultCode::StatusProhibits, handle, reason));
    }
    needs_case(context)?;
    let empty: Vec<_> = COLUMNS
        .iter()
        .filter(|column| **column != "kind")
        .map(|column| format!("{column} = NULL"))
        .collect();
    let text = format!(
        "UPDATE contacts SET auth = NULL, erased_at = $1, {} WHERE id = $2",
        empty.join(", ")
    );
    let update = sqlx::query(AssertSqlSafe(text));
    let update = update.bind(context.at.0).bind(row.id);
    context.tables().run(update).await?;
    let keys = sqlx::query("DELETE FROM contact_keys WHERE contact_id = $1");
    context.tables().run(keys.bind(row.id)).await?;
    shred(context, row.id, handle).await?;
    context.touch(Touched::Contact, row.id).await?;
    let notice = Notice::new(row.registrar_id, NoticeKind::ContactErased, handle.as_str());
    context.notices.push(notice);
    note_uses(context, row.id, handle).await?;
    note_copies(context, handle, row.copy_of.as_deref()).await?;
    Ok(())
}

fn needs_case(context: &Context<'_, '_>) -> Result<(), CommandError> {
    if context.has_case {
        return Ok(());
    }
    let reason = "to erase personal data needs the number of its case";
    Err(rejected(ResultCode::ParameterMissing, "case", reason))
}

/// A contact without a key gets an empty one, so that none is made later.
async fn shred(
    context: &mut Context<'_, '_>,
    id: i64,
    handle: &Handle,
) -> Result<(), RegistryError> {
    let shred = sqlx::query(
        "INSERT INTO data_keys (contact_id, handle, key, shredded_at) VALUES ($1, $2, NULL, $3) \
         ON CONFLICT (contact_id) DO UPDATE SET key = NULL, shredded_at = excluded.shredded_at",
    );
    let shred = shred.bind(id).bind(handle.as_str()).bind(context.at.0);
    context.tables().run(shred).await.map(drop)
}

/// Says which domains have a contact without a name from now on.
async fn note_uses(
    context: &mut Context<'_, '_>,
    id: i64,
    handle: &Handle,
) -> Result<(), RegistryError> {
    let query = rows::<(i64, i64)>(
        "SELECT (SELECT COUNT(*) FROM domains WHERE registrant_id = $1), \
         (SELECT COUNT(*) FROM domain_contacts WHERE contact_id = $1)",
    );
    let found = context.tables().optional(query.bind(id)).await?;
    let (held, named) = found.unwrap_or_default();
    let note = format!(
        "{handle} is left without name, addresses, numbers and keys; it is registrant of {held} \
         domains and their contact {named} times, which should get another"
    );
    context.notes.push(note);
    Ok(())
}

/// The same person may be known by other contacts: whoever erases has to see them.
async fn note_copies(
    context: &mut Context<'_, '_>,
    handle: &Handle,
    copy_of: Option<&str>,
) -> Result<(), RegistryError> {
    let query = rows::<(String,)>(
        "SELECT handle FROM contacts WHERE (copy_of = $1 OR copy_of = $2 OR handle = $2) \
         AND handle <> $1 AND erased_at IS NULL ORDER BY id LIMIT $3",
    );
    let query = query
        .bind(handle.as_str())
        .bind(copy_of.unwrap_or_default());
    let found = context.tables().all(query.bind(COPIES_MAX)).await?;
    if !found.is_empty() {
        let names: Vec<_> = found.into_iter().map(|(name,)| name).collect();
        let note = format!("copies of the same person are left: {}", names.join(", "));
        context.notes.push(note);
    }
    Ok(())
}

async fn erase_former(context: &mut Context<'_, '_>, handle: &Handle) -> Result<(), CommandError> {
    let query = rows::<(i64,)>(
        "SELECT k.contact_id FROM data_keys k WHERE k.handle = $1 AND k.key IS NOT NULL \
         AND NOT EXISTS (SELECT c.id FROM contacts c WHERE c.id = k.contact_id) \
         ORDER BY k.contact_id",
    );
    let found = context.tables().all(query.bind(handle.as_str())).await?;
    if found.is_empty() {
        let reason = "no removed contact of this handle left anything";
        return Err(rejected(ResultCode::ObjectDoesNotExist, handle, reason));
    }
    needs_case(context)?;
    for (id,) in &found {
        shred(context, *id, handle).await?;
    }
    let note = format!(
        "contacts that were {handle} and were removed: {}",
        found.len()
    );
    context.notes.push(note);
    Ok(())
}
