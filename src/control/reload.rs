//! What `meridian reload` and SIGHUP do: the image, and the certificate.

use std::sync::Arc;

use crate::dns::generations::{Installed, Reloader};
use crate::dns::net::tls::Credentials;

/// Everything that can be read again without a restart.
#[derive(Debug, Clone)]
pub struct Reloads {
    /// The image.
    pub image: Reloader,
    /// Certificate and key of DNS over TLS.
    pub credentials: Option<Arc<Credentials>>,
}

impl Reloads {
    /// Reads all of it; what is refused keeps nothing else from being read. The
    /// error names all that was refused.
    pub async fn reload(&self) -> Result<Installed, String> {
        let image = self.image.reload().await.map_err(|error| error.to_string());
        let refused = match self.credentials.clone() {
            None => None,
            Some(credentials) => tokio::task::spawn_blocking(move || credentials.reload())
                .await
                .map_or_else(
                    |_| Some("the server is stopping".to_owned()),
                    |outcome| {
                        outcome
                            .err()
                            .map(|error| format!("certificate refused: {error}"))
                    },
                ),
        };
        match (image, refused) {
            (image, None) => image,
            (Ok(_), Some(refused)) => Err(refused),
            (Err(error), Some(refused)) => Err(format!("{error}; {refused}")),
        }
    }
}
