use proptest::prelude::*;

use super::*;

const THRESHOLDS: Thresholds = Thresholds { fall: 3, rise: 5 };

fn bad() -> Look {
    Look::Bad(Reason::Udp("no answer".to_owned()))
}

/// `g`, `b` and `l` are looks; after each stands what is announced, `+` or `-`, or `?`.
#[track_caller]
fn check(begin: impl Into<Option<Route>>, story: &str) {
    let mut judge = Judge::new(THRESHOLDS, begin.into());
    let mut letters = story.chars();
    while let (Some(look), Some(expected)) = (letters.next(), letters.next()) {
        let look = match look {
            'g' => Look::Good,
            'b' => bad(),
            _ => Look::Leaving,
        };
        let route = judge.see(&look);
        let route = match route {
            Some(Route::Announced) => '+',
            Some(Route::Withdrawn) => '-',
            None => '?',
        };
        assert_eq!(route, expected, "in {story}, {} left", letters.as_str());
    }
}

#[test]
fn a_route_goes_after_bad_looks_in_a_row() {
    check(Route::Announced, "g+b+b+g+b+b+b-b-");
}

#[test]
fn a_route_comes_after_more_good_looks_in_a_row() {
    check(Route::Withdrawn, "g-g-g-g-b-g-g-g-g-g+g+");
}

#[test]
fn a_route_goes_at_once_when_the_server_leaves() {
    check(Route::Announced, "g+l-l-g-");
}

#[test]
fn of_a_route_that_is_not_known_nothing_is_said_too_early() {
    check(None, "g?g?b?g?g?g?g?g+b+");
    check(None, "b?b?g?b?b?b-g-");
    check(None, "g?l-");
}

proptest! {
    /// Between a change and the one back there are as many looks as that takes.
    #[test]
    fn a_route_does_not_flap(looks in proptest::collection::vec(any::<bool>(), 0..200)) {
        let mut judge = Judge::new(THRESHOLDS, Some(Route::Withdrawn));
        let (mut route, mut since) = (Route::Withdrawn, u32::MAX);
        for good in looks {
            let now = judge.see(&if good { Look::Good } else { bad() }).unwrap();
            since = since.saturating_add(1);
            if now != route {
                let least = match now {
                    Route::Announced => THRESHOLDS.rise,
                    Route::Withdrawn => THRESHOLDS.fall,
                };
                prop_assert!(since >= least);
                (route, since) = (now, 0);
            }
        }
    }
}
