//! `meridian epp-client`: templates are filled and said, and nothing is said with a hole in it.

use super::live::{Live, NAME, PASSWORD};

#[test]
fn templates_are_filled_and_said() {
    let live = Live::new("");
    live.folder.write("password", PASSWORD);
    live.folder.write("auth", "qK7!rT2#wZ9&mP4$xL8*\n");
    let address = live.address.to_string();
    let client = [
        "epp-client",
        "--connect",
        &address,
        "--server-name",
        NAME,
        "--server-certificate",
        "server.pem",
        "--account",
        "reg-a",
        "--password-file",
        "password",
        "--certificate",
        "reg-a.pem",
        "--key",
        "reg-a.key",
    ];
    let with = |more: &[&'static str]| -> Vec<&str> {
        client.iter().copied().chain(more.iter().copied()).collect()
    };
    let host = with(&["--set", "NAME=ns1.x.example", "host-create", "host-info"]);
    let said = live.folder.succeed(&host);
    assert!(said.contains("host-create: 1000"), "{said}");
    assert!(said.contains("host-info: 1000"), "{said}");
    let domain = with(&[
        "--set",
        "NAME=a.tld",
        "--set-file",
        "AUTH=auth",
        "--xml",
        "domain-create-parked",
        "domain-set-auth",
        "domain-info",
    ]);
    let said = live.folder.succeed(&domain);
    assert_eq!(said.matches("<result code=\"1000\">").count(), 4, "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    let hole = with(&["--set", "NAME=b.tld", "domain-create"]);
    live.folder.fail(
        &hole,
        &[
            "domain-create needs HOST1 and HOST2 and YEARS",
            "--set HOST1=",
        ],
    );
    live.folder
        .fail(&with(&["domain-none"]), &["domain-none", "--templates"]);
    // Nothing was said of the first before the second was found to be none.
    let both = with(&["--set", "NAME=c.tld", "domain-create-parked", "domain-none"]);
    live.folder.fail(&both, &["domain-none"]);
    let info = with(&["--set", "NAME=c.tld", "domain-info"]);
    live.folder.fail(&info, &["1 commands were refused"]);
}
