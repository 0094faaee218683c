use super::*;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

const TIMING: Timing = Timing {
    poll_interval: ms(200),
    debounce: ms(20),
    debounce_max: ms(100),
    retry_max: ms(1000),
};

/// A schedule that published event 1 at time 0.
fn at_rest() -> Schedule {
    let mut schedule = Schedule::new(TIMING);
    schedule.saw(1, ms(0));
    schedule.succeeded(1, ms(0));
    schedule.saw(1, ms(0));
    schedule
}

#[test]
fn what_is_there_at_the_start_is_due_at_once() {
    let mut schedule = Schedule::new(TIMING);
    assert!(!schedule.is_due(ms(0)), "nothing is known yet");
    assert_eq!(schedule.idle(ms(0)), ms(0), "so it asks");
    schedule.saw(5, ms(3));
    assert!(schedule.is_due(ms(3)));
}

#[test]
fn at_rest_it_only_polls() {
    let schedule = at_rest();
    assert!(!schedule.is_due(ms(10_000)));
    assert_eq!(schedule.idle(ms(50)), ms(150));
    assert_eq!(schedule.idle(ms(500)), ms(0));
}

#[test]
fn a_change_waits_for_quiet() {
    let mut schedule = at_rest();
    schedule.saw(2, ms(1000));
    assert!(!schedule.is_due(ms(1019)));
    assert_eq!(schedule.idle(ms(1005)), ms(15));
    schedule.saw(2, ms(1010));
    assert!(schedule.is_due(ms(1020)), "the same event is no news");
}

#[test]
fn changes_without_end_are_published_at_the_limit() {
    let mut schedule = at_rest();
    for step in 0..10 {
        let now = ms(1000 + 10 * step);
        schedule.saw(2 + step, now);
        assert!(!schedule.is_due(now), "at {now:?}");
    }
    schedule.saw(12, ms(1099));
    assert!(schedule.is_due(ms(1100)));
}

#[test]
fn a_wake_up_that_is_lost_costs_a_poll() {
    let mut schedule = at_rest();
    assert_eq!(schedule.idle(ms(0)), TIMING.poll_interval);
    schedule.saw(2, ms(200));
    assert_eq!(schedule.idle(ms(200)), TIMING.debounce);
}

#[test]
fn what_came_while_publishing_is_seen_at_once() {
    let mut schedule = at_rest();
    schedule.saw(2, ms(1000));
    schedule.succeeded(2, ms(5000));
    assert_eq!(schedule.idle(ms(5000)), ms(0));
    schedule.saw(9, ms(5001));
    assert!(schedule.is_due(ms(5021)));
}

#[test]
fn pauses_after_failures_double_to_their_limit() {
    let mut schedule = at_rest();
    schedule.saw(2, ms(0));
    let mut now = ms(1000);
    for (failure, pause) in (1..).zip([100, 200, 400, 800, 1000, 1000]) {
        schedule.failed(now);
        assert_eq!(schedule.failures(), failure);
        assert_eq!(schedule.idle(now), ms(pause));
        assert!(schedule.is_held(now) && !schedule.is_due(now));
        now += ms(pause);
        assert!(schedule.is_due(now) && !schedule.is_held(now));
    }
    for _ in 0..100 {
        schedule.failed(now);
    }
    assert_eq!(schedule.idle(now), TIMING.retry_max, "no overflow");
    schedule.succeeded(2, now);
    schedule.failed(now);
    assert_eq!(schedule.idle(now), RETRY_MIN, "a success forgets them");
}

#[test]
fn new_events_do_not_shorten_a_pause() {
    let mut schedule = at_rest();
    schedule.failed(ms(0));
    schedule.saw(2, ms(1));
    assert_eq!(schedule.idle(ms(1)), ms(99));
}

#[test]
fn who_waits_ends_a_pause() {
    let mut schedule = at_rest();
    schedule.saw(2, ms(0));
    schedule.failed(ms(0));
    schedule.hurry(ms(10));
    assert_eq!(schedule.idle(ms(10)), ms(0));
    assert!(schedule.is_due(ms(10)));
    schedule.saw(3, ms(11));
    assert!(!schedule.is_due(ms(30)), "a new change still has to settle");
    assert!(schedule.is_due(ms(31)));
}

#[test]
fn a_restored_registry_is_news() {
    let mut schedule = at_rest();
    schedule.saw(8, ms(10));
    schedule.succeeded(8, ms(10));
    schedule.saw(3, ms(20));
    assert!(schedule.is_due(ms(40)));
}

#[test]
fn a_foreign_image_is_looked_at_again() {
    let mut schedule = at_rest();
    schedule.look_again();
    assert!(schedule.is_due(ms(0)));
    schedule.succeeded(1, ms(0));
    assert!(!schedule.is_due(ms(0)));
}

#[test]
fn what_was_left_out_is_tried_again_and_holds_up_nothing() {
    let mut schedule = at_rest();
    let mut now = ms(1000);
    for pause in [100, 200, 400, 800, 1000, 1000] {
        schedule.retry_later(now);
        assert!(!schedule.is_due(now + ms(pause - 1)), "{pause}");
        assert!(!schedule.is_retry_due(now + ms(pause - 1)), "{pause}");
        now += ms(pause);
        assert!(schedule.is_due(now), "{pause}");
        assert!(schedule.is_retry_due(now), "{pause}");
        schedule.succeeded(1, now);
        schedule.saw(1, now);
    }
    schedule.retry_later(now);
    schedule.saw(2, now);
    assert!(
        schedule.is_due(now + ms(20)),
        "a change does not wait for it"
    );
    assert!(!schedule.is_held(now));
    schedule.retry_nothing();
    schedule.succeeded(2, now);
    assert!(!schedule.is_due(now + ms(10_000)));
}
