//! `check`: each object by itself, in the order of the command.

use super::{Answer, Registry, Work};
use crate::epp::code::Code;
use crate::epp::response::{Check, Data};
use crate::registry::command::{ContactCommand, DomainCommand, HostCommand};
use crate::registry::types::{AuthInfo, DomainName, Handle, HostName};
use crate::registry::{Command, CommandError, Info, Outcome, ResultCode};

const IN_USE: &str = "in use";

impl<R: Registry> Work<'_, R> {
    pub(super) async fn check_domains(&self, names: &[String]) -> Answer {
        self.refusal()?;
        let token = self.request.token.as_ref();
        // What is no token of anything fits nothing, as one that is unset does.
        let token = token
            .map(|token| AuthInfo::parse(token.reveal()).unwrap_or_else(|_| AuthInfo::unset()));
        let mut checks = Vec::new();
        for name in names {
            let reason = match DomainName::parse(name) {
                Err(_) => Some("not a domain name".to_owned()),
                Ok(name) => {
                    let check = match &token {
                        None => DomainCommand::Check(name),
                        Some(token) => DomainCommand::CheckToken {
                            name,
                            token: token.clone(),
                        },
                    };
                    self.unavailable(Command::Domain(check)).await?
                }
            };
            let name = name.clone();
            checks.push(Check { name, reason });
        }
        Ok(self.checked(Data::DomainCheck(checks)))
    }

    /// Why an object cannot be made.
    async fn unavailable(&self, check: Command) -> Result<Option<String>, CommandError> {
        match self.execute(check).await {
            Ok(Outcome::Read(info)) => match *info {
                Info::Availability(availability) => Ok(availability.reason),
                _ => unreachable!("a check is answered with an availability"),
            },
            Ok(_) => unreachable!("a check changes nothing"),
            Err(CommandError::Rejected(rejection)) => Ok(Some(rejection.reason)),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn check_hosts(&self, names: &[String]) -> Answer {
        self.refusal()?;
        let mut checks = Vec::new();
        for name in names {
            let reason = match HostName::parse(name) {
                Err(_) => Some("not a host name".to_owned()),
                Ok(parsed) => {
                    let check = HostCommand::Check(parsed);
                    self.unavailable(Command::Host(check)).await?
                }
            };
            let name = name.clone();
            checks.push(Check { name, reason });
        }
        Ok(self.checked(Data::HostCheck(checks)))
    }

    pub(super) async fn check_contacts(&self, ids: &[String]) -> Answer {
        self.refusal()?;
        let mut checks = Vec::new();
        for id in ids {
            let handle = Handle::parse(id).map_err(CommandError::from)?;
            let info = ContactCommand::Info(handle);
            let reason = self.in_use(Command::Contact(info)).await?;
            let name = id.clone();
            checks.push(Check { name, reason });
        }
        Ok(self.checked(Data::ContactCheck(checks)))
    }

    /// An object that can be shown, or is another registrar's, is there.
    async fn in_use(&self, info: Command) -> Result<Option<String>, CommandError> {
        match self.execute(info).await {
            Ok(_) => Ok(Some(IN_USE.to_owned())),
            Err(CommandError::Rejected(rejection)) => match rejection.code {
                ResultCode::ObjectDoesNotExist => Ok(None),
                ResultCode::AuthorizationError => Ok(Some(IN_USE.to_owned())),
                _ => Err(CommandError::Rejected(rejection)),
            },
            Err(error) => Err(error),
        }
    }

    fn checked(&self, data: Data) -> super::Response {
        let mut response = self.response(Code::Done);
        response.data = Some(data);
        response
    }
}
