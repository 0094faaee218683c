//! Asks name servers for the registry: before a domain gets them, where a zone's policy wants
//! it, and from time to time those of all delegations ([`scan`]).
//!
//! Hosts of the registry are asked at the addresses that it has, others where the system's
//! resolver finds them, and nowhere but on the Internet: what registrars name must not make
//! this machine speak to its own network. Everything is bounded: questions at once, and
//! the time for each. Never decides anything: the registry does.

pub mod scan;

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;
use zone_image::Name;

use crate::exchange::authority::{Server, faults};
use crate::registry::command::domain::{
    AskServers, DomainCommand, DomainServers, ServerResult, ServersToAsk,
};
use crate::registry::types::{Address, AddressFault, HostName};
use crate::registry::{Actor, Command, CommandError, Database, Location, Request, Timestamp};

/// Where name servers listen.
const PORT: u16 = 53;
/// Longest wait for the system's resolver.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(4);
/// Commands whose servers are asked at once.
const ASKED_MAX: usize = 16;
/// How long it is believed that no zone wants servers to be asked.
const BELIEVED: Duration = Duration::from_secs(1);

/// Asks before commands of many callers, with a connection of its own.
pub struct Inquiry {
    location: Location,
    clock: fn() -> i64,
    reader: Mutex<Reader>,
    permits: Semaphore,
}

#[derive(Default)]
struct Reader {
    database: Option<Database>,
    /// When no zone wanted it.
    unwanted_at: Option<Instant>,
}

impl Inquiry {
    /// For a registry; the clock is microseconds since 1970.
    pub fn new(location: Location, clock: fn() -> i64) -> Self {
        Self {
            location,
            clock,
            reader: Mutex::default(),
            permits: Semaphore::new(ASKED_MAX),
        }
    }

    /// What is to be asked before a command.
    async fn wanted(&self, command: &Command) -> Result<Option<ServersToAsk>, CommandError> {
        if !command.may_name_servers() {
            return Ok(None);
        }
        let mut reader = self.reader.lock().await;
        if reader.unwanted_at.is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(None);
        }
        // A connection that had a fault is not asked again.
        let mut database = match reader.database.take() {
            Some(database) => database,
            None => Database::open(&self.location).await?,
        };
        let is_wanted = database.wants_servers_asked().await?;
        reader.unwanted_at = (!is_wanted).then(Instant::now);
        let asked = match is_wanted {
            true => database.servers_to_ask(command).await?,
            false => None,
        };
        reader.database = Some(database);
        Ok(asked)
    }
}

impl AskServers for Inquiry {
    fn before<'a>(
        &'a self,
        request: &'a Request,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Request>, CommandError>> + Send + 'a>> {
        Box::pin(async {
            let Some(asked) = self.wanted(&request.command).await? else {
                return Ok(None);
            };
            let _permit = self.permits.acquire().await;
            let said = ask(asked, request.lab).await;
            Ok(Some(kept(said, Timestamp((self.clock)()), request.lab)))
        })
    }
}

/// Asks servers whether they answer for a domain.
pub async fn ask(asked: ServersToAsk, lab: bool) -> DomainServers {
    let mut servers = Vec::new();
    for (host, addresses) in &asked.servers {
        servers.push(Server {
            name: host.to_string(),
            addresses: places(host, addresses, lab).await,
        });
    }
    let name = Name::parse_absolute(asked.name.as_str());
    let name = name.expect("names of domains are names");
    let faults = faults(&name, &servers).await;
    let results = asked.servers.into_iter().zip(faults);
    let results = results.map(|((host, _), fault)| ServerResult { host, fault });
    DomainServers {
        name: asked.name,
        servers: results.collect(),
    }
}

/// The command that leaves with the registry what servers said.
pub fn kept(said: DomainServers, at: Timestamp, lab: bool) -> Request {
    Request {
        actor: Actor::system("name-servers"),
        at,
        lab,
        command: Command::Domain(DomainCommand::Servers(Box::new(said))),
    }
}

async fn places(host: &HostName, known: &[Address], lab: bool) -> Vec<SocketAddr> {
    if !known.is_empty() {
        let places = known
            .iter()
            .map(|address| SocketAddr::new(address.ip(), PORT));
        return places.collect();
    }
    let found = tokio::net::lookup_host((host.as_str(), PORT));
    match timeout(RESOLVE_TIMEOUT, found).await {
        Ok(Ok(found)) => found.filter(|place| is_fair(*place, lab)).collect(),
        // Whoever cannot be found has no address.
        _ => Vec::new(),
    }
}

/// Whether an address that somebody else's zone has may be asked.
fn is_fair(place: SocketAddr, lab: bool) -> bool {
    match Address::from(place.ip()).fault() {
        None => true,
        Some(AddressFault::Documentation) => lab,
        Some(AddressFault::NotGlobal) => false,
    }
}

#[cfg(test)]
mod tests;
