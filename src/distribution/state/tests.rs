use super::*;

#[test]
fn the_same_trouble_at_the_same_source_is_said_once() {
    let state = State::default();
    let expired = |seconds: u64| {
        let text = format!("manifest of event 1 expired {seconds} s ago");
        Failure::new(Trouble::Manifest, text).of(&"east")
    };
    assert!(state.note(expired(1)));
    assert!(!state.note(expired(2)));
    // What is shown is the newest of it all the same.
    assert_eq!(state.failure(), Some(expired(2)));
    assert!(state.note(Failure::new(Trouble::Manifest, "expired").of(&"west")));
    assert!(state.note(Failure::new(Trouble::Store, "gone").of(&"west")));
    state.recover();
    assert!(state.note(Failure::new(Trouble::Store, "gone").of(&"west")));
    assert_eq!(state.failures().iter().sum::<u64>(), 5);
}
