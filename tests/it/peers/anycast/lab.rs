//! Namespaces, cables, routers and edges. All of it has the process's number in its name
//! and goes with the value that made it.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{eventually, zone};
use crate::edges::{edge, primary};
use crate::support::{Folder, Running};

/// The address that all edges have.
pub(super) const ANYCAST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

/// Octets of the disk of the first edge: two images of such a zone, and a little.
const DISK_BYTES: u64 = 400 << 10;

const ROUTER: &str = "router id 10.53.0.1;
protocol device { scan time 1; }
protocol kernel { merge paths on; ipv4 { import none; export all; }; }
template bgp edges { local as 65000; connect delay time 1; ipv4 { import all; export none; }; }
";

/// Runs a command that must work.
#[track_caller]
fn run(command: &str) -> String {
    let words: Vec<_> = command.split_whitespace().collect();
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// A process, killed with this value.
struct Daemon(Child);

impl Daemon {
    fn start(namespace: &str, command: &mut Command) -> Self {
        let mut within = Command::new("ip");
        within
            .args(["netns", "exec", namespace])
            .arg(command.get_program());
        within.args(command.get_args()).stdin(Stdio::null());
        within.envs(
            command
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        if let Some(folder) = command.get_current_dir() {
            within.current_dir(folder);
        }
        Self(within.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An edge in its namespace, with who announces it.
pub(super) struct Node {
    namespace: String,
    folder: Folder,
    server: Option<Running>,
    _speakers: Vec<Daemon>,
}

impl Node {
    pub(super) fn server(&self) -> &Running {
        self.server.as_ref().unwrap()
    }

    /// Starts the server in its namespace.
    pub(super) fn start(&mut self) {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace])
            .arg(env!("CARGO_BIN_EXE_meridian"))
            .args(["--config", "meridian.toml", "serve"])
            .current_dir(self.folder.path("."))
            .stdin(Stdio::null());
        self.server = Some(self.folder.serve_by(command));
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self) {
        self.server.take().unwrap().wait();
    }

    /// Waits until it serves this serial.
    pub(super) fn answers(&self, serial: u32) {
        eventually(&format!("serial {serial}"), || {
            let zones = &self.folder.status()["generation"]["zones"];
            zones[0]["serial"] == serial
        });
    }

    fn image(&self) -> PathBuf {
        self.folder.path("image")
    }

    /// Gives the image a disk of its own, before the server has seen what is there.
    fn limit_disk(&self) {
        let image = self.image();
        std::fs::create_dir(&image).unwrap();
        let image = image.display();
        run(&format!("mount -t tmpfs -o size={DISK_BYTES} none {image}"));
    }

    /// Leaves no octet for another file.
    pub(super) fn fill_disk(&self) {
        let mut filler = std::fs::File::create(self.image().join("filler")).unwrap();
        let fault = (0..=DISK_BYTES / 4096).find_map(|_| filler.write_all(&[0; 4096]).err());
        let fault = fault.expect("the disk has an end").kind();
        assert_eq!(fault, std::io::ErrorKind::StorageFull);
    }

    pub(super) fn free_disk(&self) {
        std::fs::remove_file(self.image().join("filler")).unwrap();
    }

    /// Waits until its disk is in the way; it serves this serial still.
    pub(super) fn lacks_disk(&self, serial: u32) {
        eventually("that the disk is full", || {
            let status = self.folder.status();
            let failure = status["distribution"]["failure"].as_str();
            failure.is_some_and(|failure| failure.contains("No space left on device"))
        });
        let zones = &self.folder.status()["generation"]["zones"];
        assert_eq!(zones[0]["serial"], serial);
    }

    /// One bit of a segment on disk.
    pub(super) fn damage_segment(&self) {
        let files = std::fs::read_dir(self.image()).unwrap();
        let mut paths = files.map(|file| file.unwrap().path());
        let path = paths.find(|path| path.extension().is_some_and(|end| end == "segment"));
        let path = path.unwrap();
        let mut octets = std::fs::read(&path).unwrap();
        let middle = octets.len() / 2;
        octets[middle] ^= 1;
        std::fs::write(&path, octets).unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Of those that have a disk of their own.
        let image = self.image();
        let umount = Command::new("umount").arg("-q").arg(image).status();
        drop(umount);
    }
}

/// Router, primary and edges.
pub(super) struct Lab {
    pub(super) router: String,
    pub(super) nodes: Vec<Node>,
    primary: Folder,
    _server: Running,
    _daemons: Vec<Daemon>,
    /// After all that lives in them.
    _namespaces: Namespaces,
    _folder: TempDir,
}

struct Namespaces(Vec<String>);

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.0 {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

impl Lab {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let prefix = format!("mrdn-{}", std::process::id());
        let names: Vec<_> = (0..4).map(|number| format!("{prefix}-{number}")).collect();
        let namespaces = Namespaces(names.clone());
        for name in &names {
            run(&format!("ip netns add {name}"));
            run(&format!("ip -n {name} link set lo up"));
        }
        let router = names[0].clone();
        for setting in [
            "net.ipv4.ip_forward=1",
            "net.ipv4.fib_multipath_hash_policy=1",
        ] {
            run(&format!("ip netns exec {router} sysctl -qw {setting}"));
        }
        let (primary, key) = primary("");
        primary.write("example.zone", &zone(1));
        primary.succeed(&["compile", "--zone-file", "example.zone"]);
        let server = primary.serve();
        let mut text = ROUTER.to_owned();
        let mut nodes = Vec::new();
        for (number, name) in names.iter().enumerate().skip(1) {
            run(&format!(
                "ip link add e{number} netns {router} type veth peer name cable netns {name}"
            ));
            run(&format!(
                "ip -n {router} addr add 10.53.{number}.1/30 dev e{number}"
            ));
            run(&format!("ip -n {router} link set e{number} up"));
            run(&format!(
                "ip -n {name} addr add 10.53.{number}.2/30 dev cable"
            ));
            run(&format!("ip -n {name} link set cable up"));
            run(&format!(
                "ip -n {name} route add default via 10.53.{number}.1"
            ));
            run(&format!("ip -n {name} addr add {ANYCAST}/32 dev lo"));
            text.push_str(&format!(
                "protocol bgp e{number} from edges {{ neighbor 10.53.{number}.2 as 65001; }}\n"
            ));
            nodes.push(node(&folder, number, name, &primary, &key));
        }
        let daemons = vec![bird(&folder, "router", &router, &text)];
        Self {
            router,
            nodes,
            primary,
            _server: server,
            _daemons: daemons,
            _namespaces: namespaces,
            _folder: folder,
        }
    }

    /// The edges that the router sends to.
    pub(super) fn routes(&self) -> Vec<usize> {
        let shown = run(&format!("ip -n {} route show {ANYCAST}", self.router));
        let via = |number: &usize| shown.contains(&format!("10.53.{number}.2 "));
        (1..4).filter(via).collect()
    }

    /// Puts out another serial.
    pub(super) fn publish(&self, serial: u32) {
        self.primary.write("example.zone", &zone(serial));
        self.primary
            .succeed(&["compile", "--zone-file", "example.zone"]);
    }

    pub(super) fn hide_store(&self) {
        let (store, hidden) = (self.primary.path("store"), self.primary.path("hidden"));
        std::fs::rename(store, hidden).unwrap();
    }

    pub(super) fn show_store(&self) {
        let (store, hidden) = (self.primary.path("store"), self.primary.path("hidden"));
        let _ = std::fs::remove_dir_all(&store);
        std::fs::rename(hidden, store).unwrap();
    }

    pub(super) fn each(&self, check: impl Fn(&Node)) {
        self.nodes.iter().for_each(check);
    }

    pub(super) fn each_but(&self, number: usize, check: impl Fn(&Node)) {
        let others = self.nodes.iter().enumerate();
        let others = others.filter(|(at, _)| at + 1 != number);
        others.for_each(|(_, node)| check(node));
    }
}

/// An edge that runs; the third is announced by ExaBGP.
fn node(lab: &TempDir, number: usize, name: &str, primary: &Folder, key: &str) -> Node {
    let store = format!("file://{}", primary.path("store").display());
    let socket = lab.path().join(format!("e{number}.ctl"));
    let bird = match number {
        3 => String::new(),
        _ => format!(
            "bird-protocol = \"meridian\"\nbird-socket = \"{}\"\n",
            socket.display()
        ),
    };
    let routes = format!(
        "[routes]\naddresses = [\"{ANYCAST}:53\"]\nzone = \"example.\"\n\
         interval-milliseconds = 100\ntimeout-milliseconds = 500\nfall = 3\nrise = 5\n\
         drain-seconds = 2\n{bird}"
    );
    let folder = edge(&format!("e{number}"), &store, key, &routes);
    let path = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let listen = "listen = [\"127.0.0.1:0\", \"[::1]:0\"]";
    let text = text.replace(listen, &format!("listen = [\"{ANYCAST}:53\"]"));
    std::fs::write(&path, text).unwrap();
    let mut node = Node {
        namespace: name.to_owned(),
        folder,
        server: None,
        _speakers: Vec::new(),
    };
    if number == 1 {
        node.limit_disk();
    }
    node.start();
    node._speakers = match number {
        3 => vec![exabgp(lab, number, &node)],
        _ => by_bird(lab, number, &node),
    };
    node
}

fn by_bird(lab: &TempDir, number: usize, node: &Node) -> Vec<Daemon> {
    let text = format!(
        "router id 10.53.{number}.2;\nprotocol device {{ scan time 1; }}\n\
         protocol static meridian {{ disabled yes; ipv4; route {ANYCAST}/32 via \"lo\"; }}\n\
         protocol bgp upstream {{ local as 65001; neighbor 10.53.{number}.1 as 65000;\n\
         connect delay time 1; ipv4 {{ import none; export where proto = \"meridian\"; next hop self; }}; }}\n"
    );
    let bird = bird(lab, &format!("e{number}"), &node.namespace, &text);
    let mut announce = Command::new(env!("CARGO_BIN_EXE_meridian"));
    announce
        .args(["--config", "meridian.toml", "edge", "announce"])
        .current_dir(node.folder.path("."));
    vec![bird, Daemon::start(&node.namespace, &mut announce)]
}

/// Starts BIRD and waits for its socket.
fn bird(lab: &TempDir, name: &str, namespace: &str, text: &str) -> Daemon {
    let (config, socket) = (
        lab.path().join(format!("{name}.conf")),
        lab.path().join(format!("{name}.ctl")),
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("bird");
    command
        .arg("-f")
        .arg("-c")
        .arg(&config)
        .arg("-s")
        .arg(&socket);
    let daemon = Daemon::start(namespace, &mut command);
    eventually("BIRD's socket", || socket.exists());
    daemon
}

fn exabgp(lab: &TempDir, number: usize, node: &Node) -> Daemon {
    let meridian = env!("CARGO_BIN_EXE_meridian");
    let own = node.folder.path("meridian.toml");
    let config = lab.path().join("exabgp.conf");
    let text = format!(
        "process announce {{\n  run {meridian} --config {} edge announce;\n  encoder text;\n}}\n\
         neighbor 10.53.{number}.1 {{\n  router-id 10.53.{number}.2;\n  \
         local-address 10.53.{number}.2;\n  local-as 65001;\n  peer-as 65000;\n  \
         family {{ ipv4 unicast; }}\n  api {{ processes [ announce ]; }}\n}}\n",
        own.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("exabgp");
    command
        .arg(&config)
        .env("exabgp.daemon.user", "root")
        .env("exabgp.api.cli", "false")
        .env("exabgp.log.destination", lab.path().join("exabgp.log"))
        .current_dir(node.folder.path("."));
    Daemon::start(&node.namespace, &mut command)
}
