//! What is kept, matched, shown and refused.

use super::*;

const STRONG: &str = "k9$Tq2-vX7mB!zR4pL0w";

#[test]
fn only_the_same_text_matches_and_nothing_matches_what_is_unset() {
    let strong = AuthInfo::parse(STRONG).unwrap();
    let kept = strong.kept([7; SALT_BYTES]).unwrap();
    assert!(strong.matches(Some(&kept)));
    assert_ne!(kept, strong.kept([8; SALT_BYTES]).unwrap());
    let other = AuthInfo::parse("k9$Tq2-vX7mB!zR4pL0x").unwrap();
    assert!(!other.matches(Some(&kept)));
    let unset = AuthInfo::parse("").unwrap();
    assert_eq!(unset.kept([7; SALT_BYTES]), None);
    assert!(!unset.matches(None) && !strong.matches(None));
    assert!(!unset.matches(Some(&kept)) && !strong.matches(Some(&[])));
}

#[test]
fn what_is_kept_is_sha_256_of_salt_and_text() {
    // printf '\0%.0s' {1..16} | cat - <(printf abc) | sha256sum
    let kept = AuthInfo::parse("abc")
        .unwrap()
        .kept([0; SALT_BYTES])
        .unwrap();
    let hex: String = kept[SALT_BYTES..]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(
        hex,
        "277e7ff6d232b9763f4a66e8d05d210da32dac9c6dbce1026ad4cc98acb5fefe"
    );
}

#[test]
fn it_is_shown_to_nobody() {
    let strong = AuthInfo::parse(STRONG).unwrap();
    assert_eq!(format!("{strong:?}"), "AuthInfo(..)");
    assert_eq!(serde_json::to_string(&strong).unwrap(), "\"(masked)\"");
    let error = AuthInfo::parse(&format!("{STRONG}\u{e9}")).unwrap_err();
    assert!(!error.to_string().contains(STRONG), "{error}");
}

#[test]
fn weak_ones_are_known() {
    let is_weak = |text| AuthInfo::parse(text).unwrap().weakness().is_some();
    assert!(!is_weak(STRONG) && !is_weak(""));
    assert!(is_weak("2fooBAR"));
    assert!(is_weak("aaaaaaaaaaaaaaaaaaaaaaaa"));
    assert!(is_weak(&STRONG[1..]));
}

#[test]
fn what_is_kept_of_a_command_that_waits_is_what_it_would_have_set() {
    let said = AuthInfo::parse("k9$Tq2-vX7mB!zR4pL0w").unwrap();
    let kept = said.kept([7; 16]).unwrap();
    let waited = AuthInfo::from_kept(kept.clone());
    assert_eq!((waited.weakness(), waited.is_unset()), (None, false));
    // Under whatever salt it is asked for.
    assert_eq!(waited.kept([8; 16]), Some(kept.clone()));
    assert!(said.matches(waited.kept([8; 16]).as_deref()));
    // For a transfer: the same as is kept, and not a new one of the same text.
    assert!(waited.matches(Some(&kept)));
    assert!(!waited.matches(said.kept([9; 16]).as_deref()));
    assert!(!waited.matches(None) && !waited.matches(Some(&kept[..20])));
    assert!(AuthInfo::unset().is_unset());
}
