//! `meridian keys` from outside: what it does, and what it says when it cannot.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use serde_json::Value;

use crate::support::Folder;

/// A registry with `tld.` in it, and the file of the secret named but not made.
pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    let path = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = format!(
        "[registry]\ndatabase = \"sqlite:{}\"\n[keys]\nsecret-file = \"{}\"\n",
        folder.path("registry.db").display(),
        folder.path("secret").display()
    );
    std::fs::write(&path, text + &more).unwrap();
    folder.write(
        "tld.zone",
        "$ORIGIN tld.\n$TTL 3600\n@ SOA ns1.nic h.nic 1 2 3 4 5\n@ NS ns1.ext.example.\n",
    );
    folder.succeed(&["registry", "init"]);
    folder.succeed(&["registry", "import", "--zone-file", "tld.zone"]);
    folder
}

#[test]
fn without_its_files_a_command_names_them() {
    let folder = folder();
    let generate = ["keys", "generate", "--zone", "tld"];
    folder.fail(&generate, &["keys.secret-file", "secret", "keys init"]);
    let text = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
    let without = text.lines().filter(|line| !line.contains("secret-file"));
    let without: Vec<_> = without.collect();
    folder.write("meridian.toml", &without.join("\n"));
    folder.fail(&["keys", "init"], &["keys.secret-file is not set"]);
    folder.fail(&generate, &["keys.secret-file", "keys init"]);
    std::fs::remove_file(folder.path("meridian.toml")).unwrap();
    folder.fail(&["keys", "init"], &["meridian.toml"]);
    folder.fail(&generate, &["meridian.toml"]);
}

#[test]
fn a_secret_is_made_once_and_belongs_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    // Left behind by one that was killed, under a mask that lets others read.
    let left = folder.write("secret.new", "half");
    std::fs::set_permissions(&left, std::fs::Permissions::from_mode(0o644)).unwrap();
    folder.succeed(&["keys", "init"]);
    let path = folder.path("secret");
    let first = std::fs::read(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    folder.fail(&["keys", "init"], &["secret", "is there already"]);
    assert_eq!(std::fs::read(&path).unwrap(), first);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let generate = ["keys", "generate", "--zone", "tld"];
    folder.fail(&generate, &["chmod 600"]);
}

#[test]
fn a_zone_that_is_not_there_or_not_signed_is_named() {
    let folder = folder();
    folder.succeed(&["keys", "init"]);
    for command in ["policy", "generate"] {
        folder.fail(&["keys", command, "--zone", "other"], &["other"]);
    }
    for command in ["list", "status", "export", "ds-seen"] {
        folder.fail(&["keys", command, "--zone", "other"], &["other"]);
        let hint = "keys policy --zone tld";
        folder.fail(&["keys", command, "--zone", "tld"], &["not signed", hint]);
    }
    folder.fail(&["keys", "list", "--zone", "a..b"], &["a..b"]);
    let rollover = ["keys", "rollover", "--zone", "tld", "--role", "csk"];
    folder.fail(&rollover, &["not signed"]);
    let policy = ["keys", "policy", "--zone", "tld"];
    folder.fail(&[&policy[..], &["--algorithm", "5"]].concat(), &["5", "13"]);
    let servers = ["--parent-servers", "192.0.2.1"];
    folder.fail(&[&policy[..], &servers].concat(), &["192.0.2.1:53"]);
    let ttl = ["--zone-ttl-max", "60"];
    folder.fail(&[&policy[..], &ttl].concat(), &["60", "3600"]);
}

#[test]
fn a_ttl_that_the_keys_are_not_timed_by_is_refused() {
    let folder = folder();
    folder.succeed(&["keys", "init"]);
    let zone = ["registry", "zone", "update", "tld"];
    folder.succeed(&[&zone[..], &["--ds-ttl", "172800"]].concat());
    folder.succeed(&[&zone[..], &["--ds-ttl", "3600"]].concat());
    let policy = ["keys", "policy", "--zone", "tld", "--zone-ttl-max"];
    folder.succeed(&[&policy[..], &["3600"]].concat());
    let parts = ["7200", "3600", "--zone-ttl-max"];
    folder.fail(&[&zone[..], &["--soa-ttl", "7200"]].concat(), &parts);
    folder.succeed(&["registry", "zone", "update", "tld", "--ds-ttl", "3000"]);
    folder.succeed(&[&policy[..], &["7200"]].concat());
    folder.succeed(&[&zone[..], &["--soa-ttl", "7200"]].concat());
}

#[test]
fn keys_are_made_shown_and_not_rolled_before_they_are_at_rest() {
    let folder = folder();
    folder.succeed(&["keys", "init"]);
    folder.succeed(&["keys", "policy", "--zone", "tld", "--layout", "split"]);
    let made = folder.succeed(&["keys", "generate", "--zone", "tld"]);
    assert_eq!(made.lines().count(), 2, "{made}");
    let generate = ["keys", "generate", "--zone", "tld"];
    folder.fail(&generate, &["every key", "--role"]);
    let status = folder.succeed(&["--json", "keys", "status", "--zone", "tld"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    let keys = status["timeline"]["keys"].as_array().unwrap();
    let roles: Vec<_> = keys.iter().map(|key| key["role"].as_str()).collect();
    assert_eq!(roles, [Some("ksk"), Some("zsk")]);
    let rollover = ["keys", "rollover", "--zone", "tld", "--role", "zsk"];
    folder.fail(&rollover, &["unfinished", "keys status --zone tld"]);
    let ds = folder.succeed(&["keys", "export", "--zone", "tld"]);
    assert_eq!(ds.lines().count(), 1, "{ds}");
    assert!(ds.contains(" IN DS "), "{ds}");
    let export = ["keys", "export", "--zone", "tld", "--form", "pkcs8"];
    let none = ["--key-tag", "65535", "--out", "key.pem"];
    folder.fail(&[&export[..], &none].concat(), &["no key 65535"]);
    let tag = status["keys"][0]["key-tag"].to_string();
    folder.write("there", "somebody's");
    let there = ["--key-tag", &tag, "--out", "there"];
    folder.fail(&[&export[..], &there].concat(), &["there", "exists"]);
    assert_eq!(std::fs::read(folder.path("there")).unwrap(), b"somebody's");
    let new = ["--key-tag", &tag, "--out", "key.pem"];
    folder.succeed(&[&export[..], &new].concat());
}
