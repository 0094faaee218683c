//! Sessions with a token: a bounded number, kept open, opened anew when it was away.
//!
//! A call that fails because token, session or login are gone is tried once more with a
//! library that was started afresh, which is what network tokens need after a loss; what
//! fails then is the caller's. A PIN that was refused is not tried again until its file
//! changes: a token that sees a wrong PIN a few times locks for good.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as DeviceError, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::super::private_file;
use super::{TokenError, TokenSettings};

/// Longest wait for a session.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Tries of one call: the second after the token was opened afresh.
const TRIES_MAX: usize = 2;
/// Keys whose handles a session remembers; a zone has 16 at most.
const HANDLES_MAX: usize = 1024;

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// The library says so.
    Device(DeviceError),
    /// The key is not there.
    Absent,
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

/// A session and the keys that it has found.
pub(super) struct Opened {
    pub(super) session: Session,
    /// Private keys by their public keys.
    pub(super) keys: HashMap<Box<[u8]>, ObjectHandle>,
}

#[derive(Default)]
struct Inner {
    module: Option<Pkcs11>,
    is_started: bool,
    idle: Vec<Opened>,
    /// Sessions in use.
    busy: usize,
    /// The token was away: all sessions go before the next is opened.
    is_lost: bool,
    refused_pin: Option<(Zeroizing<String>, String)>,
}

/// All sessions with one token.
pub(super) struct Pool {
    settings: TokenSettings,
    inner: Mutex<Inner>,
    given_back: Condvar,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Pool");
        shown
            .field("label", &self.settings.label)
            .finish_non_exhaustive()
    }
}

/// A session in use; dropped, it is closed unless it is given back.
struct InUse<'p> {
    pool: &'p Pool,
    opened: Option<Opened>,
    is_lost: bool,
    is_good: bool,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let mut inner = self.pool.lock();
        inner.busy -= 1;
        inner.is_lost |= self.is_lost;
        let opened = self.opened.take();
        if self.is_good && !inner.is_lost {
            inner.idle.extend(opened);
        }
        drop(inner);
        self.pool.given_back.notify_all();
    }
}

impl Pool {
    pub(super) fn new(settings: TokenSettings) -> Self {
        Self {
            settings,
            inner: Mutex::default(),
            given_back: Condvar::new(),
        }
    }

    pub(super) fn label(&self) -> &str {
        &self.settings.label
    }

    pub(super) fn unfit(&self, reason: String) -> TokenError {
        let label = self.label().to_owned();
        TokenError::Unfit { label, reason }
    }

    /// Runs calls in one session.
    pub(super) fn with<T>(
        &self,
        run: impl Fn(&mut Opened) -> Result<T, Fault>,
    ) -> Result<T, TokenError> {
        let mut tries = 1..=TRIES_MAX;
        loop {
            let is_last = tries.next() == Some(TRIES_MAX);
            let mut in_use = self.take()?;
            let opened = in_use.opened.as_mut().expect("taken just now");
            if opened.keys.len() >= HANDLES_MAX {
                opened.keys.clear();
            }
            match run(opened) {
                Ok(value) => {
                    in_use.is_good = true;
                    return Ok(value);
                }
                Err(fault) => {
                    in_use.is_lost = is_loss(&fault);
                    if !in_use.is_lost || is_last {
                        return Err(self.failed(fault));
                    }
                    let reason = self.failed(fault);
                    tracing::warn!(error = %reason, "token lost, opened afresh");
                }
            }
        }
    }

    /// Runs calls in a session of its own that may make objects.
    pub(super) fn with_writable<T>(
        &self,
        run: impl Fn(&Session) -> Result<T, Fault>,
    ) -> Result<T, TokenError> {
        // One in use keeps the library started and logged in.
        let mut in_use = self.take()?;
        let module = self.lock().module.clone();
        let module = module.expect("a session was opened by it");
        let session = self.slot(&module).and_then(|slot| {
            module
                .open_rw_session(slot)
                .map_err(|error| self.failed(error.into()))
        })?;
        let made = run(&session).map_err(|fault| {
            in_use.is_lost = is_loss(&fault);
            self.failed(fault)
        });
        in_use.is_good = !in_use.is_lost;
        made
    }

    fn failed(&self, fault: Fault) -> TokenError {
        let label = self.label().to_owned();
        match fault {
            Fault::Device(error) => TokenError::Device {
                label,
                reason: error.to_string(),
            },
            Fault::Absent => TokenError::Absent {
                label,
                key: "that belongs to the DNSKEY record; was it another token?".to_owned(),
            },
        }
    }

