//! What a compile signs a zone with: the keys of its snapshot, with their signers.

use std::sync::Arc;

use tokio::runtime::Runtime;
use zone_compiler::database::{DatabaseError, Snapshot};
use zone_compiler::sign::{Signing, SigningError};
use zone_image::Name;

use super::vault::{Vault, VaultError};
use crate::registry::signing::KeyId;
use crate::registry::types::{AnyName, ValueError};
use crate::registry::{Database, Location, RegistryError};

/// Why a zone cannot be signed now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignersError {
    /// The snapshot.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A private key.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The keys together.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The apex.
    #[error(transparent)]
    Name(#[from] ValueError),
    /// No thread.
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
}

/// Finds the signers of zones.
#[derive(Debug)]
pub struct Signers {
    vault: Arc<Vault>,
    location: Location,
    clock: fn() -> u64,
}

impl Signers {
    /// `clock` gives seconds since 1970.
    pub fn new(vault: Arc<Vault>, location: Location, clock: fn() -> u64) -> Self {
        Self {
            vault,
            location,
            clock,
        }
    }

    /// What a zone is signed with at a snapshot; `None` where it is not signed.
    pub fn signing(
        &self,
        snapshot: &Snapshot,
        apex: &Name,
    ) -> Result<Option<Signing>, SignersError> {
        let Some(zone) = snapshot.signing(apex)? else {
            return Ok(None);
        };
        let is_known = |id: i64| self.vault.is_known(KeyId(id));
        if !zone.keys().iter().all(|stored| is_known(stored.id)) {
            self.open_zone(apex)?;
        }
        let signing = zone.with_signers((self.clock)(), |stored| {
            // A key that stays closed is on another machine.
            Ok::<_, SignersError>(self.vault.opened(KeyId(stored.id)))
        })?;
        Ok(Some(signing?))
    }

    fn open_zone(&self, apex: &Name) -> Result<(), SignersError> {
        let apex = AnyName::parse(&apex.to_string())?;
        let runtime = self.runtime()?;
        runtime.block_on(async {
            let mut database = Database::open(&self.location).await?;
            Ok(self.vault.open_zone(&mut database, &apex).await?)
        })
    }

    fn runtime(&self) -> Result<Runtime, SignersError> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().map_err(SignersError::Runtime)
    }
}

#[cfg(test)]
mod tests;
