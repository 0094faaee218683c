use super::*;

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

#[test]
fn sessions_are_counted_by_registrar_and_come_back() {
    let accounts = Arc::new(Accounts::new(10));
    let first = Accounts::sit(&accounts, &handle("reg-a"), 1).unwrap();
    assert!(Accounts::sit(&accounts, &handle("reg-a"), 1).is_none());
    Accounts::sit(&accounts, &handle("reg-b"), 1).unwrap();
    drop(first);
    assert!(Accounts::sit(&accounts, &handle("reg-a"), 1).is_some());
    assert!(Accounts::sit(&accounts, &handle("reg-a"), 0).is_none());
}

#[test]
fn commands_of_a_second_are_shared_by_all_sessions_of_a_registrar() {
    let accounts = Arc::new(Accounts::new(4));
    let sit = |name| Accounts::sit(&accounts, &handle(name), 2).unwrap();
    let (one, two, other) = (sit("reg-a"), sit("reg-a"), sit("reg-b"));
    let at = Timestamp(1_700_000_000_000_000);
    let said = (0..8).filter(|_| one.may_say(at) | two.may_say(at)).count();
    assert_eq!(said, 2, "two sessions said two each");
    assert!(!one.may_say(at) && other.may_say(at));
    let later = Timestamp(at.0 + 250_000);
    assert!(one.may_say(later) && !two.may_say(later));
    // An hour back.
    assert!(one.may_say(Timestamp(at.0 - 3_600_000_000)));
}
