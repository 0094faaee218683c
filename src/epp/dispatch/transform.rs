//! Everything that the registry has a command for, with what is said about its outcome.

use super::{Answer, Failure, Registry, Work, transaction_of};
use crate::epp::code::Code;
use crate::epp::extension::ExtensionReply;
use crate::epp::fault::Fault;
use crate::epp::namespace::{ALLOCATION_TOKEN, CONTACT, DOMAIN, EPP, HOST};
use crate::epp::response::{Data, Detail, Response};
use crate::registry::command::contact::{ContactCreate, ContactTransfer};
use crate::registry::command::domain::{DomainQuery, DomainTransfer, TransferOp};
use crate::registry::command::{ContactCommand, DomainCommand, HostCommand};
use crate::registry::types::{DomainName, Handle, HostName};
use crate::registry::{Command, CommandError, Info, Outcome, ResultCode};

/// Where a domain is that is to come back.
const PENDING_RESTORE: &str = "pendingRestore";

impl<R: Registry> Work<'_, R> {
    pub(super) async fn command(&self, command: &Command) -> Answer {
        let has_refusal = self.request.refusal.is_some() || self.request.token.is_some();
        if has_refusal {
            self.permitted(command).await?;
            self.token()?;
            self.refusal()?;
        }
        let outcome = self.execute(command.clone()).await?;
        match outcome {
            Outcome::Read(info) => Ok(self.read(*info)),
            Outcome::Changed { event, notes } => {
                let mut response = self.changed(command, Code::Done, event).await?;
                self.add_notes(&mut response, notes);
                Ok(response)
            }
            Outcome::Pending { event, notes } => {
                let mut response = self.changed(command, Code::DonePending, event).await?;
                self.add_notes(&mut response, notes);
                Ok(response)
            }
        }
    }

    /// What comes before policy in the order of checks: existence, then sponsorship. The
    /// registry would say the same; it is asked only where the command does not reach it.
    async fn permitted(&self, command: &Command) -> Result<(), Failure> {
        match command {
            Command::Domain(DomainCommand::Create(create)) => {
                let found = self.shown(DomainQuery::new(&create.name)).await;
                absent(found.map(drop), DOMAIN, "name", create.name.as_str())
            }
            Command::Domain(DomainCommand::Transfer(transfer)) => {
                let mut query = DomainQuery::new(&transfer.name);
                query.auth_info.clone_from(&transfer.auth_info);
                self.shown(query).await?;
                Ok(())
            }
            Command::Domain(
                DomainCommand::Update(_) | DomainCommand::Renew(_) | DomainCommand::Delete(_),
            ) => {
                let name = name_of(command).unwrap_or_default();
                let name = DomainName::parse(name).map_err(CommandError::from)?;
                let info = self.own_view(&name).await?;
                self.sponsored(&info.registrar, DOMAIN, "name", name.as_str())
            }
            Command::Host(HostCommand::Update(update)) => {
                let info = HostCommand::Info(update.name.clone());
                let outcome = self.execute(Command::Host(info)).await?;
                let Outcome::Read(info) = outcome else {
                    return Ok(());
                };
                match &*info {
                    Info::Host(host) => {
                        self.sponsored(&host.registrar, HOST, "name", update.name.as_str())
                    }
                    _ => Ok(()),
                }
            }
            Command::Contact(ContactCommand::Create(create)) => {
                let info = ContactCommand::Info(create.handle.clone());
                let found = self.execute(Command::Contact(info)).await;
                absent(found.map(drop), CONTACT, "id", create.handle.as_str())
            }
            Command::Contact(ContactCommand::Transfer(transfer)) => {
                let query = ContactTransfer {
                    op: TransferOp::Query,
                    ..(**transfer).clone()
                };
                let query = ContactCommand::Transfer(Box::new(query));
                match self.execute(Command::Contact(query)).await {
                    // There never was one: what comes of that is for the command to say.
                    Err(CommandError::Rejected(rejection))
                        if rejection.code == ResultCode::NotPendingTransfer => {}
                    outcome => drop(outcome?),
                }
                Ok(())
            }
            Command::Contact(ContactCommand::Update(update)) => {
                let info = ContactCommand::Info(update.handle.clone());
                self.execute(Command::Contact(info)).await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sponsored(
        &self,
        sponsor: &str,
        namespace: &str,
        element: &str,
        name: &str,
    ) -> Result<(), Failure> {
        if sponsor == self.registrar.as_str() {
            return Ok(());
        }
        let reason = "sponsored by another registrar";
        let place = (namespace, element);
        Err(Fault::new(Code::Authorization, place, name, reason).into())
    }

    /// A token that is left applies to nothing: the registry judges those of creates
    /// (RFC 8495 section 3.2).
    fn token(&self) -> Result<(), Fault> {
        if self.request.token.is_none() {
            return Ok(());
        }
        let place = (ALLOCATION_TOKEN, "allocationToken");
        let reason = "the token does not apply to the object";
        Err(Fault::new(Code::Authorization, place, "", reason))
    }

    /// What was asked for.
    fn read(&self, info: Info) -> Response {
        let mut response = self.response(Code::Done);
        response.data = match info {
            Info::Host(info) => Some(Data::HostInfo(Box::new(info))),
            Info::Contact(info) => Some(Data::ContactInfo(info)),
            Info::Transfer(transfer) => Some(Data::DomainTransfer(transfer)),
            Info::ContactTransfer(transfer) => Some(Data::ContactTransfer(transfer)),
            _ => None,
        };
        response
    }

    /// What the registrar should know of a change that was made all the same.
    fn add_notes(&self, response: &mut Response, notes: Vec<String>) {
        let place = self.request.places.first();
        let details = notes.into_iter().map(|reason| Detail {
            namespace: place.map_or(EPP, |place| &place.namespace).to_owned(),
            element: place.map_or("command", |place| &place.element).to_owned(),
            value: place.map_or("", |place| &place.text).to_owned(),
            reason,
        });
        response.details.extend(details);
    }

    /// A change that is durable. What is shown of it is read anew: where another command
    /// came between and nothing is to be seen any more, the change was made all the same.
    async fn changed(&self, command: &Command, code: Code, event: i64) -> Answer {
        let mut response = self.response(code);
        response.server_transaction = transaction_of(event);
        match command {
            Command::Domain(command) => self.domain_changed(command, &mut response).await,
            Command::Host(HostCommand::Create(create)) => {
                response.data = Some(host_created(&create.name, self));
            }
            Command::Contact(ContactCommand::Create(create)) => {
                response.data = Some(contact_created(create, self));
            }
            Command::Contact(ContactCommand::Transfer(transfer)) => {
                response.data = self.contact_transfer(transfer).await;
            }
            _ => {}
        }
        Ok(response)
    }

    async fn domain_changed(&self, command: &DomainCommand, response: &mut Response) {
        match command {
            DomainCommand::Create(create) => {
                let info = self.own_view(&create.name).await.ok();
                response.data = Some(Data::DomainCreated {
                    name: create.name.to_string(),
                    created_at: self.at,
                    expires_at: info.and_then(|info| info.expires_at),
                });
            }
            DomainCommand::Renew(renew) => {
                let info = self.own_view(&renew.name).await.ok();
                response.data = Some(Data::DomainRenewed {
                    name: renew.name.to_string(),
                    expires_at: info.and_then(|info| info.expires_at),
                });
            }
            DomainCommand::Transfer(transfer) => {
                response.data = self.transfer(transfer).await;
            }
            // RFC 3915 section 4.2.5: a request that was accepted is told by the one status;
            // a report ends the matter, and is answered without the extension.
            DomainCommand::Restore(restore) if restore.report.is_none() => {
                if let Ok(info) = self.own_view(&restore.name).await
                    && info.rgp_statuses == [PENDING_RESTORE]
                {
                    let statuses = info.rgp_statuses;
                    response
                        .extensions
                        .push(ExtensionReply::RgpUpdate(statuses));
                }
            }
            _ => {}
        }
    }

    /// How the transfer stands that this command began or ended.
    async fn transfer(&self, transfer: &DomainTransfer) -> Option<Data> {
        let query = DomainTransfer {
            name: transfer.name.clone(),
            op: TransferOp::Query,
            period: None,
            registrar: None,
            auth_info: transfer.auth_info.clone(),
        };
        let command = Command::Domain(DomainCommand::Transfer(Box::new(query)));
        match self.execute(command).await {
            Ok(Outcome::Read(info)) => match *info {
                Info::Transfer(transfer) => Some(Data::DomainTransfer(transfer)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<R: Registry> Work<'_, R> {
    /// As of a domain.
    async fn contact_transfer(&self, transfer: &ContactTransfer) -> Option<Data> {
        let query = ContactTransfer {
            op: TransferOp::Query,
            registrar: None,
            ..transfer.clone()
        };
        let command = Command::Contact(ContactCommand::Transfer(Box::new(query)));
        match self.execute(command).await {
            Ok(Outcome::Read(info)) => match *info {
                Info::ContactTransfer(transfer) => Some(Data::ContactTransfer(transfer)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// An object that is to be made and is there already.
fn absent(
    found: Result<(), CommandError>,
    namespace: &str,
    element: &str,
    name: &str,
) -> Result<(), Failure> {
    match found {
        Err(CommandError::Rejected(rejection)) => match rejection.code {
            ResultCode::ObjectDoesNotExist => Ok(()),
            ResultCode::AuthorizationError => Err(exists(namespace, element, name)),
            _ => Err(CommandError::Rejected(rejection).into()),
        },
        Err(error) => Err(error.into()),
        Ok(()) => Err(exists(namespace, element, name)),
    }
}

fn exists(namespace: &str, element: &str, name: &str) -> Failure {
    let place = (namespace, element);
    Fault::new(Code::ObjectExists, place, name, "there already").into()
}

fn name_of(command: &Command) -> Option<&str> {
    match command {
        Command::Domain(DomainCommand::Update(update)) => Some(update.name.as_str()),
        Command::Domain(DomainCommand::Renew(renew)) => Some(renew.name.as_str()),
        Command::Domain(DomainCommand::Delete(name)) => Some(name.as_str()),
        _ => None,
    }
}

fn host_created<R>(name: &HostName, work: &Work<'_, R>) -> Data {
    Data::HostCreated {
        name: name.to_string(),
        created_at: work.at,
    }
}

fn contact_created<R>(create: &ContactCreate, work: &Work<'_, R>) -> Data {
    let id: &Handle = &create.handle;
    Data::ContactCreated {
        id: id.to_string(),
        created_at: work.at,
    }
}
