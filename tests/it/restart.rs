//! Sockets outlive a process: what comes between two of them is answered by the second.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]
#![expect(unsafe_code, reason = "takes descriptors out of messages")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use hickory_proto::rr::RecordType;
use sendfd::RecvWithFd as _;

use crate::support::{Folder, PATIENCE, Running, query, serial};

/// The test in the place of systemd: it keeps descriptors and hands them over.
struct Manager<'f> {
    folder: &'f Folder,
    socket: UnixDatagram,
    kept: Vec<OwnedFd>,
}

impl<'f> Manager<'f> {
    fn new(folder: &'f Folder) -> Self {
        let socket = UnixDatagram::bind(folder.path("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            folder,
            socket,
            kept: Vec::new(),
        }
    }

    /// Starts the server with what is kept, and takes its messages until it is ready.
    fn start(&mut self) -> Running {
        let mut command = handed_over(&self.folder.command(&["serve"]), &self.kept);
        command.env("NOTIFY_SOCKET", self.folder.path("notify"));
        let running = self.folder.serve_by(command);
        loop {
            let (mut text, mut found) = ([0; 4096], [0; 256]);
            let (length, count) = self.socket.recv_with_fd(&mut text, &mut found).unwrap();
            let lines: Vec<_> = std::str::from_utf8(&text[..length])
                .unwrap()
                .lines()
                .collect();
            if lines.contains(&"FDSTOREREMOVE=1") {
                assert!(lines.contains(&"FDNAME=meridian"), "{lines:?}");
                self.kept.clear();
            }
            assert_eq!(count > 0, lines.contains(&"FDSTORE=1"), "{lines:?}");
            // SAFETY: the message made them for this process, and they are taken once.
            let taken = found[..count]
                .iter()
                .map(|&fd| unsafe { OwnedFd::from_raw_fd(fd) });
            self.kept.extend(taken);
            if lines.contains(&"READY=1") {
                return running;
            }
        }
    }

    fn stop(&self, running: Running) {
        running.signal("-TERM");
        let (status, log) = running.wait();
        assert_eq!(status, Some(0), "{log:#?}");
    }
}

/// The command with these descriptors as sd_listen_fds(3) says.
fn handed_over(server: &Command, kept: &[OwnedFd]) -> Command {
    /// Out of the way of the numbers that they come to.
    const ASIDE: usize = 300;
    let mut script = String::new();
    for (place, fd) in kept.iter().enumerate() {
        // Nor must the server have it twice: it could not close it.
        let (aside, own) = (ASIDE + place, fd.as_raw_fd());
        write!(script, "exec {aside}<&{own} {own}<&-;").unwrap();
    }
    for place in 0..kept.len() {
        let aside = ASIDE + place;
        write!(script, "exec {}<&{aside} {aside}<&-;", 3 + place).unwrap();
    }
    if !kept.is_empty() {
        let names = vec!["meridian"; kept.len()].join(":");
        let count = kept.len();
        write!(
            script,
            "export LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES={names};"
        )
        .unwrap();
    }
    script.push_str("exec \"$@\"");
    let mut command = Command::new("bash");
    command
        .args(["-c", &script, "bash"])
        .arg(server.get_program());
    command.args(server.get_args());
    command.current_dir(server.get_current_dir().unwrap());
    command
}

/// The identifiers of the next replies.
fn ids(client: &UdpSocket, count: usize) -> BTreeSet<u16> {
    let mut buffer = [0; 4096];
    let mut next = || {
        client.recv(&mut buffer).unwrap();
        u16::from_be_bytes([buffer[0], buffer[1]])
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn what_comes_between_two_processes_is_answered_by_the_second() {
    let folder = Folder::with_image(7);
    let mut manager = Manager::new(&folder);
    let first = manager.start();
    let address = first.addresses[0];
    // From now on at the address that the system picked.
    folder.configure(&format!("listen = [\"{address}\"]\nworkers = 2"));
    manager.stop(first);
    // Of each of the two addresses a socket for either worker, and a listener.
    assert_eq!(manager.kept.len(), 6);

    let clients: Vec<_> = (0..8)
        .map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
        .collect();
    for client in &clients {
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.connect(address).unwrap();
        for id in 0..25 {
            client
                .send(&query(id, "example.", RecordType::SOA))
                .unwrap();
        }
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let wire = query(99, "example.", RecordType::SOA);
    let length = u16::try_from(wire.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, &wire[..]].concat()).unwrap();

    let second = manager.start();
    for client in &clients {
        assert_eq!(ids(client, 25), (0..25).collect());
    }
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply[2..], [0, 99]);
    // What is not configured any more was given up.
    assert_eq!(manager.kept.len(), 3);
    assert_eq!(serial(address), 7);
    manager.stop(second);
}

#[test]
fn fewer_workers_leave_no_socket_that_nobody_reads() {
    let folder = Folder::with_image(7);
    let mut manager = Manager::new(&folder);
    folder.configure("listen = [\"127.0.0.1:0\"]\nworkers = 4");
    let first = manager.start();
    let address = first.addresses[0];
    manager.stop(first);
    assert_eq!(manager.kept.len(), 5);
    folder.configure(&format!("listen = [\"{address}\"]\nworkers = 1"));
    let second = manager.start();
    assert_eq!(manager.kept.len(), 2);
    // A socket for each, so that the kernel spreads them over all there are.
    for _ in 0..40 {
        assert_eq!(serial(address), 7);
    }
    manager.stop(second);
}
