//! A change under way: its transaction, who makes it, what it touched.

use std::collections::BTreeSet;

use super::super::database::{Timestamp, Write};
use super::super::error::RegistryError;
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
    /// Set by a command that only begins something.
    pub(super) is_pending: bool,
    /// Whether addresses for documentation are good enough.
    pub(super) lab: bool,
    /// Zone and owner name of records that may have changed; '' is the whole zone.
    pub(super) changed: BTreeSet<(i64, String)>,
    /// What registrars are to be told.
    pub(super) notices: Vec<Notice>,
}

impl<'c, 'd> Context<'c, 'd> {
    pub(super) async fn begin(
        write: &'c mut Write<'d>,
        request: &Request,
    ) -> Result<Self, CommandError> {
        let acting = acting(&mut write.tables(), &request.actor).await?;
        Ok(Self {
            write,
            acting,
            is_system: request.actor.role == Role::System,
            is_pending: false,
            at: request.at,
            lab: request.lab,
            changed: BTreeSet::new(),
            notices: Vec::new(),
        })
    }

    pub(super) fn tables(&mut self) -> Tables<'_> {
        self.write.tables()
    }

    pub(super) fn new_object(&mut self) -> i64 {
        self.write.reserve_objects(1)
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
