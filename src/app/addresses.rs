//! Where a server listens, with the real ports.

use std::net::SocketAddr;

use super::Server;

impl Server {
    /// The addresses it answers on, with their real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.plane.addresses()
    }

    /// The addresses it answers on over TLS.
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        self.plane.tls().map_or(&[], |tls| tls.addresses())
    }

    /// The addresses of EPP.
    pub fn epp_addresses(&self) -> &[SocketAddr] {
        self.epp.as_ref().map_or(&[], |epp| epp.addresses())
    }

    /// The addresses of WHOIS.
    pub fn whois_addresses(&self) -> &[SocketAddr] {
        self.public
            .as_ref()
            .map_or(&[], |public| public.whois_addresses())
    }

    /// The addresses of RDAP without TLS.
    pub fn rdap_addresses(&self) -> &[SocketAddr] {
        self.public
            .as_ref()
            .map_or(&[], |public| public.rdap_addresses())
    }

    /// The addresses of RDAP with TLS.
    pub fn rdap_tls_addresses(&self) -> &[SocketAddr] {
        let public = self.public.as_ref();
        public.map_or(&[], |public| public.rdap_tls_addresses())
    }

    /// The addresses of the web pages without TLS.
    pub fn web_addresses(&self) -> &[SocketAddr] {
        let public = self.public.as_ref();
        public.map_or(&[], |public| public.web_addresses())
    }

    /// The addresses of the web pages with TLS.
    pub fn web_tls_addresses(&self) -> &[SocketAddr] {
        let public = self.public.as_ref();
        public.map_or(&[], |public| public.web_tls_addresses())
    }
}
