use std::sync::mpsc::sync_channel;

use super::*;

fn failure(text: &str) -> Failure {
    Failure::new(Step::Write, text.to_owned())
}

#[test]
fn steps_are_counted_where_their_names_stand() {
    for (at, (step, name)) in STEPS.into_iter().enumerate() {
        assert_eq!(step as usize, at, "{name}");
    }
}

#[test]
fn a_failure_is_news_once_until_it_recovers() {
    let (wakeup, _inbox) = sync_channel(1);
    let state = State::new(wakeup);
    assert!(state.fail(failure("disk full")));
    assert!(!state.fail(failure("disk full")));
    assert!(state.fail(failure("disk gone")));
    assert_eq!(state.failures(), [0, 0, 3, 0, 0, 0]);
    assert_eq!(state.status().failure.as_deref(), Some("disk gone"));
    assert_eq!(state.recover(), Some(failure("disk gone")));
    assert_eq!(state.recover(), None);
    assert!(state.fail(failure("disk gone")));
}

#[test]
fn wake_ups_run_together_and_outlive_the_publisher() {
    let (wakeup, inbox) = sync_channel(1);
    let state = State::new(wakeup);
    for _ in 0..100 {
        state.wake();
    }
    assert_eq!(inbox.try_iter().count(), 1);
    assert!(!state.take_hurry());
    state.hurry();
    assert!(state.take_hurry() && !state.take_hurry());
    drop(inbox);
    state.wake();
}
