use std::net::SocketAddr;

use super::*;

const OPTIONS: SocketOptions = SocketOptions {
    workers: 3,
    receive_buffer_bytes: 0,
    send_buffer_bytes: 0,
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
