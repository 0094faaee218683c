use super::*;

/// Header of a query with RD, AD and CD, then `body`.
fn query(count: u8, body: &[u8]) -> Vec<u8> {
    [&[0xab, 0xcd, 0x01, 0x30, 0, count, 0, 0, 0, 0, 0, 1], body].concat()
}

#[track_caller]
fn check(wire: &[u8], expected: &[u8]) {
    let mut out = [0xee; 512];
    match servfail(wire, &mut out) {
        Action::Reply { length, outcome } => {
            assert_eq!(outcome, Outcome::ServFail);
            assert_eq!(&out[..length], expected);
        }
        Action::Drop(reason) => panic!("dropped: {reason:?}"),
    }
}

const HEADER: [u8; 12] = [0xab, 0xcd, 0x81, 0x02, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn question_is_echoed() {
    let question = [3, b'C', b'o', b'm', 0, 0, 1, 0, 1];
    let mut expected = HEADER.to_vec();
    expected[5] = 1;
    expected.extend_from_slice(&question);
    check(&query(1, &[&question[..], &[1, 2, 3]].concat()), &expected);
}

#[test]
fn header_alone_where_no_question_can_be_read() {
    check(&query(1, &[]), &HEADER);
    check(&query(1, &[3, b'c']), &HEADER);
    check(&query(1, &[0, 0, 1, 0]), &HEADER);
    check(&query(1, &[0xc0, 0x0c, 0, 1, 0, 1]), &HEADER);
    check(&query(2, &[0, 0, 1, 0, 1]), &HEADER);
    check(&query(0, &[0, 0, 1, 0, 1]), &HEADER);
}

#[test]
fn responses_and_short_messages_stay_unanswered() {
    let mut response = query(0, &[]);
    response[2] |= 0x80;
    assert_eq!(
        servfail(&response, &mut [0; 64]),
        Action::Drop(DropReason::Response)
    );
    assert_eq!(
        servfail(&response[..11], &mut [0; 64]),
        Action::Drop(DropReason::Short)
    );
}

#[test]
fn what_is_kept_is_bounded_and_has_no_doubles() {
    let offences = Offences::default();
    for number in 0..100u8 {
        let wire = [number / 2; 4];
        let peer = ([127, 0, 0, 1], 53).into();
        offences.keep(&Request {
            peer,
            transport: Transport::Udp,
            wire: &wire,
            now: 9,
        });
    }
    let kept = offences.list();
    assert_eq!(kept.len(), OFFENCES_MAX);
    assert!(
        (0..16u8)
            .zip(&kept)
            .all(|(number, offence)| *offence.wire == [number; 4])
    );
}
