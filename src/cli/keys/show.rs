//! Keys for people and programs.

use serde_json::json;
use zone_compiler::sign::{DigestType, ds_rdata};
use zone_compiler::{RecordType, rdata};

use super::super::{Global, output};
use super::arguments::Form;
use crate::keys::machine::{ParentChange, Step};
use crate::keys::offline::Ahead;
use crate::registry::command::keys::ZoneKeys;
use crate::registry::signing::{KeyId, KeyRole, RecordKind};

pub(super) fn made(role: KeyRole, key_tag: u16, event: i64, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(&json!({ "role": role, "key-tag": key_tag, "event": event }));
    }
    output::line(format_args!("{role} {key_tag} made, event {event}"));
    Ok(())
}

pub(super) fn list(keys: &ZoneKeys, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(keys);
    }
    for key in &keys.keys {
        let state = keys.timeline.key(key.id);
        let goal = state.map_or("", |state| state.goal.name());
        output::line(format_args!(
            "{:<5} {:>5} algorithm {:<2} {goal:<7} in {}",
            key.role.name(),
            key.key_tag,
            key.dnskey.algorithm(),
            key.store
        ));
    }
    Ok(())
}

pub(super) fn status(
    keys: &ZoneKeys,
    step: &Step,
    ahead: Option<Ahead>,
    global: &Global,
) -> anyhow::Result<()> {
    let tag = |id: KeyId| keys.key(id).map_or(0, |key| key.key_tag);
    if global.json {
        let waits = step.parent.iter().map(|change| match change {
            ParentChange::Add(id) => json!({ "add": tag(*id) }),
            ParentChange::Remove(id) => json!({ "remove": tag(*id) }),
        });
        let waits: Vec<_> = waits.collect();
        return output::json(&json!({
            "zone": keys.apex,
            "policy": keys.policy,
            "keys": keys.keys,
            "timeline": keys.timeline,
            "parent-awaited": waits,
            "next": step.next,
            "response-awaited": ahead.is_some_and(|ahead| ahead.is_held),
            "offline-key-awaited": ahead.and_then(|ahead| ahead.lacks_algorithm),
            "responses-expire-seconds": ahead.and_then(|ahead| ahead.expire_seconds),
        }));
    }
    output::line(format_args!("zone {}: {}", keys.apex, keys.policy.mode));
    for state in &keys.timeline.keys {
        output::line(format_args!(
            "{} {} to be {}",
            state.role,
            tag(state.id),
            state.goal
        ));
        for kind in state.role.records() {
            let record = state.record(kind);
            let wait = match kind {
                RecordKind::Ds if step.parent.iter().any(|change| of(change) == state.id) => {
                    ", the parent is waited for"
                }
                _ => "",
            };
            output::line(format_args!("  {:<16} {}{wait}", kind.name(), record.state));
        }
    }
    if keys.timeline.unserved_since.is_some() {
        output::line("the last step is not known to be served yet");
    }
    if let Some(seconds) = ahead.and_then(|ahead| ahead.expire_seconds) {
        output::line(format_args!(
            "the offline key has signed for {seconds} seconds more"
        ));
    }
    if let Some(algorithm) = ahead.and_then(|ahead| ahead.lacks_algorithm) {
        output::line(format_args!(
            "an offline ksk of algorithm {algorithm} is waited for; make one on its machine and \
             take it in by `meridian keys import --public FILE --role ksk --replace`"
        ));
    }
    if ahead.is_some_and(|ahead| ahead.is_held) {
        output::line(
            "the next step waits for signatures of the offline key; `meridian keys request` \
             asks for them",
        );
    }
    if let Some(next) = step.next {
        output::line(format_args!(
            "next change at {} (seconds since 1970)",
            next.0 / 1_000_000
        ));
    }
    Ok(())
}

fn of(change: &ParentChange) -> KeyId {
    match change {
        ParentChange::Add(id) | ParentChange::Remove(id) => *id,
    }
}

/// DNSKEY, DS or CDS records.
pub(super) fn records(
    keys: &ZoneKeys,
    key_tag: Option<u16>,
    form: Form,
    global: &Global,
) -> anyhow::Result<()> {
    let apex = keys.apex.to_name();
    let ttl = keys.policy.dnskey_ttl;
    let mut lines = Vec::new();
    for key in &keys.keys {
        let is_asked = match key_tag {
            Some(tag) => tag == key.key_tag,
            None => form == Form::Dnskey || key.role.has(RecordKind::Ds),
        };
        if !is_asked {
            continue;
        }
        let (mnemonic, rtype, data) = match form {
            Form::Dnskey => ("DNSKEY", RecordType::DNSKEY, key.dnskey.rdata().to_vec()),
            Form::Cds => (
                "CDS",
                RecordType::DS,
                ds_rdata(&apex, key.dnskey.rdata(), DigestType::Sha256),
            ),
            Form::Ds | Form::Pkcs8 => (
                "DS",
                RecordType::DS,
                ds_rdata(&apex, key.dnskey.rdata(), DigestType::Sha256),
            ),
        };
        let data = rdata::display(rtype, &data);
        lines.push(format!("{apex} {ttl} IN {mnemonic} {data}"));
    }
    if global.json {
        return output::json(&lines);
    }
    lines.iter().for_each(output::line);
    Ok(())
}
