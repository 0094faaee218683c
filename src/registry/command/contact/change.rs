//! `contact create`, `contact update` and `contact delete`.

use sqlx::AssertSqlSafe;

use super::links::is_linked;
use super::row::{COLUMNS, Texts, existing, find};
use super::{Change, ContactCreate, ContactUpdate, Disclose, PostalInfo, PostalParts};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    Acting, StatusChange, no_pending, not_prohibited, sponsor, sponsorship,
};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::tables::{Tables, rows};
use crate::registry::types::{AuthInfo, Handle, Status, salt};

/// Most lines of a street (RFC 5733 section 4).
const STREET_MAX: usize = 3;

/// Contacts are kept in some zone where the registrar registers.
pub(super) async fn offered(
    tables: &mut Tables<'_>,
    acting: &Acting,
    handle: &Handle,
) -> Result<(), CommandError> {
    let Some(registrar) = acting.registrar else {
        return Ok(());
    };
    let thick = rows::<(i64,)>(
        "SELECT z.id FROM zones z WHERE z.data_model = 'maximum' OR (z.data_model = \
         'per-registrar' AND EXISTS (SELECT 1 FROM registrars r WHERE r.id = $1 \
         AND r.data_model = 'maximum')) LIMIT 1",
    );
    if tables.any(thick.bind(registrar)).await? {
        return Ok(());
    }
    let reason = "no zone here keeps contacts of yours";
    Err(rejected(ResultCode::UnimplementedService, handle, reason))
}

fn check_postal(handle: &Handle, info: &PostalInfo, is_int: bool) -> Result<(), CommandError> {
    if info.address.street.len() > STREET_MAX {
        let reason = format!("a street of {STREET_MAX} lines at most");
        return Err(rejected(ResultCode::ParameterPolicy, handle, reason));
    }
    let address = &info.address;
    let mut lines = [&info.name, &address.city]
        .into_iter()
        .chain(&info.organization)
        .chain(&address.street)
        .chain(&address.province);
    // RFC 5733 section 2.4: what ASCII can say.
    if let Some(line) = lines.find(|line| is_int && !line.as_str().is_ascii()) {
        let reason = "the internationalized form is in ASCII";
        return Err(rejected(ResultCode::ParameterSyntax, line, reason));
    }
    Ok(())
}

fn check_disclose(handle: &Handle, disclose: Option<&Disclose>) -> Result<(), CommandError> {
    match disclose {
        Some(disclose) if disclose.elements.is_empty() => {
            let reason = "name what is to be shown or hidden";
            Err(rejected(ResultCode::ParameterMissing, handle, reason))
        }
        _ => Ok(()),
    }
}

