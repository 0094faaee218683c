//! What the event log shows of a secret: that there was one.

use serde_json::Value;
use zone_compiler::rdata::from_hex;

use crate::registry::openpgp::is_personal;

/// Fields whose values nobody may read in a log, wherever they stand in a command.
const SECRETS: [&str; 9] = [
    "auth",
    "auth-info",
    "new-auth-info",
    "password",
    "password-hash",
    "new-password",
    "pin",
    "secret",
    "token",
];
/// A field that is shown unless it says who somebody is.
const SIGNATURE: &str = "signature";
/// What stands in the place of a secret.
const MASK: &str = "(masked)";

/// The same without secrets.
pub(crate) fn masked(mut value: Value) -> Value {
    mask(&mut value);
    value
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if value.is_null() {
                    // That there was none is no secret.
                } else if SECRETS.contains(&name.as_str()) || name == SIGNATURE && names(value) {
                    *value = Value::String(MASK.to_owned());
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        _ => {}
    }
}

/// Whether a signature may name its signer: the log keeps what it says, and people may be
/// erased from it.
fn names(value: &Value) -> bool {
    let octets = value
        .as_str()
        .map(|digits| from_hex(&digits.to_ascii_lowercase()));
    octets.is_some_and(|octets| octets.is_none_or(|octets| is_personal(&octets)))
}
