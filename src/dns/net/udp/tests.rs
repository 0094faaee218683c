use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::thread::JoinHandle;

use super::*;
use crate::dns::engine::Outcome;
use crate::dns::testing::{self, Echo, POISON, SILENT, eventually, message};

const PATIENCE: Duration = Duration::from_secs(20);

fn client() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn server(address: &str) -> UdpSocket {
    let options = super::super::bind::SocketOptions {
        workers: 1,
        receive_buffer_bytes: 0,
        send_buffer_bytes: 0,
        steer_by_cpu: false,
    };
    super::super::bind::bind(address.parse().unwrap(), &options)
        .unwrap()
        .udp
        .remove(0)
}

fn worker(sockets: Vec<UdpSocket>, generation: Arc<ArcSwap<Generation>>) -> Worker<Echo> {
    Worker {
        engine: Echo,
        reply_bytes_max: 512,
        generation,
        sockets,
        counters: Arc::default(),
        offences: Arc::default(),
        wake: Arc::new(Wake::new().unwrap()),
        stop: Arc::default(),
        drain: PATIENCE,
        has_successor: false,
        cpu: None,
        clock: || 77,
    }
}

/// A running worker that ends with the test.
struct Running {
    counters: Arc<WorkerCounters>,
    offences: Arc<Offences>,
    wake: Arc<Wake>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(worker: Worker<Echo>) -> Self {
        Self {
            counters: Arc::clone(&worker.counters),
            offences: Arc::clone(&worker.offences),
            wake: Arc::clone(&worker.wake),
            stop: Arc::clone(&worker.stop),
            thread: Some(std::thread::spawn(|| worker.run())),
        }
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake.wake();
    }
}

fn pointer() -> Arc<ArcSwap<Generation>> {
    Arc::new(ArcSwap::from_pointee(testing::generation()))
}

fn ids(client: &UdpSocket, count: usize) -> BTreeSet<u16> {
    let mut buffer = [0; 4096];
    (0..count)
        .map(|_| {
            client.recv(&mut buffer).unwrap();
            u16::from_be_bytes([buffer[0], buffer[1]])
        })
        .collect()
}

#[test]
fn every_query_of_more_than_a_batch_is_answered() {
    let server = server("127.0.0.1:0");
    let client = client();
    client.connect(server.local_addr().unwrap()).unwrap();
    // All are queued before the worker looks, so that it takes full batches.
    (0..150).for_each(|id| assert_eq!(client.send(&message(id, 0)).unwrap(), 13));
    let running = Running::start(worker(vec![server], pointer()));
    assert_eq!(ids(&client, 150), (0..150).collect());
    eventually("counted", || {
        running.counters.snapshot().outcome(Outcome::Answer) == 150
    });
    assert_eq!(running.counters.snapshot().queries, 150);
}

#[test]
fn one_worker_serves_every_address_of_both_families() {
    let sockets = vec![server("127.0.0.1:0"), server("[::1]:0")];
    let addresses: Vec<_> = sockets.iter().map(|s| s.local_addr().unwrap()).collect();
    let _running = Running::start(worker(sockets, pointer()));
    for address in addresses {
        let client = UdpSocket::bind((address.ip(), 0)).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.connect(address).unwrap();
        client.send(&message(7, 0)).unwrap();
        assert_eq!(ids(&client, 1), [7].into());
    }
}

#[test]
fn a_query_of_death_costs_only_its_own_answer() {
    let server = server("127.0.0.1:0");
    let client = client();
    client.connect(server.local_addr().unwrap()).unwrap();
    for id in 0..20 {
        client
            .send(&message(id, if id % 7 == 3 { POISON } else { 0 }))
            .unwrap();
    }
    let running = Running::start(worker(vec![server], pointer()));
    let mut buffer = [0; 512];
    let mut failed = BTreeSet::new();
    for _ in 0..20 {
        let length = client.recv(&mut buffer).unwrap();
        let id = u16::from_be_bytes([buffer[0], buffer[1]]);
        if length == 12 {
            assert_eq!(buffer[2..4], [0x80, 2], "SERVFAIL");
            failed.insert(id);
        } else {
            assert_eq!(buffer[..length], message(id, 0));
        }
    }
    assert_eq!(failed, [3, 10, 17].into());
    // The worker goes on.
    client.send(&message(99, 0)).unwrap();
    assert_eq!(ids(&client, 1), [99].into());
    eventually("counted", || {
        running.counters.snapshot().outcome(Outcome::Answer) == 18
    });
    let counted = running.counters.snapshot();
    assert_eq!(
        (
            counted.loss(Loss::Panic),
            counted.outcome(Outcome::ServFail)
        ),
        (3, 3)
    );
    let kept = running.offences.list();
    assert_eq!(kept.len(), 3);
    assert_eq!(*kept[0].wire, message(3, POISON));
    assert_eq!(
        (kept[0].at, kept[0].peer),
        (77, client.local_addr().unwrap())
    );
}

