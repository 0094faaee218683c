use super::*;

fn compressed(segment: &[u8]) -> Vec<u8> {
    let mut pieces = Compressor::new(segment).unwrap();
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().unwrap() {
        all.extend(piece);
    }
    all
}

/// Octets that do not all compress to nothing.
fn segment(length: u32) -> Vec<u8> {
    let numbers = (0..length / 4).map(|number| number.wrapping_mul(2_654_435_761) >> 12);
    numbers.flat_map(u32::to_le_bytes).collect()
}

#[test]
fn what_is_compressed_comes_out_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("s"), folder.path().join("t"));
    for length in [4, 1 << 20, (5 << 20) + 4] {
        let segment = segment(length);
        std::fs::write(&source, compressed(&segment)).unwrap();
        expand(&source, &target, segment.len() as u64).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), segment);
    }
}

#[test]
fn a_length_that_is_not_the_promised_one_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("s"), folder.path().join("t"));
    // Of what unfolds to far more, no more than was promised comes out.
    let bomb = compressed(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    std::fs::write(&source, &bomb).unwrap();
    let error = expand(&source, &target, 1000).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(std::fs::metadata(&target).unwrap().len() <= 1001);
    std::fs::write(&source, compressed(&segment(1000))).unwrap();
    assert!(expand(&source, &target, 1004).is_err());
    let cut = compressed(&segment(100_000));
    std::fs::write(&source, &cut[..cut.len() / 2]).unwrap();
    assert!(expand(&source, &target, 100_000).is_err());
    std::fs::write(&source, b"nothing of the kind").unwrap();
    assert!(expand(&source, &target, 100_000).is_err());
}
