//! Private keys by the ids of their rows: made, taken in, and opened to sign with, in
//! memory or in a token.
//!
//! A key is opened once and kept open. Which zone, algorithm and tag a key has may be
//! told; its private half leaves this module only sealed, or by an export that was
//! asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zone_compiler::sign::{Algorithm, KeyError, Pkcs8, SigningKey, SoftwareKey, UnknownAlgorithm};

use super::machine::NewKey;
use super::seal::{SealError, Secret};
use super::token::{KeyName, Token, TokenError};
use crate::registry::command::keys::{
    KeyInfo, KeysAdd, ReservedKey, Sealed, ZoneKeys, load, reserved_keys, sealed_keys,
};
use crate::registry::signing::{IN_DATABASE, KeyId, KeyRole, OFFLINE};
use crate::registry::types::{AnyName, DnskeyData};
use crate::registry::{CommandError, Database, RegistryError};

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
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No token of that label was configured.
    #[error("no token {0:?} is configured; set keys.token, or keep keys in the \"database\"")]
    NoToken(String),
    /// The row has none.
    #[error(
        "the private key {key_tag} of {apex} is not here but in {store:?}; where that is a \
         token, name it by keys.token"
    )]
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
    token: Option<Token>,
    opened: Mutex<HashMap<KeyId, Opened>>,
}

/// A key that was looked for.
struct Opened {
    apex: AnyName,
    /// `None` for a key that is on another machine.
    signer: Option<Arc<dyn SigningKey>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// With the secret that seals keys, and the token that has others.
    pub fn new(secret: Option<Secret>, token: Option<Token>) -> Self {
        Self {
            secret,
            token,
            opened: Mutex::default(),
        }
    }

    fn secret(&self) -> Result<&Secret, VaultError> {
        self.secret.as_ref().ok_or(VaultError::NoSecret)
    }

    fn token(&self, label: &str) -> Result<&Token, VaultError> {
        let token = self.token.as_ref().filter(|token| token.label() == label);
        token.ok_or_else(|| VaultError::NoToken(label.to_owned()))
    }

    /// Whether keys can be made and kept there.
    pub fn check_store(&self, store: &str) -> Result<(), VaultError> {
        if store == IN_DATABASE {
            return self.secret().map(drop);
        }
        self.token(store).map(drop)
    }

    /// Makes a key, in the database or in a token; to be added by the command that comes
    /// back.
    pub fn make(&self, apex: &AnyName, new: &NewKey, store: &str) -> Result<KeysAdd, VaultError> {
        let algorithm = Algorithm::from_number(new.algorithm)?;
        let mut add = if store == IN_DATABASE {
            let (key, private) = SoftwareKey::generate(algorithm)?;
            self.take_in(apex, new.role, &key, &private)?
        } else {
            // The label is for people: keys are found by their public halves.
            let label = format!("{apex} {}", new.role);
            let key = self.token(store)?.generate(algorithm, &label)?;
            unsealed(apex, new.role, &key, store)
        };
        add.retires.clone_from(&new.retires);
        Ok(add)
    }

    /// A key that was made ahead for this, or else a new one.
    pub async fn make_or_take(
        &self,
        database: &mut Database,
        keys: &ZoneKeys,
        new: &NewKey,
        store: &str,
    ) -> Result<KeysAdd, VaultError> {
        let kept = reserved_keys(database, &keys.apex).await?;
        let fits =
            |key: &ReservedKey| key.role == new.role && key.dnskey.algorithm() == new.algorithm;
        match kept.into_iter().find(fits) {
            Some(key) => Ok(KeysAdd {
                retires: new.retires.clone(),
                store: key.store,
                reserved: Some(key.id),
                ..offline(&keys.apex, key.role, key.dnskey)
            }),
            None => self.make(&keys.apex, new, store),
        }
    }

    /// A key that is in a token already.
    pub fn take_in_of_token(
        &self,
        apex: &AnyName,
        role: KeyRole,
        label: &str,
        name: &KeyName,
    ) -> Result<KeysAdd, VaultError> {
        let key = self.token(label)?.find(name)?;
        Ok(unsealed(apex, role, &key, label))
    }

