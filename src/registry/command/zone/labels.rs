//! `zone labels`: labels that are not for everybody, each with its reason.

use serde::{Deserialize, Serialize};

use super::existing_active;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::tables::{Tables, rows};
use crate::registry::error::RegistryError;
use crate::registry::signing::named;
use crate::registry::types::{AnyName, AuthInfo, Label, salt};

named! {
    /// For whom a label is held.
    LabelKind:
        /// The registry itself may register it.
        Reserved = "reserved",
        /// Nobody may.
        Blocked = "blocked",
        /// Whoever agrees to its terms, which are its reason.
        Premium = "premium",
}

/// A label that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HeldLabel {
    /// The label.
    pub label: Label,
    /// For whom.
    pub kind: LabelKind,
    /// Why, for those who ask for it; of a premium label the terms, such as its price.
    pub reason: String,
    /// Whoever says it may register the label (RFC 8495); never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<AuthInfo>,
}

/// A change of the labels that a zone holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneLabels {
    /// The zone.
    pub apex: AnyName,
    /// Labels to hold; one that is held already is held like this from now on, by
    /// the token it had where none is given; released in the same change it loses its token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<HeldLabel>,
    /// Labels to let go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release: Vec<Label>,
}

/// Longest reason: it is shown to whoever asks.
const REASON_CHARACTERS_MAX: usize = 200;

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ZoneLabels,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    if command.hold.is_empty() && command.release.is_empty() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, apex, reason));
    }
    let id = existing_active(&mut context.tables(), apex).await?.id;
    for label in &command.release {
        let delete = sqlx::query("DELETE FROM held_labels WHERE zone_id = $1 AND label = $2");
        let delete = delete.bind(id).bind(label.as_str());
        if context.tables().run(delete).await? == 0 {
            let reason = "not held, or released twice";
            return Err(rejected(ResultCode::ParameterPolicy, label, reason));
        }
    }
    for held in &command.hold {
        let reason = held.reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_CHARACTERS_MAX {
            let fault = format!("needs a reason, of {REASON_CHARACTERS_MAX} characters at most");
            return Err(rejected(ResultCode::ParameterPolicy, &held.label, fault));
        }
        let token = kept_token(&context.tables(), held)?;
        let insert = sqlx::query(
            "INSERT INTO held_labels (zone_id, label, kind, reason, token) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (zone_id, label) \
             DO UPDATE SET kind = excluded.kind, reason = excluded.reason, \
             token = CASE WHEN excluded.kind = 'blocked' THEN NULL \
             ELSE COALESCE(excluded.token, held_labels.token) END",
        )
        .bind(id)
        .bind(held.label.as_str())
        .bind(held.kind.name())
        .bind(reason)
        .bind(token);
        context.tables().run(insert).await?;
    }
    context.touch(Touched::Zone, id).await?;
    Ok(id)
}

/// A token as it is kept, which is as authorization information is.
fn kept_token(tables: &Tables<'_>, held: &HeldLabel) -> Result<Option<Vec<u8>>, CommandError> {
    let Some(token) = &held.token else {
        return Ok(None);
    };
    let refuse = |reason: String| Err(rejected(ResultCode::ParameterPolicy, &held.label, reason));
    if held.kind == LabelKind::Blocked {
        return refuse("nobody may register it, with whatever token".to_owned());
    }
    if let Some(weakness) = token.weakness() {
        return refuse(format!("the token {weakness}"));
    }
    let salt = salt().ok_or_else(|| tables.inconsistent("no random octets from the system"))?;
    Ok(token.kept(salt))
}

/// Label, kind, reason and token.
type Row = (String, String, String, Option<Vec<u8>>);

fn held(
    tables: &Tables<'_>,
    (label, kind, reason, token): Row,
) -> Result<HeldLabel, RegistryError> {
    let bad = || tables.inconsistent(format!("held label {label:?}"));
    Ok(HeldLabel {
        label: Label::parse(&label).map_err(|_| bad())?,
        kind: LabelKind::parse(&kind).ok_or_else(bad)?,
        reason,
        token: token.map(AuthInfo::from_kept),
    })
}

/// The first labels that a zone holds.
pub(super) async fn held_labels(
    tables: &mut Tables<'_>,
    zone_id: i64,
    most: i64,
) -> Result<Vec<HeldLabel>, RegistryError> {
    let query = rows::<Row>(
        "SELECT label, kind, reason, token FROM held_labels WHERE zone_id = $1 \
         ORDER BY label LIMIT $2",
    );
    let found = tables.all(query.bind(zone_id).bind(most)).await?;
    found.into_iter().map(|row| held(tables, row)).collect()
}

/// Whether a label is held, and how.
pub(in crate::registry::command) async fn held_label(
    tables: &mut Tables<'_>,
    zone_id: i64,
    label: &str,
) -> Result<Option<HeldLabel>, RegistryError> {
    let query = rows::<Row>(
        "SELECT label, kind, reason, token FROM held_labels WHERE zone_id = $1 AND label = $2",
    );
    let found = tables.optional(query.bind(zone_id).bind(label)).await?;
    found.map(|row| held(tables, row)).transpose()
}
