//! What must hold of any octets that a registrar sends: they are cut into the same frames
//! in whatever pieces they come, and each frame is a request or a fault whose answer can
//! be read. Shared by the fuzz targets `epp_frame` and `epp_xml` and the plain test of
//! their corpora.

use meridian::epp::dispatch::{self, Session};
use meridian::epp::frame::{Decoder, LengthError};
use meridian::epp::{Offer, Request, Services, xml};

/// Longest frame that the stream is read with: short, so that both ends of it are met.
const FRAME_BYTES_MAX: usize = 300;

/// Reads a stream in pieces: the first octet says how many lengths follow. The number of
/// frames.
pub(crate) fn frames(input: &[u8]) -> usize {
    let Some((count, rest)) = input.split_first() else {
        return 0;
    };
    let (lengths, stream) = rest.split_at(usize::from(count & 0x0f).min(rest.len()));
    let whole = cut(stream, &[]);
    assert!(cut(stream, lengths) == whole, "pieces make a difference");
    assert!(
        cut(stream, &[0]) == whole,
        "single octets make a difference"
    );
    for frame in &whole.0 {
        request(frame);
    }
    whole.0.len()
}

/// All frames, and how the stream ends.
fn cut(stream: &[u8], lengths: &[u8]) -> (Vec<Vec<u8>>, Option<LengthError>) {
    let mut decoder = Decoder::new(FRAME_BYTES_MAX);
    let (mut frames, mut rest) = (Vec::new(), stream);
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let length = lengths
            .next()
            .map_or(rest.len(), |length| usize::from(*length) + 1);
        let (mut piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        loop {
            match decoder.read(&mut piece) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(piece.is_empty(), "what was given is used up");
    }
    (frames, None)
}

/// Reads one frame; whether it is a request.
pub(crate) fn request(octets: &[u8]) -> bool {
    if let Ok(root) = xml::read(octets) {
        bounded(&root, 1);
    }
    match Request::read(octets) {
        Ok(request) => {
            if let Some(name) = &request.client_transaction {
                assert!((3..=64).contains(&name.chars().count()));
            }
            assert!(xml::read(octets).is_ok(), "a request is XML");
            true
        }
        Err(refused) => {
            assert!(!refused.fault.code.is_success() && !refused.fault.code.ends_session());
            let services = Services::all(&Offer::default());
            let session = Session {
                registrar: None,
                services: &services,
                lab: false,
            };
            let answer = dispatch::refuse(&session, refused, "R-1-1").write(&services);
            assert!(xml::read(answer.as_bytes()).is_ok(), "an answer is XML");
            false
        }
    }
}

/// Depth and attributes stay within their bounds; the number of elements.
fn bounded(element: &xml::Element, depth: usize) -> usize {
    assert!(depth <= xml::DEPTH_MAX && element.attributes.len() <= xml::ATTRIBUTES_MAX);
    let children = element.children.iter();
    let count = 1 + children
        .map(|child| bounded(child, depth + 1))
        .sum::<usize>();
    assert!(count <= xml::ELEMENTS_MAX);
    count
}
