use std::sync::Arc;

use zone_compiler::wire::read_sections;

use super::{AXFR, Head, IXFR, Malformed, Message, Writer};
use crate::transfer::testing::{ZONE, question, records};

#[test]
fn a_request_is_read() {
    let wire = question("Tld.", IXFR, Some(77));
    let message = Message::read(&wire).unwrap();
    assert!(message.is_transfer());
    assert_eq!(message.client_serial(), Some(77));
    assert!(!message.has_edns() && !message.asks_expire());
    let wire = question("tld.", AXFR, None);
    assert_eq!(Message::read(&wire).unwrap().client_serial(), None);
}

#[test]
fn options_are_read() {
    let mut wire = question("tld.", AXFR, None);
    wire[11] = 1;
    wire.extend([
        0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 10, 0, 3, 0, 2, 1, 2, 0, 9, 0, 0,
    ]);
    let message = Message::read(&wire).unwrap();
    assert!(message.has_edns() && message.asks_expire());
    assert_eq!(message.payload_bytes(), 1232);
}

/// Of every message that is cut somewhere, and of every octet that is another: no panic, and
/// what is cut is never a message.
#[test]
fn broken_requests_are_malformed() {
    let wire = question("tld.", IXFR, Some(77));
    for length in 0..wire.len() {
        assert_eq!(
            Message::read(&wire[..length]).err(),
            Some(Malformed),
            "{length}"
        );
    }
    assert_eq!(
        Message::read(&[&wire[..], &[0]].concat()).err(),
        Some(Malformed)
    );
    for at in 0..wire.len() {
        for value in 0..=255 {
            let mut wire = wire.clone();
            wire[at] = value;
            if let Ok(message) = Message::read(&wire) {
                let _ = (message.client_serial(), message.asks_expire());
            }
        }
    }
}

#[test]
fn the_soa_of_another_zone_is_no_serial() {
    let mut wire = question("tld.", IXFR, Some(77));
    // An owner of its own: the root.
    let soa = wire.len() - 34;
    wire.splice(soa..soa + 2, [0]);
    assert_eq!(Message::read(&wire).unwrap().client_serial(), None);
}

#[test]
fn records_come_back_as_they_were_written() {
    let wire = question("tld.", AXFR, None);
    let head = Arc::new(Head::of(&Message::read(&wire).unwrap()));
    let mut writer = Writer::new(&head, 0);
    let records: Vec<_> = records(ZONE)
        .into_iter()
        .map(|record| zone_compiler::Record {
            owner: record.owner.to_lowercase(),
            ..record
        })
        .collect();
    for record in &records {
        assert!(writer.push(record));
    }
    let message = writer.finish();
    assert_eq!(read_sections(&message).unwrap().records[0], records);
    // Every owner has the apex as a pointer.
    let plain: usize = records
        .iter()
        .map(|record| record.owner.as_wire().len())
        .sum();
    assert!(message.len() < plain + 12 * records.len() + 1000);
    hickory_proto::op::Message::from_vec(&message).unwrap();
}

#[test]
fn a_full_message_takes_nothing_and_stays_whole() {
    let wire = question("tld.", AXFR, None);
    let head = Arc::new(Head::of(&Message::read(&wire).unwrap()));
    let records = records(ZONE);
    let mut writer = Writer::new(&head, 100);
    let mut count = 0;
    while writer.push(&records[count % records.len()]) {
        count += 1;
    }
    let message = writer.finish();
    assert!(message.len() <= 65_535 - 100, "{}", message.len());
    assert!(message.len() > 65_000 - 100);
    assert_eq!(read_sections(&message).unwrap().records[0].len(), count);
}
