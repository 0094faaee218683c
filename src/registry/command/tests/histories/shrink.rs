//! The fewest lines of a history that still fail: runs of them are left out, ever shorter
//! ones, as long as what is left fails (delta debugging). A line that is left out makes
//! others be refused, which is a history like any other.

/// Most lines that are played for it: a failure is to be shown before whoever waits gives
/// up.
const LINES_MAX: usize = 150_000;

/// Shrinks lines that fail.
pub(super) fn shrink(lines: Vec<String>, fails: &mut dyn FnMut(&[String]) -> bool) -> Vec<String> {
    let (mut lines, mut played) = (lines, 0);
    let mut run = lines.len().div_ceil(2);
    while run > 0 {
        let (mut first, mut is_shorter) = (0, false);
        while first < lines.len() && played < LINES_MAX {
            let end = (first + run).min(lines.len());
            let left = [&lines[..first], &lines[end..]].concat();
            played += left.len();
            if fails(&left) {
                (lines, is_shorter) = (left, true);
            } else {
                first = end;
            }
        }
        if run > 1 || !is_shorter {
            run /= 2;
        }
    }
    lines
}

#[test]
fn what_has_no_part_in_a_failure_is_left_out() {
    let lines: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let mut fails = |lines: &[String]| {
        let place = |wanted: &str| lines.iter().position(|line| line == wanted);
        place("17")
            .zip(place("80"))
            .is_some_and(|(one, other)| one < other)
    };
    assert_eq!(shrink(lines, &mut fails), ["17", "80"]);
}
