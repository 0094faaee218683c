//! What follows from a registration, the policy and the time.

use super::*;
use crate::registry::testing::NOW;

fn policy() -> RegistrationPolicy {
    RegistrationPolicy::default()
}

fn registered() -> Life {
    Life::new(7, add_years(NOW, 1))
}

#[test]
fn a_registration_expires_as_its_zone_says() {
    let due = registered().next(&policy()).unwrap();
    assert_eq!((due.step, due.at), (Step::Expire, add_years(NOW, 1)));
    let keep = RegistrationPolicy {
        expiry: Expiry::Keep,
        ..policy()
    };
    assert_eq!(registered().next(&keep), None);
    let delete = RegistrationPolicy {
        expiry: Expiry::Delete,
        ..policy()
    };
    assert_eq!(registered().next(&delete).unwrap().step, Step::Expire);
    let kept = Life {
        is_kept: true,
        ..registered()
    };
    assert_eq!(kept.next(&delete), None);
    assert_eq!(kept.next(&policy()).unwrap().step, Step::Expire);
}

#[test]
fn a_transfer_that_waits_comes_before_a_later_end() {
    let transfer = Life {
        transfer_ends_at: Some(after(NOW, 60)),
        ..registered()
    };
    assert_eq!(
        transfer.next(&policy()).unwrap().step,
        Step::ApproveTransfer
    );
    let late = Life {
        expires_at: Some(NOW),
        ..transfer
    };
    assert_eq!(late.next(&policy()).unwrap().step, Step::Expire);
    let delete = RegistrationPolicy {
        expiry: Expiry::Delete,
        ..policy()
    };
    assert_eq!(late.next(&delete).unwrap().step, Step::ApproveTransfer);
}

#[test]
fn deletion_goes_by_redemption_and_wait_to_a_purge_in_the_window() {
    let policy = policy();
    let deleted = registered().deleted(NOW, &policy);
    let due = deleted.next(&policy).unwrap();
    assert_eq!(due.step, Step::EndRedemption);
    assert_eq!(due.at, after(NOW, 30 * 86_400));
    let waiting = deleted.beyond_redemption(due.at, &policy);
    let purge = waiting.next(&policy).unwrap();
    assert_eq!(purge.step, Step::Purge);
    let earliest = after(due.at, 5 * 86_400);
    assert!(purge.at >= earliest && purge.at.0 < earliest.0 + DAY);
    let second = purge.at.0.rem_euclid(DAY) / SECOND;
    assert!((50_400..54_000).contains(&second), "{second}");
}

#[test]
fn a_purge_has_its_moment_for_every_domain_and_window() {
    for (from, length) in [(0, 1), (50_400, 3600), (86_399, 86_400), (0, 86_400)] {
        let policy = RegistrationPolicy {
            purge_from: from,
            purge_length: length,
            ..policy()
        };
        let mut places = std::collections::BTreeSet::new();
        for id in 0..200 {
            let earliest = Timestamp(NOW.0 + id * 7_777_777_777);
            let at = purge_at(id, earliest, &policy);
            assert!(
                at >= earliest && at.0 < earliest.0 + DAY,
                "{from} {length} {id}"
            );
            let place = (at.0.rem_euclid(DAY) / SECOND - i64::from(from)).rem_euclid(86_400);
            assert!(place < i64::from(length), "{from} {length} {id}: {place}");
            places.insert(place);
        }
        assert!(
            length == 1 || places.len() > 150,
            "spread: {}",
            places.len()
        );
    }
}

#[test]
fn a_restore_without_report_goes_back_to_the_redemption_it_had() {
    let policy = policy();
    let deleted = registered().deleted(NOW, &policy);
    let restoring = deleted.restoring(after(NOW, 3600), &policy);
    let due = restoring.next(&policy).unwrap();
    assert_eq!(
        (due.step, due.at),
        (Step::LapseRestore, after(NOW, 3600 + 7 * 86_400))
    );
    assert_eq!(restoring.lapsed(), deleted);
    assert_eq!(restoring.restored(), registered());
}

#[test]
fn without_redemption_the_wait_begins_at_once() {
    let policy = RegistrationPolicy {
        redemption: 0,
        pending_delete: 0,
        ..policy()
    };
    let deleted = registered().deleted(NOW, &policy);
    assert_eq!(deleted.phase, Phase::PendingDelete);
    let purge = deleted.next(&policy).unwrap();
    assert!(purge.at >= NOW && purge.at.0 < NOW.0 + DAY);
}

#[test]
fn several_grace_periods_hold_at_once_and_end_to_the_microsecond() {
    let grace = |kind, seconds| Grace {
        kind,
        started_at: NOW,
        ends_at: after(NOW, seconds),
        years: 1,
    };
    let graces = [grace(GraceKind::Add, 10), grace(GraceKind::Renew, 20)];
    let words = |at| registered().rgp_statuses(&graces, at);
    assert_eq!(words(NOW), ["addPeriod", "renewPeriod"]);
    assert_eq!(
        words(Timestamp(after(NOW, 10).0 - 1)),
        ["addPeriod", "renewPeriod"]
    );
    assert_eq!(words(after(NOW, 10)), ["renewPeriod"]);
    assert!(words(after(NOW, 20)).is_empty());
    let deleted = registered().deleted(NOW, &policy());
    assert_eq!(deleted.rgp_statuses(&graces, NOW), ["redemptionPeriod"]);
}

#[test]
fn ten_years_are_counted_from_now_to_the_second() {
    let limit = add_years(NOW, 10);
    assert!(!is_too_long(NOW, limit, 10));
    assert!(!is_too_long(NOW, Timestamp(limit.0 + SECOND - 1), 10));
    assert!(is_too_long(NOW, Timestamp(limit.0 + SECOND), 10));
}
