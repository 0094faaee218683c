//! `poll`: the oldest message with what it is about, and its acknowledgement.
//!
//! Objects of a message are shown as they were when it was queued: the registry keeps
//! them with it.

use serde_json::Value;

use super::{Answer, Failure, Registry, Work, transaction_of};
use crate::epp::code::Code;
use crate::epp::extension::{Change, ExtensionReply, State};
use crate::epp::fault::Fault;
use crate::epp::namespace::{CONTACT, DOMAIN, EPP, HOST};
use crate::epp::response::{Data, DomainView, Finished, Queue, Response};
use crate::registry::command::PollCommand;
use crate::registry::command::changes::Review;
use crate::registry::command::domain::{DomainInfo, TransferInfo};
use crate::registry::command::host::HostInfo;
use crate::registry::command::notices::{Content, ObjectType};
use crate::registry::command::poll::{Message, PollInfo};
use crate::registry::{Command, CommandError, Info, Outcome};

impl<R: Registry> Work<'_, R> {
    async fn queue(&self) -> Result<PollInfo, CommandError> {
        let command = Command::Poll(PollCommand::Next { registrar: None });
        match self.execute(command).await? {
            Outcome::Read(info) => match *info {
                Info::Poll(poll) => Ok(*poll),
                _ => unreachable!("a queue is shown as a queue"),
            },
            _ => unreachable!("a look changes nothing"),
        }
    }

    pub(super) async fn next_message(&self) -> Answer {
        let queue = self.queue().await?;
        let Some(message) = queue.message else {
            return Ok(self.response(Code::NoMessages));
        };
        let mut response = self.response(Code::Message);
        response.queue = Some(Queue {
            count: queue.count,
            id: message.id.to_string(),
            queued_at: Some(message.queued_at),
            text: Some(text(&message)),
        });
        describe(&mut response, message);
        Ok(response)
    }

    pub(super) async fn acknowledge(&self, id: &str) -> Answer {
        let Some(number) = number(id) else {
            let reason = "no such message";
            let fault = Fault::new(Code::ObjectDoesNotExist, (EPP, "poll"), id, reason);
            return Err(Failure::Fault(fault));
        };
        let command = Command::Poll(PollCommand::Ack {
            id: number,
            registrar: None,
        });
        let outcome = self.execute(command).await?;
        let mut response = self.response(Code::Done);
        if let Some(event) = outcome.event() {
            response.server_transaction = transaction_of(event);
        }
        // It is gone, whatever can be said of those that are left.
        if let Ok(PollInfo {
            count,
            message: Some(next),
            ..
        }) = self.queue().await
        {
            response.queue = Some(Queue {
                count,
                id: next.id.to_string(),
                queued_at: None,
                text: None,
            });
        }
        Ok(response)
    }
}

/// A number as it was given out, without signs and leading zeros.
fn number(id: &str) -> Option<i64> {
    let number: i64 = id.parse().ok()?;
    (number.to_string() == id).then_some(number)
}

/// The message in words.
fn text(message: &Message) -> String {
    let object = &message.object;
    let mut text = match (message.operation, message.op.unwrap_or_default()) {
        ("create", _) => format!("{object} was created"),
        ("update", _) => format!("{object} was changed"),
        ("delete", _) => format!("{object} was removed"),
        ("transfer", "request") => format!("Transfer of {object} requested"),
        ("transfer", "approve") => format!("Transfer of {object} approved"),
        ("transfer", "reject") => format!("Transfer of {object} rejected"),
        ("transfer", _) => format!("Transfer of {object} cancelled"),
        (_, "nameServersRenamed") => format!("{object} was removed, name servers renamed"),
        (_, "nameServersLame") => format!("Name servers of gone domains are in use: {object}"),
        (_, "changeWaits") => format!("A change of {object} waits"),
        (_, "changeApproved") => format!("The change of {object} was made"),
        (_, "changeRefused") => format!("The change of {object} was refused"),
        (_, "domainsMoved") => format!("{object} was moved{}", sides(&message.content)),
        (_, "contactErased") => format!("The personal data of {object} was erased"),
        (_, "summary") => "The queue was full".to_owned(),
        _ => format!("{}: {object}", message.kind.name()),
    };
    if let Some(review) = &message.content.review {
        text.push_str(&format!(" ({})", review.command));
        let reason = review.reason.iter();
        text.extend(reason.map(|reason| format!(": {reason}")));
    }
    for host in &message.content.renamed {
        text.push_str(&format!(
            "; {} is now {} ({} domains: {})",
            host.old,
            host.new,
            host.count,
            host.domains.join(" ")
        ));
    }
    if message.changes > 1 {
        text.push_str(&format!("; {} changes in all", message.changes));
    }
    if !message.content.others.is_empty() {
        text.push_str(&format!(
            ", among them {}",
            message.content.others.join(" ")
        ));
    }
    text
}

