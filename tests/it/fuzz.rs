//! The corpora of the fuzz targets `image_open`, `tcp_stream`, `epp_frame`, `epp_xml`,
//! `whois_line`, `rdap_path`, `openpgp` and `transfer` as plain tests, with what the targets check;
//! those of `query` and `zone_file` are tested beside what they are about.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::{Path, PathBuf};

#[path = "../fuzz/checks/epp.rs"]
mod epp;
#[path = "../fuzz/checks/image.rs"]
mod image;
#[path = "../fuzz/checks/lookup.rs"]
mod lookup;
#[path = "../fuzz/checks/openpgp.rs"]
mod openpgp;
#[path = "../fuzz/checks/reply.rs"]
mod reply;
#[path = "../fuzz/checks/stream.rs"]
mod stream;
#[path = "../fuzz/checks/subject.rs"]
mod subject;
#[path = "../fuzz/checks/transfer.rs"]
mod transfer;

fn corpus(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fuzz/corpus").join(target)
}

/// The inputs of a target and their names.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(corpus(target)).unwrap();
    let mut inputs: Vec<_> = files
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read(file.path()).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn changed_images_are_refused_or_served() {
    let bases = image::Bases::compile(&corpus("query"));
    let (mut refused, mut served) = (0, 0);
    for (name, input) in inputs("image_open") {
        match bases.check(&input) {
            Some(replies) => {
                assert!(replies > 0, "{name}");
                served += 1;
            }
            None => {
                assert!(!name.starts_with("served-"), "{name} is refused");
                refused += 1;
            }
        }
    }
    // The inputs reach both ends.
    assert!(refused >= 10 && served >= 5, "{refused} and {served}");
}

#[test]
fn streams_in_any_pieces_get_the_replies_to_each_message() {
    let server = stream::Server::start();
    let mut octets = 0;
    for (_, input) in inputs("tcp_stream") {
        octets += server.check(&input);
        // The same octets one by one, by twos and by threes, and cut off.
        let lengths = usize::from(input.first().unwrap_or(&0) & 0x0f);
        let stream = input.get(1 + lengths..).unwrap_or_default();
        for length in 0..3 {
            octets += server.check(&[&[1, length], stream].concat());
        }
        server.check(&[&[1, 200], &stream[..stream.len() / 2]].concat());
    }
    assert!(octets > 10_000, "{octets}");
}

#[test]
fn frames_of_epp_are_requests_or_faults() {
    for (name, input) in inputs("epp_xml") {
        let is_request = epp::request(&input);
        assert_eq!(is_request, name.starts_with("request-"), "{name}");
        // Cut off anywhere, it is a fault, or nothing was lost but blanks.
        for length in 0..input.len() {
            epp::request(&input[..length]);
        }
    }
    let frames: usize = inputs("epp_frame")
        .iter()
        .map(|(_, input)| epp::frames(input))
        .sum();
    assert!(frames >= 25, "{frames}");
}

#[test]
fn questions_of_the_public_are_questions_or_faults() {
    for (target, check) in [
        ("whois_line", lookup::line as fn(&[u8]) -> bool),
        ("rdap_path", lookup::target),
    ] {
        let (mut asked, mut refused) = (0, 0);
        for (name, input) in inputs(target) {
            let is_asked = check(&input);
            assert_eq!(is_asked, name.starts_with("asked-"), "{target}/{name}");
            match is_asked {
                true => asked += 1,
                false => refused += 1,
            }
            // Cut off or with an octet changed it is something all the same.
            for at in 0..input.len() {
                check(&input[..at]);
                for octet in [0, b'%', b'*', b'.', 0xff] {
                    let mut changed = input.clone();
                    changed[at] = octet;
                    check(&changed);
                }
            }
        }
        assert!(
            asked >= 5 && refused >= 5,
            "{target}: {asked} and {refused}"
        );
    }
}

#[test]
fn any_request_for_a_zone_gets_well_formed_replies() {
    let server = transfer::Server::start();
    for (name, input) in inputs("transfer") {
        let messages = server.check(&input);
        assert_eq!(messages == 0, name.starts_with("other-"), "{name}");
        // Cut off or with an octet changed it is something all the same.
        for at in 0..input.len() {
            server.check(&input[..at]);
            for octet in [0, 1, 0xc0, 0xff] {
                let mut changed = input.clone();
                changed[at] = octet;
                server.check(&changed);
            }
        }
    }
}

/// Frames of EPP that were changed: octets set, cut out, put in from others. The same ones
/// each time.
pub(crate) fn changed_frames(count: usize) -> impl Iterator<Item = Vec<u8>> {
    // A plain xorshift.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    let inputs = inputs("epp_xml");
    (0..count).map(move |_| {
        let mut input = inputs[random(inputs.len())].1.clone();
        let other = &inputs[random(inputs.len())].1;
        for _ in 0..=random(3) {
            let (at, from) = (random(input.len() + 1), random(other.len() + 1));
            let end = at + random((input.len() - at).min(16) + 1);
            let to = from + random((other.len() - from).min(40) + 1);
            match random(3) {
                0 if at < input.len() => input[at] = u8::try_from(random(256)).unwrap(),
                1 => drop(input.drain(at..end)),
                _ => drop(input.splice(at..end, other[from..to].to_vec())),
            }
        }
        input
    })
}

#[test]
fn any_change_of_a_frame_of_epp_is_a_request_or_a_fault() {
    let mut requests = 0;
    for input in changed_frames(20_000) {
        requests += usize::from(epp::request(&input));
        epp::frames(&input);
    }
    assert!(requests > 100, "{requests}");
}

#[test]
fn keys_and_signatures_of_openpgp_are_taken_or_refused() {
    for (name, input) in inputs("openpgp") {
        assert_eq!(openpgp::key(&input), name.starts_with("key-"), "{name}");
        assert_eq!(
            openpgp::signature(&input),
            name.starts_with("signature-"),
            "{name}"
        );
        for length in 0..input.len() {
            openpgp::key(&input[..length]);
            openpgp::signature(&input[..length]);
        }
    }
}
