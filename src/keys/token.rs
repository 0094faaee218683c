//! Keys in a PKCS#11 token: made there, found there, signed with there.
//!
//! Nothing is asked of the token before a key is needed, so a server whose token is away
//! starts and serves what it has. A key is found by its public half, which the registry
//! knows; what is found signs a probe first, so that no signature of a wrong key gets
//! into a zone. The private half never leaves the token, the PIN is in no log, error or
//! `Debug`, and no key of a token is ever destroyed from here. PKCS#11 2.40 and 3.0.

mod forms;
mod key;
mod pool;

use std::path::PathBuf;
use std::sync::Arc;

use cryptoki::error::Error as DeviceError;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use zone_compiler::sign::Algorithm;

pub use self::key::TokenKey;
use self::pool::{Fault, Pool};
use super::private_file::PrivateFileError;

/// Octets of a `CKA_ID` that is made here.
const ID_BYTES: usize = 16;
/// Bits of an RSA key that is made in a token.
const RSA_BITS: u64 = 2048;
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// Where a token is and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The library that speaks to it.
    pub module: PathBuf,
    /// Its label.
    pub label: String,
    /// Has the PIN of its user.
    pub pin_file: PathBuf,
    /// Most sessions at a time.
    pub sessions_max: usize,
}

/// Why a token did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The library does not start.
    #[error("{}: {reason}; see keys.token.module", module.display())]
    Module {
        /// Which.
        module: PathBuf,
        /// What it says.
        reason: String,
    },
    /// No slot of the library has it.
    #[error("no token {label:?} in {}; see keys.token.label, or put it in", module.display())]
    NoToken {
        /// Its label.
        label: String,
        /// Where it was looked for.
        module: PathBuf,
    },
    /// A label that says too little.
    #[error("{count} tokens are called {label:?}; give one of them another label")]
    SameLabel {
        /// The label.
        label: String,
        /// How many.
        count: usize,
    },
    /// The file of the PIN.
    #[error("{0}; see keys.token.pin-file")]
    PinFile(#[from] PrivateFileError),
    /// Not logged in. The same PIN is not tried again, since tokens lock.
    #[error(
        "token {label:?} refuses the PIN of {} ({reason}); it is not tried again before \
         the file changes, so that the token does not lock", file.display()
    )]
    Pin {
        /// The token.
        label: String,
        /// Where the PIN came from.
        file: PathBuf,
        /// What the token said.
        reason: String,
    },
    /// All sessions are in use.
    #[error(
        "all {sessions} sessions of token {label:?} were busy for {seconds} s; raise \
         keys.token.sessions-max, or see why it is slow"
    )]
    Busy {
        /// The token.
        label: String,
        /// How many there may be.
        sessions: usize,
        /// How long it was waited.
        seconds: u64,
    },
    /// It has no such key.
    #[error("token {label:?} has no key {key}")]
    Absent {
        /// The token.
        label: String,
        /// What was looked for.
        key: String,
    },
    /// It has more than one.
    #[error("token {label:?} has {count} keys {key}; say which by its id")]
    Ambiguous {
        /// The token.
        label: String,
        /// What was looked for.
        key: String,
        /// How many there are.
        count: usize,
    },
    /// A key of a kind that is not signed with, or a signature of it that is none.
    #[error("token {label:?}: {reason}")]
    Unfit {
        /// The token.
        label: String,
        /// Why.
        reason: String,
    },
    /// The library or the token gave up.
    #[error("token {label:?}: {reason}")]
    Device {
        /// The token.
        label: String,
        /// What it said.
        reason: String,
    },
}

