//! Samples that each rule must refuse, and neighbours that it must let pass.

use super::source::Source;
use super::{manifest, source_faults, words};

/// The faults of a file with module docs and `code` at `path` are those that contain
/// `expected`; an empty `expected` means none.
fn check(path: &str, code: &str, expected: &str) {
    let faults = source_faults(&Source::new(path, &format!("//! Docs.\n\n{code}\n")));
    match expected {
        "" => assert!(faults.is_empty(), "{path}: {code}: {faults:?}"),
        _ => {
            assert_eq!(faults.len(), 1, "{path}: {code}: {faults:?}");
            assert!(
                faults[0].contains(expected),
                "{faults:?} without {expected}"
            );
        }
    }
}

#[test]
fn the_data_plane_sees_only_itself_and_the_image() {
    check("src/dns/answer.rs", "use crate::dns::query::Query;", "");
    check(
        "src/dns/answer.rs",
        "use crate::registry::Domain;",
        "crate::registry",
    );
    check("src/dns.rs", "fn f() { crate::epp::serve() }", "crate::epp");
    check(
        "src/dns/answer.rs",
        "use crate::{dns::query, web};",
        "crate::web",
    );
    check("src/dns/answer.rs", "use crate::{dns::{a, b}, dns::c};", "");
    check(
        "src/dns/answer.rs",
        "use super::super::publish::Publisher;",
        "crate::publish",
    );
    check("src/dns/answer.rs", "use super::query::Query;", "");
    check(
        "src/dns/udp/worker.rs",
        "use super::super::query::Query;",
        "",
    );
    check("src/dns/answer.rs", "use sqlx::Row;", "sqlx");
    check("src/dns/answer.rs", "use tokio::net::UdpSocket;", "tokio");
    check(
        "src/dns/answer.rs",
        "let name: hickory_proto::rr::Name;",
        "hickory_proto",
    );
    check("src/dns/net/tcp.rs", "use tokio::net::TcpStream;", "");
    check("src/dns/net/tcp/stream.rs", "use axum::Router;", "axum");
    check(
        "src/dns/answer/tests.rs",
        "use hickory_proto::op::Message;",
        "",
    );
    check(
        "src/dns/answer.rs",
        "// use crate::registry::Domain;\nlet a = \"sqlx::Row\";",
        "",
    );
    check("src/dnssec.rs", "use crate::registry::Domain;", "");
}

#[test]
fn protocols_see_the_registry_and_not_each_other() {
    check("src/epp/session.rs", "use crate::registry::Command;", "");
    check(
        "src/epp/session.rs",
        "use crate::rdap::lookup;",
        "crate::rdap",
    );
    check(
        "src/whois.rs",
        "use crate::dns::engine::Engine;",
        "crate::dns",
    );
    check(
        "src/registry/store.rs",
        "use crate::epp::Session;",
        "crate::epp",
    );
    check("src/registry/store.rs", "use axum::Router;", "axum");
    check("src/app.rs", "use crate::{dns, epp, registry, web};", "");
}

#[test]
fn the_image_knows_no_runtime_and_no_database() {
    check("zone-compiler/image/src/page.rs", "use rkyv::Archive;", "");
    check("zone-compiler/image/src/page.rs", "use tokio::fs;", "tokio");
    check("zone-compiler/image/src/page.rs", "use sqlx::Row;", "sqlx");
    check(
        "zone-compiler/src/compile.rs",
        "use meridian::dns;",
        "meridian",
    );
    check(
        "loadtest/src/blast.rs",
        "use zone_compiler::Record;",
        "zone_compiler",
    );
}

#[test]
fn long_files_and_functions_are_refused() {
    let function = |lines: usize| {
        format!(
            "fn f<A, B>(a: [u8; 2]) -> A {{\n{}}}",
            "a();\n".repeat(lines)
        )
    };
    check("src/app.rs", &function(70), "");
    check("src/app.rs", &function(71), "function of 71 lines");
    check(
        "src/app.rs",
        &format!("fn a();\n{}", function(71)),
        "src/app.rs:4:",
    );
    check(
        "src/app.rs",
        &format!("type F = fn(u8);\n{}", function(71)),
        "src/app.rs:4:",
    );
    check("src/app/tests.rs", &function(71), "");
    check("tests/it/peers.rs", &function(71), "");
    check(
        "src/app.rs",
        &function(70).replacen("a();", "// }\n\na('}'); b(\"}\");", 1),
        "",
    );
    check("src/app.rs", &"const A: u8 = 1;\n".repeat(497), "");
    check("src/app.rs", &"const A: u8 = 1;\n".repeat(499), "502 lines");
    check("src/table_types.rs", &"const A: u8 = 1;\n".repeat(600), "");
}

