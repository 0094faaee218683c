//! Asks name servers before a domain gets them, where the zone's policy wants it, and leaves
//! what they said with the registry.
//!
//! Hosts of the registry are asked at the addresses that it has, others where the system's
//! resolver finds them. Bounded in time (`exchange::authority`); never decides anything.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use zone_image::Name;

use super::now;
use crate::exchange::authority::{Server, faults};
use crate::registry::command::domain::{DomainCommand, DomainServers, ServerResult};
use crate::registry::types::{Address, HostName};
use crate::registry::{Actor, Command, CommandError, Database, Request};

/// Where name servers listen.
const PORT: u16 = 53;
/// Longest wait for the system's resolver.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(4);

/// Asks the servers that a request gives to a domain.
pub(super) async fn ask(database: &mut Database, request: &Request) -> Result<(), CommandError> {
    let Some(asked) = database.servers_to_ask(&request.command).await? else {
        return Ok(());
    };
    let mut servers = Vec::new();
    for (host, addresses) in &asked.servers {
        servers.push(Server {
            name: host.to_string(),
            addresses: places(host, addresses).await,
        });
    }
    let name = Name::parse_absolute(asked.name.as_str());
    let name = name.expect("names of domains are names");
    let faults = faults(&name, &servers).await;
    let results = asked.servers.into_iter().zip(faults);
    let results = results.map(|((host, _), fault)| ServerResult { host, fault });
    let said = DomainServers {
        name: asked.name,
        servers: results.collect(),
    };
    let request = Request {
        actor: Actor::system("name-servers"),
        at: now(),
        lab: request.lab,
        command: Command::Domain(DomainCommand::Servers(Box::new(said))),
    };
    Box::pin(database.execute(&request)).await.map(drop)
}

async fn places(host: &HostName, known: &[Address]) -> Vec<SocketAddr> {
    if !known.is_empty() {
        let places = known
            .iter()
            .map(|address| SocketAddr::new(address.ip(), PORT));
        return places.collect();
    }
    let found = tokio::net::lookup_host((host.as_str(), PORT));
    match timeout(RESOLVE_TIMEOUT, found).await {
        Ok(Ok(found)) => found.collect(),
        // Whoever cannot be found has no address.
        _ => Vec::new(),
    }
}
