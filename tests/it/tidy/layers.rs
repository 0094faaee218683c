//! Who may import whom.

use super::source::Source;

/// A part of the tree and all that it may import, beside `std`.
struct Layer {
    /// Start of the paths it covers.
    path: &'static str,
    /// Modules of its own crate that it may name; none means any.
    modules: Option<&'static [&'static str]>,
    /// Crates that it may name, of those in `CRATES`.
    crates: &'static [&'static str],
}

/// Crates that some layer must not see. Others are free.
const CRATES: [&str; 29] = [
    "anyhow",
    "arc_swap",
    "axum",
    "blake3",
    "clap",
    "cryptoki",
    "hickory_proto",
    "libc",
    "loadtest",
    "memmap2",
    "meridian",
    "object_store",
    "prometheus_client",
    "quick_xml",
    "rcgen",
    "rkyv",
    "rustls",
    "sd_notify",
    "serde",
    "serde_json",
    "siphasher",
    "socket2",
    "sqlx",
    "tokio",
    "tokio_rustls",
    "toml",
    "zone_compiler",
    "zone_image",
    "zstd",
];

/// The first layer whose path fits counts. Files that fit none are wiring (`app.rs`,
/// `main.rs`, the command line) and see everything.
const LAYERS: &[Layer] = &[
    Layer {
        path: "zone-compiler/image/src/",
        modules: None,
        crates: &["blake3", "libc", "memmap2", "rkyv", "siphasher"],
    },
    Layer {
        path: "zone-compiler/src/",
        modules: None,
        crates: &[
            "anyhow",
            "clap",
            "hickory_proto",
            "libc",
            "siphasher",
            "sqlx",
            "tokio",
            "zone_compiler",
            "zone_image",
        ],
    },
    Layer {
        path: "loadtest/src/",
        modules: None,
        crates: &[
            "anyhow",
            "clap",
            "hickory_proto",
            "libc",
            "loadtest",
            "rcgen",
            "rustls",
            "serde",
            "serde_json",
            "socket2",
            "zone_image",
        ],
    },
    // The stream side and the swap of generations may wait, so they may use tokio; what
    // they report is serialised where it is sent.
    Layer {
        path: "src/dns/net/tcp",
        modules: Some(&["dns", "net"]),
        crates: STREAM,
    },
    Layer {
        path: "src/dns/net/tls",
        modules: Some(&["dns", "net"]),
        crates: STREAM,
    },
    Layer {
        path: "src/dns/generations",
        modules: Some(&["dns"]),
        crates: STREAM,
    },
    Layer {
        path: "src/dns",
        modules: Some(&["dns"]),
        crates: &["arc_swap", "libc", "siphasher", "socket2", "zone_image"],
    },
    // It uses what the data plane offers, and is called by it through traits.
    Layer {
        path: "src/transfer",
        modules: Some(&["transfer", "dns"]),
        crates: &[
            "blake3",
            "siphasher",
            "tokio",
            "zone_compiler",
            "zone_image",
        ],
    },
    // What every service over TCP shares: it names none of them.
    Layer {
        path: "src/net",
        modules: Some(&["net"]),
        crates: &["arc_swap", "rustls", "tokio", "tokio_rustls"],
    },
    Layer {
        path: "src/registry",
        modules: Some(&["registry", "background", "clock"]),
        crates: &[
            "anyhow",
            "blake3",
            "libc",
            "serde",
            "serde_json",
            "siphasher",
            "sqlx",
            "tokio",
            "zone_compiler",
            "zone_image",
        ],
    },
    // Questions to name servers of others, of the control plane.
    Layer {
        path: "src/exchange",
        modules: Some(&["exchange"]),
        crates: &["tokio", "zone_compiler", "zone_image"],
    },
    // Questions for the registry: what is asked is the registry's, how is `exchange`.
    Layer {
        path: "src/inquiry",
        modules: Some(&["inquiry", "exchange", "registry", "background"]),
        crates: &["tokio", "zone_image"],
    },
    // The one place that speaks to tokens.
    Layer {
        path: "src/keys/token",
        modules: Some(&["keys"]),
        crates: &["cryptoki", "zone_compiler"],
    },
    Layer {
        path: "src/keys",
        modules: Some(&["keys", "exchange", "registry", "background", "clock"]),
        crates: &[
            "serde",
            "serde_json",
            "tokio",
            "zone_compiler",
            "zone_image",
        ],
    },
    Layer {
        path: "src/publish",
        modules: Some(&["publish", "registry", "keys", "dns", "background", "clock"]),
        crates: &CRATES,
    },
    // Between machines: signed, shipped, fetched. Of the registry it knows numbers, of keys
    // of zones nothing.
    Layer {
        path: "src/distribution",
        modules: Some(&["distribution", "dns", "net", "background"]),
        crates: &[
            "blake3",
            "object_store",
            "rustls",
            "serde",
            "serde_json",
            "tokio",
            "tokio_rustls",
            "zone_compiler",
            "zone_image",
            "zstd",
        ],
    },
    // Looks at the server from outside, as clients do.
    Layer {
        path: "src/routes",
        modules: Some(&["routes"]),
        crates: &["zone_image"],
    },
    // Sockets, TLS and time of sessions; what is said in them is below and pure.
    Layer {
        path: "src/epp/server",
        modules: Some(&["epp", "registry", "net"]),
        crates: &[
            "arc_swap",
            "prometheus_client",
            "rustls",
            "tokio",
            "tokio_rustls",
        ],
    },
    Layer {
        path: "src/epp",
        modules: Some(&["epp", "registry"]),
        crates: &["quick_xml", "serde", "serde_json"],
    },
    // What the public may know is decided and read here, and handed on without the rest.
    Layer {
        path: "src/disclosure",
        modules: Some(&["disclosure", "registry"]),
        crates: &[],
    },
    Layer {
        path: "src/lookup",
        modules: Some(&["lookup", "disclosure", "registry"]),
        crates: &["prometheus_client", "siphasher", "tokio"],
    },
    // So none of these sees the registry.
    Layer {
        path: "src/whois",
        modules: Some(&["whois", "lookup", "disclosure", "net"]),
        crates: &["tokio"],
    },
    Layer {
        path: "src/rdap",
        modules: Some(&["rdap", "lookup", "disclosure", "net"]),
        crates: &["serde_json"],
    },
    Layer {
        path: "src/web",
        modules: Some(&["web", "lookup", "disclosure", "net"]),
        crates: &[],
    },
];

