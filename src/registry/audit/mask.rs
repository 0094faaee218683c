//! What the event log shows of a secret: that there was one.

use serde_json::Value;

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
                } else if SECRETS.contains(&name.as_str()) {
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