/// By what a key of a token is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyName {
    /// Its `CKA_LABEL`.
    Label(String),
    /// Its `CKA_ID`.
    Id(Vec<u8>),
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Label(label) => write!(f, "{label:?}"),
            Self::Id(id) => {
                f.write_str("of id ")?;
                id.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

impl KeyName {
    fn attribute(&self) -> Attribute {
        match self {
            Self::Label(label) => Attribute::Label(label.clone().into_bytes()),
            Self::Id(id) => Attribute::Id(id.clone()),
        }
    }
}

/// A token.
#[derive(Debug)]
pub struct Token {
    pool: Arc<Pool>,
}

impl Token {
    /// Names a token; it is opened when it is needed.
    pub fn new(settings: TokenSettings) -> Self {
        let pool = Arc::new(Pool::new(settings));
        Self { pool }
    }

    /// Its label.
    pub fn label(&self) -> &str {
        self.pool.label()
    }

    /// Makes a key in the token; it can never be read out. `label` is for people.
    pub fn generate(&self, algorithm: Algorithm, label: &str) -> Result<TokenKey, TokenError> {
        let mut id = vec![0; ID_BYTES];
        let unfit = |reason: &str| self.pool.unfit(reason.to_owned());
        aws_lc_rs::rand::fill(&mut id).map_err(|_| unfit("the system gave no random numbers"))?;
        let named = [
            Attribute::Token(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id),
        ];
        let private: Vec<_> = named
            .iter()
            .cloned()
            .chain([
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Sign(true),
            ])
            .collect();
        let public_key = self.pool.with_writable(|session| {
            let mut refused = None;
            for kind in kinds(algorithm) {
                let mechanism = generator(algorithm);
                let mut public = named.to_vec();
                public.extend([Attribute::Private(false), Attribute::Verify(true)]);
                public.extend(kind);
                match session.generate_key_pair(&mechanism, &public, &private) {
                    Ok((public, _)) => return read_public(session, public, algorithm),
                    Err(error) => refused = Some(error),
                }
            }
            Err(refused.map_or(Fault::Absent, Fault::Device))
        });
        let public_key =
            public_key?.ok_or_else(|| unfit("the key that it made is of another kind"))?;
        self.open(algorithm, &public_key)
    }

    /// The key that this public half (RFC 3110, 6605, 8080) belongs to.
    pub fn open(&self, algorithm: Algorithm, public_key: &[u8]) -> Result<TokenKey, TokenError> {
        TokenKey::open(Arc::clone(&self.pool), algorithm, public_key)
    }

    /// The only key of this name.
    pub fn find(&self, name: &KeyName) -> Result<TokenKey, TokenError> {
        let found = self.pool.with(|opened| {
            let session = &opened.session;
            let class = Attribute::Class(ObjectClass::PRIVATE_KEY);
            let keys = session.find_objects(&[class, name.attribute()])?;
            let [key] = keys.as_slice() else {
                return Ok(Err(keys.len()));
            };
            public_of(session, *key).map(Ok)
        })?;
        let label = || self.label().to_owned();
        match found {
            Ok(Some((algorithm, public_key))) => self.open(algorithm, &public_key),
            Ok(None) => Err(self.pool.unfit(format!(
                "key {name} has no public key beside it, or is none of ECDSA P-256, P-384, \
                 Ed25519 and RSA"
            ))),
            Err(0) => Err(TokenError::Absent {
                label: label(),
                key: name.to_string(),
            }),
            Err(count) => Err(TokenError::Ambiguous {
                label: label(),
                key: name.to_string(),
                count,
            }),
        }
    }
}

fn generator(algorithm: Algorithm) -> Mechanism<'static> {
    match algorithm {
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 => Mechanism::EccKeyPairGen,
        Algorithm::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
        Algorithm::RsaSha256 => Mechanism::RsaPkcsKeyPairGen,
    }
}

/// Templates that say which kind of key is wanted, in the order in which they are tried:
/// tokens name Ed25519 in two ways.
fn kinds(algorithm: Algorithm) -> Vec<Vec<Attribute>> {
    if algorithm == Algorithm::RsaSha256 {
        return vec![vec![
            Attribute::ModulusBits(RSA_BITS.into()),
            Attribute::PublicExponent(RSA_EXPONENT.to_vec()),
        ]];
    }
    let names = forms::curve_names(algorithm).iter();
    names
        .map(|name| vec![Attribute::EcParams(name.to_vec())])
        .collect()
}

/// The public key of a public object as DNSKEY has it; `None` where it is of another kind.
fn read_public(
    session: &Session,
    public: ObjectHandle,
    algorithm: Algorithm,
) -> Result<Option<Vec<u8>>, Fault> {
    let wanted: &[AttributeType] = match algorithm {
        Algorithm::RsaSha256 => &[AttributeType::Modulus, AttributeType::PublicExponent],
        _ => &[AttributeType::EcPoint],
    };
    let attributes = session.get_attributes(public, wanted)?;
    Ok(forms::public_key(algorithm, &attributes))
}

/// Algorithm and public key that go with a private object.
fn public_of(
    session: &Session,
    private: ObjectHandle,
) -> Result<Option<(Algorithm, Vec<u8>)>, Fault> {
    let id = session.get_attributes(private, &[AttributeType::Id])?;
    let mut template = vec![Attribute::Class(ObjectClass::PUBLIC_KEY)];
    template.extend(id);
    for public in session.find_objects(&template)? {
        let kind = session.get_attributes(public, &[AttributeType::KeyType])?;
        let curve = session.get_attributes(public, &[AttributeType::EcParams]);
        let curve = match curve {
            Ok(curve) => curve,
            // RSA has none.
            Err(DeviceError::Pkcs11(..)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let Some(algorithm) = forms::algorithm(&kind, &curve) else {
            continue;
        };
        if let Some(public_key) = read_public(session, public, algorithm)? {
            return Ok(Some((algorithm, public_key)));
        }
    }
    Ok(None)
}