#[test]
fn a_drop_is_counted_and_not_answered() {
    let server = server("127.0.0.1:0");
    let client = client();
    client.connect(server.local_addr().unwrap()).unwrap();
    client.send(&message(1, SILENT)).unwrap();
    client.send(&[0; 5000]).unwrap();
    client.send(&message(2, 0)).unwrap();
    let running = Running::start(worker(vec![server], pointer()));
    assert_eq!(ids(&client, 1), [2].into());
    eventually("counted", || {
        running.counters.snapshot().outcome(Outcome::Answer) == 1
    });
    let counted = running.counters.snapshot();
    assert_eq!(
        (
            counted.dropped(DropReason::Response),
            counted.loss(Loss::Oversize)
        ),
        (1, 1)
    );
}

#[test]
fn a_wildcard_worker_replies_from_the_address_that_was_asked() {
    let server = server("0.0.0.0:0");
    let port = server.local_addr().unwrap().port();
    let _running = Running::start(worker(vec![server], pointer()));
    for last in 1..20 {
        let client = client();
        client
            .connect((Ipv4Addr::new(127, 0, 0, last), port))
            .unwrap();
        client.send(&message(last.into(), 0)).unwrap();
        assert_eq!(ids(&client, 1), [last.into()].into());
    }
}

#[test]
fn stopping_answers_what_is_queued() {
    let server = server("127.0.0.1:0");
    let client = client();
    client.connect(server.local_addr().unwrap()).unwrap();
    (0..200).for_each(|id| assert_eq!(client.send(&message(id, 0)).unwrap(), 13));
    let worker = worker(vec![server], pointer());
    worker.stop.store(true, Ordering::Release);
    worker.run().unwrap();
    assert_eq!(ids(&client, 200), (0..200).collect());
}

/// A socket that another process reads later: what comes after the end is its to answer.
#[test]
fn what_comes_after_the_end_waits_for_a_successor() {
    let server = server("127.0.0.1:0");
    let kept = server.try_clone().unwrap();
    let client = client();
    client.connect(server.local_addr().unwrap()).unwrap();
    (0..20).for_each(|id| assert_eq!(client.send(&message(id, 0)).unwrap(), 13));
    let mut first = worker(vec![server], pointer());
    first.has_successor = true;
    first.stop.store(true, Ordering::Release);
    first.run().unwrap();
    assert_eq!(ids(&client, 20), (0..20).collect());
    (20..40).for_each(|id| assert_eq!(client.send(&message(id, 0)).unwrap(), 13));
    let _running = Running::start(worker(vec![kept], pointer()));
    assert_eq!(ids(&client, 20), (20..40).collect());
}

#[test]
fn stopping_ends_while_queries_keep_coming() {
    let server = server("127.0.0.1:0");
    let client = client();
    client.connect(server.local_addr().unwrap()).unwrap();
    let mut running = Running::start(worker(vec![server], pointer()));
    let ended = Arc::new(AtomicBool::new(false));
    let flood = {
        let ended = Arc::clone(&ended);
        std::thread::spawn(move || {
            // Refused once the socket is closed, which is the end of it.
            while !ended.load(Ordering::Acquire) && client.send(&message(1, SILENT)).is_ok() {}
        })
    };
    eventually("under load", || running.counters.snapshot().queries > 1000);
    let begin = Instant::now();
    running.stop();
    ended.store(true, Ordering::Release);
    flood.join().unwrap();
    assert!(begin.elapsed() < PATIENCE, "drained only by its time limit");
}

#[test]
fn an_idle_worker_lets_go_of_a_replaced_generation() {
    let (generations, directory) = testing::generations();
    let worker = worker(vec![server("127.0.0.1:0")], generations.handle());
    generations.wake_on_swap(Arc::clone(&worker.wake));
    let old = Arc::downgrade(&generations.current());
    let _running = Running::start(worker);
    // The pointer, the worker's cache, and nobody else.
    eventually("worker holds it", || old.strong_count() == 2);
    testing::install(directory.path());
    assert!(generations.reload().unwrap().changed);
    eventually("freed by the installer", || {
        generations.free_retired();
        old.strong_count() == 0
    });
    assert_eq!(generations.retired(), 0);
}

#[test]
fn a_query_from_port_zero_is_not_answered() {
    let received =
        |peer: &str, truncated| sys::Received::for_tests(Some(peer.parse().unwrap()), truncated);
    let fate = request(received("192.0.2.1:0", false), &[0; 12], 1).unwrap_err();
    assert!(matches!(
        fate,
        Fate::Done(Action::Drop(DropReason::PortZero))
    ));
    let fate = request(received("192.0.2.1:9", true), &[0; 12], 1).unwrap_err();
    assert!(matches!(fate, Fate::Oversize));
    assert!(request(received("192.0.2.1:9", false), &[0; 12], 1).is_ok());
}
