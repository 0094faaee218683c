//! Who comes: certificate, password, and what the session may speak (RFC 5730 section
//! 2.9.1.1, RFC 8807).
//!
//! An account that is not there, a wrong password and another's certificate are answered
//! alike and after the same work, so that nobody learns which it was. Passwords are looked
//! at by few at once, on threads where that holds up nobody.

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
use crate::registry::{Actor, Command, CommandError, Request};

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
    pin: Option<Pin>,
    client_transaction: Option<String>,
) -> Outcome {
    let attempt = Attempt {
        shared,
        login,
        client_transaction,
        transaction: shared.transaction(),
    };
    match attempt.run(pin).await {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

impl Attempt<'_> {
    async fn run(&self, pin: Option<Pin>) -> Result<Outcome, Outcome> {
        let agreed = Services::agree(&self.shared.settings.offer, self.login);
        let services = agreed.map_err(|fault| Outcome::Out(self.refused(fault)))?;
        let (handle, access) = self.authenticate(pin).await?;
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
        let response = Response::new(Code::Done, client, transaction);
        Ok(Outcome::In(response, seat, services))
    }

    fn refused(&self, fault: Fault) -> Response {
        let client = self.client_transaction.clone();
        Response::refused(fault, client, self.transaction.clone())
    }

    async fn authenticate(&self, pin: Option<Pin>) -> Result<(Handle, Access), Outcome> {
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
        match (named, found, pin) {
            (Some(handle), Some(access), Some(pin))
                if fits && access.is_active && access.pins.contains(&pin) =>
            {
                Ok((handle, access))
            }
            _ => {
                self.shared.counters.refuse(Refusal::Authentication);
                let reason = "account, password and client certificate do not belong together";
                let fault = Fault::new(Code::Authentication, (EPP, "login"), "", reason);
                Err(Outcome::Unknown(self.refused(fault)))
            }
        }
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
        let has_extension = self.login.extensions.iter().any(|uri| uri == LOGIN_SEC);
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
