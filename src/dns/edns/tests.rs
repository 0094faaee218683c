use proptest::prelude::*;

use super::*;

fn options(list: &[(u16, &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (code, data) in list {
        octets.extend(code.to_be_bytes());
        octets.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        octets.extend_from_slice(data);
    }
    octets
}

fn full<'c>() -> Offered<'c> {
    Offered {
        cookie: Some([7; COOKIE_BYTES]),
        nsid: Some(b"site-a"),
        zone_version: Some((1, 0x0102_0304)),
        keepalive: Some(100),
        report_channel: Some(b"\x01r\x00"),
        extended_error: Some(20),
        padded: false,
    }
}

#[test]
fn options_of_a_reply_have_one_order() {
    let mut message = [0; 512];
    let end = full().write(&mut message, 10);
    let expected = options(&[
        (10, &[7; 24]),
        (3, b"site-a"),
        (19, &[1, 0, 1, 2, 3, 4]),
        (11, &[0, 100]),
        (18, b"\x01r\x00"),
        (15, &[0, 20]),
    ]);
    assert_eq!(message[10..end], expected);
}

#[test]
fn what_does_not_fit_is_left_out_and_the_cookie_last() {
    let lengths: Vec<_> = (0..80)
        .map(|room| full().write(&mut vec![0; room], 0))
        .collect();
    for (room, &length) in lengths.iter().enumerate() {
        assert!(length <= room);
    }
    assert_eq!(lengths[27], 10 + 10 + 6);
    assert_eq!(lengths[28], 28);
    assert_eq!(lengths[66], 28 + 10 + 10 + 6 + 7);
    assert_eq!(lengths[67], 28 + 10 + 10 + 6 + 7 + 6);
}

#[test]
fn padding_fills_blocks_of_468_octets() {
    let padded = Offered {
        padded: true,
        ..Offered::default()
    };
    for (at, room, end) in [
        (40, 65_535, 468),
        (464, 65_535, 468),
        (465, 65_535, 936),
        (40, 200, 200),
        (40, 44, 44),
        (40, 43, 40),
        (65_500, 65_535, 65_520),
        (65_530, 65_535, 65_535),
    ] {
        assert_eq!(padded.write(&mut vec![1; room], at), end, "{at} of {room}");
    }
}

#[test]
fn more_options_than_anybody_needs_are_malformed() {
    let many = |count| options(&vec![(65_000, &[][..]); count]);
    assert_eq!(Asked::parse(&many(OPTIONS_MAX)), Ok(Asked::default()));
    assert_eq!(Asked::parse(&many(OPTIONS_MAX + 1)), Err(Malformed));
}

proptest! {
    #[test]
    fn any_rdata_is_read_or_malformed(rdata in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Asked::parse(&rdata);
    }

    #[test]
    fn whole_options_are_read(
        codes in prop::collection::vec((100u16..1000, prop::collection::vec(any::<u8>(), 0..9)), 0..9)
    ) {
        let list: Vec<_> = codes.iter().map(|(code, data)| (*code, &data[..])).collect();
        let rdata = options(&list);
        prop_assert_eq!(Asked::parse(&rdata), Ok(Asked::default()));
        for cut in 1..rdata.len() {
            let whole = (0..=list.len()).any(|count| options(&list[..count]).len() == cut);
            prop_assert_eq!(Asked::parse(&rdata[..cut]).is_ok(), whole);
        }
    }
}
