//! Asks name servers before a domain gets them, where the zone's policy wants it, and leaves
//! what they said with the registry.

use super::now;
use crate::inquiry;
use crate::registry::{CommandError, Database, Request};

/// Asks the servers that a request gives to a domain.
pub(super) async fn ask(database: &mut Database, request: &Request) -> Result<(), CommandError> {
    let Some(asked) = database.servers_to_ask(&request.command).await? else {
        return Ok(());
    };
    let said = inquiry::ask(asked, request.lab).await;
    let request = inquiry::kept(said, now(), request.lab);
    Box::pin(database.execute(&request)).await.map(drop)
}
