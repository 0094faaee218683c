//! Whether name servers answer with authority for a domain: each at all its addresses, over
//! UDP and over TCP, with its SOA.
//!
//! Bounded: servers and their addresses are few, every exchange has its time, and so has the
//! whole. Says what a server does wrong in words for people; decides nothing.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use zone_compiler::RecordType;
use zone_compiler::wire::read_sections;
use zone_image::Name;

use super::{over_tcp, over_udp, question};

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for all of them.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(8);
/// Tries over UDP.
const TRIES: u16 = 2;
/// Most servers that are asked, and addresses of each.
const SERVERS_MAX: usize = 13;
const ADDRESSES_MAX: usize = 13;

/// A name server and where it is.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its addresses, with port.
    pub addresses: Vec<SocketAddr>,
}

/// What each server does wrong, in their order; nothing where it answers as it should.
pub async fn faults(domain: &Name, servers: &[Server]) -> Vec<Option<String>> {
    let deadline = Instant::now() + WHOLE_TIMEOUT;
    let mut faults = vec![Some("no answer in time".to_owned()); servers.len()];
    let mut jobs = JoinSet::new();
    for (index, server) in servers.iter().enumerate().take(SERVERS_MAX) {
        let (domain, server) = (domain.clone(), server.clone());
        jobs.spawn(async move { (index, fault(&domain, &server).await) });
    }
    while let Ok(Some(done)) = timeout_at(deadline, jobs.join_next()).await {
        if let Ok((index, fault)) = done {
            faults[index] = fault;
        }
    }
    faults
}

async fn fault(domain: &Name, server: &Server) -> Option<String> {
    if server.addresses.is_empty() {
        return Some("has no address".to_owned());
    }
    for address in server.addresses.iter().take(ADDRESSES_MAX) {
        for is_tcp in [false, true] {
            let way = if is_tcp { "TCP" } else { "UDP" };
            if let Err(reason) = ask(domain, *address, is_tcp).await {
                return Some(format!("{} over {way}: {reason}", address.ip()));
            }
        }
    }
    None
}

async fn ask(domain: &Name, server: SocketAddr, is_tcp: bool) -> Result<(), String> {
    let mut reason = "no answer".to_owned();
    for number in 0..TRIES {
        let query = question(domain, RecordType::SOA, number);
        let answer = match is_tcp {
            true => timeout(ANSWER_TIMEOUT, over_tcp(server, &query)).await,
            false => timeout(ANSWER_TIMEOUT, over_udp(server, &query)).await,
        };
        match answer {
            Ok(Ok(answer)) => return judge(&answer, domain),
            Ok(Err(error)) => reason = error.to_string(),
            Err(_) => "no answer".clone_into(&mut reason),
        }
    }
    Err(reason)
}

fn judge(answer: &[u8], domain: &Name) -> Result<(), String> {
    let code = answer[3] & 15;
    if code != 0 {
        return Err(format!("answers with code {code}"));
    }
    if answer[2] & 4 == 0 {
        return Err("is not authoritative for the domain".to_owned());
    }
    let sections = read_sections(answer).map_err(|_| "sends a broken answer".to_owned())?;
    let [answers, ..] = sections.records;
    let is_soa =
        |record: &zone_compiler::Record| record.rtype == RecordType::SOA && record.owner == *domain;
    match answers.iter().any(is_soa) {
        true => Ok(()),
        false => Err("has no SOA of the domain".to_owned()),
    }
}

#[cfg(test)]
mod tests;
