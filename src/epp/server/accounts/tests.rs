use super::*;

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

#[test]
fn sessions_are_counted_by_registrar_and_come_back() {
    let accounts = Arc::new(Accounts::new(10, 10));
    let first = Accounts::sit(&accounts, &handle("reg-a"), 1).unwrap();
    assert!(Accounts::sit(&accounts, &handle("reg-a"), 1).is_none());
    Accounts::sit(&accounts, &handle("reg-b"), 1).unwrap();
    drop(first);
    assert!(Accounts::sit(&accounts, &handle("reg-a"), 1).is_some());
    assert!(Accounts::sit(&accounts, &handle("reg-a"), 0).is_none());
}

#[test]
fn commands_of_a_second_are_shared_by_all_sessions_of_a_registrar() {
    let accounts = Arc::new(Accounts::new(4, 4));
    let sit = |name| Accounts::sit(&accounts, &handle(name), 2).unwrap();
    let (one, two, other) = (sit("reg-a"), sit("reg-a"), sit("reg-b"));
    let at = Timestamp(1_700_000_000_000_000);
    let may = |seat: &Seat, at| seat.may_say(Class::Query, at).is_ok();
    let said = (0..8).filter(|_| may(&one, at) | may(&two, at)).count();
    assert_eq!(said, 2, "two sessions said two each");
    assert!(!may(&one, at) && may(&other, at));
    let later = Timestamp(at.0 + 250_000);
    assert!(may(&one, later) && !may(&two, later));
    // An hour back.
    assert!(may(&one, Timestamp(at.0 - 3_600_000_000)));
}

#[test]
fn what_changes_something_has_a_limit_of_its_own_within_that_of_all() {
    let accounts = Arc::new(Accounts::new(10, 2));
    let seat = Accounts::sit(&accounts, &handle("reg-a"), 1).unwrap();
    let at = Timestamp(1_700_000_000_000_000);
    let said = |class| {
        (0..20)
            .take_while(|_| seat.may_say(class, at).is_ok())
            .count()
    };
    assert_eq!(said(Class::Transform), 2);
    assert_eq!(seat.may_say(Class::Transform, at), Err(2));
    // A transform that was refused took nothing from the others.
    assert_eq!(said(Class::Query), 8);
    assert_eq!(seat.may_say(Class::Transform, at), Err(10));
    let later = Timestamp(at.0 + 500_000);
    assert_eq!(seat.may_say(Class::Transform, later), Ok(()));
}
