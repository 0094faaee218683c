use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use super::message::{Heard, Notice};
use super::{NoticeEvent, Notifier, Secondary};
use crate::dns::testing::eventually;
use crate::transfer::counters::TransferCounters;
use crate::transfer::key::{Algorithm, Keys, parse_name};
use crate::transfer::message::Message;
use crate::transfer::testing::{NOW, key, records};
use crate::transfer::tsig::{self, Judgement};

const SOA: &str = "tld. 60 SOA a. b. 7 2 3 4 5";

fn soa(serial: u32) -> zone_compiler::Record {
    records(&SOA.replace('7', &serial.to_string())).remove(0)
}

/// A secondary of the test's own, and whoever tells it.
fn secondary(zones: &[&str], signed: bool) -> (UdpSocket, Notifier, Arc<TransferCounters>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let counters = Arc::<TransferCounters>::default();
    let one = Secondary {
        address: socket.local_addr().unwrap(),
        zones: zones.iter().map(|zone| parse_name(zone).unwrap()).collect(),
        key: signed.then(|| key("k", Algorithm::Sha256)),
    };
    let notifier = Notifier::spawn(vec![one], Arc::clone(&counters), || NOW).unwrap();
    (socket, notifier, counters)
}

/// The next notice, and its answer with a response code.
fn receive(socket: &UdpSocket, rcode: u8) -> (Vec<u8>, u32) {
    let mut buffer = [0; 1024];
    let (length, peer) = socket.recv_from(&mut buffer).unwrap();
    let wire = buffer[..length].to_vec();
    let message = hickory_proto::op::Message::from_vec(&wire).unwrap();
    assert_eq!(message.metadata.op_code, hickory_proto::op::OpCode::Notify);
    assert!(message.metadata.authoritative);
    let hickory_proto::rr::RData::SOA(soa) = &message.answers[0].data else {
        panic!("no SOA");
    };
    let serial = soa.serial;
    let mut answer = wire.clone();
    answer[2] |= 0x80;
    answer[3] = rcode;
    socket.send_to(&answer, peer).unwrap();
    (wire, serial)
}

#[test]
fn a_notice_has_the_soa_and_ends_with_its_answer() {
    let (socket, notifier, counters) = secondary(&[], false);
    notifier.tell(soa(7));
    assert_eq!(receive(&socket, 0).1, 7);
    eventually("accepted", || counters.notices(NoticeEvent::Accepted) == 1);
    notifier.tell(soa(8));
    assert_eq!(receive(&socket, 5).1, 8);
    eventually("refused", || counters.notices(NoticeEvent::Refused) == 1);
    assert_eq!(counters.notices(NoticeEvent::Sent), 2);
}

#[test]
fn a_notice_is_sent_again_and_a_newer_one_takes_its_place() {
    let (socket, notifier, counters) = secondary(&["tld"], false);
    let other = records("other. 60 SOA a. b. 1 2 3 4 5").remove(0);
    notifier.tell(other);
    notifier.tell(soa(7));
    let mut buffer = [0; 1024];
    // Of the zone that is not its own it hears nothing; this one it leaves unanswered.
    let length = socket.recv(&mut buffer).unwrap();
    assert_eq!(
        Message::read(&buffer[..length]).unwrap().qname,
        parse_name("tld").unwrap()
    );
    assert_eq!(receive(&socket, 0).1, 7);
    eventually("accepted", || counters.notices(NoticeEvent::Accepted) == 1);
    assert_eq!(counters.notices(NoticeEvent::Sent), 2);
}

#[test]
fn a_signed_notice_takes_a_signed_answer_only() {
    let key = key("k", Algorithm::Sha256);
    let keys = Keys::from_iter([Arc::clone(&key)]);
    let notice = Notice::new(&soa(7), Some(Arc::clone(&key)), NOW).unwrap();
    let request = Message::read(notice.wire()).unwrap();
    let Judgement::Good(mut signed) = tsig::judge(&request, &keys, NOW) else {
        panic!("the notice is not signed");
    };
    let mut answer = notice.wire()[..signed.start].to_vec();
    answer[2] |= 0x80;
    answer[11] = 0;
    assert_eq!(notice.hear(&answer), None, "unsigned");
    signed.sign(&mut answer, NOW);
    assert_eq!(notice.hear(&answer), Some(Heard::Accepted));
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 1;
        assert_ne!(notice.hear(&changed), Some(Heard::Accepted), "octet {at}");
    }
    let unsigned = Notice::new(&soa(7), None, NOW).unwrap();
    let mut answer = unsigned.wire().to_vec();
    assert_eq!(unsigned.hear(&answer), None, "a question");
    answer[2] |= 0x80;
    answer[3] = 9;
    assert_eq!(unsigned.hear(&answer), Some(Heard::Refused(9)));
}
