//! A disk that is full under PostgreSQL: a server of its own with the database on a tiny
//! tmpfs, in a mount namespace, which needs root.
//!
//! Room is made by removing a file beside the database, as an operator does. A full disk
//! under the log of the server itself ends the server; that is a lost database.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;

use super::apply::{Apply, check};
use super::{Registry, postgres};
use crate::publish::eventually;

/// Octets that the database may grow by at first.
const ROOM_OCTETS: u64 = 1_500_000;

/// Arguments: the folder of the programs, user and group to run as.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=64m,mode=700,uid="$2",gid="$3" none small
exec setpriv --reuid "$2" --regid "$3" --clear-groups --pdeathsig QUIT \
    "$1/postgres" -D data -k "$PWD" -c listen_addresses='' -c shared_buffers=16MB
"#;

/// The server; its folder outlives it.
struct Server {
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Nothing where there is no PostgreSQL, or no namespace may be made.
    fn start() -> Option<Self> {
        let shared = postgres::server()?;
        let may = Command::new("unshare").args(["--mount", "true"]).output();
        if !may.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: a tmpfs of its own needs root and `unshare`");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("small")).unwrap();
        let owner = std::fs::metadata(shared).unwrap();
        std::os::unix::fs::chown(folder.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let (user, group) = (owner.uid().to_string(), owner.gid().to_string());
        let server = format!("{}/postgres", url(shared));
        let programs = "SELECT setting FROM pg_config() WHERE name = 'BINDIR'";
        let programs = ask(&server, programs).expect("every server says where it is");
        let initdb = Command::new("setpriv")
            .args(["--reuid", &user, "--regid", &group, "--clear-groups"])
            .arg(format!("{programs}/initdb"))
            .args([
                "-D",
                "data",
                "-U",
                "test",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
            ])
            .arg("--no-sync")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&initdb.stderr);
        assert!(initdb.status.success(), "initdb: {error}");
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new("unshare")
            .args([
                "--mount", "sh", "-c", SCRIPT, "sh", &programs, &user, &group,
            ])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let started = Self { child, folder };
        eventually("the server takes connections", || {
            let mut ready = Command::new(format!("{programs}/pg_isready"));
            ready.arg("--host").arg(started.folder.path());
            ready.output().unwrap().status.success()
        });
        Some(started)
    }

    /// A registry on the tmpfs.
    fn registry(&self) -> Registry {
        let server = url(self.folder.path());
        let small = self.folder.path().join("small");
        let place = format!("CREATE TABLESPACE small LOCATION '{}'", small.display());
        for statement in [
            place.as_str(),
            "CREATE DATABASE registry TABLESPACE small TEMPLATE template0",
        ] {
            ask(&format!("{server}/postgres"), statement);
        }
        let folder = tempfile::tempdir().unwrap();
        let database = format!("{server}/registry");
        Registry { folder, database }.filled()
    }

    /// A file beside the database, as who is in the namespace sees it.
    fn beside(&self) -> PathBuf {
        let small = self.folder.path().join("small/filler");
        let root = format!("/proc/{}/root", self.child.id());
        PathBuf::from(root + small.to_str().unwrap())
    }

    /// Fills the tmpfs but for a little.
    fn fill(&self) {
        let mut file = File::create(self.beside()).unwrap();
        let block = [1; 4096];
        while file.write_all(&block).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length - ROOM_OCTETS).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ends it at once and its sessions with it.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = self.child.wait();
    }
}

fn url(folder: &std::path::Path) -> String {
    let host = folder.display().to_string().replace('/', "%2F");
    format!("postgres://test@{host}")
}

/// Runs a statement; gives its one text, where it has one.
fn ask(url: &str, statement: &str) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(url).await.unwrap();
        let text = sqlx::AssertSqlSafe(statement.to_owned());
        let row = sqlx::query_scalar(text).fetch_optional(&mut connection);
        let row = row.await.unwrap();
        connection.close().await.unwrap();
        row
    })
}

#[test]
fn a_full_disk_is_told_and_got_over_on_postgresql() {
    let Some(server) = Server::start() else {
        return;
    };
    let registry = server.registry();
    server.fill();
    let apply = Apply::start(&registry, "full");
    let refused = apply.next_refused();
    assert!(refused.contains("\"code\":2400"), "{refused}");
    assert!(refused.contains("disk full"), "{refused}");
    apply.signal("-STOP");
    let mut acknowledged = apply.so_far();
    assert!(!acknowledged.is_empty(), "nothing was written before it");
    check(&registry, &acknowledged);
    std::fs::remove_file(server.beside()).unwrap();
    apply.signal("-CONT");
    // What was refused is not there; what comes now is.
    for _ in 0..100 {
        acknowledged.push(apply.next());
    }
    apply.signal("-KILL");
    acknowledged.extend(apply.ended().0);
    check(&registry, &acknowledged);
}
