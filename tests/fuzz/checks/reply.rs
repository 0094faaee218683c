//! What every reply must be, whatever the message was. Shared by the fuzz target
//! `query` and the plain test of its corpus.

/// Panics unless `reply` is one well-formed reply to `message` of at most `most`
/// octets, or none at all.
pub(crate) fn check(message: &[u8], reply: &[u8], most: usize) {
    if reply.is_empty() {
        return;
    }
    assert!(reply.len() <= most, "{} octets of {most}", reply.len());
    assert!(
        message.len() >= 12 && message[2] & 0x80 == 0,
        "answered the unanswerable"
    );
    assert_eq!(reply[..2], message[..2], "ID");
    assert_eq!(
        reply[2] & 0xf9,
        0x80 | message[2] & 0x79,
        "QR, opcode and RD"
    );
    assert_eq!(reply[3] & 0xf0, 0, "RA, Z, AD and CD");
    let count = |at: usize| usize::from(u16::from_be_bytes([reply[at], reply[at + 1]]));
    assert!(count(4) <= 1, "questions");
    let mut at = 12;
    if count(4) == 1 {
        let end = skip_name(reply, at) + 4;
        assert_eq!(reply[at..end], message[at..end], "question");
        at = end;
    }
    let mut opts = 0;
    for _ in 0..count(6) + count(8) + count(10) {
        let fixed = skip_name(reply, at);
        opts += usize::from(reply[fixed..fixed + 2] == [0, 41]);
        at = fixed + 10 + count(fixed + 8);
    }
    assert_eq!(at, reply.len(), "octets after the last record");
    assert!(opts <= 1 && opts <= count(10), "more than one OPT");
    if reply[2] & 2 != 0 {
        assert_eq!(
            (count(6), count(8), count(10)),
            (0, 0, opts),
            "records beside TC"
        );
    }
}

/// Where the name at `at` ends; its pointers must go back to a name.
fn skip_name(reply: &[u8], mut at: usize) -> usize {
    let mut end = None;
    for _ in 0..256 {
        match reply[at] {
            0 => return end.unwrap_or(at + 1),
            length @ 1..64 => at += 1 + usize::from(length),
            high @ 0xc0.. => {
                let target = usize::from(u16::from_be_bytes([high & 0x3f, reply[at + 1]]));
                assert!((12..at).contains(&target), "pointer at {at} to {target}");
                end = end.or(Some(at + 2));
                at = target;
            }
            other => panic!("label of type {other:#x} at {at}"),
        }
    }
    panic!("name without end");
}
