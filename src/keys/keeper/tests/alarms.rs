//! The alarm when signatures come near their end and nothing newer gets served.

use super::*;

/// Log lines of this thread.
#[derive(Clone, Default)]
pub(super) struct Lines(pub(super) Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub(super) fn alarms(&self) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.matches("signatures come near their end").count()
    }
}

#[test]
fn the_alarm_of_signatures_is_raised_twice_and_ends_when_they_are_served() {
    const HOUR: i64 = 3600;
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let mut stage = Stage::new(Engine::Sqlite, times());
    stage.run_until_ds();
    stage.serve();
    stage.look();
    let refresh = i64::from(stage.keys().policy.signature_refresh);
    assert_eq!(refresh, 120 * HOUR);
    // Re-signed in time and served: always nearly all of it is left.
    for _ in 0..20 {
        stage.pass(5 * HOUR);
        stage.look();
        stage.serve();
        stage.look();
        assert!(
            stage.seconds_left() > 110 * HOUR,
            "{}",
            stage.seconds_left()
        );
    }
    assert_eq!(lines.alarms(), 0);
    // From now on nothing is served.
    let mut seen = Vec::new();
    for hours in (5..=130).step_by(5) {
        stage.pass(5 * HOUR);
        stage.look();
        if seen
            .last()
            .is_none_or(|(_, alarms)| *alarms != lines.alarms())
        {
            seen.push((hours, lines.alarms()));
        }
    }
    let [(5, 0), (half, 1), (quarter, 2)] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert!((60..=65).contains(half), "{seen:?}");
    assert!((90..=95).contains(quarter), "{seen:?}");
    assert!(stage.seconds_left() < 0, "{}", stage.seconds_left());
    stage.serve();
    stage.pass(5 * HOUR);
    stage.look();
    stage.serve();
    stage.pass(5 * HOUR);
    stage.look();
    assert!(
        stage.seconds_left() > 100 * HOUR,
        "{}",
        stage.seconds_left()
    );
    assert_eq!(stage.work.zones[&apex()].alarm, 0);
    assert_eq!(lines.alarms(), 2);
}

#[test]
fn the_alarm_of_signatures_outlives_a_restart() {
    const HOUR: i64 = 3600;
    let mut stage = Stage::new(Engine::Sqlite, times());
    stage.run_until_ds();
    stage.serve();
    stage.look();
    for _ in 0..3 {
        stage.pass(5 * HOUR);
        stage.look();
        stage.serve();
        stage.look();
    }
    // From now on nothing is served, though all is committed again and again.
    for _ in 0..12 {
        stage.pass(5 * HOUR);
        stage.look();
    }
    let before = stage.seconds_left();
    assert!(before < 65 * HOUR, "{before}");
    stage.restart();
    stage.look();
    let after = stage.seconds_left();
    assert!(after <= before, "{after} {before}");
    assert!(stage.work.zones[&apex()].alarm > 0);
    stage.serve();
    stage.pass(5 * HOUR);
    stage.look();
    stage.serve();
    stage.look();
    stage.pass(1);
    stage.look();
    assert!(
        stage.seconds_left() > 110 * HOUR,
        "{}",
        stage.seconds_left()
    );
}
