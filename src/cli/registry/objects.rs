//! Runs one command on a registry object and shows what came of it.

use serde_json::json;

use super::super::{Global, diff, output};
use super::arguments::ActingArgs;
use super::build::Built;
use super::{location, now, poke_server, servers};
use crate::registry::command::Cause;
use crate::registry::types::ValueError;
use crate::registry::{Actor, Command, CommandError, Database, Info, Outcome, Rejection, Request};

/// Runs what was built of the arguments.
pub(super) async fn run(built: Built<'_>, global: &Global) -> anyhow::Result<()> {
    let (command, acting) = match built {
        Ok(built) => built,
        Err(error) => return show(Err(Rejection::from(error).into()), global),
    };
    let actor = match actor(acting) {
        Ok(actor) => actor,
        Err(error) => return show(Err(Rejection::from(error).into()), global),
    };
    let mut database = Database::open(&location(&acting.database, global)?).await?;
    let request = request(actor, acting, command);
    if acting.dry_run && !request.command.is_read() {
        return match Box::pin(database.rehearse(&request)).await {
            Ok(found) => {
                for note in &found.notes {
                    output::note(format_args!("note: {note}"));
                }
                diff::show(&found.added, &found.removed, global)
            }
            Err(error) => show(Err(error), global),
        };
    }
    servers::ask(&mut database, &request).await?;
    let outcome = Box::pin(database.execute(&request)).await;
    if outcome.as_ref().is_ok_and(|done| done.event().is_some()) {
        poke_server(global);
    }
    show(outcome, global)
}

/// Who acts: a registrar that was named, or the operator who runs this.
pub(super) fn actor(acting: &ActingArgs) -> Result<Actor, ValueError> {
    let mut actor = match (&acting.acting_as, &acting.acting_as_contact) {
        (Some(handle), _) => Actor::registrar(handle.parse()?),
        (None, Some(handle)) => Actor::contact(handle.parse()?),
        (None, None) => Actor::operator(match &acting.operator {
            Some(name) => name.clone(),
            None => std::env::var("USER").unwrap_or_else(|_| "cli".to_owned()),
        }),
    };
    let (reason, case) = (acting.reason.clone(), acting.case_number.clone());
    if reason.is_some() || case.is_some() {
        actor.cause = Some(Cause { reason, case });
    }
    Ok(actor)
}

pub(super) fn request(actor: Actor, acting: &ActingArgs, command: Command) -> Request {
    Request {
        actor,
        at: now(),
        lab: acting.lab,
        command,
    }
}

/// An outcome as JSON, refusals too: `code` is EPP's.
pub(super) fn as_json(outcome: &Result<Outcome, CommandError>) -> serde_json::Value {
    match outcome {
        Ok(done @ (Outcome::Changed { event, notes } | Outcome::Pending { event, notes })) => {
            match notes.is_empty() {
                true => json!({ "code": done.code(), "event": event }),
                false => json!({ "code": done.code(), "event": event, "notes": notes }),
            }
        }
        Ok(done @ Outcome::Read(info)) => json!({ "code": done.code(), "info": info }),
        Err(CommandError::Rejected(rejection)) => json!(rejection),
        Err(error) => json!({ "code": error.code(), "reason": error.to_string() }),
    }
}

fn show(outcome: Result<Outcome, CommandError>, global: &Global) -> anyhow::Result<()> {
    if global.json {
        output::json(&as_json(&outcome))?;
    } else if let Ok(outcome) = &outcome {
        match outcome {
            Outcome::Changed { event, .. } => output::line(format_args!("event {event}")),
            Outcome::Pending { event, .. } => {
                output::line(format_args!("event {event}, pending"));
            }
            Outcome::Read(info) => show_info(info)?,
        }
        for note in outcome.notes() {
            output::note(format_args!("note: {note}"));
        }
    }
    outcome.map(drop).map_err(Into::into)
}

/// One field a line; a list has a line for each value.
fn show_info(info: &Info) -> anyhow::Result<()> {
    let object = serde_json::to_value(info)?;
    let kinds = object.as_object().into_iter().flatten();
    kinds.for_each(|(_, fields)| show_fields(fields));
    Ok(())
}

/// The fields of an object.
pub(super) fn show_fields(fields: &serde_json::Value) {
    for (field, value) in fields.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Array(values) => {
                values.iter().for_each(|value| show_field(field, value));
            }
            serde_json::Value::Object(values) => {
                values
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .for_each(|(field, value)| show_field(field, value));
            }
            value => show_field(field, value),
        }
    }
}

fn show_field(field: &str, value: &serde_json::Value) {
    match value.as_str() {
        Some(text) => output::line(format_args!("{field:<18} {text}")),
        None => output::line(format_args!("{field:<18} {value}")),
    }
}
