//! A real PostgreSQL for the tests, from Debian's package.
//!
//! One server a run: the first test that wants it starts it, all processes of the
//! run (whose parent is the test runner) share it, and it ends with the runner. It
//! listens on a socket in its folder and nowhere else, and syncs to disk as in
//! production. PostgreSQL refuses to run as root, so it runs as `postgres`, or as
//! `nobody`, where the tests are root.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where Debian has the programs of the versions we support, newest first.
const PROGRAMS: [&str; 4] = [
    "/usr/lib/postgresql/18/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
];

/// The folder of the running server, or nothing where PostgreSQL is not installed:
/// which is said, and under CI with all oracles a failure.
pub(crate) fn server() -> Option<&'static Path> {
    static SERVER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = SERVER.get_or_init(|| {
        let programs = PROGRAMS.iter().map(Path::new).find(|path| path.is_dir());
        let is_gate = ["CI", "MERIDIAN_PEERS"]
            .iter()
            .all(|name| std::env::var_os(name).is_some());
        if programs.is_none() {
            assert!(!is_gate, "no PostgreSQL: run tests/peers/install as root");
            eprintln!("SKIPPED on PostgreSQL: not installed, run tests/peers/install as root");
        }
        programs.map(start)
    });
    found.as_deref()
}

/// An empty database of its own.
pub(crate) fn new_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = server().expect("asked only where it is one of the engines");
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{count}", std::process::id());
    let programs = PROGRAMS.iter().map(Path::new).find(|path| path.is_dir());
    let mut create = Command::new(programs.unwrap().join("createdb"));
    create
        .arg("--host")
        .arg(folder)
        .args(["--username=test", &name]);
    let output = create.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "createdb: {error}");
    let host = folder.display().to_string().replace('/', "%2F");
    format!("postgres://test@{host}/{name}")
}

/// Starts the server of this run, unless another of its processes has.
fn start(programs: &Path) -> PathBuf {
    let runner = std::os::unix::process::parent_id();
    let name = format!("meridian-postgres-{runner}");
    let folder = std::env::temp_dir().join(name);
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if folder.join("ready").exists() {
        return folder;
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let user = unprivileged(&folder);
    let run = |script: &str| {
        let mut command = Command::new("setsid");
        if let Some(user) = &user {
            command.args([
                "setpriv",
                "--reuid",
                user,
                "--regid",
                user,
                "--clear-groups",
            ]);
        }
        command.args(["sh", "-c", script, "sh"]);
        command.arg(programs).arg(&folder).arg(runner.to_string());
        command.current_dir(&folder).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().unwrap();
        assert!(status.success(), "{script}");
    };
    run("\"$1/initdb\" -D \"$2/data\" -U test -A trust -E UTF8 --locale=C --no-sync");
    // Waits until it takes connections. `fsync` is on: kills of it are part of tests.
    run(
        "\"$1/pg_ctl\" -D \"$2/data\" -w -l \"$2/log\" -o \"-k '$2' -c listen_addresses='' \
         -c max_connections=200 -c shared_buffers=64MB\" start",
    );
    // Ends it with the runner, whoever is left.
    run(
        "{ tail --pid=\"$3\" -f /dev/null; \"$1/pg_ctl\" -D \"$2/data\" -m immediate stop; \
         rm -rf \"$2/data\" \"$2/ready\" \"$2/log\"; } >/dev/null 2>&1 &",
    );
    File::create(folder.join("ready")).unwrap();
    folder
}

/// The user to run as, where we are root; the folder becomes theirs.
fn unprivileged(folder: &Path) -> Option<String> {
    if std::fs::metadata(folder).unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = ["postgres", "nobody"].into_iter().find_map(|name| {
        let mut lines = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        lines.find(|fields| fields[0] == name)
    });
    let (uid, gid) = user.map(|fields| (fields[2], fields[3])).unwrap();
    std::os::unix::fs::chown(folder, uid.parse().ok(), gid.parse().ok()).unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, open).unwrap();
    Some(uid.to_owned())
}