/// Between which registrars, and in which case.
fn sides(content: &Content) -> String {
    let side = |side: &str| content.after.as_ref()?.get(side)?.as_str();
    let mut text = String::new();
    for (word, handle) in [("from", side("losing")), ("to", side("gaining"))] {
        text.extend(handle.map(|handle| format!(" {word} {handle}")));
    }
    let case = content.cause.as_ref().and_then(|cause| cause.case.as_ref());
    text.extend(case.map(|case| format!(", case {case}")));
    text
}

/// The object that a message is about, and what was done to it.
fn describe(response: &mut Response, message: Message) {
    let content = &message.content;
    if let Some(review) = &content.review {
        response.data = finished(&message, review).map(Data::Finished);
        return;
    }
    let (state, shown) = match (&content.after, &content.before) {
        (Some(after), _) => (State::After, after),
        (None, Some(before)) => (State::Before, before),
        (None, None) => return,
    };
    let data = match (message.operation, message.object_type) {
        ("transfer", ObjectType::Domain) => {
            response.data = read::<TransferInfo>(shown).map(Data::DomainTransfer);
            return;
        }
        ("transfer", ObjectType::Contact) => {
            response.data = read::<TransferInfo>(shown).map(Data::ContactTransfer);
            return;
        }
        (_, ObjectType::Domain) => read::<DomainInfo>(shown).map(|info| {
            Data::DomainInfo(Box::new(DomainView {
                info,
                shows_delegated: true,
                shows_subordinate: true,
            }))
        }),
        (_, ObjectType::Host) => read::<HostInfo>(shown).map(|info| Data::HostInfo(Box::new(info))),
        _ => None,
    };
    let Some(data) = data else {
        return;
    };
    if let Data::DomainInfo(view) = &data {
        super::info::add_extensions(response, &view.info);
    }
    response.data = Some(data);
    let cause = content.cause.clone().unwrap_or_default();
    let change = Change {
        state,
        operation: message.operation.to_owned(),
        op: message.op.map(str::to_owned),
        at: message.queued_at,
        transaction: transaction_of(message.event),
        who: content.who.clone(),
        case: cause.case,
        reason: cause.reason,
    };
    let change = ExtensionReply::Change(Box::new(change));
    response.extensions.push(change);
}

/// The end of a command that was answered with 1001 (RFC 5731 section 3.3), by the names that
/// both sides gave it.
fn finished(message: &Message, review: &Review) -> Option<Finished> {
    let namespace = match message.object_type {
        ObjectType::Domain => DOMAIN,
        ObjectType::Host => HOST,
        ObjectType::Contact => CONTACT,
        ObjectType::Registrar => return None,
    };
    Some(Finished {
        namespace,
        name: message.object.clone(),
        is_done: review.approved,
        client_transaction: review.client_transaction.clone(),
        server_transaction: transaction_of(review.event),
        at: review.decided_at,
    })
}

/// An object as the registry kept it; one that an older program kept otherwise is not
/// shown, and the message is told all the same.
fn read<T: serde::de::DeserializeOwned>(shown: &Value) -> Option<T> {
    serde_json::from_value(shown.clone()).ok()
}
