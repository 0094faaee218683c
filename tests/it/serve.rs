//! The server as a process: answers, reloads, metrics, control, end.

use std::net::TcpStream;
use std::time::Instant;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::support::{Folder, PATIENCE, ask, serial};

#[test]
fn answers_on_every_address() {
    let folder = Folder::with_image(7);
    let server = folder.serve();
    assert_eq!(server.addresses.len(), 2);
    for &address in &server.addresses {
        assert_eq!(serial(address), 7);
        let referral = ask(address, "www.inside.example.", RecordType::A);
        assert!(!referral.authoritative && referral.answers.is_empty());
        assert_eq!(referral.authorities[0].record_type(), RecordType::NS);
        assert_eq!(
            referral.additionals.len(),
            2,
            "both addresses of in-domain glue"
        );
        let missing = ask(address, "nothing.example.", RecordType::A);
        assert_eq!(missing.response_code, ResponseCode::NXDomain);
        assert_eq!(
            ask(address, "test.", RecordType::A).response_code,
            ResponseCode::Refused
        );
    }
}

/// Waits for a serial to be served; every answer on the way is old or new.
#[track_caller]
fn served(server: std::net::SocketAddr, old: u32, new: u32) {
    let begin = Instant::now();
    loop {
        match serial(server) {
            found if found == new => return,
            found => assert_eq!(found, old),
        }
        assert!(begin.elapsed() < PATIENCE, "{new} is never served");
    }
}

#[test]
fn reload_has_installed_when_it_returns() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    for new in 2..6 {
        folder.compile(new);
        let said = folder.succeed(&["reload"]);
        assert!(said.contains(&format!("generation {new}")), "{said}");
        assert_eq!(serial(server.addresses[0]), new);
    }
    assert_eq!(folder.status()["generation"]["number"], 5);
}

#[test]
fn a_newer_image_is_served_by_itself() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    folder.compile(2);
    served(server.addresses[0], 1, 2);
}

#[test]
fn sighup_reloads_and_the_server_stays() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    folder.compile(2);
    server.signal("-HUP");
    served(server.addresses[0], 1, 2);
    server.signal("-TERM");
    let (status, log) = server.wait();
    assert_eq!(status, Some(0));
    assert!(log.iter().any(|line| line.contains("SIGHUP")), "{log:#?}");
}

#[test]
fn a_broken_image_is_refused_and_the_old_one_serves_on() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    let file = folder.path("image/generation");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 0x10;
    std::fs::write(&file, bytes).unwrap();
    folder.fail(&["reload"], &["image", "digest"]);
    assert_eq!(serial(server.addresses[0]), 1);
    let status = folder.status();
    assert!(
        status["install-error"].as_str().unwrap().contains("digest"),
        "{status}"
    );
    let (_, metrics) = server.page("/metrics");
    assert!(
        !metrics.contains("meridian_install_failures_total 0"),
        "{metrics}"
    );
}

#[test]
fn sigterm_closes_connections_removes_the_socket_and_ends_with_0() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    let _idle = TcpStream::connect(server.addresses[0]).unwrap();
    assert!(folder.path("control.sock").exists());
    server.signal("-TERM");
    let begin = Instant::now();
    let (status, log) = server.wait();
    assert_eq!(status, Some(0), "{log:#?}");
    assert!(begin.elapsed() < PATIENCE);
    assert!(!folder.path("control.sock").exists());
}

#[test]
fn metrics_count_what_was_asked() {
    let folder = Folder::with_image(42);
    let server = folder.serve();
    for _ in 0..3 {
        ask(server.addresses[0], "www.example.", RecordType::A);
    }
    ask(server.addresses[1], "inside.example.", RecordType::A);
    let (status, page) = server.page("/metrics");
    assert!(status.contains("200"), "{status}");
    for line in [
        "meridian_dns_queries_total{transport=\"udp\"} 4",
        "meridian_dns_responses_total{transport=\"udp\",outcome=\"answer\"} 3",
        "meridian_dns_responses_total{transport=\"udp\",outcome=\"referral\"} 1",
        "meridian_dns_queries_total{transport=\"tcp\"} 0",
        "meridian_zone_serial{zone=\"example.\"} 42",
        "meridian_generation_number 1",
        "# EOF",
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "no `{line}` in\n{page}"
        );
    }
    assert_eq!(
        server.page("/healthz"),
        ("HTTP/1.1 200 OK".into(), "ok\n".into())
    );
    assert!(server.page("/").0.contains("404"));
}

#[test]
fn an_occupied_port_is_one_clear_fault() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    let other = Folder::with_image(1);
    other.configure(&format!("listen = [\"{}\"]", server.addresses[0]));
    let address = server.addresses[0].to_string();
    other.fail(&["serve"], &["cannot listen", &address, "dns.listen"]);
    assert_eq!(serial(server.addresses[0]), 1);
}

#[test]
fn a_second_server_on_one_control_socket_is_refused() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    folder.fail(&["serve"], &["control socket in use", "control.socket"]);
    assert_eq!(serial(server.addresses[0]), 1);
    assert_eq!(folder.status()["generation"]["zones-count"], 1);
}

#[test]
fn a_killed_server_leaves_nothing_that_stops_the_next() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    server.signal("-KILL");
    server.wait();
    assert!(folder.path("control.sock").exists());
    assert_eq!(serial(folder.serve().addresses[0]), 1);
}

#[test]
fn the_control_socket_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_image(1);
    let _server = folder.serve();
    let mode = std::fs::metadata(folder.path("control.sock"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nothing_is_served_without_an_image() {
    Folder::new().fail(&["serve"], &["no image", "meridian compile"]);
}
