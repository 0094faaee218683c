//! Which DS records a zone's parent has, as its servers say.
//!
//! Asks each configured server over UDP, and over TCP where the answer was cut. A record
//! counts as there when every server has it, and as gone when none has. Answers are not
//! validated: name servers that are asked by their addresses, not resolvers, and a false
//! answer can only be as early or late as a false word of the operator. Bounded in time
//! and octets.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use zone_compiler::RecordType;
use zone_compiler::sign::{DigestType, ds_rdata};
use zone_compiler::wire::read_sections;
use zone_image::Name;

use crate::exchange::{over_tcp, over_udp, question};
use crate::registry::command::keys::ZoneKeys;
use crate::registry::signing::{KeyId, State, Timeline};

/// Longest wait for one server's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Tries over UDP.
const TRIES: u16 = 2;
/// Most servers that are asked.
const SERVERS_MAX: usize = 16;

/// Why it is not known what the parent has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParentError {
    /// No address.
    #[error("parent server {0:?} is no address with port, such as 192.0.2.1:53")]
    Address(String),
    /// No answer.
    #[error("parent server {server}: {reason}")]
    Server {
        /// Which.
        server: SocketAddr,
        /// What happened.
        reason: String,
    },
    /// Caches keep the records for longer than the timings are made for.
    #[error(
        "the parent's DS set has a TTL of {found} s, the policy says {policy}; correct it by \
         `meridian keys policy --ds-ttl {found}`, until then the rollover waits"
    )]
    Ttl {
        /// As the parent has it.
        found: u32,
        /// As the policy has it.
        policy: u32,
    },
    /// Some have it and some have not.
    #[error("the parent's servers do not agree yet")]
    Disagree,
}

/// Whether something is waited for.
pub fn is_awaited(timeline: &Timeline) -> bool {
    let waits = |state| matches!(state, State::Rumoured | State::Unretentive);
    timeline
        .keys
        .iter()
        .any(|key| waits(key.ds.state) && key.ds_confirmed_at.is_none())
}

/// Reads addresses that are parted by spaces.
pub fn servers(text: &str) -> Result<Vec<SocketAddr>, ParentError> {
    let words = text.split_ascii_whitespace().take(SERVERS_MAX);
    let servers = words.map(|word| word.parse().map_err(|_| ParentError::Address(word.into())));
    servers.collect()
}

/// The keys of a zone whose DS records the parent has: a record that only some of its
/// servers have, or have not, counts as it did before.
pub async fn ask(keys: &ZoneKeys) -> Result<Vec<KeyId>, ParentError> {
    let apex = keys.apex.to_name();
    let mut counts = vec![0; keys.keys.len()];
    let servers = servers(&keys.policy.parent_servers)?;
    for server in &servers {
        let (found, ttl) = ds_set(*server, &apex).await?;
        if ttl > keys.policy.ds_ttl {
            return Err(ParentError::Ttl {
                found: ttl,
                policy: keys.policy.ds_ttl,
            });
        }
        for (count, key) in counts.iter_mut().zip(&keys.keys) {
            let is_there = [DigestType::Sha256, DigestType::Sha384]
                .iter()
                .any(|digest| found.contains(&ds_rdata(&apex, key.dnskey.rdata(), *digest)));
            *count += usize::from(is_there);
        }
    }
    if counts
        .iter()
        .any(|count| *count != 0 && *count != servers.len())
    {
        return Err(ParentError::Disagree);
    }
    let found = keys.keys.iter().zip(&counts);
    Ok(found
        .filter(|(_, count)| **count > 0)
        .map(|(key, _)| key.id)
        .collect())
}

/// A DS set with its TTL.
type DsSet = (Vec<Vec<u8>>, u32);

/// The DS set of a name as one server has it.
async fn ds_set(server: SocketAddr, apex: &Name) -> Result<DsSet, ParentError> {
    let fault = |reason: String| ParentError::Server { server, reason };
    let mut reason = String::new();
    for try_number in 0..TRIES {
        let query = question(apex, RecordType::DS, try_number);
        let answer = match timeout(ANSWER_TIMEOUT, over_udp(server, &query)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                reason = error.to_string();
                continue;
            }
            Err(_) => {
                "no answer".clone_into(&mut reason);
                continue;
            }
        };
        let is_cut = answer[2] & 2 != 0;
        let answer = if is_cut {
            let answer = timeout(ANSWER_TIMEOUT, over_tcp(server, &query)).await;
            let answer = answer.map_err(|_| fault("no answer over TCP".to_owned()))?;
            answer.map_err(|error| fault(error.to_string()))?
        } else {
            answer
        };
        return read(&answer, apex).map_err(fault);
    }
    Err(fault(reason))
}

fn read(answer: &[u8], apex: &Name) -> Result<DsSet, String> {
    let code = answer[3] & 15;
    if code != 0 {
        return Err(format!("answers with code {code}"));
    }
    if answer[2] & 4 == 0 {
        return Err("is not authoritative for the parent of the zone".to_owned());
    }
    let sections = read_sections(answer).map_err(|_| "sends a broken answer".to_owned())?;
    let [answers, ..] = sections.records;
    let ds = answers
        .into_iter()
        .filter(|record| record.rtype == RecordType::DS && record.owner == *apex);
    let (mut set, mut ttl) = (Vec::new(), 0);
    for record in ds {
        ttl = ttl.max(record.ttl);
        set.push(record.rdata.into_vec());
    }
    Ok((set, ttl))
}

#[cfg(test)]
mod tests;
