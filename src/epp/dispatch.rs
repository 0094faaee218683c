//! From a request to the registry and back to a response (RFC 5730 section 3).
//!
//! Pure over [`Registry`]: the clock, the session and its names are arguments. Checks come
//! in the order of the whole program: the reader has done syntax; here come login and
//! services; the registry does the rest, and between its existence and its policy stands
//! what the reader found to be against policy ([`Request::refusal`]).

mod check;
mod info;
mod message;
mod transform;

use std::future::Future;

use super::code::Code;
use super::fault::Fault;
use super::namespace::{self, EPP};
use super::request::{Command, Poll, Refused, Request};
use super::response::{Detail, Response};
use super::services::Services;
use crate::registry::types::Handle;
use crate::registry::{self, Actor, CommandError, Outcome, Rejection, Timestamp};

/// The registry behind a server.
pub trait Registry: Sync {
    /// Reads, or writes and waits until it is durable.
    fn execute(
        &self,
        request: registry::Request,
    ) -> impl Future<Output = Result<Outcome, CommandError>> + Send;
}

/// A session as far as commands are decided by it.
#[derive(Debug, Clone, Copy)]
pub struct Session<'s> {
    /// Who is logged in.
    pub registrar: Option<&'s Handle>,
    /// What it declared; before a login, what may be said to it.
    pub services: &'s Services,
    /// Take addresses that are set apart for documentation.
    pub lab: bool,
}

/// A command under way.
pub(super) struct Work<'w, R> {
    registry: &'w R,
    session: &'w Session<'w>,
    request: &'w Request,
    registrar: &'w Handle,
    at: Timestamp,
    /// Its name where it changes nothing.
    transaction: &'w str,
}

/// The server's name for a change: its event, which no other change has.
pub fn transaction_of(event: i64) -> String {
    format!("M-{event}")
}

/// Answers a request. `transaction` is the server's name for it where it changes nothing,
/// never the same twice. What begins and ends sessions is the caller's: a hello is answered
/// with the greeting, a first login by who knows passwords.
pub async fn answer<R: Registry>(
    registry: &R,
    session: &Session<'_>,
    request: &Request,
    at: Timestamp,
    transaction: &str,
) -> Response {
    let client = || request.client_transaction.clone();
    let registrar = match gate(session, request) {
        Ok(registrar) => registrar,
        Err(fault) => return Response::refused(fault, client(), transaction),
    };
    let work = Work {
        registry,
        session,
        request,
        registrar,
        at,
        transaction,
    };
    let answered = match &request.command {
        Command::Logout => Ok(work.response(Code::Ending)),
        Command::Hello | Command::Login(_) => Err(Failure::Fault(logged_in())),
        Command::Poll(Poll::Next) => work.next_message().await,
        Command::Poll(Poll::Acknowledge(id)) => work.acknowledge(id).await,
        Command::DomainCheck(names) => work.check_domains(names).await,
        Command::HostCheck(names) => work.check_hosts(names).await,
        Command::ContactCheck(ids) => work.check_contacts(ids).await,
        Command::DomainInfo(info) => work.domain_info(info).await,
        Command::Registry(command) => work.command(command).await,
    };
    answered.unwrap_or_else(|failure| work.failed(failure))
}

/// Answers a frame that is no request. What is not offered is not said to who is not
/// logged in.
pub fn refuse(session: &Session<'_>, refused: Refused, transaction: &str) -> Response {
    let is_service = matches!(
        refused.fault.code,
        Code::UnknownCommand
            | Code::UnimplementedCommand
            | Code::UnimplementedOption
            | Code::UnimplementedExtension
            | Code::UnimplementedService
    );
    let fault = match is_service && session.registrar.is_none() {
        true => before_login(),
        false => *refused.fault,
    };
    Response::refused(fault, refused.client_transaction, transaction)
}

fn before_login() -> Fault {
    let reason = "before a login there are only hello and login";
    Fault::new(Code::CommandUse, (EPP, "command"), "", reason)
}

fn logged_in() -> Fault {
    let reason = "this session is logged in";
    Fault::new(Code::CommandUse, (EPP, "login"), "", reason)
}

/// Who may say this: somebody who is logged in, in namespaces that were declared.
pub fn gate<'s>(session: &Session<'s>, request: &Request) -> Result<&'s Handle, Fault> {
    let registrar = session.registrar.ok_or_else(before_login)?;
    if matches!(request.command, Command::Login(_)) {
        return Err(logged_in());
    }
    match request.uses.iter().find(|used| !session.services.has(used)) {
        None => Ok(registrar),
        Some(used) => {
            let element = match namespace::OBJECTS.contains(used) {
                true => "objURI",
                false => "extURI",
            };
            let reason = "not declared at the login of this session";
            Err(Fault::new(Code::CommandUse, (EPP, element), used, reason))
        }
    }
}

/// Why there is no answer.
pub(super) enum Failure {
    /// By what EPP knows.
    Fault(Fault),
    /// By the registry's word.
    Registry(CommandError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Registry(error)
    }
}

type Answer = Result<Response, Failure>;

impl<R: Registry> Work<'_, R> {
    fn response(&self, code: Code) -> Response {
        let client = self.request.client_transaction.clone();
        Response::new(code, client, self.transaction)
    }

    /// Asks the registry in the registrar's name.
    async fn execute(&self, command: registry::Command) -> Result<Outcome, CommandError> {
        let mut actor = Actor::registrar(self.registrar.clone());
        actor
            .transaction
            .clone_from(&self.request.client_transaction);
        let request = registry::Request {
            actor,
            at: self.at,
            lab: self.session.lab,
            command,
        };
        self.registry.execute(request).await
    }

    fn failed(&self, failure: Failure) -> Response {
        match failure {
            Failure::Fault(fault) => {
                let client = self.request.client_transaction.clone();
                Response::refused(fault, client, self.transaction)
            }
            Failure::Registry(CommandError::Rejected(rejection)) => {
                let mut response = self.response(rejection.code.into());
                response.details.push(self.detail(rejection));
                response
            }
            Failure::Registry(CommandError::Failed(error)) => {
                // What the store says is for the operator.
                tracing::error!(%error, transaction = self.transaction, "command failed");
                let mut response = self.response(Code::Failed);
                response.details.push(Detail {
                    namespace: EPP.to_owned(),
                    element: "command".to_owned(),
                    value: String::new(),
                    reason: "the registry's store did not take it; try again".to_owned(),
                });
                response
            }
        }
    }

    /// A rejection with the element that holds the value which it is about.
    fn detail(&self, rejection: Rejection) -> Detail {
        let places = &self.request.places;
        let place = places
            .find(&rejection.value)
            // A DS is said in four elements; its digest is its own.
            .or_else(|| places.find(rejection.value.split_ascii_whitespace().last()?))
            .or_else(|| places.first());
        let (namespace, element) = match place {
            Some(place) => (place.namespace.clone(), place.element.clone()),
            None => (EPP.to_owned(), "command".to_owned()),
        };
        Detail {
            reason: format!("{element}: {}", rejection.reason),
            namespace,
            element,
            value: rejection.value,
        }
    }
}