    fn take(&self) -> Result<InUse<'_>, TokenError> {
        let begin = Instant::now();
        let mut inner = self.lock();
        loop {
            if inner.is_lost && inner.busy == 0 {
                inner.stop();
            }
            if !inner.is_lost && inner.busy < self.settings.sessions_max {
                let opened = match inner.idle.pop() {
                    Some(opened) => opened,
                    None => self.connect(&mut inner)?,
                };
                inner.busy += 1;
                return Ok(InUse {
                    pool: self,
                    opened: Some(opened),
                    is_lost: false,
                    is_good: false,
                });
            }
            let Some(left) = BUSY_TIMEOUT.checked_sub(begin.elapsed()) else {
                return Err(TokenError::Busy {
                    label: self.label().to_owned(),
                    sessions: self.settings.sessions_max,
                    seconds: BUSY_TIMEOUT.as_secs(),
                });
            };
            let waited = self.given_back.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Opens one more session and logs in.
    fn connect(&self, inner: &mut Inner) -> Result<Opened, TokenError> {
        let module = self.start(inner)?;
        let opened = self.slot(&module).and_then(|slot| {
            let session = module.open_ro_session(slot);
            session.map_err(|error| self.failed(error.into()))
        });
        let session = match opened {
            Ok(session) => session,
            Err(error) => {
                // Libraries may list their tokens only when they start.
                inner.is_lost = inner.busy == 0;
                return Err(error);
            }
        };
        self.login(&session, inner)?;
        Ok(Opened {
            session,
            keys: HashMap::new(),
        })
    }

    fn start(&self, inner: &mut Inner) -> Result<Pkcs11, TokenError> {
        let path = &self.settings.module;
        let failed = |error: DeviceError| TokenError::Module {
            module: path.clone(),
            reason: error.to_string(),
        };
        let module = match &inner.module {
            Some(module) => module.clone(),
            None => Pkcs11::new(path).map_err(failed)?,
        };
        // Kept for ever: some libraries do not bear to be unloaded.
        inner.module = Some(module.clone());
        if !inner.is_started {
            let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
            match module.initialize(arguments) {
                Ok(()) | Err(DeviceError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
                Err(error) => return Err(failed(error)),
            }
            inner.is_started = true;
        }
        Ok(module)
    }

    fn slot(&self, module: &Pkcs11) -> Result<Slot, TokenError> {
        let failed = |error: DeviceError| self.failed(error.into());
        let label = &self.settings.label;
        let mut found = Vec::new();
        for slot in module.get_slots_with_token().map_err(failed)? {
            // One that is being taken out is not the one that is looked for.
            let info = module.get_token_info(slot);
            if info.is_ok_and(|info| info.label().trim_end() == label) {
                found.push(slot);
            }
        }
        match found.as_slice() {
            [slot] => Ok(*slot),
            [] => Err(TokenError::NoToken {
                label: label.clone(),
                module: self.settings.module.clone(),
            }),
            several => Err(TokenError::SameLabel {
                label: label.clone(),
                count: several.len(),
            }),
        }
    }

    fn login(&self, session: &Session, inner: &mut Inner) -> Result<(), TokenError> {
        let file = &self.settings.pin_file;
        let text = private_file::read(file)?;
        let pin = text.trim_end_matches(['\r', '\n']);
        let refused = |reason: &str| TokenError::Pin {
            label: self.label().to_owned(),
            file: file.clone(),
            reason: reason.to_owned(),
        };
        if let Some((before, reason)) = &inner.refused_pin
            && before.as_str() == pin
        {
            return Err(refused(reason));
        }
        match session.login(UserType::User, Some(&AuthPin::from(pin))) {
            Ok(()) | Err(DeviceError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                inner.refused_pin = None;
                Ok(())
            }
            Err(DeviceError::Pkcs11(error, _)) if is_refusal(&error) => {
                let reason = error.to_string();
                inner.refused_pin = Some((Zeroizing::new(pin.to_owned()), reason.clone()));
                Err(refused(&reason))
            }
            Err(error) => Err(self.failed(error.into())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What it holds is whole at every moment.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Closes what is open and ends the library; the next session starts it again.
    fn stop(&mut self) {
        self.idle.clear();
        if let Some(module) = self.module.clone().filter(|_| self.is_started)
            && let Err(error) = module.finalize()
        {
            tracing::debug!(%error, "token library not ended");
        }
        self.is_started = false;
        self.is_lost = false;
    }
}

fn is_refusal(error: &RvError) -> bool {
    matches!(
        error,
        RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked
    )
}

/// Whether a fault is of the connection and not of what was asked for. A key that is not
/// found may be one as well: a token that is away has none.
fn is_loss(fault: &Fault) -> bool {
    let error = match fault {
        Fault::Absent => return true,
        Fault::Device(DeviceError::Pkcs11(error, _)) => error,
        Fault::Device(_) => return false,
    };
    matches!(
        error,
        RvError::DeviceError
            | RvError::DeviceRemoved
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::SlotIdInvalid
            | RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::UserNotLoggedIn
            | RvError::CryptokiNotInitialized
            | RvError::GeneralError
            | RvError::FunctionFailed
    )
}
