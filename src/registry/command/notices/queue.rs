//! From the notices of a command to the queues of registrars.

use std::collections::BTreeMap;

use super::super::super::audit::masked;
use super::super::super::database::Timestamp;
use super::super::super::error::RegistryError;
use super::super::Actor;
use super::super::context::Context;
use super::super::tables::rows;
use super::{Content, NAMES_MAX, Notice, NoticeKind, QUEUE_MAX, SINGLE_MAX};

/// Queues what a command has to say, with the event that it will be.
pub(in super::super) async fn queue(
    context: &mut Context<'_, '_>,
    actor: &Actor,
) -> Result<(), RegistryError> {
    let notices = std::mem::take(&mut context.notices);
    let mut sorted: BTreeMap<(i64, NoticeKind), Vec<Notice>> = BTreeMap::new();
    for notice in notices {
        let key = (notice.registrar_id, notice.kind);
        sorted.entry(key).or_default().push(notice);
    }
    for mut notices in sorted.into_values() {
        if notices.len() <= SINGLE_MAX {
            for notice in notices {
                put(context, actor, notice, Vec::new()).await?;
            }
            continue;
        }
        let changes = notices.iter().map(|notice| notice.changes).sum();
        let named = notices.iter().skip(1).take(NAMES_MAX);
        let others = named.map(|notice| notice.object.clone()).collect();
        let mut first = notices.swap_remove(0);
        // The state of one among many is no state of the whole.
        (first.before, first.after, first.review) = (None, None, None);
        first.changes = changes;
        put(context, actor, first, others).await?;
    }
    Ok(())
}

/// One message, or one more change in the summary of a full queue.
async fn put(
    context: &mut Context<'_, '_>,
    actor: &Actor,
    notice: Notice,
    others: Vec<String>,
) -> Result<(), RegistryError> {
    if notice.kind.grows() && grow(context, actor, &notice).await? {
        return Ok(());
    }
    let registrar = notice.registrar_id;
    let event = context.write.next_event();
    let waiting = rows::<(i64,)>(
        "INSERT INTO poll_queues (registrar_id, waiting) VALUES ($1, 1) \
         ON CONFLICT (registrar_id) DO UPDATE SET waiting = poll_queues.waiting + 1 \
         RETURNING waiting",
    );
    let waiting = context.tables().optional(waiting.bind(registrar)).await?;
    if waiting.is_some_and(|(waiting,)| waiting > QUEUE_MAX) {
        let back =
            sqlx::query("UPDATE poll_queues SET waiting = waiting - 1 WHERE registrar_id = $1");
        let add = rows::<(i64,)>(
            "UPDATE poll_messages SET changes = changes + $1, event = $2, queued_at = $3 \
             WHERE id = (SELECT MAX(m.id) FROM poll_messages m WHERE m.registrar_id = $4 \
             AND m.kind = 'summary') RETURNING id",
        );
        let at = context.at.0;
        let add = add
            .bind(notice.changes)
            .bind(event)
            .bind(at)
            .bind(registrar);
        if context.tables().optional(add).await?.is_some() {
            context.tables().run(back.bind(registrar)).await?;
            return Ok(());
        }
        let mut summary = Notice::new(registrar, NoticeKind::Summary, notice.object);
        summary.changes = notice.changes;
        return insert(context, actor, summary, Vec::new()).await;
    }
    insert(context, actor, notice, others).await
}

/// Counts a notice in the last message of its kind, if that waits and says the same of
/// other objects.
async fn grow(
    context: &mut Context<'_, '_>,
    actor: &Actor,
    notice: &Notice,
) -> Result<bool, RegistryError> {
    let event = context.write.next_event();
    let Timestamp(at) = context.at;
    let mut tables = context.tables();
    let last = rows::<(i64, String)>(
        "SELECT id, content FROM poll_messages WHERE registrar_id = $1 AND kind = $2 \
         ORDER BY id DESC LIMIT 1",
    );
    let last = last.bind(notice.registrar_id).bind(notice.kind.name());
    let Some((id, content)) = tables.optional(last).await? else {
        return Ok(false);
    };
    let bad = |error| tables.inconsistent(format!("message {id}: {error}"));
    let mut content: Content = serde_json::from_str(&content).map_err(bad)?;
    let is_same = content.who == actor.logged()
        && content.cause == actor.cause
        && content.after == notice.after;
    if !is_same {
        return Ok(false);
    }
    if content.others.len() < NAMES_MAX {
        content.others.push(notice.object.clone());
    }
    let content = serde_json::to_string(&content).map_err(bad)?;
    let update = sqlx::query(
        "UPDATE poll_messages SET changes = changes + $1, event = $2, queued_at = $3, \
         content = $4 WHERE id = $5",
    );
    let update = update.bind(notice.changes).bind(event).bind(at);
    tables.run(update.bind(content).bind(id)).await?;
    Ok(true)
}

async fn insert(
    context: &mut Context<'_, '_>,
    actor: &Actor,
    notice: Notice,
    others: Vec<String>,
) -> Result<(), RegistryError> {
    let (id, event) = (context.new_object(), context.write.next_event());
    let Timestamp(at) = context.at;
    let content = Content {
        who: actor.logged(),
        cause: actor.cause.clone(),
        before: notice.before,
        after: notice.after,
        review: notice.review,
        renamed: notice.renamed,
        others,
    };
    let content = serde_json::to_value(&content).map_err(|error| {
        let what = format!("a notice cannot be written: {error}");
        context.tables().inconsistent(what)
    })?;
    let insert = sqlx::query(
        "INSERT INTO poll_messages (id, registrar_id, event, queued_at, kind, object_type, \
         object, changes, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(notice.registrar_id)
    .bind(event)
    .bind(at)
    .bind(notice.kind.name())
    .bind(notice.kind.object_type().column())
    .bind(notice.object)
    .bind(notice.changes)
    .bind(masked(content).to_string());
    context.tables().run(insert).await.map(drop)
}
