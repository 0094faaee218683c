//! Signatures that are kept, and those that must not be.

use super::*;

fn at(signing: &Signing, now: u64) -> Signing {
    Signing::new(signing.policy().clone(), signing.keys().to_vec(), now).unwrap()
}

/// Signatures made and kept.
fn counts(report: &Report) -> (u64, u64) {
    (report.signed.made, report.signed.kept)
}

#[test]
fn the_same_zone_again_makes_no_signature() {
    for denial in DENIALS {
        let source = records(&format!("{HEAD}{MIXED}"));
        let signing = signing(denial);
        let (first, generation) = compile(source.clone(), &signing, None).unwrap();
        let later = at(&signing, NOW + 3_600);
        let (second, again) = compile(source, &later, Some(&generation)).unwrap();
        assert_eq!(counts(&second), (0, first.signed.made));
        let lines = |generation: &Generation| -> BTreeSet<String> {
            dump(generation).iter().map(ToString::to_string).collect()
        };
        assert_eq!(lines(&generation), lines(&again));
    }
}

#[test]
fn a_change_signs_what_it_changes() {
    let signing = signing(Denial::Nsec3 { opt_out: true });
    let text = format!("{HEAD}{MIXED}");
    let (first, generation) = compile(records(&text), &signing, None).unwrap();
    // SOA and www; the NSEC3 of www has the types that it had.
    let changed = text
        .replace("Host.nic 5 ", "Host.nic 6 ")
        .replace("www CNAME A.very", "www CNAME B.very");
    let (second, _) = compile(records(&changed), &signing, Some(&generation)).unwrap();
    assert_eq!(counts(&second), (2, first.signed.made - 2));
    // A new name: itself, its NSEC3 and the one before it.
    let added = format!("{text}new TXT new\n");
    let (third, grown) = compile(records(&added), &signing, Some(&generation)).unwrap();
    assert_eq!(counts(&third), (3, first.signed.made - 1));
    check_signatures(&grown, &signing);
}

#[test]
fn signatures_of_a_key_that_went_are_made_anew() {
    let first = signing(Denial::Nsec);
    let source = records(&format!("{HEAD}{MIXED}"));
    let (report, generation) = compile(source.clone(), &first, None).unwrap();
    let other = signing(Denial::Nsec);
    let (second, again) = compile(source, &other, Some(&generation)).unwrap();
    assert_eq!(counts(&second), (report.signed.made, 0));
    check_signatures(&again, &other);
}

#[test]
fn old_signatures_are_refreshed_and_not_all_at_once() {
    let signing = signing(Denial::Nsec);
    let mut text = HEAD.to_owned();
    for index in 0..300 {
        text += &format!("n{index} A 192.0.2.1\n");
    }
    let source = records(&text);
    let (_, mut generation) = compile(source.clone(), &signing, None).unwrap();
    let mut made_by_day = Vec::new();
    for day in 1..=8 {
        let now = at(&signing, NOW + day * 86_400);
        let (report, next) = compile(source.clone(), &now, Some(&generation)).unwrap();
        made_by_day.push(report.signed.made);
        generation = next;
    }
    // Lives of 9 to 14 days, made anew when 7 are left.
    assert_eq!(made_by_day[..2], [0, 0], "{made_by_day:?}");
    let days = &made_by_day[2..];
    assert!(days.iter().all(|made| *made > 0), "{made_by_day:?}");
    let most = made_by_day.iter().max().unwrap();
    let all: u64 = made_by_day.iter().sum();
    assert!(*most < all / 3, "{made_by_day:?}");
}

#[test]
fn records_of_another_signer_are_left_out() {
    let first = signing(Denial::Nsec3 { opt_out: false });
    let source = records(&format!("{HEAD}{MIXED}"));
    let (_, generation) = compile(source.clone(), &first, None).unwrap();
    let signed = dump(&generation);
    let other = signing(Denial::Nsec);
    let (report, again) = compile(signed.clone(), &other, None).unwrap();
    assert_eq!(report.signed.dropped, (signed.len() - source.len()) as u64);
    check_signatures(&again, &other);
    check_proofs(&again, &source, Denial::Nsec);
}
