use super::*;

fn step(serials: (u32, u32), delegations: (u64, u64)) -> [ZoneStep; 1] {
    let apex = Name::parse_absolute("tld").unwrap();
    [ZoneStep {
        apex,
        serials,
        delegations,
    }]
}

#[test]
fn a_serial_never_goes_back() {
    let mut gates = Gates::new(10);
    for right in [(1, 2), (7, 7), (u32::MAX, 1), (1, 0x7fff_ffff)] {
        assert_eq!(gates.pass(1, &step(right, (1, 1))), Ok(()), "{right:?}");
    }
    for wrong in [(2, 1), (1, u32::MAX)] {
        let held = gates.pass(1, &step(wrong, (1, 1))).unwrap_err();
        assert_eq!(held.step, Step::Gate, "{wrong:?}");
    }
}

#[test]
fn a_large_share_goes_only_when_somebody_says_so() {
    let mut gates = Gates::new(10);
    for few in [(1000, 900), (99, 0), (1000, 2000), (0, 0)] {
        assert_eq!(gates.pass(5, &step((1, 2), few)), Ok(()), "{few:?}");
    }
    let many = step((1, 2), (1000, 899));
    let held = gates.pass(6, &many).unwrap_err();
    assert!(held.text.contains("101 of 1000"), "{held}");
    assert!(held.text.contains("registry accept 6"), "{held}");
    gates.accepted = 5;
    assert!(gates.pass(7, &many).is_err(), "that was before");
    gates.accepted = 6;
    assert_eq!(gates.pass(8, &many), Ok(()), "though an event came since");
    assert!(gates.pass(9, &many).is_err(), "once");
}

#[test]
fn a_limit_of_everything_holds_nothing() {
    let mut gates = Gates::new(100);
    assert_eq!(gates.pass(1, &step((1, 2), (1000, 0))), Ok(()));
}
