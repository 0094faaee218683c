use proptest::prelude::*;

use super::*;

const THRESHOLDS: Thresholds = Thresholds { fall: 3, rise: 5 };

fn bad() -> Look {
    Look::Bad(Reason::Udp("no answer".to_owned()))
}

/// `g`, `b` and `l` are looks; after each stands what is announced, `+` or `-`.
#[track_caller]
fn check(begin: Route, story: &str) {
    let mut judge = Judge::new(THRESHOLDS, begin);
    let mut letters = story.chars();
    while let (Some(look), Some(expected)) = (letters.next(), letters.next()) {
        let look = match look {
            'g' => Look::Good,
            'b' => bad(),
            _ => Look::Leaving,
        };
        let route = judge.see(&look);
        let route = if route == Route::Announced { '+' } else { '-' };
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

proptest! {
    /// Between a change and the one back there are as many looks as that takes.
    #[test]
    fn a_route_does_not_flap(looks in proptest::collection::vec(any::<bool>(), 0..200)) {
        let mut judge = Judge::new(THRESHOLDS, Route::Withdrawn);
        let (mut route, mut since) = (Route::Withdrawn, u32::MAX);
        for good in looks {
            let now = judge.see(&if good { Look::Good } else { bad() });
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
