//! Name servers that were asked before a delegation: what they said, and what policy makes of
//! it.
//!
//! The registry asks nobody itself. Whoever hands commands in asks the servers first, where
//! [`Database::servers_to_ask`] says so, and leaves what they said by a command; a delegation looks for it.
//! What was said is good for an hour and goes after a day.

use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::registry::code::ResultCode;
use crate::registry::command::answer::rejected;
use crate::registry::command::changes::waiting_command;
use crate::registry::command::checks::{ZoneRow, ancestry, closest_zone, registry_only};
use crate::registry::command::context::Context;
use crate::registry::command::tables::{rows, rows_in};
use crate::registry::command::{ChangesCommand, Command, CommandError, DomainCommand, Request};
use crate::registry::database::{Database, Timestamp};
use crate::registry::error::RegistryError;
use crate::registry::policy::ServerCheck;
use crate::registry::types::{Address, DomainName, HostName};

/// How long it counts what a server said.
const GOOD_FOR: Duration = Duration::from_secs(3600);
/// How long it is kept.
const KEPT_FOR: Duration = Duration::from_secs(86_400);
/// Most servers of a domain.
const SERVERS_MAX: usize = 13;
/// Longest fault that is kept.
const FAULT_CHARACTERS_MAX: usize = 200;

/// What the name servers of a domain said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainServers {
    /// The domain, which may be still to come.
    pub name: DomainName,
    /// Each server.
    pub servers: Vec<ServerResult>,
}

/// What one of them said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServerResult {
    /// Its name.
    pub host: HostName,
    /// What it does wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Servers that are to be asked about a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServersToAsk {
    /// The domain.
    pub name: DomainName,
    /// Their names, and the addresses that the registry knows.
    pub servers: Vec<(HostName, Vec<Address>)>,
}

/// Asks name servers before commands are handed in: what the registry itself does not do.
pub trait AskServers: Send + Sync {
    /// The request that is to be handed in before another, with what the servers said that it
    /// names; nothing where nobody is to be asked.
    fn before<'a>(
        &'a self,
        request: &'a Request,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Request>, CommandError>> + Send + 'a>>;
}

impl Command {
    /// Whether it could give a domain name servers: others need not be looked at.
    pub(crate) fn may_name_servers(&self) -> bool {
        match self {
            Self::Domain(DomainCommand::Create(create)) => !create.hosts.is_empty(),
            Self::Domain(DomainCommand::Update(update)) => !update.add.hosts.is_empty(),
            Self::Changes(ChangesCommand::Approve(_) | ChangesCommand::Sign(_)) => true,
            _ => false,
        }
    }
}

impl Database {
    /// Whether policy of any zone wants servers to be asked.
    pub(crate) async fn wants_servers_asked(&mut self) -> Result<bool, RegistryError> {
        let query = rows::<(i64,)>("SELECT id FROM zones WHERE server_check <> 'off' LIMIT 1");
        self.tables().any(query).await
    }