    /// A key to try out, without a row: one that is forgotten, or the one that the token
    /// has under `label` from then on.
    pub fn sample(
        &self,
        algorithm: Algorithm,
        store: &str,
        label: &str,
    ) -> Result<Arc<dyn SigningKey>, VaultError> {
        if store == IN_DATABASE {
            return Ok(Arc::new(SoftwareKey::generate(algorithm)?.0));
        }
        let token = self.token(store)?;
        match token.find(&KeyName::Label(label.to_owned())) {
            Ok(key) => Ok(Arc::new(key)),
            Err(TokenError::Absent { .. }) => Ok(Arc::new(token.generate(algorithm, label)?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Seals a key that came from elsewhere.
    pub fn take_in(
        &self,
        apex: &AnyName,
        role: KeyRole,
        key: &SoftwareKey,
        private: &Pkcs8,
    ) -> Result<KeysAdd, VaultError> {
        let add = unsealed(apex, role, key, IN_DATABASE);
        let sealed = self.secret()?.seal(apex, &add.dnskey, private.as_der())?;
        Ok(KeysAdd {
            sealed: Some(sealed),
            ..add
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
        self.lock().get(&id)?.signer.clone()
    }

    /// Whether the key of an id was looked for, and is open or on another machine.
    pub fn is_known(&self, id: KeyId) -> bool {
        self.lock().contains_key(&id)
    }

    /// Opens all keys of a zone that are not on another machine, and closes those that were
    /// removed.
    pub async fn open_zone(
        &self,
        database: &mut Database,
        apex: &AnyName,
    ) -> Result<(), VaultError> {
        let Some(zone) = load(database, apex).await? else {
            return Ok(());
        };
        self.lock()
            .retain(|id, opened| opened.apex != *apex || zone.keys.iter().any(|key| key.id == *id));
        let sealed: HashMap<_, _> = sealed_keys(database, apex).await?.into_iter().collect();
        for key in &zone.keys {
            if self.is_known(key.id) {
                continue;
            }
            let signer = match key.store.as_str() {
                OFFLINE => None,
                _ => Some(self.signer(apex, key, sealed.get(&key.id))?),
            };
            let apex = apex.clone();
            self.lock().insert(key.id, Opened { apex, signer });
        }
        Ok(())
    }

    fn signer(
        &self,
        apex: &AnyName,
        key: &KeyInfo,
        sealed: Option<&Sealed>,
    ) -> Result<Arc<dyn SigningKey>, VaultError> {
        if let Some(sealed) = sealed {
            let private = self.open(apex, key, sealed)?;
            let signer = SoftwareKey::from_pkcs8(private.as_der())?;
            if signer.public_key() != key.dnskey.public_key() {
                return Err(VaultError::Mismatch {
                    apex: apex.clone(),
                    key_tag: key.key_tag,
                });
            }
            return Ok(Arc::new(signer));
        }
        let token = self.token(&key.store).map_err(|_| VaultError::Elsewhere {
            apex: apex.clone(),
            key_tag: key.key_tag,
            store: key.store.clone(),
        })?;
        let algorithm = Algorithm::from_number(key.dnskey.algorithm())?;
        let signer = token.open(algorithm, key.dnskey.public_key())?;
        Ok(Arc::new(signer))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<KeyId, Opened>> {
        // What it holds is whole at every moment.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key whose private half is on another machine.
pub fn offline(apex: &AnyName, role: KeyRole, dnskey: DnskeyData) -> KeysAdd {
    KeysAdd {
        apex: apex.clone(),
        role,
        dnskey,
        retires: Vec::new(),
        in_use: false,
        store: OFFLINE.to_owned(),
        reserved: None,
        sealed: None,
    }
}

fn unsealed(apex: &AnyName, role: KeyRole, key: &dyn SigningKey, store: &str) -> KeysAdd {
    KeysAdd {
        store: store.to_owned(),
        ..offline(apex, role, dnskey_of(role, key))
    }
}

/// The DNSKEY of a key in a role.
pub fn dnskey_of(role: KeyRole, key: &dyn SigningKey) -> DnskeyData {
    let rdata = zone_compiler::sign::dnskey_rdata(role.flags(), key.algorithm(), key.public_key());
    DnskeyData::from_rdata(&rdata).expect("a key has octets")
}
