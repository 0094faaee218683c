//! Changes what a registrar shows to get in. Its password it may change itself.

use super::super::super::code::ResultCode;
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::checks::{difference, registry_only};
use super::super::context::{Context, Touched};
use super::super::tables::rows;
use super::{RegistrarAccess, existing};
use crate::registry::access::{pins, prefixes};
use crate::registry::policy::Stage;
use crate::registry::types::Handle;

/// Most certificates of a registrar.
const PINS_MAX: usize = 16;
/// Most networks of a registrar.
const PREFIXES_MAX: usize = 64;
/// Most sessions that a registrar may have at once.
const SESSIONS_MAX: u32 = 10_000;

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &RegistrarAccess,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    let without_password = RegistrarAccess {
        password_hash: None,
        ..command.clone()
    };
    let is_password_only = without_password == RegistrarAccess::new(handle.clone());
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
    if let Some(stage) = command.stage {
        change_stage(context, handle, row.id, stage).await?;
    }
    change_pins(context, command, row.id).await?;
    change_prefixes(context, command, row.id).await?;
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
                pin.to_string(),
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
                pin.to_string(),
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

async fn change_prefixes(
    context: &mut Context<'_, '_>,
    command: &RegistrarAccess,
    registrar: i64,
) -> Result<(), CommandError> {
    if command.allow.is_empty() && command.disallow.is_empty() {
        return Ok(());
    }
    let mut tables = context.tables();
    let mut after = prefixes(&mut tables, registrar)
        .await?
        .into_iter()
        .collect();
    difference(&mut after, &command.allow, &command.disallow)?;
    if after.len() > PREFIXES_MAX {
        let reason = format!("at most {PREFIXES_MAX} networks");
        let code = ResultCode::ParameterPolicy;
        return Err(rejected(code, &command.handle, reason));
    }
    for prefix in &command.disallow {
        let delete =
            sqlx::query("DELETE FROM registrar_prefixes WHERE registrar_id = $1 AND prefix = $2");
        tables
            .run(delete.bind(registrar).bind(prefix.to_string()))
            .await?;
    }
    for prefix in &command.allow {
        let insert =
            sqlx::query("INSERT INTO registrar_prefixes (registrar_id, prefix) VALUES ($1, $2)");
        tables
            .run(insert.bind(registrar).bind(prefix.to_string()))
            .await?;
    }
    Ok(())
}

/// What an account has is of its stage, so that only an empty one changes it.
async fn change_stage(
    context: &mut Context<'_, '_>,
    handle: &Handle,
    registrar: i64,
    stage: Stage,
) -> Result<(), CommandError> {
    let there = rows::<(i64,)>("SELECT id FROM domains WHERE registrar_id = $1 LIMIT 1");
    let mut tables = context.tables();
    if tables.any(there.bind(registrar)).await? {
        let reason = "it sponsors domains; make another account";
        return Err(rejected(ResultCode::AssociationProhibits, handle, reason));
    }
    let update = sqlx::query("UPDATE registrars SET stage = $1 WHERE id = $2");
    tables
        .run(update.bind(stage.name()).bind(registrar))
        .await?;
    Ok(())
}
