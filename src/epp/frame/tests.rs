use proptest::prelude::*;

use super::*;

/// All frames of a stream that comes in pieces of these lengths.
fn frames(most: usize, stream: &[u8], pieces: &[usize]) -> Result<Vec<Vec<u8>>, LengthError> {
    let mut decoder = Decoder::new(most);
    let mut frames = Vec::new();
    let mut rest = stream;
    let mut pieces = pieces.iter().cycle();
    while !rest.is_empty() {
        let length = pieces.next().map_or(rest.len(), |length| *length);
        let (mut piece, after) = rest.split_at(length.clamp(1, rest.len()));
        rest = after;
        while let Some(frame) = decoder.read(&mut piece)? {
            frames.push(frame);
        }
        assert!(piece.is_empty(), "what was given is used up");
        assert!(decoder.body.len() <= most, "no more than a frame is held");
    }
    Ok(frames)
}

#[test]
fn a_length_counts_itself() {
    assert_eq!(encode("<a/>"), b"\0\0\0\x08<a/>");
    let frames = frames(100, b"\0\0\0\x08<a/>\0\0\0\x04\0\0\0\x05x", &[]).unwrap();
    assert_eq!(frames, [b"<a/>".to_vec(), Vec::new(), b"x".to_vec()]);
}

#[test]
fn a_length_below_four_or_above_the_most_ends_the_stream() {
    for length in [0, 1, 3, 101, u32::MAX] {
        let mut decoder = Decoder::new(100);
        let header = length.to_be_bytes();
        let error = LengthError { length, most: 100 };
        assert_eq!(decoder.read(&mut header.as_slice()), Err(error));
        assert_eq!(decoder.read(&mut b"\0\0\0\x05x".as_slice()), Err(error));
    }
}

#[test]
fn a_frame_of_exactly_the_most_is_taken() {
    let stream = [100u32.to_be_bytes().to_vec(), vec![b'x'; 96]].concat();
    assert_eq!(frames(100, &stream, &[]).unwrap().len(), 1);
}

#[test]
fn a_stream_that_ends_within_a_frame_is_known_to() {
    let mut decoder = Decoder::new(100);
    assert!(!decoder.is_within_frame());
    assert_eq!(decoder.read(&mut b"\0\0".as_slice()), Ok(None));
    assert!(decoder.is_within_frame());
    assert_eq!(decoder.read(&mut b"\0\x06<".as_slice()), Ok(None));
    assert!(decoder.is_within_frame());
    assert_eq!(decoder.read(&mut b">".as_slice()), Ok(Some(b"<>".to_vec())));
    assert!(!decoder.is_within_frame());
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..8),
        pieces in proptest::collection::vec(1usize..20, 1..6),
    ) {
        let mut stream = Vec::new();
        for body in &bodies {
            stream.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
            stream.extend_from_slice(body);
        }
        prop_assert_eq!(frames(100, &stream, &pieces).unwrap(), bodies);
    }

    #[test]
    fn any_octets_are_frames_or_an_error(
        stream in proptest::collection::vec(any::<u8>(), 0..300),
        pieces in proptest::collection::vec(1usize..20, 1..6),
    ) {
        let whole = frames(100, &stream, &[]);
        prop_assert_eq!(whole, frames(100, &stream, &pieces));
    }
}
