//! Who comes: certificate, password, and what the session may speak (RFC 5730 section
//! 2.9.1.1, RFC 8807).
//!
//! An account that is not there, a wrong password, another's certificate and a network that
//! the registrar does not come from are answered alike and after the same work, so that nobody learns which it was. Passwords are looked
//! at by few at once, on threads where that holds up nobody.

use std::net::IpAddr;
use std::time::Duration;

use super::super::code::Code;
use super::super::dispatch;
use super::super::extension::{ExtensionReply, Level, SecurityEvent, Subject};
use super::super::fault::Fault;
use super::super::namespace::{EPP, LOGIN_SEC};
use super::super::request::{Login, Secret};
use super::super::response::Response;
use super::super::services::Services;
use super::Shared;
use super::accounts::{Accounts, Seat};
use super::counters::Refusal;
use crate::registry::access::{Access, PasswordHash, Pin};
use crate::registry::command::registrar::{RegistrarAccess, RegistrarCommand};
use crate::registry::types::Handle;
use crate::registry::{Actor, Command, CommandError, Request, Timestamp};

/// What came of a login.
pub(super) enum Outcome {
    /// A session begins.
    In(Response, Seat, Services),
    /// None does; the client may try again.
    Out(Response),
    /// It was not authentic; tries are counted.
    Unknown(Response),
    /// None does, and the connection ends.
    Closed(Response),
}

/// Who is at the other end, before it says so.
pub(super) struct Client {
    pub(super) certificate: Option<Certificate>,
    pub(super) address: IpAddr,
}

/// What is known of its certificate.
pub(super) struct Certificate {
    pub(super) pin: Pin,
    /// The end of its time; nothing where it says none that can be read.
    pub(super) ends_at: Option<Timestamp>,
}

/// A login under way.
struct Attempt<'a> {
    shared: &'a Shared,
    login: &'a Login,
    client_transaction: Option<String>,
    transaction: String,
}

