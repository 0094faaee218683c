use super::*;

#[test]
fn it_is_the_digest_of_blake3() {
    let octets: Vec<u8> = (0..7 * PIECE_BYTES + 1)
        .map(|at| (at % 251).to_le_bytes()[0] ^ (at >> 16).to_le_bytes()[0])
        .collect();
    let mut lengths = vec![0, 1, 1024, 1025];
    for pieces in 1..=7 {
        lengths.extend(
            [-1025, -1, 0, 1].map(|more| (pieces * PIECE_BYTES).saturating_add_signed(more)),
        );
    }
    for length in lengths {
        let contents = &octets[..length];
        let expected = *blake3::hash(contents).as_bytes();
        for team in [Team::ALONE, Team::of(2), Team::of(5)] {
            assert_eq!(digest(contents, team), expected, "{length} octets");
        }
    }
}
