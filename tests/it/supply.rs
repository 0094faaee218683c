//! Where our dependencies come from and under which licences.
//!
//! Reads `deny.toml`, which cargo-deny reads too where it is installed, and holds
//! `cargo metadata` against it: so the gate needs no further program.

use std::collections::BTreeSet;
use std::process::Command;

use serde::Deserialize;

/// The part of `deny.toml` that is checked here.
#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

fn rules() -> Rules {
    let text = include_str!("../../deny.toml");
    toml::from_str(text).expect("deny.toml is TOML with licences, bans and sources")
}

fn faults(rules: &Rules, package: &Package) -> Vec<String> {
    let mut faults = Vec::new();
    let license = package.license.as_deref().unwrap_or("none");
    if !allowed(license, &rules.licenses.allow) {
        faults.push(format!("licence {license}"));
    }
    if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.name == package.name) {
        faults.push(format!("banned: {}", ban.reason));
    }
    // Packages of the workspace have no source.
    if let Some(source) = &package.source
        && !rules
            .sources
            .allow_registry
            .iter()
            .any(|url| *source == format!("registry+{url}"))
    {
        faults.push(format!("source {source}"));
    }
    let package = format!("{} {}", package.name, package.version);
    faults
        .into_iter()
        .map(|fault| format!("{package}: {fault}"))
        .collect()
}

/// Whether an SPDX expression can be met with allowed licences: `OR` of `AND`s, with
/// brackets around the `OR`s of an `AND`.
fn allowed(expression: &str, allow: &BTreeSet<String>) -> bool {
    let expression = expression.trim();
    let parts = |separator: &str| split_outside(expression, separator);
    let ors: Vec<_> = parts(" OR ")
        .into_iter()
        .flat_map(|part| split_outside(part, "/"))
        .collect();
    if ors.len() > 1 {
        return ors.into_iter().any(|part| allowed(part, allow));
    }
    let ands = parts(" AND ");
    if ands.len() > 1 {
        return ands.into_iter().all(|part| allowed(part, allow));
    }
    match expression
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
    {
        Some(inner) => allowed(inner, allow),
        None => allow.contains(expression),
    }
}

/// Splits at `separator` where no bracket is open.
fn split_outside<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (offset, _) in text.match_indices(separator) {
        let head = &text[..offset];
        if head.matches('(').count() == head.matches(')').count() {
            parts.push(&text[start..offset]);
            start = offset + separator.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Runs cargo without network and returns what it prints.
fn cargo(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test, so it can be started");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo {}: {error}",
        arguments.join(" ")
    );
    output.stdout
}

#[test]
fn dependencies_keep_to_deny_toml() {
    // The metadata also lists optional packages that no feature turns on; the tree does not.
    let tree = cargo(&[
        "tree",
        "--workspace",
        "--edges",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let tree = String::from_utf8(tree).expect("cargo tree prints text");
    let built: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect();
    let target = "x86_64-unknown-linux-gnu";
    let metadata = cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        target,
    ]);
    let metadata: Metadata = serde_json::from_slice(&metadata).expect("cargo metadata prints JSON");
    let packages: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| built.contains(&(package.name.as_str(), package.version.as_str())))
        .collect();
    assert!(packages.len() > 50, "only {} packages", packages.len());
    let rules = rules();
    let faults: Vec<_> = packages
        .iter()
        .flat_map(|package| faults(&rules, package))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn expressions_are_met_by_any_or_and_every_and() {
    let allow = ["MIT", "Apache-2.0", "Zlib"].map(str::to_owned).into();
    let check = |expression, expected| {
        assert_eq!(allowed(expression, &allow), expected, "{expression}");
    };
    check("MIT", true);
    check("GPL-3.0-only", false);
    check("GPL-3.0-only OR MIT", true);
    check("MIT/Apache-2.0", true);
    check("MIT AND GPL-3.0-only", false);
    check("(GPL-3.0-only OR MIT) AND Zlib", true);
    check(
        "(GPL-3.0-only OR MIT) AND (GPL-2.0-only OR BSD-4-Clause)",
        false,
    );
    check("MIT AND Zlib OR GPL-3.0-only", true);
    check("none", false);
}

#[test]
fn a_foreign_source_a_banned_crate_and_a_strange_licence_are_refused() {
    let rules = rules();
    let check = |name: &str, license: Option<&str>, source: &str, expected: usize| {
        let package = Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: Some(source.to_owned()),
        };
        assert_eq!(
            faults(&rules, &package).len(),
            expected,
            "{name} {license:?} {source}"
        );
    };
    let crates = "registry+https://github.com/rust-lang/crates.io-index";
    check("some", Some("MIT OR Apache-2.0"), crates, 0);
    check("some", None, crates, 1);
    check("some", Some("AGPL-3.0-only"), crates, 1);
    check("openssl", Some("MIT"), crates, 1);
    check("some", Some("MIT"), "git+https://example.invalid/some", 1);
}
