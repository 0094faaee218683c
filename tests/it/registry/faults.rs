//! Faults of the store under a writer: clear words, nothing half done, and it goes on
//! by itself when the cause is gone.

use std::process::Command;

use super::apply::{Apply, check};
use super::{Place, Registry};
use crate::publish::eventually;
use crate::support::{Folder, ask};

use hickory_proto::rr::RecordType;

/// Octets that files of the writer may have at first.
const FILE_OCTETS: u64 = 600_000;

/// A file that cannot grow is what a full disk is to SQLite. The limit is lifted from
/// outside, as an operator makes room.
#[test]
fn a_full_disk_is_told_and_got_over_on_sqlite() {
    let registry = Registry::on_sqlite();
    let mut command = Command::new("sh");
    // Without the trap the signal of a file too large would end the process.
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let apply = registry.command(&["apply", "--lab"]);
    command.current_dir(apply.get_current_dir().unwrap());
    command.args(["-c", script]);
    command
        .arg("prlimit")
        .arg(format!("--fsize={FILE_OCTETS}:unlimited"));
    command.arg(apply.get_program()).args(apply.get_args());
    let apply = Apply::start_by(command, "full");
    let refused = apply.next_refused();
    assert!(refused.contains("\"code\":2400"), "{refused}");
    assert!(
        refused.contains("disk full or file size limit reached"),
        "{refused}"
    );
    apply.signal("-STOP");
    let mut acknowledged = apply.so_far();
    check(&registry, &acknowledged);
    apply.signal("-CONT");
    let pid = apply.pid().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited"])
        .status();
    assert!(lifted.unwrap().success());
    // What was refused is not there; what comes now is.
    for _ in 0..100 {
        acknowledged.push(apply.next());
    }
    apply.signal("-KILL");
    acknowledged.extend(apply.ended().0);
    check(&registry, &acknowledged);
}

/// Neither engine lets two write at once; who waits too long is told so, and a writer
/// that was told so goes on.
#[test]
fn a_lock_of_an_operator_is_told_and_got_over() {
    for place in [Place::Sqlite, Place::Postgres] {
        let Some(registry) = Registry::at(place) else {
            continue;
        };
        let apply = Apply::start(&registry, "lock");
        apply.next();
        let refused = registry.while_locked(|| apply.next_refused());
        assert!(
            refused.contains("locked by another process"),
            "{place:?}: {refused}"
        );
        let mut acknowledged = apply.so_far();
        acknowledged.push(apply.next());
        apply.signal("-KILL");
        acknowledged.extend(apply.ended().0);
        check(&registry, &acknowledged);
    }
}

/// PostgreSQL goes away under writer and publisher: sessions end, and no new ones are
/// let in for a while.
#[test]
fn a_lost_database_is_told_and_got_over_on_postgresql() {
    let Some(registry) = Registry::on_postgres() else {
        return;
    };
    let folder = Folder::new();
    let plain = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
    folder.write("meridian.toml", &(plain + &registry.configured()));
    let server = folder.serve();
    let address = server.addresses[0];
    let apply = Apply::start(&registry, "lost");
    let mut acknowledged = vec![apply.next()];
    registry.let_in(false);
    let refused = apply.next_refused();
    assert!(refused.contains("\"code\":2400"), "{refused}");
    assert!(!refused.contains("password"), "{refused}");
    let name = "meridian_publish_failures_total{step=\"read\"}";
    eventually("the publisher says that it cannot read", || {
        server.metric(name) > 0
    });
    assert!(
        !ask(address, "tld.", RecordType::SOA).answers.is_empty(),
        "serves on"
    );
    acknowledged.extend(apply.so_far());
    registry.let_in(true);
    let back = apply.next();
    acknowledged.push(back.clone());
    eventually("what was written after it is served", || {
        let reply = ask(address, &format!("{}.", back.name), RecordType::NS);
        let mut types = reply.authorities.iter().map(|record| record.record_type());
        types.any(|rtype| rtype == RecordType::NS)
    });
    eventually("no failure is left", || {
        folder.status()["publish"]["failure"].is_null()
    });
    apply.signal("-KILL");
    acknowledged.extend(apply.ended().0);
    check(&registry, &acknowledged);
}