/// Looks at a login on a connection that is not logged in yet.
pub(super) async fn log_in(
    shared: &Shared,
    login: &Login,
    client: &Client,
    client_transaction: Option<String>,
) -> Outcome {
    let attempt = Attempt {
        shared,
        login,
        client_transaction,
        transaction: shared.transaction(),
    };
    match attempt.run(client).await {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

/// So much later.
fn after(at: Timestamp, time: Duration) -> Timestamp {
    let microseconds = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Timestamp(at.0.saturating_add(microseconds))
}

/// Whether a registrar may come from an address.
fn is_from(access: &Access, address: IpAddr) -> bool {
    access.prefixes.is_empty() || access.prefixes.iter().any(|prefix| prefix.has(address))
}

impl Attempt<'_> {
    async fn run(&self, client: &Client) -> Result<Outcome, Outcome> {
        let agreed = Services::agree(&self.shared.settings.offer, self.login);
        let services = agreed.map_err(|fault| Outcome::Out(self.refused(fault)))?;
        let (handle, access) = self.authenticate(client).await?;
        let expiring = self.expiring(&access, client);
        let mut events = expiring.map_err(|event| self.expired(*event))?;
        let hash = match &self.login.new_password {
            Some(password) => Some(self.hash(&handle, password).await?),
            None => None,
        };
        let Some(seat) = Accounts::sit(&self.shared.accounts, &handle, access.sessions_max) else {
            self.shared.counters.refuse(Refusal::Sessions);
            let reason = format!("{} sessions are all that it may have", access.sessions_max);
            let fault = Fault::new(Code::SessionLimit, (EPP, "clID"), handle.as_str(), reason);
            return Err(Outcome::Closed(self.refused(fault)));
        };
        let mut transaction = self.transaction.clone();
        if let Some(hash) = hash
            && let Some(event) = self.set_password(&handle, hash).await?
        {
            transaction = dispatch::transaction_of(event);
        }
        let client = self.client_transaction.clone();
        let mut response = Response::new(Code::Done, client, transaction);
        events.push(self.session_end());
        if self.has_security() {
            let events = ExtensionReply::LoginSecurity(events);
            response.extensions.push(events);
        }
        Ok(Outcome::In(response, seat, services))
    }

    fn refused(&self, fault: Fault) -> Response {
        let client = self.client_transaction.clone();
        Response::refused(fault, client, self.transaction.clone())
    }

    async fn authenticate(&self, client: &Client) -> Result<(Handle, Access), Outcome> {
        let named = Handle::parse(&self.login.client).ok();
        let found = match &named {
            Some(handle) => self.shared.store.access(handle).await,
            None => Ok(None),
        };
        let found = found.map_err(|error| self.failed(&error))?;
        let hash = found.as_ref().and_then(|access| access.password.clone());
        let hash = hash.unwrap_or_else(PasswordHash::nobodys);
        let password = self.login.password.clone();
        let fits = self.slowly(move || hash.fits(password.reveal())).await?;
        match (named, found, &client.certificate) {
            (Some(handle), Some(access), Some(certificate))
                if fits
                    && access.is_active
                    && access.pins.contains(&certificate.pin)
                    && is_from(&access, client.address) =>
            {
                Ok((handle, access))
            }
            _ => {
                self.shared.counters.refuse(Refusal::Authentication);
                let reason =
                    "account, password, client certificate and network do not belong together";
                let fault = Fault::new(Code::Authentication, (EPP, "login"), "", reason);
                Err(Outcome::Unknown(self.refused(fault)))
            }
        }
    }

    /// Whether the client declared loginSec; events are for no other (RFC 8807 section 3.1).
    fn has_security(&self) -> bool {
        self.login.extensions.iter().any(|uri| uri == LOGIN_SEC)
    }

    /// What of the registrar's means is near its end; one that is past it is refused, a
    /// password unless it is changed now.
    fn expiring(
        &self,
        access: &Access,
        client: &Client,
    ) -> Result<Vec<SecurityEvent>, Box<SecurityEvent>> {
        let policy = &self.shared.settings.expiry;
        let now = self.shared.now();
        let mut events = Vec::new();
        let certificate = client.certificate.as_ref().and_then(|one| one.ends_at);
        let password = policy.password.zip(access.password_set_at);
        let password = password.map(|(good_for, set_at)| after(set_at, good_for));
        let password = password.filter(|_| self.login.new_password.is_none());
        let ends = [
            (
                Subject::Certificate,
                certificate,
                policy.certificate_warning,
                "the client certificate",
            ),
            (
                Subject::Password,
                password,
                policy.password_warning,
                "the password; say another one by newPW:",
            ),
        ];
        for (subject, ends_at, warning, what) in ends {
            let Some(ends_at) = ends_at.filter(|at| *at <= after(now, warning)) else {
                continue;
            };
            let is_over = ends_at <= now;
            let (level, text) = match is_over {
                true => (Level::Error, format!("{what} has expired")),
                false => (Level::Warning, format!("{what} expires")),
            };
            let mut event = SecurityEvent::new(subject, level, text);
            event.expires_at = Some(ends_at);
            if is_over {
                return Err(Box::new(event));
            }
            events.push(event);
        }
        Ok(events)
    }

    fn expired(&self, event: SecurityEvent) -> Outcome {
        self.shared.counters.refuse(Refusal::Expired);
        let fault = Fault::new(Code::Authentication, (EPP, "login"), "", event.text.clone());
        let mut response = self.refused(fault);
        if self.has_security() {
            let event = ExtensionReply::LoginSecurity(vec![event]);
            response.extensions.push(event);
        }
        Outcome::Out(response)
    }

    /// Says in advance when the session ends, whatever is done in it.
    fn session_end(&self) -> SecurityEvent {
        let limits = &self.shared.settings.limits;
        let text = format!(
            "this session ends then, and after {} seconds without a command",
            limits.idle_timeout.as_secs()
        );
        let mut event = SecurityEvent::new(Subject::Custom, Level::Warning, text);
        event.name = Some("sessionEnd".to_owned());
        event.expires_at = Some(after(self.shared.now(), limits.session_timeout));
        event
    }

    /// The hash of a new password, or what is wrong with it.
    async fn hash(&self, handle: &Handle, password: &Secret) -> Result<PasswordHash, Outcome> {
        let (handle, text) = (handle.clone(), password.clone());
        let is_same = *password == self.login.password;
        let hash = self.slowly(move || PasswordHash::of(&handle, text.reveal()));
        let reason = match hash.await? {
            Ok(hash) if !is_same => return Ok(hash),
            Ok(_) => "the new password is the old one".to_owned(),
            Err(error) => error.reason,
        };
        let has_extension = self.has_security();
        let code = match has_extension {
            true => Code::Authentication,
            false => Code::ParameterPolicy,
        };
        let mut response = self.refused(Fault::new(code, (EPP, "newPW"), "", reason.clone()));
        if has_extension {
            let event = SecurityEvent::new(Subject::NewPassword, Level::Error, reason);
            let event = ExtensionReply::LoginSecurity(vec![event]);
            response.extensions.push(event);
        }
        Err(Outcome::Out(response))
    }

    async fn set_password(
        &self,
        handle: &Handle,
        hash: PasswordHash,
    ) -> Result<Option<i64>, Outcome> {
        let mut access = RegistrarAccess::new(handle.clone());
        access.password_hash = Some(hash);
        let request = Request {
            actor: Actor::registrar(handle.clone()),
            at: self.shared.now(),
            lab: false,
            command: Command::Registrar(RegistrarCommand::Access(Box::new(access))),
        };
        match self.shared.store.execute(request).await {
            Ok(done) => Ok(done.event()),
            Err(CommandError::Failed(error)) => Err(self.failed(&error)),
            Err(CommandError::Rejected(rejection)) => {
                let place = (EPP, "newPW");
                let fault = Fault::new(rejection.code.into(), place, "", rejection.reason);
                Err(Outcome::Out(self.refused(fault)))
            }
        }
    }

    /// Work that is meant to take its time, on a thread for such.
    async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Outcome> {
        let _permit = self.shared.passwords.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| self.failed(&error))
    }

    /// What the store says is for the operator.
    fn failed(&self, error: &dyn std::fmt::Display) -> Outcome {
        tracing::error!(%error, transaction = self.transaction, "login failed");
        let reason = "the registry's store cannot be asked; try again";
        let fault = Fault::new(Code::Failed, (EPP, "login"), "", reason);
        Outcome::Out(self.refused(fault))
    }
}
