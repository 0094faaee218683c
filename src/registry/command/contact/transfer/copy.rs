//! Contacts of a domain that goes over, copied for its new sponsor.
//!
//! Where the zone's policy says so: the losing registrar's contacts stay its own, whatever
//! else they are for, and the gaining one gets contacts that it can change. A copy has a handle
//! of its own, no statuses and no authorization information. Whoever was erased is not
//! copied; a later erasure says which copies there are.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::super::links::{Links, contacts_of, write_links};
use super::super::row::{COLUMNS, existing};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::Context;
use crate::registry::command::tables::rows;
use crate::registry::types::Handle;

/// Numbers that are tried for a handle: only one that somebody chose can be taken.
const NUMBERS_MAX: usize = 1000;

/// Gives a domain copies of the contacts that its new sponsor does not have.
pub(in crate::registry::command) async fn copy_contacts(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    gaining: i64,
) -> Result<(), CommandError> {
    let before = contacts_of(&mut context.tables(), domain_id).await?;
    let mut copies: BTreeMap<Handle, Handle> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    let handles = before.contacts.iter().map(|link| &link.contact);
    for handle in handles.chain(&before.registrant) {
        if copies.contains_key(handle) {
            continue;
        }
        let row = existing(&mut context.tables(), handle).await?;
        if row.registrar_id == gaining || row.erased_at.is_some() {
            continue;
        }
        let (id, copy) = copy(context, row.id, handle, gaining).await?;
        ids.insert(copy.clone(), id);
        copies.insert(handle.clone(), copy);
    }
    if copies.is_empty() {
        return Ok(());
    }
    let other = |handle: &Handle| copies.get(handle).unwrap_or(handle).clone();
    let mut after = Links {
        registrant: before.registrant.as_ref().map(other),
        contacts: before.contacts.clone(),
    };
    after.contacts = before
        .contacts
        .iter()
        .cloned()
        .map(|mut link| {
            link.contact = other(&link.contact);
            link
        })
        .collect();
    write_links(&mut context.tables(), domain_id, &before, &after, &ids).await?;
    let list: Vec<_> = copies
        .iter()
        .map(|(old, new)| format!("{old} as {new}"))
        .collect();
    context
        .notes
        .push(format!("contacts copied: {}", list.join(", ")));
    Ok(())
}

/// A copy of one contact, with its number.
async fn copy(
    context: &mut Context<'_, '_>,
    id: i64,
    handle: &Handle,
    gaining: i64,
) -> Result<(i64, Handle), CommandError> {
    let (new, name) = free_handle(context, handle).await?;
    let columns = COLUMNS.join(", ");
    let text = format!(
        "INSERT INTO contacts (id, handle, registrar_id, statuses, created_at, created_by, \
         first_event, copy_of, {columns}) SELECT $1, $2, $3, '', $4, $5, $6, \
         COALESCE(c.copy_of, c.handle), {columns} \
         FROM contacts c WHERE c.id = $7"
    );
    let (by, event) = (context.acting.by.clone(), context.write.next_event());
    let insert = sqlx::query(AssertSqlSafe(text))
        .bind(new)
        .bind(name.as_str())
        .bind(gaining)
        .bind(context.at.0)
        .bind(by)
        .bind(event)
        .bind(id);
    context.tables().run(insert).await?;
    Ok((new, name))
}

/// `C-N` with a number of the sequence of objects, which has none twice.
async fn free_handle(
    context: &mut Context<'_, '_>,
    of: &Handle,
) -> Result<(i64, Handle), CommandError> {
    for _ in 0..NUMBERS_MAX {
        let id = context.new_object();
        let handle = Handle::parse(&format!("C-{id}"))?;
        let taken = rows::<(i64,)>("SELECT id FROM contacts WHERE handle = $1");
        if !context.tables().any(taken.bind(handle.as_str())).await? {
            return Ok((id, handle));
        }
    }
    let reason = "every number for a handle of its copy is taken";
    Err(rejected(ResultCode::AssociationProhibits, of, reason))
}