#[test]
fn missing_and_endless_module_docs_are_refused() {
    let faults = |text: &str| source_faults(&Source::new("src/app.rs", text));
    assert_eq!(faults("use std::fs;\n").len(), 1);
    assert_eq!(faults("//! Docs.\nuse std::fs;\n").len(), 0);
    assert_eq!(faults(&"//! Docs.\n".repeat(16)).len(), 1);
    assert_eq!(
        source_faults(&Source::new("src/app/tests.rs", "use super::*;\n")).len(),
        0
    );
}

#[test]
fn unfinished_work_is_refused() {
    check(
        "src/app.rs",
        concat!("fn f() { to", "do!() }"),
        "src/app.rs:3:",
    );
    check(
        "src/app.rs",
        concat!("fn f() { unimple", "mented!(\"x\") }"),
        "src/app.rs:3:",
    );
    check(
        "src/app.rs",
        concat!("fn f() { std::dbg", "!(1); }"),
        "src/app.rs:3:",
    );
    check(
        "tests/it/a.rs",
        concat!("#[ig", "nore = \"slow\"]\nfn f() {}"),
        "switched off",
    );
    check(
        "tests/it/a.rs",
        concat!("fn f() { assert!(", "true) }"),
        "a test of nothing",
    );
    check(
        "src/app.rs",
        concat!("// TO", "DO: more"),
        "without an issue",
    );
    check("src/app.rs", concat!("// TO", "DO(#12): more"), "");
    check("src/app.rs", concat!("let a = \"to", "do!\";"), "");
}

#[test]
fn paths_of_one_machine_are_refused() {
    let faults = |line: &str| words::machine_paths("README.md", line).len();
    assert_eq!(faults(concat!("cd /wo", "rk/meridian")), 1);
    assert_eq!(faults(concat!("\"/ro", "ot/x\"")), 1);
    assert_eq!(faults(concat!("src/dns/wo", "rk/x.rs and $HOME/x")), 0);
}

#[test]
fn dependencies_without_a_reason_are_refused() {
    let faults = |text: &str| manifest::faults("Cargo.toml", text).len();
    assert_eq!(faults("[dependencies]\n# Why.\nlibc = \"1\"\n"), 0);
    assert_eq!(faults("[dependencies]\nlibc = \"1\"\n"), 1);
    assert_eq!(
        faults("[dependencies]\n# Why.\nlibc = \"1\"\ntoml = \"1\"\n"),
        1
    );
    assert_eq!(
        faults("[dependencies]\n# Why.\nserde = \"1\"\nserde_json = \"1\"\n"),
        0
    );
    assert_eq!(faults("[dependencies]\nlibc.workspace = true\n"), 0);
    assert_eq!(
        faults("[dependencies]\nzone-image = { path = \"../image\" }\n"),
        0
    );
    assert_eq!(faults("[dev-dependencies]\nlibc = \"1\"\n"), 1);
    assert_eq!(faults("[package]\nname = \"a\"\n"), 0);
}

#[test]
fn literals_and_comments_are_blanked_and_lifetimes_are_not() {
    let code = |text: &str| Source::new("a.rs", text).code;
    assert_eq!(code("a // b\nc"), "a     \nc");
    assert_eq!(code("a /* b /* c */ d */ e"), "a                   e");
    assert_eq!(code(r#"f("a\"b", c)"#), r#"f("    ", c)"#);
    assert_eq!(code("f(r#\"a\"b\"#, c)"), "f(r      #, c)");
    assert_eq!(code("fn f<'a>(x: &'a str)"), "fn f<'a>(x: &'a str)");
    assert_eq!(code("['{', '\\'', 'ä', b'x']"), "[' ', '  ', '  ', b' ']");
    assert_eq!(code("var\"x\""), "var\" \"");
}
