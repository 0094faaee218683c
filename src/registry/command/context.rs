//! A change under way: its transaction, who makes it, what it touched.

use std::collections::BTreeSet;

use super::super::database::{Timestamp, Write};
use super::super::error::RegistryError;
use super::super::policy::Stage;
use super::checks::{Acting, acting};
use super::notices::Notice;
use super::tables::Tables;
use super::{CommandError, Request, Role};

pub(super) struct Context<'c, 'd> {
    pub(super) write: &'c mut Write<'d>,
    pub(super) acting: Acting,
    pub(super) at: Timestamp,
    /// Whether the registry's timers act.
    pub(super) is_system: bool,
    /// Person or account, as the event log has it.
    pub(super) who: String,
    /// Whether the actor says why, and of which case.
    pub(super) has_reason: bool,
    pub(super) has_case: bool,
    /// Set by a command that only begins something.
    pub(super) is_pending: bool,
    /// The change that the command was queued as, and the number that was drawn for it.
    pub(super) asked: Option<(i64, String)>,
    /// The event of the command that a decision made.
    pub(super) made: Option<i64>,
    /// The object of a decision.
    pub(super) about: Option<String>,
    /// The contact that a command says something about.
    pub(super) person: Option<i64>,
    /// The number of the object that the command makes, where it was given out before.
    pub(super) reserved: Option<i64>,
    /// Whether addresses for documentation are good enough.
    pub(super) lab: bool,
    /// Zone and owner name of records that may have changed; '' is the whole zone.
    pub(super) changed: BTreeSet<(i64, String)>,
    /// What registrars are to be told.
    pub(super) notices: Vec<Notice>,
    /// What whoever asked should know although it was done.
    pub(super) notes: Vec<String>,
}

impl<'c, 'd> Context<'c, 'd> {
    pub(super) async fn begin(
        write: &'c mut Write<'d>,
        request: &Request,
    ) -> Result<Self, CommandError> {
        let acting = acting(&mut write.tables(), &request.actor).await?;
        // Nobody else can reach what test accounts register.
        let lab = request.lab || acting.stage == Some(Stage::Sandbox);
        let cause = request.actor.cause.as_ref();
        let has = |text: Option<&String>| text.is_some_and(|text| !text.trim().is_empty());
        Ok(Self {
            write,
            acting,
            is_system: request.actor.role == Role::System,
            who: request.actor.who.clone(),
            has_reason: has(cause.and_then(|cause| cause.reason.as_ref())),
            has_case: has(cause.and_then(|cause| cause.case.as_ref())),
            is_pending: false,
            asked: None,
            made: None,
            about: None,
            person: None,
            reserved: None,
            at: request.at,
            lab,
            changed: BTreeSet::new(),
            notices: Vec::new(),
            notes: Vec::new(),
        })
    }

    pub(super) fn tables(&mut self) -> Tables<'_> {
        self.write.tables()
    }

    pub(super) fn new_object(&mut self) -> i64 {
        match self.reserved.take() {
            Some(id) => id,
            None => self.write.reserve_objects(1),
        }
    }

    pub(super) fn note_changed(&mut self, zone_id: i64, owner: &str) {
        self.changed.insert((zone_id, owner.to_owned()));
    }

    /// Marks an object as changed now.
    pub(super) async fn touch(&mut self, table: Touched, id: i64) -> Result<(), RegistryError> {
        let text = match table {
            Touched::Domain => "UPDATE domains SET updated_at = $1, updated_by = $3 WHERE id = $2",
            Touched::Host => "UPDATE hosts SET updated_at = $1, updated_by = $3 WHERE id = $2",
            Touched::Contact => {
                "UPDATE contacts SET updated_at = $1, updated_by = $3 WHERE id = $2"
            }
            Touched::Registrar => "UPDATE registrars SET updated_at = $1 WHERE id = $2",
            Touched::Zone => "UPDATE zones SET updated_at = $1 WHERE id = $2",
        };
        let (at, by) = (self.at.0, self.acting.by.clone());
        let update = sqlx::query(text).bind(at).bind(id);
        let update = match table {
            Touched::Domain | Touched::Host | Touched::Contact => update.bind(by),
            Touched::Registrar | Touched::Zone => update,
        };
        self.tables().run(update).await.map(drop)
    }
}

/// Tables whose rows say when they changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Touched {
    Domain,
    Host,
    Contact,
    Registrar,
    Zone,
}
