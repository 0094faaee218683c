use std::net::SocketAddr;

use super::*;

const OPTIONS: SocketOptions = SocketOptions {
    workers: 3,
    receive_buffer_bytes: 0,
    send_buffer_bytes: 0,
    steer_by_cpu: false,
};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn each_worker_has_a_socket_on_the_same_port_as_tcp() {
    for listen in ["127.0.0.1:0", "[::1]:0"] {
        let bound = bind(address(listen), &OPTIONS).unwrap();
        assert_ne!(bound.address.port(), 0);
        assert_eq!(bound.udp.len(), 3);
        assert!(
            bound
                .udp
                .iter()
                .all(|udp| udp.local_addr().unwrap() == bound.address)
        );
        assert_eq!(bound.tcp.local_addr().unwrap(), bound.address);
    }
}

#[test]
fn a_port_that_another_shares_is_occupied() {
    // The first server's sockets have SO_REUSEPORT: without the probe the second
    // one would take a part of its queries.
    let first = bind(address("127.0.0.1:0"), &OPTIONS).unwrap();
    let error = bind(first.address, &OPTIONS).unwrap_err();
    assert_eq!(error.transport, "UDP");
    assert!(error.to_string().contains("dns.listen"), "{error}");
}

#[test]
fn a_port_that_only_tcp_has_is_occupied() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = bind(other.local_addr().unwrap(), &OPTIONS).unwrap_err();
    assert_eq!(error.transport, "TCP");
}

#[test]
fn wildcards_of_both_families_share_a_port() {
    let four = bind(address("0.0.0.0:0"), &OPTIONS).unwrap();
    let six = SocketAddr::new(address("[::]:0").ip(), four.address.port());
    assert_eq!(bind(six, &OPTIONS).unwrap().address, six);
}

#[test]
fn an_address_of_another_machine_names_the_way_out() {
    let error = bind(address("192.0.2.1:0"), &OPTIONS).unwrap_err();
    assert!(error.to_string().contains("interface"), "{error}");
}

#[test]
fn a_port_that_tls_cannot_have_names_its_key() {
    let (address, _listener) = bind_tls(address("127.0.0.1:0"), None).unwrap();
    assert_ne!(address.port(), 0);
    let error = bind_tls(address, None).unwrap_err();
    assert_eq!(error.transport, "TLS");
    assert!(error.to_string().contains("dns.tls.listen"), "{error}");
}

/// What the kernel says of a socket of this process: the option's number.
#[track_caller]
fn discovery(socket: &UdpSocket) -> i32 {
    let ipv6 = socket.local_addr().unwrap().is_ipv6();
    let (level, name) = match ipv6 {
        true => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER),
        false => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
    };
    crate::dns::net::sys::option(socket.as_fd(), level, name).unwrap()
}

#[test]
fn path_mtu_discovery_is_off_on_every_udp_socket() {
    // RFC 9715 section 3.1. The kernel's own default is another one, so that a
    // call that does nothing fails here.
    for listen in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        let plain = UdpSocket::bind(address(listen)).unwrap();
        assert_ne!(discovery(&plain), libc::IP_PMTUDISC_OMIT, "{listen}");
        let bound = bind(address(listen), &OPTIONS).unwrap();
        for socket in &bound.udp {
            // The number is the same for both families.
            assert_eq!(discovery(socket), libc::IP_PMTUDISC_OMIT, "{listen}");
        }
    }
}

#[test]
fn steered_datagrams_go_to_the_worker_of_the_cpu_that_took_them() {
    let options = SocketOptions {
        steer_by_cpu: true,
        ..OPTIONS
    };
    let bound = bind(address("127.0.0.1:0"), &options).unwrap();
    for cpu in sys::allowed_cpus() {
        // On loopback the sender's CPU takes the datagram.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                sys::pin_current_thread(cpu).unwrap();
                for _ in 0..20 {
                    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
                    client.send_to(&[1], bound.address).unwrap();
                }
            });
        });
        let counts: Vec<_> = bound.udp.iter().map(queued).collect();
        let mut expected = vec![0; bound.udp.len()];
        expected[cpu % bound.udp.len()] = 20;
        assert_eq!(counts, expected, "from CPU {cpu}");
    }
}

#[test]
fn the_workers_of_any_cpus_get_what_those_take() {
    let bound = bind(address("127.0.0.1:0"), &OPTIONS).unwrap();
    let members = bound.udp.len();
    let cpus = sys::allowed_cpus();
    // As if workers were on these in another order, and on one that is not there.
    let mut order: Vec<_> = cpus.iter().rev().copied().collect();
    order.push(1000);
    sys::steer_by_cpu(bound.udp[0].as_fd(), members, &order).unwrap();
    for (place, cpu) in order.iter().enumerate().take(cpus.len()) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                sys::pin_current_thread(*cpu).unwrap();
                let client = UdpSocket::bind("127.0.0.1:0").unwrap();
                client.send_to(&[1], bound.address).unwrap();
            });
        });
        let counts: Vec<_> = bound.udp.iter().map(queued).collect();
        let mut expected = vec![0; members];
        expected[place % members] = 1;
        assert_eq!(counts, expected, "from CPU {cpu}");
    }
}

/// Takes all that waits in a socket; says how much it was.
fn queued(socket: &UdpSocket) -> usize {
    let mut buffer = [0; 8];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok()).count()
}
