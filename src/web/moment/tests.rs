use super::Moment;
use crate::lookup::Timestamp;

#[test]
fn moments_are_written_for_people_and_for_programs() {
    for (microseconds, people, precise, machine) in [
        (
            0,
            "1 January 1970, 00:00 UTC",
            "1 January 1970, 00:00:00 UTC",
            "1970-01-01T00:00:00Z",
        ),
        (
            1_798_761_599_999_999,
            "31 December 2026, 23:59 UTC",
            "31 December 2026, 23:59:59 UTC",
            "2026-12-31T23:59:59Z",
        ),
    ] {
        let at = Timestamp(microseconds);
        let (minute, second) = (Moment::new(at), Moment::precise(at));
        assert_eq!(
            (minute.people.as_str(), minute.machine.as_str()),
            (people, machine)
        );
        assert_eq!(
            (second.people.as_str(), second.machine.as_str()),
            (precise, machine)
        );
    }
}
