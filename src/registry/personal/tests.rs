//! What is sealed is opened by its contact's key and by no other.

use serde_json::json;

use super::*;

const TEXT: &str = "Jo Doe, First 1, jo@mail.example";

fn key(contact_id: i64, octet: u8) -> DataKey {
    DataKey::new(contact_id, &[octet; KEY_BYTES]).unwrap()
}

#[test]
fn a_key_opens_what_it_sealed_and_nothing_else_does() {
    let sealed = key(7, 1).seal(TEXT).unwrap();
    assert_eq!(*key(7, 1).open(&sealed).unwrap(), TEXT);
    assert!(key(7, 2).open(&sealed).is_none(), "another key");
    assert!(
        key(8, 1).open(&sealed).is_none(),
        "another contact's number"
    );
    let mut changed = sealed.clone();
    let last = if changed.pop() == Some('0') { '1' } else { '0' };
    changed.push(last);
    assert!(key(7, 1).open(&changed).is_none(), "changed");
    for odd in ["", "00", "zz", &sealed[..24], &sealed[..sealed.len() - 2]] {
        assert!(key(7, 1).open(odd).is_none(), "{odd}");
    }
    assert_ne!(
        sealed,
        key(7, 1).seal(TEXT).unwrap(),
        "a nonce of its own each"
    );
}

#[test]
fn a_command_keeps_what_is_not_of_a_person() {
    let command = json!({"contact": {"update": {
        "handle": "c-1", "add": ["clientDeleteProhibited"], "email": "jo@mail.example",
        "int": {"set": {"name": "Jo Doe"}}, "voice": {"set": {"number": "+49.1"}},
        "disclose": {"set": {"show": false, "elements": ["email"]}}, "auth-info": "(masked)",
    }}});
    let logged = sealed(command.clone(), Some(&key(7, 1))).unwrap();
    let text = logged.to_string();
    for secret in ["Jo", "jo@", "+49"] {
        assert!(!text.contains(secret), "{text}");
    }
    let fields = &logged["contact"]["update"];
    assert_eq!(fields["handle"], "c-1");
    assert_eq!(fields["add"], json!(["clientDeleteProhibited"]));
    assert_eq!(fields["disclose"]["set"]["show"], false);
    let opened = key(7, 1).open(fields["sealed"].as_str().unwrap()).unwrap();
    let opened: Value = serde_json::from_str(&opened).unwrap();
    assert_eq!(opened["email"], "jo@mail.example");
    assert_eq!(opened["int"]["set"]["name"], "Jo Doe");
    // Without a key there is nobody left to open it for.
    let logged = sealed(command, None).unwrap();
    assert_eq!(logged["contact"]["update"].get("sealed"), None);
    assert!(!logged.to_string().contains("jo@"));
    // A command that is no contact's has nothing to seal.
    assert_eq!(sealed(json!({"domain": {"delete": "a.tld"}}), None), None);
    let delete = json!({"contact": {"delete": "c-1"}});
    assert_eq!(sealed(delete.clone(), None), Some(delete));
}
