use super::*;

/// Workers have CPUs by their number, so a datagram has to reach the one of that number.
#[test]
fn a_steered_datagram_reaches_the_worker_that_is_on_its_cpu() {
    let options = SocketOptions {
        workers: 2,
        receive_buffer_bytes: 0,
        send_buffer_bytes: 0,
        steer_by_cpu: true,
    };
    let listen = ["127.0.0.1:0", "[::1]:0"].map(|text| text.parse().unwrap());
    let mut bound = listen.map(|address| bind::bind(address, &options).unwrap());
    let addresses = [bound[0].address, bound[1].address];
    let workers = deal(&mut bound);
    assert_eq!(workers.len(), 2);
    for (place, cpu) in net::allowed_cpus().into_iter().enumerate().take(2) {
        // On loopback the sender's CPU takes the datagram.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                net::pin_current_thread(cpu).unwrap();
                for address in addresses {
                    let client = UdpSocket::bind((address.ip(), 0)).unwrap();
                    client.send_to(&[1], address).unwrap();
                }
            });
        });
        for (number, sockets) in workers.iter().enumerate() {
            for socket in sockets {
                let has_come = socket.recv(&mut [0; 8]).is_ok();
                assert_eq!(has_come, number == place, "worker {number}, CPU {cpu}");
            }
        }
    }
}