    /// Which servers policy wants to be asked before a command is handed in.
    pub async fn servers_to_ask(
        &mut self,
        command: &Command,
    ) -> Result<Option<ServersToAsk>, CommandError> {
        let tables = &mut self.tables();
        let waiting = match command {
            Command::Changes(ChangesCommand::Approve(id)) => waiting_command(tables, *id).await?,
            Command::Changes(ChangesCommand::Sign(sign)) => {
                waiting_command(tables, sign.id).await?
            }
            _ => None,
        };
        let (name, hosts, attributes) = match waiting.as_ref().unwrap_or(command) {
            Command::Domain(DomainCommand::Create(create)) => {
                (&create.name, &create.hosts, &create.attributes)
            }
            Command::Domain(DomainCommand::Update(update)) => {
                (&update.name, &update.add.hosts, &update.add.attributes)
            }
            _ => return Ok(None),
        };
        let zone = closest_zone(tables, &ancestry(name.as_str())).await?;
        let is_off = |zone: ZoneRow| zone.policy.server_check == ServerCheck::Off;
        let count = hosts.len() + attributes.len();
        if zone.is_none_or(is_off) || !(1..=SERVERS_MAX).contains(&count) {
            return Ok(None);
        }
        let mut servers = Vec::new();
        for attribute in attributes {
            servers.push((attribute.name.clone(), attribute.addresses.clone()));
        }
        for host in hosts {
            let query = rows::<(Vec<u8>,)>(
                "SELECT a.address FROM hosts h JOIN host_addresses a ON a.host_id = h.id \
                 WHERE h.name = $1 ORDER BY a.rtype, a.address",
            );
            let found = tables.all(query.bind(host.as_str())).await?;
            let addresses = found
                .iter()
                .filter_map(|(rdata,)| Address::from_rdata(rdata));
            servers.push((host.clone(), addresses.collect()));
        }
        let name = name.clone();
        Ok(Some(ServersToAsk { name, servers }))
    }
}

/// Keeps what servers said. Returns the zone of the domain.
pub(super) async fn keep(
    context: &mut Context<'_, '_>,
    command: &DomainServers,
) -> Result<Option<i64>, CommandError> {
    let (name, at) = (command.name.as_str(), context.at.0);
    registry_only(&context.acting, name)?;
    if command.servers.len() > SERVERS_MAX {
        let reason = format!("{SERVERS_MAX} servers at most");
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    let zone = closest_zone(&mut context.tables(), &ancestry(name)).await?;
    let old = sqlx::query("DELETE FROM server_checks WHERE checked_at < $1");
    let old = old.bind(before(context.at, KEPT_FOR));
    context.tables().run(old).await?;
    for server in &command.servers {
        let fault = server.fault.as_deref();
        let fault = fault.map(|fault| fault.chars().take(FAULT_CHARACTERS_MAX).collect::<String>());
        let insert = sqlx::query(
            "INSERT INTO server_checks (pair, checked_at, fault) VALUES ($1, $2, $3) \
             ON CONFLICT (pair) DO UPDATE SET checked_at = excluded.checked_at, \
             fault = excluded.fault",
        )
        .bind(format!("{name} {}", server.host))
        .bind(at)
        .bind(fault);
        context.tables().run(insert).await?;
    }
    Ok(zone.map(|zone| zone.id))
}

fn before(at: Timestamp, time: Duration) -> i64 {
    at.0 - i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// What policy makes of what the servers said that a domain is to get: a note, or 2306. The
/// registry's own delegations are only noted.
pub(super) async fn check(
    context: &mut Context<'_, '_>,
    zone: &ZoneRow,
    name: &DomainName,
    hosts: &[HostName],
) -> Result<(), CommandError> {
    let policy = zone.policy.server_check;
    if policy == ServerCheck::Off || hosts.is_empty() {
        return Ok(());
    }
    let since = before(context.at, GOOD_FOR);
    let pairs: Vec<_> = hosts.iter().map(|host| format!("{name} {host}")).collect();
    let query = rows_in::<(String, i64, Option<String>)>(
        "SELECT pair, checked_at, fault FROM server_checks WHERE pair IN ({list})",
        &pairs,
    );
    let found = context.tables().all(query).await?;
    for (host, pair) in hosts.iter().zip(&pairs) {
        let is_its = |(of, at, _): &&(String, i64, _)| of == pair && *at >= since;
        let said = found.iter().find(is_its);
        let fault = match said {
            Some((.., None)) => continue,
            Some((.., Some(fault))) => fault.clone(),
            None => "was not asked whether it answers for the domain".to_owned(),
        };
        let is_required = policy == ServerCheck::Require && context.acting.registrar.is_some();
        if is_required {
            return Err(rejected(ResultCode::ParameterPolicy, host, fault));
        }
        context.notes.push(format!("name server {host} {fault}"));
    }
    Ok(())
}
