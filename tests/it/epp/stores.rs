//! A store that fails under sessions: changes are answered with 2400, the sessions stay, and
//! when it is back everything goes on by itself, with all that was acknowledged.

use std::process::Command;

use super::desk::{Talks, command, host_create, name};
use super::live::{Live, Sessions, folder, folder_at};
use crate::publish::eventually;
use crate::registry::{let_in, postgres};

/// Octets that the log of the database may grow by at first.
const ROOM_OCTETS: u64 = 1_000_000;
/// Most hosts that are made until the store is full.
const HOSTS_MAX: usize = 20_000;

fn host(number: usize) -> String {
    format!("ns{number}.outside.example")
}

/// A file that cannot grow is what a full disk is to SQLite. The limit is lifted from
/// outside, as an operator makes room.
#[test]
fn a_full_store_is_2400_and_loses_nothing() {
    let folder = folder("commands-per-second-max = 1000000");
    let serve = folder.command(&["serve"]);
    let mut trapped = Command::new("sh");
    trapped.current_dir(serve.get_current_dir().unwrap());
    // Without the trap the signal of a file too large would end the process.
    trapped.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    trapped.arg(serve.get_program()).args(serve.get_args());
    let live = Live::of_command(folder, trapped);
    let pid = live.server.pid().to_string();
    let limit = |octets: &str| {
        let mut limit = Command::new("prlimit");
        limit.args(["--pid", &pid, &format!("--fsize={octets}:unlimited")]);
        assert!(limit.status().unwrap().success());
    };
    let mut sessions = Sessions::new(live);
    // The first of them makes the log.
    sessions.expect(1000, "reg-a", &host_create("first.outside.example", &[]));
    let log = sessions.live.folder.path("registry.db-wal");
    let octets = std::fs::metadata(log).unwrap().len() + ROOM_OCTETS;
    limit(&octets.to_string());
    let mut made = 0;
    let refused = loop {
        assert!(made < HOSTS_MAX, "the store is never full");
        let reply = sessions.say("reg-a", &host_create(&host(made), &[]));
        if reply.code != 1000 {
            break reply;
        }
        made += 1;
    };
    assert_eq!(refused.code, 2400, "{}", refused.xml);
    assert!(!refused.xml.contains("registry.db"), "{}", refused.xml);
    // Both sessions read on, and are told the same.
    let last = command("info", "host", &name("host", &host(made - 1)), "");
    for who in ["reg-a", "reg-b"] {
        sessions.expect(1000, who, &last);
        sessions.expect(2400, who, &host_create(&host(made), &[]));
    }
    limit("unlimited");
    eventually("changes are taken again", || {
        let reply = sessions.say("reg-a", &host_create(&host(made), &[]));
        assert_ne!(reply.code, 2302, "what was refused was not done");
        reply.code == 1000
    });
    for number in 0..=made {
        let info = command("info", "host", &name("host", &host(number)), "");
        sessions.expect(1000, "reg-b", &info);
    }
}

/// The database goes away under the sessions, and no new connection is let in for a while.
#[test]
fn a_lost_store_is_2400_and_the_sessions_stay() {
    if postgres::server().is_none() {
        return;
    }
    let database = postgres::new_database();
    let mut sessions = Sessions::new(Live::of(folder_at(&database, "")));
    sessions.expect(1000, "reg-a", &host_create(&host(0), &[]));
    let info = command("info", "host", &name("host", &host(0)), "");
    sessions.expect(1000, "reg-b", &info);
    let_in(&database, false);
    for _ in 0..3 {
        let refused = sessions.expect(2400, "reg-a", &host_create(&host(1), &[]));
        assert!(!refused.xml.contains("postgres"), "{}", refused.xml);
        sessions.expect(2400, "reg-b", &info);
        sessions.expect(2400, "reg-a", &super::desk::plain("<poll op=\"req\"/>"));
    }
    // Who comes now cannot be looked at: that is no wrong password.
    let mut other = sessions.live.connect(Some("reg-a"));
    let login = super::live::login("reg-a", super::live::PASSWORD);
    assert_eq!(other.say(&login).code, 2400);
    let_in(&database, true);
    eventually("what it has is read again", || {
        sessions.say("reg-b", &info).code == 1000
    });
    eventually("changes are taken again", || {
        let reply = sessions.say("reg-a", &host_create(&host(1), &[]));
        assert_ne!(reply.code, 2302, "what was refused was not done");
        reply.code == 1000
    });
    assert_eq!(other.say(&login).code, 1000);
}