pub(super) async fn create(
    context: &mut Context<'_, '_>,
    command: &ContactCreate,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    if command.int.is_none() && command.loc.is_none() {
        let reason = "a contact needs a name and an address";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    check_disclose(handle, command.disclose.as_ref())?;
    let acting = context.acting.clone();
    let mut tables = context.tables();
    offered(&mut tables, &acting, handle).await?;
    let sponsor = sponsor(&mut tables, &acting, command.registrar.as_ref()).await?;
    if find(&mut tables, handle).await?.is_some() {
        return Err(rejected(ResultCode::ObjectExists, handle, "there already"));
    }
    for (info, is_int) in [(&command.int, true), (&command.loc, false)] {
        if let Some(info) = info {
            check_postal(handle, info, is_int)?;
        }
    }
    let mut texts = Texts::default();
    texts.set_kind(command.kind);
    texts.set_int(command.int.as_ref());
    texts.set_loc(command.loc.as_ref());
    texts.set_voice(command.voice.as_ref());
    texts.set_fax(command.fax.as_ref());
    texts.set_email(&command.email);
    texts.set_disclose(command.disclose.as_ref());
    let id = context.new_object();
    let insert = sqlx::query(
        "INSERT INTO contacts (id, handle, registrar_id, statuses, created_at, created_by, kind, \
         first_event) VALUES ($1, $2, $3, '', $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(handle.as_str())
    .bind(sponsor)
    .bind(context.at.0)
    .bind(acting.by)
    .bind(command.kind.name())
    .bind(context.write.next_event());
    context.tables().run(insert).await?;
    context.person = Some(id);
    write(context, id, &texts).await?;
    match &command.auth_info {
        Some(auth) => write_auth(context, id, handle, auth).await,
        None => Ok(()),
    }
}

async fn write(context: &mut Context<'_, '_>, id: i64, texts: &Texts) -> Result<(), CommandError> {
    let set: Vec<_> = COLUMNS
        .iter()
        .zip(1..)
        .map(|(column, number)| format!("{column} = ${number}"))
        .collect();
    let last = COLUMNS.len() + 1;
    let text = format!("UPDATE contacts SET {} WHERE id = ${last}", set.join(", "));
    let update = sqlx::query(AssertSqlSafe(text));
    let update = texts
        .0
        .iter()
        .fold(update, |query, text| query.bind(text.clone()));
    context.tables().run(update.bind(id)).await?;
    Ok(())
}

async fn write_auth(
    context: &mut Context<'_, '_>,
    id: i64,
    handle: &Handle,
    auth: &AuthInfo,
) -> Result<(), CommandError> {
    if let Some(reason) = auth.weakness() {
        return Err(rejected(ResultCode::ParameterPolicy, handle, reason));
    }
    let mut tables = context.tables();
    let salt = salt().ok_or_else(|| tables.inconsistent("no random octets from the system"))?;
    let update = sqlx::query("UPDATE contacts SET auth = $1 WHERE id = $2");
    tables.run(update.bind(auth.kept(salt)).bind(id)).await?;
    Ok(())
}

pub(super) async fn update(
    context: &mut Context<'_, '_>,
    command: &ContactUpdate,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    if *command == ContactUpdate::new(handle.clone()) {
        let reason = "an update of nothing";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    let acting = context.acting.clone();
    let mut tables = context.tables();
    offered(&mut tables, &acting, handle).await?;
    let row = existing(&mut tables, handle).await?;
    let statuses = row.statuses(&tables)?;
    sponsorship(&acting, row.registrar_id, handle.as_str())?;
    no_pending(&statuses, handle.as_str())?;
    row.not_erased(handle)?;
    let nothing_else = ContactUpdate {
        add: command.add.clone(),
        remove: command.remove.clone(),
        ..ContactUpdate::new(handle.clone())
    };
    let change = StatusChange {
        add: &command.add,
        remove: &command.remove,
        is_all: *command == nothing_else,
    };
    change.permitted(&statuses, handle.as_str())?;
    if let Some(status) = command.add.iter().find(|status| !status.is_for_contacts()) {
        let reason = "not a status of contacts";
        return Err(rejected(ResultCode::ParameterPolicy, status, reason));
    }
    let after = change.apply(&statuses, &acting)?;
    let mut texts = row.texts.clone();
    changed(&mut texts, command)?;
    let update = sqlx::query("UPDATE contacts SET statuses = $1 WHERE id = $2");
    let update = update.bind(after.column()).bind(row.id);
    context.tables().run(update).await?;
    context.person = Some(row.id);
    write(context, row.id, &texts).await?;
    if let Some(auth) = &command.auth_info {
        write_auth(context, row.id, handle, auth).await?;
    }
    Ok(context.touch(Touched::Contact, row.id).await?)
}

fn value<T>(change: &Change<T>) -> Option<&T> {
    match change {
        Change::Set(value) => Some(value),
        Change::Remove => None,
    }
}

/// The texts of a contact after an update.
fn changed(texts: &mut Texts, command: &ContactUpdate) -> Result<(), CommandError> {
    let handle = &command.handle;
    if let Some(kind) = command.kind {
        texts.set_kind(kind);
    }
    if let Some(change) = &command.int {
        value(change).map_or(Ok(()), |info| check_postal(handle, info, true))?;
        texts.set_int(value(change));
    }
    if let Some(change) = &command.loc {
        value(change).map_or(Ok(()), |info| check_postal(handle, info, false))?;
        texts.set_loc(value(change));
    }
    for (parts, is_int) in [(&command.int_parts, true), (&command.loc_parts, false)] {
        if let Some(parts) = parts {
            change_parts(texts, handle, parts, is_int)?;
        }
    }
    if let Some(change) = &command.voice {
        texts.set_voice(value(change));
    }
    if let Some(change) = &command.fax {
        texts.set_fax(value(change));
    }
    if let Some(email) = &command.email {
        texts.set_email(email);
    }
    if let Some(change) = &command.disclose {
        check_disclose(handle, value(change))?;
        texts.set_disclose(value(change));
    }
    if !texts.has_postal() {
        let reason = "a contact needs a name and an address";
        return Err(rejected(ResultCode::ParameterPolicy, handle, reason));
    }
    Ok(())
}

/// One form of name and address, with some of its parts changed.
fn change_parts(
    texts: &mut Texts,
    handle: &Handle,
    parts: &PostalParts,
    is_int: bool,
) -> Result<(), CommandError> {
    let before = texts.postal_info(is_int);
    let name = parts.name.clone().or(before.name);
    let address = parts.address.clone().or(before.address);
    let (Some(name), Some(address)) = (name, address) else {
        let reason = "a new form needs a name and an address";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    };
    let info = PostalInfo {
        name,
        organization: match &parts.organization {
            Some(change) => value(change).cloned(),
            None => before.organization,
        },
        address,
    };
    check_postal(handle, &info, is_int)?;
    match is_int {
        true => texts.set_int(Some(&info)),
        false => texts.set_loc(Some(&info)),
    }
    Ok(())
}

pub(super) async fn delete(
    context: &mut Context<'_, '_>,
    handle: &Handle,
) -> Result<(), CommandError> {
    const PROHIBIT: [Status; 2] = [
        Status::ClientDeleteProhibited,
        Status::ServerDeleteProhibited,
    ];
    let acting = context.acting.clone();
    let mut tables = context.tables();
    offered(&mut tables, &acting, handle).await?;
    let row = existing(&mut tables, handle).await?;
    let statuses = row.statuses(&tables)?;
    sponsorship(&acting, row.registrar_id, handle.as_str())?;
    no_pending(&statuses, handle.as_str())?;
    not_prohibited(&statuses, &PROHIBIT, handle.as_str())?;
    // RFC 5733 section 3.2.2.
    if is_linked(&mut tables, row.id).await? {
        let reason = "a contact of a domain";
        return Err(rejected(ResultCode::AssociationProhibits, handle, reason));
    }
    let delete = sqlx::query("DELETE FROM contacts WHERE id = $1");
    tables.run(delete.bind(row.id)).await?;
    Ok(())
}
