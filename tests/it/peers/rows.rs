//! What a reply of 512 octets owes to the whole one.
//!
//! RFC 9471 section 3.1: glue of in-domain name servers is there or TC is set. Section
//! 3.2: sibling glue may be left out without TC. RFC 2181 section 9: required RRsets
//! that do not fit are left out as a whole and TC is set.

use hickory_proto::op::Message;
use hickory_proto::rr::{RData, Record};

use super::client::Reply;

/// Octets of a reply without EDNS (RFC 1035 section 4.2.1).
const PLAIN_BYTES_MAX: usize = 512;

/// What is wrong with `short`, the reply without EDNS to the question of `whole`.
pub(super) fn fault_without_edns(whole: &Reply, short: &Reply) -> anyhow::Result<Option<String>> {
    if short.edns {
        return Ok(Some("OPT in a reply to a query without".to_owned()));
    }
    if (short.rcode, short.authoritative) != (whole.rcode, whole.authoritative) {
        return Ok(Some("rcode or AA differ".to_owned()));
    }
    let required: Vec<_> = required_glue(&whole.message);
    let size = least_size(&whole.message, &required)?;
    if short.truncated {
        let fits = size <= PLAIN_BYTES_MAX;
        return Ok(fits.then(|| format!("TC, though what is required takes {size} octets")));
    }
    if short.answers != whole.answers || short.authorities != whole.authorities {
        return Ok(Some(
            "answer or authority section is not whole, and TC is not set".to_owned(),
        ));
    }
    if let Some(extra) = short.additionals.difference(&whole.additionals).next() {
        return Ok(Some(format!("additional record of its own: {extra}")));
    }
    let missing = required
        .iter()
        .map(|record| record.to_string().to_lowercase())
        .find(|record| !short.additionals.contains(record));
    Ok(missing.map(|record| format!("in-domain glue {record} is missing, and TC is not set")))
}

/// Addresses of name servers at or below the delegated name.
fn required_glue(message: &Message) -> Vec<Record> {
    let in_domain = |record: &&Record| {
        message
            .authorities
            .iter()
            .any(|authority| match &authority.data {
                RData::NS(target) => {
                    target.0 == record.name && authority.name.zone_of(&record.name)
                }
                _ => false,
            })
    };
    message
        .additionals
        .iter()
        .filter(in_domain)
        .cloned()
        .collect()
}

/// Octets of the reply with nothing but what is required.
fn least_size(whole: &Message, required: &[Record]) -> anyhow::Result<usize> {
    let mut least = whole.clone();
    least.edns = None;
    least.additionals = required.to_vec();
    Ok(least.to_vec()?.len())
}
