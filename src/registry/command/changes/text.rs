//! The text of a change that is signed: the same octets for whoever asks, and for no other
//! change.
//!
//! Lines of `name: value` end with a line feed. The command follows as one line for each of
//! its values, in the order of their names, values written as JSON. What authorizes a
//! transfer is in it as a digest of what will be kept. A number that was drawn for the
//! change makes a signature good for this one and no other, in this registry and any.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use super::row::Waiting;
use crate::registry::audit::masked;
use crate::registry::error::RegistryError;
use crate::registry::time_text;

/// Form of the text; another one would be signed anew.
const FORM: &str = "Meridian change, form 1";

pub(super) fn text_of(waiting: &Waiting) -> Result<String, RegistryError> {
    let command = serde_json::to_value(&waiting.command).map_err(|error| {
        let (place, what) = (format!("change {}", waiting.id), error.to_string());
        RegistryError::Inconsistent { place, what }
    })?;
    let mut lines = vec![
        FORM.to_owned(),
        format!("change: {}", waiting.id),
        format!("number: {}", waiting.nonce),
        format!("event: {}", waiting.event),
        format!("{}: {}", waiting.kind.column(), waiting.object),
        format!("asked-by: {}", waiting.actor.logged()),
        format!("asked-at: {}", time_text(waiting.asked_at)),
        format!("command: {}", waiting.command.kind()),
    ];
    if let Some(auth) = &waiting.auth {
        let digest = digest(&SHA256, auth);
        let hex = digest.as_ref().iter().map(|octet| format!("{octet:02x}"));
        lines.push(format!("auth-info-digest: {}", hex.collect::<String>()));
    }
    write("", &masked(command), &mut lines);
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn write(path: &str, value: &Value, lines: &mut Vec<String>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            for (name, value) in fields {
                write(&below(name), value, lines);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                write(&below(&number.to_string()), value, lines);
            }
        }
        value => lines.push(format!("{path}: {value}")),
    }
}
