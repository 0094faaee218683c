//! What `meridian reload` and SIGHUP do: the image, and the certificates.

use std::sync::Arc;

use crate::dns::generations::{Installed, Reloader};
use crate::net::credentials::Credentials;

/// Everything that can be read again without a restart.
#[derive(Debug, Clone)]
pub struct Reloads {
    /// The image.
    pub image: Reloader,
    /// Certificate and key of DNS over TLS.
    pub credentials: Option<Arc<Credentials>>,
    /// Those of EPP.
    pub epp: Option<Arc<Credentials>>,
    /// Those of RDAP.
    pub rdap: Option<Arc<Credentials>>,
    /// Those of the web pages.
    pub web: Option<Arc<Credentials>>,
}

impl Reloads {
    /// Reads all of it; what is refused keeps nothing else from being read. The
    /// error names all that was refused.
    pub async fn reload(&self) -> Result<Installed, String> {
        let image = self.image.reload().await.map_err(|error| error.to_string());
        let (credentials, epp) = (self.credentials.clone(), self.epp.clone());
        let (rdap, web) = (self.rdap.clone(), self.web.clone());
        let read = tokio::task::spawn_blocking(move || {
            let again = |held: Option<Arc<Credentials>>, whose: &str| {
                let reloaded = held.map(|held| held.reload().map(drop));
                reloaded.map(|done| {
                    done.map_err(|error| format!("certificate{whose} refused: {error}"))
                })
            };
            let (dns, epp) = (again(credentials, ""), again(epp, " of EPP"));
            let (rdap, web) = (again(rdap, " of RDAP"), again(web, " of the web pages"));
            let faults = [dns, epp, rdap, web]
                .into_iter()
                .flatten()
                .filter_map(Result::err);
            faults.collect::<Vec<_>>()
        });
        let faults = match read.await {
            Ok(faults) => faults,
            Err(_) => vec!["the server is stopping".to_owned()],
        };
        let refused = (!faults.is_empty()).then(|| faults.join("; "));
        match (image, refused) {
            (image, None) => image,
            (Ok(_), Some(refused)) => Err(refused),
            (Err(error), Some(refused)) => Err(format!("{error}; {refused}")),
        }
    }
}