const STREAM: &[&str] = &[
    "arc_swap",
    "libc",
    "rustls",
    "serde",
    "siphasher",
    "socket2",
    "tokio",
    "tokio_rustls",
    "zone_image",
];

pub(super) fn faults(source: &Source) -> Vec<String> {
    let Some(layer) = LAYERS.iter().find(|layer| covers(layer.path, &source.path)) else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    if let Some(modules) = layer.modules {
        for (offset, module) in own_modules(source) {
            if !modules.contains(&module.as_str()) {
                faults.push(fault(source, offset, &format!("crate::{module}")));
            }
        }
    }
    // Tests may use what they like to check with.
    if !source.is_test_or_table() {
        let forbidden = CRATES.iter().filter(|name| !layer.crates.contains(name));
        faults.extend(forbidden.flat_map(|name| {
            let path_start = |offset: &usize| {
                source.code[offset + name.len()..].starts_with("::")
                    && !source.code[..*offset].ends_with("::")
            };
            source
                .words(name)
                .filter(path_start)
                .map(|offset| fault(source, offset, name))
        }));
    }
    faults
}

/// `src/dns` covers `src/dns.rs` and `src/dns/..`, not `src/dnssec.rs`.
fn covers(layer: &str, path: &str) -> bool {
    let rest = path.strip_prefix(layer);
    rest.is_some_and(|rest| layer.ends_with('/') || rest.starts_with(['/', '.', '_']))
}

fn fault(source: &Source, offset: usize, what: &str) -> String {
    format!(
        "{}:{}: this layer may not import {what}",
        source.path,
        source.line(offset)
    )
}

/// Modules at the top of the crate that `crate::..` and enough `super::` name.
fn own_modules(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for offset in source.words("crate") {
        let rest = &source.code[offset + "crate".len()..];
        if let Some(rest) = rest.strip_prefix("::") {
            found.extend(
                first_segments(rest)
                    .into_iter()
                    .map(|module| (offset, module)),
            );
        }
    }
    let depth = module_depth(&source.path);
    let chain = "super::".repeat(depth);
    for offset in source.words(chain.trim_end_matches("::")) {
        let climbs = depth > 0 && !source.code[..offset].ends_with("super::");
        if let Some(rest) = source.code[offset..].strip_prefix(&chain)
            && climbs
        {
            found.extend(
                first_segments(rest)
                    .into_iter()
                    .map(|module| (offset, module)),
            );
        }
    }
    found
}

/// How many `super` lead from a file to its crate's root.
fn module_depth(path: &str) -> usize {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.matches('/').count() + 1
}

/// First names of a path or of each branch of a group: `{a::b, c}` has `a` and `c`.
fn first_segments(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut depth = 0;
    let mut names = vec![name(group)];
    for (offset, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[offset + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}
