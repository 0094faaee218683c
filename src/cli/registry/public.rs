//! `meridian registry registrar public` and `zone disclosure`: what the public is shown.

use clap::Args;

use super::arguments::ActingArgs;
use super::build::syntax;
use crate::registry::command::registrar::{PublicField, RegistrarPublic};
use crate::registry::command::zone::{DisclosureRule, ZoneDisclosure};
use crate::registry::policy::disclosure::{DisclosurePolicy, Field, LinkRole, Rule};
use crate::registry::types::ValueError;

/// `meridian registry registrar public`
#[derive(Debug, Args)]
#[command(after_long_help = fields_help())]
pub(crate) struct PublicArgs {
    /// Its handle
    handle: String,
    /// A field; an empty value takes it away; repeat for each
    #[arg(long, value_name = "FIELD=VALUE", required = true)]
    set: Vec<String>,
    #[command(flatten)]
    pub(super) acting: ActingArgs,
}

/// `meridian registry zone disclosure`
#[derive(Debug, Args)]
#[command(after_long_help = rules_help())]
pub(crate) struct DisclosureArgs {
    /// Its apex
    apex: String,
    /// A rule, or `default`; repeat for each
    #[arg(long, value_name = "ROLE.FIELD=RULE", required = true)]
    set: Vec<String>,
    #[command(flatten)]
    pub(super) acting: ActingArgs,
}

impl PublicArgs {
    pub(super) fn command(&self) -> Result<Box<RegistrarPublic>, ValueError> {
        let pair = |text: &String| {
            let (field, value) = text.split_once('=').unwrap_or((text, ""));
            let field = field.parse::<PublicField>();
            let field = field.map_err(|reason| syntax(text, reason))?;
            Ok((field, value.to_owned()))
        };
        Ok(Box::new(RegistrarPublic {
            handle: self.handle.parse()?,
            set: self.set.iter().map(pair).collect::<Result<_, _>>()?,
        }))
    }
}

impl DisclosureArgs {
    pub(super) fn command(&self) -> Result<Box<ZoneDisclosure>, ValueError> {
        let rule = |text: &String| {
            let bad = |reason: String| syntax(text, reason);
            let (place, word) = text
                .split_once('=')
                .ok_or_else(|| bad("write ROLE.FIELD=RULE".to_owned()))?;
            let (role, field) = place
                .split_once('.')
                .ok_or_else(|| bad("write ROLE.FIELD=RULE".to_owned()))?;
            Ok(DisclosureRule {
                role: role.parse().map_err(bad)?,
                field: field.parse().map_err(bad)?,
                rule: match word {
                    "default" => None,
                    word => Some(word.parse().map_err(bad)?),
                },
            })
        };
        Ok(Box::new(ZoneDisclosure {
            apex: self.apex.parse()?,
            set: self.set.iter().map(rule).collect::<Result<_, _>>()?,
        }))
    }
}

fn names<T>(table: &[(&'static str, T)]) -> String {
    let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

fn fields_help() -> String {
    format!("Fields: {}", names(PublicField::NAMES))
}

/// The rules, and the defaults as a table.
fn rules_help() -> String {
    let policy = DisclosurePolicy::default();
    let line = |(name, field): &(&str, Field)| {
        let rules = LinkRole::NAMES
            .iter()
            .map(|(_, role)| policy.rule(*role, *field));
        let rules: String = rules.map(|rule| format!("{:<11}", rule.name())).collect();
        format!("  {name:<13}{}", rules.trim_end())
    };
    let lines: Vec<_> = Field::NAMES.iter().map(line).collect();
    let roles = LinkRole::NAMES
        .iter()
        .map(|(name, _)| format!("{name:<11}"));
    let roles: String = roles.collect();
    format!(
        "Rules: {}. `always` shows a field whatever the contact wishes; `legal` shows it of \
         organizations and roles unless they wish otherwise, and of persons who wish it; \
         `consent` of whoever wishes it; `never` of nobody. A role of which nothing is ever \
         shown is left out. Defaults:\n  {:<13}{}\n{}",
        names(Rule::NAMES),
        "",
        roles.trim_end(),
        lines.join("\n")
    )
}
