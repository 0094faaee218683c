//! A key of a token, as the signer sees it.

use std::fmt;
use std::sync::Arc;

use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use zone_compiler::sign::{Algorithm, SignError, SigningKey, verify_message};

use super::pool::{Fault, Pool};
use super::{TokenError, forms};

/// What a key signs before it is used.
const PROBE: &[u8] = b"meridian: whether this key signs what its public key verifies";

/// A private key in a token.
pub struct TokenKey {
    pool: Arc<Pool>,
    algorithm: Algorithm,
    public_key: Box<[u8]>,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("token", &self.pool.label())
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl TokenKey {
    pub(super) fn open(
        pool: Arc<Pool>,
        algorithm: Algorithm,
        public_key: &[u8],
    ) -> Result<Self, TokenError> {
        let key = Self {
            pool,
            algorithm,
            public_key: public_key.into(),
        };
        let signature = key.make(PROBE)?;
        if !verify_message(algorithm, public_key, PROBE, &signature) {
            let reason = "a signature of the key does not fit its public key".to_owned();
            return Err(key.pool.unfit(reason));
        }
        Ok(key)
    }

    fn make(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        let (mechanism, data) = forms::signing(self.algorithm, message);
        self.pool.with(|opened| {
            let key = match opened.keys.get(&self.public_key) {
                Some(key) => *key,
                None => {
                    let key = self.find(&opened.session)?;
                    opened.keys.insert(self.public_key.clone(), key);
                    key
                }
            };
            Ok(opened.session.sign(&mechanism, key, &data)?)
        })
    }

    /// The private object beside the public one with this public key.
    fn find(&self, session: &Session) -> Result<ObjectHandle, Fault> {
        for mut template in forms::templates(self.algorithm, &self.public_key) {
            template.push(Attribute::Class(ObjectClass::PUBLIC_KEY));
            for public in session.find_objects(&template)? {
                let mut wanted = session.get_attributes(public, &[AttributeType::Id])?;
                wanted.push(Attribute::Class(ObjectClass::PRIVATE_KEY));
                if let [key] = session.find_objects(&wanted)?.as_slice() {
                    return Ok(*key);
                }
            }
        }
        Err(Fault::Absent)
    }
}

impl SigningKey for TokenKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let made = self.make(message);
        made.map_err(|error| SignError::Device(error.to_string()))
    }
}
