use serde_json::Value;

use super::{Config, Spec};

/// The shipped file, with every `#key = value` switched on.
fn shipped_with_defaults_on() -> String {
    let is_setting =
        |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(" = ");
    include_str!("../../dist/meridian.toml")
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if is_setting(rest) => rest,
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n")
}

/// Every dotted key of a value that is no table.
fn keys(value: &Value, prefix: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                keys(value, &format!("{prefix}.{key}"), into);
            }
        }
        _ => into.push(prefix.to_owned()),
    }
}

#[test]
fn shipped_file_is_all_defaults() {
    let shipped = include_str!("../../dist/meridian.toml");
    assert_eq!(Config::parse(shipped).unwrap(), Config::default());
}

#[test]
fn shipped_file_shows_every_default() {
    let text = shipped_with_defaults_on();
    let spec: Spec = toml::from_str(&text).unwrap();
    assert_eq!(spec, Spec::default());
    let written: Value = toml::from_str::<toml::Table>(&text)
        .map(|table| serde_json::to_value(table).unwrap())
        .unwrap();
    let (mut shown, mut known) = (Vec::new(), Vec::new());
    keys(&written, "", &mut shown);
    keys(
        &serde_json::to_value(Spec::default()).unwrap(),
        "",
        &mut known,
    );
    shown.sort();
    known.sort();
    assert_eq!(shown, known);
}

/// Each expectation is a line number and a part of the message.
#[track_caller]
fn check_faults(text: &str, expected: &[(usize, &str)]) {
    let faults = Config::parse(text).unwrap_err();
    let same = faults.len() == expected.len()
        && faults
            .iter()
            .zip(expected)
            .all(|(fault, (line, part))| fault.line == *line && fault.message.contains(part));
    assert!(same, "{faults:#?}\nis not\n{expected:#?}");
}

#[test]
fn unknown_key_is_a_fault() {
    check_faults("[dns]\nlistn = []\n", &[(2, "unknown field `listn`")]);
}

#[test]
fn unknown_table_is_a_fault() {
    check_faults("[gopher]\nport = 70\n", &[(1, "unknown field `gopher`")]);
}

#[test]
fn every_fault_is_reported_at_once() {
    check_faults(
        "[dns]\nworkers = \"many\"\nlisten = [\"1.2.3.4\"]\nfoo = 1\n\n[log]\nlevel = \"loud\"\n\
         [dns.tcp]\nidle-timeout-seconds = 0\n",
        &[
            (2, "invalid type"),
            (3, "socket address"),
            (4, "unknown field `foo`"),
            (7, "unknown variant `loud`"),
            (9, "0 is not from 1 to 3600"),
        ],
    );
}

#[test]
fn syntax_error_has_its_line() {
    let faults = Config::parse("[dns]\nworkers = = 3\n").unwrap_err();
    assert_eq!(faults[0].line, 2, "{faults:?}");
}

#[test]
fn negative_number_is_a_fault() {
    check_faults("[dns]\nworkers = -1\n", &[(2, "-1")]);
}

#[test]
fn address_twice_is_a_fault() {
    check_faults(
        "[dns]\nlisten = [\"127.0.0.1:53\", \"127.0.0.1:53\"]\n",
        &[(2, "there twice")],
    );
}

#[test]
fn no_address_is_a_fault() {
    check_faults("dns.listen = []\n", &[(1, "addresses are needed")]);
}

#[test]
fn payload_below_512_is_a_fault() {
    check_faults(
        "[dns]\n\nudp-payload-bytes-max = 511",
        &[(3, "511 is not from 512 to 4096")],
    );
}

#[test]
fn rate_limits_have_ranges_and_an_end() {
    check_faults(
        "[dns.rate-limit]\nslip = 101\nprefix-length-v6 = 65\nentries = 1\n",
        &[
            (2, "101 is not from 0 to 100"),
            (3, "65 is not from 1 to 64"),
            (4, "1 is not from 1024"),
        ],
    );
    let limits = |text| Config::parse(text).unwrap().dns.rate_limits;
    assert_eq!(limits("dns.rate-limit.responses-per-second = 0"), None);
    assert_eq!(limits(""), Some(crate::dns::rate::RateLimits::default()));
}

#[test]
fn what_is_told_fits_its_place() {
    let long = "x".repeat(256);
    check_faults(
        &format!("[dns]\nversion = \"{long}\"\nnsid = \"{long}\"\nreport-channel = \"a..b\"\n"),
        &[
            (2, "more than 255 octets"),
            (3, "more than 255 octets"),
            (4, "empty label"),
        ],
    );
    check_faults("dns.report-channel = \".\"", &[(1, "no agent domain")]);
}

