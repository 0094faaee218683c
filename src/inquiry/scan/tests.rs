//! The rate holds.

use super::*;

#[test]
fn no_more_questions_than_the_rate_lets_through() {
    let start = Instant::now();
    let mut pace = Pace::new(10);
    let after = |pace: &mut Pace, seconds: f64, questions| {
        let now = start + Duration::from_secs_f64(seconds);
        pace.begin(now, questions)
            .duration_since(start)
            .as_secs_f64()
    };
    let begins = [4, 8, 0, 40, 4].map(|questions| after(&mut pace, 0.0, questions));
    let expected = [0.0, 0.4, 1.2, 1.2, 5.2];
    for (begin, expected) in begins.iter().zip(expected) {
        assert!((begin - expected).abs() < 0.001, "{begins:?}");
    }
    // Time in which nothing was asked is no credit.
    let late = [10, 10].map(|questions| after(&mut pace, 60.0, questions));
    assert!(
        (late[0] - 60.0).abs() < 0.001 && (late[1] - 61.0).abs() < 0.001,
        "{late:?}"
    );
}
