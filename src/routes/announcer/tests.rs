use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;
use std::rc::Rc;

use zone_image::Name;

use super::*;

/// An address where nobody is.
fn nowhere() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn settings(addresses: Vec<SocketAddr>, ready: Rc<Cell<Option<bool>>>) -> Settings {
    Settings {
        addresses,
        probe: Probe {
            zone: Name::parse_absolute("example.").unwrap(),
            timeout: Duration::from_secs(1),
        },
        thresholds: Thresholds { fall: 1, rise: 2 },
        interval: Duration::ZERO,
        is_ready: Box::new(move || ready.get()),
    }
}

#[test]
fn exabgp_reads_each_change_once() {
    let ready = Rc::new(Cell::new(None));
    let mut output = Vec::new();
    // Without an address all that is asked is answered.
    let speaker = Speaker::ExaBgp(&mut output);
    let mut announcer = Announcer::new(settings(Vec::new(), Rc::clone(&ready)), speaker);
    let mut turn = || announcer.turn().unwrap().unwrap();
    let (up, down) = (Route::Announced, Route::Withdrawn);
    assert_eq!([turn(), turn(), turn()], [down, up, up]);
    ready.set(Some(false));
    assert_eq!([turn(), turn()], [down, down]);
    // A server that does not say is one that is asked.
    ready.set(None);
    assert_eq!([turn(), turn()], [down, up]);
}

#[test]
fn a_server_that_is_gone_is_withdrawn() {
    let mut output = Vec::new();
    let addresses = vec![nowhere()];
    let ip = addresses[0].ip();
    let ready = Rc::new(Cell::new(Some(true)));
    let mut announcer = Announcer::new(settings(addresses, ready), Speaker::ExaBgp(&mut output));
    assert_eq!(announcer.turn().unwrap(), Some(Route::Withdrawn));
    assert_eq!(announcer.turn().unwrap(), Some(Route::Withdrawn));
    let said = String::from_utf8(output).unwrap();
    assert_eq!(said, format!("withdraw route {ip}/32 next-hop self\n"));
}

#[test]
fn sentences_are_those_of_exabgp() {
    let four = "192.0.2.53".parse().unwrap();
    let six = "2001:db8::53".parse().unwrap();
    assert_eq!(
        sentence(Route::Announced, four),
        "announce route 192.0.2.53/32 next-hop self"
    );
    assert_eq!(
        sentence(Route::Withdrawn, six),
        "withdraw route 2001:db8::53/128 next-hop self"
    );
}

#[test]
fn a_bird_that_did_not_say_what_it_has_is_told_only_what_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bird.ctl");
    let bird = Bird {
        socket: socket.clone(),
        protocol: "meridian".to_owned(),
    };
    let ready = Rc::new(Cell::new(None));
    // Without an address all that is asked is answered.
    let settings = settings(Vec::new(), ready);
    let mut announcer = Announcer::new(settings, Speaker::<Vec<u8>>::Bird(bird));
    let listener = UnixListener::bind(&socket).unwrap();
    let told = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"0001 BIRD ready.\n").unwrap();
        let mut line = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        reader.read_line(&mut line).unwrap();
        stream
            .write_all(b"0010-meridian: already enabled\n0000 \n")
            .unwrap();
        line
    });
    assert_eq!(announcer.turn().unwrap(), None);
    assert_eq!(announcer.turn().unwrap(), Some(Route::Announced));
    assert_eq!(told.join().unwrap(), "enable \"meridian\"\n");
}
