//! `contact info`.

use super::ContactInfo;
use super::change::offered;
use super::keys::keys_of;
use super::links::is_linked;
use super::row::existing;
use crate::registry::command::CommandError;
use crate::registry::command::answer::Info;
use crate::registry::command::checks::{Acting, sponsorship};
use crate::registry::command::domain::{names, roid};
use crate::registry::command::tables::Tables;
use crate::registry::database::Timestamp;
use crate::registry::types::Handle;

pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    reader: &Acting,
    handle: &Handle,
) -> Result<Info, CommandError> {
    offered(tables, reader, handle).await?;
    let row = existing(tables, handle).await?;
    // RFC 5733 section 3.1.2 leaves it to the server; personal data is for its sponsor.
    sponsorship(reader, row.registrar_id, handle.as_str())?;
    let registrar = "SELECT handle FROM registrars WHERE id = $1";
    let registrar = names(tables, registrar, row.registrar_id).await?.concat();
    let statuses = row.statuses(tables)?;
    let mut statuses: Vec<_> = statuses
        .iter()
        .map(|status| status.word().to_owned())
        .collect();
    // RFC 5733 section 2.2: `linked` may stand beside `ok`.
    if statuses.is_empty() {
        statuses.push("ok".into());
    }
    if is_linked(tables, row.id).await? {
        statuses.push("linked".into());
    }
    let keys = keys_of(tables, handle.as_str()).await?;
    let [voice, voice_extension, fax, fax_extension, email, disclose] = row.texts.others();
    Ok(Info::Contact(Box::new(ContactInfo {
        handle: handle.clone(),
        roid: roid(row.id),
        registrar,
        kind: row.texts.kind(),
        statuses,
        int: row.texts.int(),
        loc: row.texts.loc(),
        voice,
        voice_extension,
        fax,
        fax_extension,
        email,
        disclose,
        keys: keys.iter().map(|key| key.name().to_string()).collect(),
        created_at: Timestamp(row.created_at),
        created_by: row.created_by,
        updated_at: row.updated_at.map(Timestamp),
        updated_by: row.updated_by,
        transferred_at: row.transferred_at.map(Timestamp),
        copy_of: row.copy_of,
        erased_at: row.erased_at.map(Timestamp),
    })))
}
