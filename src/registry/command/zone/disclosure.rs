//! `zone disclosure`: what the public is shown of contacts.

use serde::{Deserialize, Serialize};

use super::existing_active;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::tables::{Tables, rows};
use crate::registry::error::RegistryError;
use crate::registry::policy::disclosure::{DisclosurePolicy, Field, LinkRole, Rule};
use crate::registry::types::AnyName;

/// A rule for a field of contacts in a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DisclosureRule {
    /// The role.
    pub role: LinkRole,
    /// The field.
    pub field: Field,
    /// The rule; none is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

/// A change of a zone's rules; what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneDisclosure {
    /// The zone.
    pub apex: AnyName,
    /// What changes.
    pub set: Vec<DisclosureRule>,
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ZoneDisclosure,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    if command.set.is_empty() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, apex, reason));
    }
    let id = existing_active(&mut context.tables(), apex).await?.id;
    for DisclosureRule { role, field, rule } in &command.set {
        let delete = sqlx::query(
            "DELETE FROM disclosure_rules WHERE zone_id = $1 AND role = $2 AND field = $3",
        );
        let delete = delete.bind(id).bind(role.name()).bind(field.name());
        context.tables().run(delete).await?;
        if let Some(rule) = rule {
            let insert = sqlx::query(
                "INSERT INTO disclosure_rules (zone_id, role, field, rule) VALUES ($1, $2, $3, $4)",
            );
            let insert = insert.bind(id).bind(role.name()).bind(field.name());
            context.tables().run(insert.bind(rule.name())).await?;
        }
    }
    context.touch(Touched::Zone, id).await?;
    Ok(id)
}

/// The rules of a zone that are not the default.
pub(in crate::registry) async fn rules_of(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<Vec<DisclosureRule>, RegistryError> {
    let query = rows::<(String, String, String)>(
        "SELECT role, field, rule FROM disclosure_rules WHERE zone_id = $1 ORDER BY role, field",
    );
    let found = tables.all(query.bind(zone_id)).await?;
    let read = |(role, field, rule): (String, String, String)| {
        let bad = || tables.inconsistent(format!("rule {rule:?} for {role}.{field}"));
        Ok(DisclosureRule {
            role: LinkRole::parse(&role).ok_or_else(bad)?,
            field: Field::parse(&field).ok_or_else(bad)?,
            rule: Some(Rule::parse(&rule).ok_or_else(bad)?),
        })
    };
    found.into_iter().map(read).collect()
}

/// The same as a policy.
pub(in crate::registry) async fn policy_of(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<DisclosurePolicy, RegistryError> {
    let rules = rules_of(tables, zone_id).await?;
    let rules = rules.into_iter();
    Ok(DisclosurePolicy {
        rules: rules
            .filter_map(|said| Some(((said.role, said.field), said.rule?)))
            .collect(),
    })
}
