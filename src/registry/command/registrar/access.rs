//! Changes what a registrar shows to get in. Its password it may change itself.

use super::super::super::code::ResultCode;
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::checks::registry_only;
use super::super::context::{Context, Touched};
use super::super::tables::rows;
use super::{RegistrarAccess, existing};
use crate::registry::access::pins;

/// Most certificates of a registrar.
const PINS_MAX: usize = 16;
/// Most sessions that a registrar may have at once.
const SESSIONS_MAX: u32 = 10_000;

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &RegistrarAccess,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    let is_password_only =
        command.pin.is_empty() && command.unpin.is_empty() && command.sessions_max.is_none();
    let own = context.acting.registrar;
    let is_contact = context.acting.contact.is_some();
    if is_contact || own.is_some() && !is_password_only {
        registry_only(&context.acting, handle.as_str())?;
    }
    if is_password_only && command.password_hash.is_none() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    if command.sessions_max.is_some_and(|most| most > SESSIONS_MAX) {
        let reason = format!("0 to {SESSIONS_MAX} sessions");
        return Err(rejected(ResultCode::ParameterRange, handle, reason));
    }
    let row = existing(&mut context.tables(), handle).await?;
    if own.is_some_and(|own| own != row.id) {
        registry_only(&context.acting, handle.as_str())?;
    }
    if let Some(hash) = &command.password_hash {
        let update = sqlx::query(
            "UPDATE registrars SET password_hash = $1, password_set_at = $2 WHERE id = $3",
        );
        let update = update.bind(hash.as_text()).bind(context.at.0).bind(row.id);
        context.tables().run(update).await?;
    }
    if let Some(most) = command.sessions_max {
        let update = sqlx::query("UPDATE registrars SET sessions_max = $1 WHERE id = $2");
        let update = update.bind(i64::from(most)).bind(row.id);
        context.tables().run(update).await?;
    }
    change_pins(context, command, row.id).await?;
    Ok(context.touch(Touched::Registrar, row.id).await?)
}

async fn change_pins(
    context: &mut Context<'_, '_>,
    command: &RegistrarAccess,
    registrar: i64,
) -> Result<(), CommandError> {
    let mut tables = context.tables();
    for pin in &command.unpin {
        let delete = sqlx::query("DELETE FROM registrar_pins WHERE registrar_id = $1 AND pin = $2");
        let delete = delete.bind(registrar).bind(pin.as_octets().to_vec());
        if tables.run(delete).await? == 0 {
            let reason = "not pinned";
            return Err(rejected(
                ResultCode::ParameterPolicy,
                &pin.to_string(),
                reason,
            ));
        }
    }
    for pin in &command.pin {
        let there = rows::<(i64,)>(
            "SELECT registrar_id FROM registrar_pins WHERE registrar_id = $1 AND pin = $2",
        );
        let octets = pin.as_octets().to_vec();
        if tables
            .any(there.bind(registrar).bind(octets.clone()))
            .await?
        {
            let reason = "pinned already";
            return Err(rejected(
                ResultCode::ParameterPolicy,
                &pin.to_string(),
                reason,
            ));
        }
        let insert = sqlx::query("INSERT INTO registrar_pins (registrar_id, pin) VALUES ($1, $2)");
        tables.run(insert.bind(registrar).bind(octets)).await?;
    }
    if pins(&mut tables, registrar).await?.len() > PINS_MAX {
        let reason = format!("at most {PINS_MAX} certificates");
        return Err(rejected(
            ResultCode::ParameterPolicy,
            &command.handle,
            reason,
        ));
    }
    Ok(())
}