#[test]
fn debounce_beyond_its_limit_is_a_fault() {
    check_faults(
        "[publish]\ndebounce-milliseconds = 500\ndebounce-milliseconds-max = 400\n",
        &[(3, "400 is not from 500 to 60000")],
    );
    check_faults("[publish]\nretry-seconds-max = 0\n", &[(2, "not from 1")]);
}

#[test]
fn no_database_is_no_registry() {
    assert_eq!(Config::default().registry.database, None);
    let named = Config::parse("[registry]\ndatabase = \"sqlite:r.db\"\n").unwrap();
    assert_eq!(named.registry.database.as_deref(), Some("sqlite:r.db"));
}

#[test]
fn database_fault_does_not_repeat_the_value() {
    let faults = Config::parse("[registry]\ndatabase = \"mysql://u:secret@h\"\n").unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(!faults[0].message.contains("secret"), "{faults:?}");
}

#[test]
fn tls_needs_a_port_of_its_own_and_both_files() {
    check_faults(
        "[dns]\nlisten = [\"127.0.0.1:53\"]\n[dns.tls]\nlisten = [\"127.0.0.1:53\", \"127.0.0.1:853\", \
         \"127.0.0.1:853\"]\nkey-file = \"\"\nhandshake-timeout-seconds = 0\nconnections-max = 0\n",
        &[
            // A key that is not there has the line of its table.
            (
                3,
                "dns.tls.certificate-file: name the file of the certificate",
            ),
            (4, "127.0.0.1:853 is there twice"),
            (4, "127.0.0.1:53 is in dns.listen"),
            (5, "name the file of the private key"),
            (6, "0 is not from 1 to 3600"),
            (7, "0 is not from 1 to 1000000"),
        ],
    );
    assert_eq!(Config::default().dns.tls, None);
    let tls = Config::parse(
        "[dns.tls]\nlisten = [\"127.0.0.1:853\"]\ncertificate-file = \"c\"\nkey-file = \"k\"\n",
    );
    assert_eq!(tls.unwrap().dns.tls.unwrap().listen.len(), 1);
}

#[test]
fn metrics_and_control_are_local_by_default() {
    let config = Config::default();
    assert!(config.metrics.listen.ip().is_loopback());
    assert!(config.control.socket.is_absolute());
}

#[test]
fn transfers_are_checked_as_a_whole() {
    check_faults(
        "[transfer]\nconcurrent-max = 0\nallow = [{ zones = [\"a..b\"], key = \"k\" }, \
         { zones = [\"example\"] }, { networks = [\"192.0.2.1/24\"], certificate = \"00\" }]\n\
         journal-directory = \"/var/lib/meridian/image/journal\"\n\
         notify = [{ address = \"192.0.2.1:0\", key = \"k\" }]\n",
        &[
            (2, "0 is not from 1 to 1000"),
            (3, "rule 1: it names a key"),
            (3, "rule 1: \"a..b\" is not a name"),
            (3, "rule 2: it would let everybody in"),
            (3, "rule 3: it names a certificate"),
            (3, "rule 3: \"192.0.2.1/24\": the address has bits behind"),
            (3, "rule 3: the certificate is known by its SHA-256"),
            (4, "a folder of its own"),
            (5, "192.0.2.1:0: name the port"),
            (5, "192.0.2.1:0: it names a key"),
        ],
    );
    check_faults(
        "[transfer]\nallow = [{ nets = [] }]\n",
        &[(2, "unknown field `nets`")],
    );
}

#[test]
fn a_key_that_a_rule_names_is_in_the_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name| folder.path().join(name);
    let text = format!(
        "[transfer]\nkeys-file = \"{}\"\nallow = [{{ key = \"mover\" }}]\n",
        path("keys").display()
    );
    std::fs::write(path("meridian.toml"), text).unwrap();
    for (keys, expected) in [
        (None, Some("cannot read")),
        (
            Some("mover hmac-md5 c2VjcmV0"),
            Some("line 1: use hmac-sha256"),
        ),
        (
            Some("other hmac-sha256 c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRz"),
            Some("key mover. is not in"),
        ),
        (
            Some("Mover hmac-sha256 c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRz"),
            None,
        ),
    ] {
        if let Some(keys) = keys {
            std::fs::write(path("keys"), keys).unwrap();
        }
        let faults = Config::faults(&path("meridian.toml")).unwrap();
        let found: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        match (expected, &found[..]) {
            (None, []) => {}
            (Some(part), [one]) if one.contains(part) => {}
            _ => panic!("{found:#?} is not {expected:?}"),
        }
    }
}
