//! `host info`.

use super::HostInfo;
use super::row::{addresses_of, existing, is_linked};
use crate::registry::command::CommandError;
use crate::registry::command::answer::Info;
use crate::registry::command::domain::{names, roid};
use crate::registry::command::tables::Tables;
use crate::registry::database::Timestamp;
use crate::registry::types::HostName;

pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    name: &HostName,
) -> Result<Info, CommandError> {
    let row = existing(tables, name).await?;
    let registrar = "SELECT handle FROM registrars WHERE id = $1";
    let registrar = names(tables, registrar, row.registrar_id).await?.concat();
    let superordinate = match row.domain_id {
        None => None,
        Some(id) => {
            let found = names(tables, "SELECT name FROM domains WHERE id = $1", id).await?;
            found.into_iter().next()
        }
    };
    let mut statuses: Vec<_> = row
        .statuses(tables)?
        .iter()
        .map(|status| status.word().to_owned())
        .collect();
    // RFC 5732 section 2.3: `linked` may stand beside `ok`.
    if statuses.is_empty() {
        statuses.push("ok".into());
    }
    if is_linked(tables, row.id).await? {
        statuses.push("linked".into());
    }
    Ok(Info::Host(HostInfo {
        name: name.clone(),
        roid: roid(row.id),
        registrar,
        superordinate,
        statuses,
        addresses: addresses_of(tables, row.id).await?,
        created_at: Timestamp(row.created_at),
        created_by: row.created_by,
        updated_at: row.updated_at.map(Timestamp),
        updated_by: row.updated_by,
        transferred_at: row.transferred_at.map(Timestamp),
        published: row.published == 1,
    }))
}
