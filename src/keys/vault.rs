//! Private keys by the ids of their rows: made, taken in, and opened to sign with.
//!
//! A key is opened once and kept open. Which zone, algorithm and tag a key has may be
//! told; its private half leaves this module only sealed, or by an export that was
//! asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zone_compiler::sign::{Algorithm, KeyError, Pkcs8, SigningKey, SoftwareKey, UnknownAlgorithm};

use super::seal::{SealError, Secret};
use crate::registry::command::keys::{KeyInfo, KeysAdd, Sealed, load, sealed_keys};
use crate::registry::signing::{KeyId, KeyRole};
use crate::registry::types::{AnyName, DnskeyData};
use crate::registry::{CommandError, Database, RegistryError};

/// `store` of keys that are sealed in the database.
pub const IN_DATABASE: &str = "database";
/// `store` of keys that are on another machine.
pub const OFFLINE: &str = "offline";

/// Why there is no private key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// It cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Of an algorithm that is not signed with.
    #[error(transparent)]
    Algorithm(#[from] UnknownAlgorithm),
    /// The database.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The zone.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// No secret was configured.
    #[error("no secret for private keys; set keys.secret-file and make it by `meridian keys init`")]
    NoSecret,
    /// The row has none.
    #[error("key {key_tag} of {apex} has no private key in the database; it is kept by {store}")]
    Elsewhere {
        /// The zone.
        apex: AnyName,
        /// Tag of the key.
        key_tag: u16,
        /// Where it is.
        store: String,
    },
    /// The public key that goes with it is another.
    #[error("key {key_tag} of {apex}: private and public key do not belong together")]
    Mismatch {
        /// The zone.
        apex: AnyName,
        /// Tag of the key.
        key_tag: u16,
    },
}

/// Where private keys are opened.
#[derive(Default)]
pub struct Vault {
    secret: Option<Secret>,
    opened: Mutex<HashMap<KeyId, Arc<dyn SigningKey>>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// With the secret that seals keys.
    pub fn new(secret: Option<Secret>) -> Self {
        Self {
            secret,
            opened: Mutex::default(),
        }
    }

    fn secret(&self) -> Result<&Secret, VaultError> {
        self.secret.as_ref().ok_or(VaultError::NoSecret)
    }

    /// Makes a key; to be added by the command that comes back.
    pub fn make(
        &self,
        apex: &AnyName,
        role: KeyRole,
        algorithm: u8,
        retires: Vec<KeyId>,
    ) -> Result<KeysAdd, VaultError> {
        let (key, private) = SoftwareKey::generate(Algorithm::from_number(algorithm)?)?;
        let mut add = self.take_in(apex, role, &key, &private)?;
        add.retires = retires;
        Ok(add)
    }

    /// Seals a key that came from elsewhere.
    pub fn take_in(
        &self,
        apex: &AnyName,
        role: KeyRole,
        key: &SoftwareKey,
        private: &Pkcs8,
    ) -> Result<KeysAdd, VaultError> {
        let dnskey = dnskey_of(role, key);
        let sealed = self.secret()?.seal(apex, &dnskey, private.as_der())?;
        Ok(KeysAdd {
            apex: apex.clone(),
            role,
            dnskey,
            retires: Vec::new(),
            in_use: false,
            store: IN_DATABASE.to_owned(),
            sealed: Some(sealed),
        })
    }

    /// The private key of a row, for an export.
    pub async fn private(
        &self,
        database: &mut Database,
        apex: &AnyName,
        key: &KeyInfo,
    ) -> Result<Pkcs8, VaultError> {
        let sealed = sealed_keys(database, apex).await?;
        let sealed = sealed.into_iter().find(|(id, _)| *id == key.id);
        let Some((_, sealed)) = sealed else {
            return Err(VaultError::Elsewhere {
                apex: apex.clone(),
                key_tag: key.key_tag,
                store: key.store.clone(),
            });
        };
        self.open(apex, key, &sealed)
    }

    fn open(&self, apex: &AnyName, key: &KeyInfo, sealed: &Sealed) -> Result<Pkcs8, VaultError> {
        let der = self.secret()?.open(apex, &key.dnskey, sealed)?;
        Ok(Pkcs8::from_der(der))
    }

    /// The key of an id, if it has been opened.
    pub fn opened(&self, id: KeyId) -> Option<Arc<dyn SigningKey>> {
        self.lock().get(&id).cloned()
    }

    /// Opens all keys of a zone that are not on another machine, and forgets those that
    /// were removed.
    pub async fn open_zone(
        &self,
        database: &mut Database,
        apex: &AnyName,
    ) -> Result<(), VaultError> {
        let Some(zone) = load(database, apex).await? else {
            return Ok(());
        };
        let sealed: HashMap<_, _> = sealed_keys(database, apex).await?.into_iter().collect();
        for key in &zone.keys {
            if key.store == OFFLINE || self.opened(key.id).is_some() {
                continue;
            }
            let Some(sealed) = sealed.get(&key.id) else {
                return Err(VaultError::Elsewhere {
                    apex: apex.clone(),
                    key_tag: key.key_tag,
                    store: key.store.clone(),
                });
            };
            let private = self.open(apex, key, sealed)?;
            let signer = SoftwareKey::from_pkcs8(private.as_der())?;
            if signer.public_key() != key.dnskey.public_key() {
                return Err(VaultError::Mismatch {
                    apex: apex.clone(),
                    key_tag: key.key_tag,
                });
            }
            self.lock().insert(key.id, Arc::new(signer));
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<KeyId, Arc<dyn SigningKey>>> {
        // What it holds is whole at every moment.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The DNSKEY of a key in a role.
pub fn dnskey_of(role: KeyRole, key: &dyn SigningKey) -> DnskeyData {
    let rdata = zone_compiler::sign::dnskey_rdata(role.flags(), key.algorithm(), key.public_key());
    DnskeyData::from_rdata(&rdata).expect("a key has octets")
}
