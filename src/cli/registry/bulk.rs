//! `meridian registry bulk`: one change to many domains, with progress and a dry run.

use clap::{Args, Subcommand};
use serde_json::json;

use super::super::{Global, output};
use super::arguments::ActingArgs;
use super::build::one;
use super::objects::{actor, request};
use super::{location, now, poke_server, servers};
use crate::registry::bulk::{Bulk, BulkChange, BulkReport, Turn};
use crate::registry::types::{ValueError, Years};
use crate::registry::{Database, Rehearsal};

/// Records of a dry run that are printed; the totals are of all.
const RECORDS_SHOWN_MAX: usize = 200;

/// `meridian registry bulk ..`
#[derive(Debug, Subcommand)]
pub(crate) enum BulkArgs {
    /// Put a name server in the place of another
    Hosts {
        /// The host that goes
        #[arg(long, value_name = "HOST")]
        from: String,
        /// The host that comes
        #[arg(long, value_name = "HOST")]
        to: String,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Make registrations longer that end before a day
    Renew {
        /// The day, YYYY-MM-DD; not later than --years from now
        #[arg(long, value_name = "DAY")]
        before: String,
        /// How many years longer
        #[arg(long, value_name = "COUNT", default_value_t = 1)]
        years: u8,
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// End registrations, such as those of an account that does not pay
    ///
    /// As `domain delete` does: they leave DNS and can be restored for a while. Hosts that
    /// others use are treated as the zone's policy says (`zone orphans`).
    Delete {
        #[command(flatten)]
        scope: ScopeArgs,
    },
    /// Give all domains of a registrar to another, in a case: needs --registrar and --case
    ///
    /// No consent is asked for and no year added. Domains that were deleted and can be
    /// restored go as well, and hosts below the domains; contacts stay. One that a lock or
    /// serverTransferProhibited keeps, or that waits for something, is refused. Each side
    /// gets one message that counts the domains, until it acknowledges that.
    Transfer {
        /// Who gets them
        #[arg(long, value_name = "HANDLE")]
        to: String,
        #[command(flatten)]
        scope: ScopeArgs,
    },
}

/// Which domains.
#[derive(Debug, Args)]
pub(crate) struct ScopeArgs {
    /// Those of this registrar
    #[arg(long, value_name = "HANDLE", required_unless_present = "zone")]
    registrar: Option<String>,
    /// Those of this zone
    #[arg(long, value_name = "APEX")]
    zone: Option<String>,
    #[command(flatten)]
    acting: ActingArgs,
}

fn build(args: &BulkArgs) -> Result<(Bulk, &ActingArgs), ValueError> {
    let (change, scope) = match args {
        BulkArgs::Hosts { from, to, scope } => {
            let (old, new) = (from.parse()?, to.parse()?);
            (BulkChange::Hosts { old, new }, scope)
        }
        BulkArgs::Renew {
            before,
            years,
            scope,
        } => {
            let (before, period) = (before.parse()?, Years::new(*years)?);
            (BulkChange::Renew { before, period }, scope)
        }
        BulkArgs::Delete { scope } => (BulkChange::Delete, scope),
        BulkArgs::Transfer { to, scope } => (BulkChange::Transfer { to: to.parse()? }, scope),
    };
    let bulk = Bulk {
        change,
        registrar: one(scope.registrar.as_ref())?,
        zone: one(scope.zone.as_ref())?,
    };
    Ok((bulk, &scope.acting))
}

/// What a dry run found: the first records, and how many there are.
#[derive(Default)]
struct Effect {
    shown: Rehearsal,
    added: usize,
    removed: usize,
}

impl Effect {
    fn add(&mut self, found: Rehearsal) {
        self.added += found.added.len();
        self.removed += found.removed.len();
        for (shown, found) in [
            (&mut self.shown.added, found.added),
            (&mut self.shown.removed, found.removed),
        ] {
            let room = RECORDS_SHOWN_MAX.saturating_sub(shown.len());
            shown.extend(found.into_iter().take(room));
        }
    }
}

pub(super) async fn run(args: &BulkArgs, global: &Global) -> anyhow::Result<()> {
    let (bulk, acting) = build(args)?;
    if matches!(args, BulkArgs::Transfer { .. }) {
        let has_case = acting.case_number.is_some();
        anyhow::ensure!(
            has_case,
            "a transfer in bulk needs its case, write --case NUMBER"
        );
    }
    let actor = actor(acting)?;
    let mut database = Database::open(&location(&acting.database, global)?).await?;
    let mut prepared = bulk.prepare(&mut database, now()).await?;
    let total = prepared.left(&mut database).await?;
    let mut progress = output::Progress::new("bulk".to_owned(), global.progress);
    let (mut report, mut effect) = (BulkReport::default(), Effect::default());
    loop {
        let turns = prepared.next(&mut database).await?;
        if turns.is_empty() {
            break;
        }
        for Turn { domain, command } in turns {
            let request = request(actor.clone(), acting, command);
            if acting.dry_run {
                let found = Box::pin(database.rehearse(&request)).await;
                if let Some(found) = report.count(domain, found)? {
                    effect.add(found);
                }
            } else {
                servers::ask(&mut database, &request).await?;
                report.count(domain, Box::pin(database.execute(&request)).await)?;
            }
            progress.update("domains", report.done + report.refused, total);
        }
    }
    if report.done > 0 && !acting.dry_run {
        poke_server(global);
    }
    show(&report, acting.dry_run.then_some(&effect), global)?;
    anyhow::ensure!(
        report.refused == 0,
        "{} domains were refused",
        report.refused
    );
    Ok(())
}

fn show(report: &BulkReport, effect: Option<&Effect>, global: &Global) -> anyhow::Result<()> {
    if global.json {
        let effect = effect.map(|effect| {
            let (added, removed) = (&effect.shown.added, &effect.shown.removed);
            json!({ "added": added, "removed": removed,
                    "records-added": effect.added, "records-removed": effect.removed })
        });
        return output::json(&json!({ "report": report, "dry-run": effect }));
    }
    if let Some(effect) = effect {
        let removed = effect.shown.removed.iter().map(|record| ('-', record));
        let added = effect.shown.added.iter().map(|record| ('+', record));
        removed
            .chain(added)
            .for_each(|(sign, record)| output::line(format_args!("{sign}{record}")));
        output::line(format_args!(
            "records: {} would come, {} would go; each domain by itself",
            effect.added, effect.removed
        ));
    }
    for refusal in &report.refusals {
        let (domain, why) = (&refusal.domain, &refusal.rejection);
        output::line(format_args!("refused: {domain}: {why}"));
    }
    let verb = if effect.is_some() {
        "would be changed"
    } else {
        "changed"
    };
    output::line(format_args!(
        "domains: {} {verb}, {} refused",
        report.done, report.refused
    ));
    Ok(())
}
