//! `info` of a domain: what a registrar may see of it.

use super::{Answer, Failure, Registry, Work};
use crate::epp::code::Code;
use crate::epp::extension::ExtensionReply;
use crate::epp::fault::Fault;
use crate::epp::namespace::ALLOCATION_TOKEN;
use crate::epp::request::{DomainInfo, Hosts};
use crate::epp::response::{Data, DomainView, Response};
use crate::registry::command::DomainCommand;
use crate::registry::command::domain::DomainQuery;
use crate::registry::types::DomainName;
use crate::registry::{self, Command, CommandError, Info, Outcome};

impl<R: Registry> Work<'_, R> {
    /// What policy forbids about the request, whatever the registry holds.
    pub(super) fn refusal(&self) -> Result<(), Fault> {
        match &self.request.refusal {
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }

    /// A domain as the registry shows it.
    pub(super) async fn shown(
        &self,
        query: DomainQuery,
    ) -> Result<registry::command::domain::DomainInfo, CommandError> {
        let command = Command::Domain(DomainCommand::Info(query));
        match self.execute(command).await? {
            Outcome::Read(info) => match *info {
                Info::Domain(info) => Ok(*info),
                _ => unreachable!("a domain is shown as a domain"),
            },
            _ => unreachable!("an info changes nothing"),
        }
    }

    pub(super) async fn own_view(
        &self,
        name: &DomainName,
    ) -> Result<registry::command::domain::DomainInfo, CommandError> {
        self.shown(DomainQuery::new(name)).await
    }

    pub(super) async fn domain_info(&self, asked: &DomainInfo) -> Answer {
        let info = self.shown(asked.query.clone()).await?;
        self.refusal()?;
        if asked.asks_token {
            return Err(self.no_token(&info.registrar));
        }
        let mut response = self.response(Code::Done);
        add_extensions(&mut response, &info);
        response.data = Some(Data::DomainInfo(Box::new(DomainView {
            info,
            shows_delegated: matches!(asked.hosts, Hosts::All | Hosts::Delegated),
            shows_subordinate: matches!(asked.hosts, Hosts::All | Hosts::Subordinate),
        })));
        Ok(response)
    }

    /// RFC 8495 section 3.1.2: another's token is not for everybody, and no object has one.
    fn no_token(&self, sponsor: &str) -> Failure {
        let (code, reason) = match sponsor == self.registrar.as_str() {
            true => (
                Code::ObjectDoesNotExist,
                "the object has no allocation token",
            ),
            false => (Code::Authorization, "sponsored by another registrar"),
        };
        Fault::new(code, (ALLOCATION_TOKEN, "info"), "", reason).into()
    }
}

/// Delegation signers and grace periods, where there are some.
pub(super) fn add_extensions(
    response: &mut Response,
    info: &registry::command::domain::DomainInfo,
) {
    if !info.rgp_statuses.is_empty() {
        let statuses = info.rgp_statuses.clone();
        response.extensions.push(ExtensionReply::RgpInfo(statuses));
    }
    if !info.keys.is_empty() {
        let keys = info.keys.clone();
        response.extensions.push(ExtensionReply::Keys(keys));
    } else if !info.ds.is_empty() {
        let ds = info.ds.clone();
        response.extensions.push(ExtensionReply::SecDns(ds));
    }
}
