//! `meridian demo`.

use std::net::SocketAddr;

/// Runs the demo until Ctrl-C.
pub fn run(listen: SocketAddr, domains: u32) -> anyhow::Result<()> {
    let _ = (listen, domains);
    anyhow::bail!("demo: this build has no registry; use a later one")
}
