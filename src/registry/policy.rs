//! What may be registered in a zone: an operator decides it once, commands follow it.
//!
//! Data model and contacts, years, grace and redemption periods (RFC 3915), what comes
//! at the end of a registration, and rules about labels. Periods are seconds. The values
//! are columns of `zones`; the SQL of their default is that of an imported zone. A
//! value outside its range is refused where a policy is made, so that whoever reads
//! one need not ask.

pub mod disclosure;
mod model;
mod review;

use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::sql::AnyQuery;

pub use model::{
    ContactRole, ContactRoles, DataModel, DsInterface, Expiry, HostModel, NameRule, ParkedAnswers,
    ReportRule, Stage, TransferContacts,
};
pub use review::{Approvers, ChangeControl, RegistrantChange, ServerCheck, Silence};

/// What stands in a column of its own.
pub(crate) trait Column: Sized {
    fn to_column(&self) -> String;
    fn from_column(text: &str) -> Option<Self>;
}

macro_rules! policy {
    (
        numbers { $($(#[doc = $number_doc:literal])+ $number:ident = $default:literal, $least:literal..=$most:literal;)+ }
        words { $($(#[doc = $word_doc:literal])+ $word:ident: $type:ty = $word_default:expr;)+ }
    ) => {
        /// The policy of a zone.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct RegistrationPolicy {
            $($(#[doc = $number_doc])+ pub $number: u32,)+
            $($(#[doc = $word_doc])+ pub $word: $type,)+
        }

        impl Default for RegistrationPolicy {
            fn default() -> Self {
                Self { $($number: $default,)+ $($word: $word_default,)+ }
            }
        }

        /// A change of a policy; what is not named stays.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct RegistrationChange {
            $($(#[doc = $number_doc])+ #[serde(skip_serializing_if = "Option::is_none")] pub $number: Option<u32>,)+
            $($(#[doc = $word_doc])+ #[serde(skip_serializing_if = "Option::is_none")] pub $word: Option<$type>,)+
        }

        impl RegistrationChange {
            /// The policy after the change.
            pub fn apply(&self, before: &RegistrationPolicy) -> RegistrationPolicy {
                let mut after = before.clone();
                $(if let Some(value) = self.$number { after.$number = value; })+
                $(if let Some(value) = &self.$word { after.$word.clone_from(value); })+
                after
            }
        }

        impl RegistrationPolicy {
            /// Its columns in `zones`.
            pub(crate) const COLUMNS: &'static [&'static str] =
                &[$(stringify!($number),)+ $(stringify!($word),)+];

            /// A number that is outside its range, with the range.
            fn outside(&self) -> Option<String> {
                $(let (least, most): (u32, u32) = ($least, $most);
                if !(least..=most).contains(&self.$number) {
                    let name = stringify!($number).replace('_', "-");
                    return Some(format!("{name} {}: from {least} to {most}", self.$number));
                })+
                None
            }

            /// Reads the columns out of a row.
            pub(crate) fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
                Ok(Self {
                    $($number: number(row, stringify!($number))?,)+
                    $($word: word(row, stringify!($word))?,)+
                })
            }

            /// Binds the columns in their order.
            pub(crate) fn bind<'q>(&self, query: AnyQuery<'q>) -> AnyQuery<'q> {
                query $(.bind(i64::from(self.$number)))+ $(.bind(self.$word.to_column()))+
            }
        }
    };
}

policy! {
    numbers {
        /// Fewest years of a registration.
        years_min = 1, 1..=10;
        /// Most years of a registration, counted from now.
        years_max = 10, 1..=10;
        /// Most contacts of one role.
        contacts_max = 10, 3..=100;
        /// In which a new domain is deleted at once (addPeriod).
        add_grace = 432_000, 0..=31_536_000;
        /// After a renewal (renewPeriod).
        renew_grace = 432_000, 0..=31_536_000;
        /// After an automatic renewal (autoRenewPeriod).
        auto_renew_grace = 3_888_000, 0..=31_536_000;
        /// After a transfer (transferPeriod).
        transfer_grace = 432_000, 0..=31_536_000;
        /// Until a transfer that nobody answers is approved.
        transfer_wait = 432_000, 60..=31_536_000;
        /// In which a deleted domain can be restored (redemptionPeriod).
        redemption = 2_592_000, 0..=31_536_000;
        /// Until the report of a restored domain is due (pendingRestore).
        restore_wait = 604_800, 60..=31_536_000;
        /// Between redemption and purge (pendingDelete).
        pending_delete = 432_000, 0..=31_536_000;
        /// Start of the daily window of purges, in seconds from midnight UTC.
        purge_from = 50_400, 0..=86_399;
        /// Length of that window.
        purge_length = 3_600, 1..=86_400;
        /// Gives each domain its moment in the window.
        purge_seed = 0, 0..=4_294_967_295;
        /// Fewest characters of a label.
        label_min = 1, 1..=63;
        /// Most characters of a label.
        label_max = 63, 1..=63;
        /// Approvers that have to agree where changes are verified.
        approvals = 1, 1..=10;
        /// Until a change that waits for them is given up.
        review_wait = 1_209_600, 60..=31_536_000;
        /// Until a registrant who is asked for consent has said nothing.
        veto_wait = 172_800, 60..=31_536_000;
    }
    words {
        /// Whether contacts are kept here.
        data_model: DataModel = DataModel::Minimum;
        /// Roles that a domain must have where they are, beside its registrant.
        contacts_required: ContactRoles = ContactRoles::default();
        /// What comes at the end of a registration.
        expiry: Expiry = Expiry::AutoRenew;
        /// Whether a restored domain needs a report (RFC 3915 section 2).
        restore_report: ReportRule = ReportRule::Required;
        /// What a label may look like.
        name_rule: NameRule = NameRule::Rfc1123;
        /// Whether what registrars ask for is done at once.
        change_control: ChangeControl = ChangeControl::Auto;
        /// Operators that may approve it where it is not.
        approvers: Approvers = Approvers::default();
        /// Whether a registrant may forbid that somebody else gets the domain.
        registrant_change: RegistrantChange = RegistrantChange::Free;
        /// What it means that it says nothing.
        veto_silence: Silence = Silence::Reject;
        /// Whether name servers have to answer for a domain before it gets them.
        server_check: ServerCheck = ServerCheck::Off;
        /// Whether the zone itself has to have two name servers, and thirteen at most.
        zone_servers: ServerCheck = ServerCheck::Warn;
        /// Whether what parked domains answer is signed, where the zone is. The DS is there at
        /// once, also of a domain that loses servers which resolvers may still ask.
        parked_answers: ParkedAnswers = ParkedAnswers::Unsigned;
        /// What becomes of the contacts of a domain that goes to another registrar.
        transfer_contacts: TransferContacts = TransferContacts::Keep;
        /// Whether name servers are objects or attributes of domains.
        host_model: HostModel = HostModel::Objects;
        /// Whether DS are given, or keys that they are made of.
        ds_interface: DsInterface = DsInterface::Ds;
        /// Whether it is for tests of registrars, and for their test accounts only.
        stage: Stage = Stage::Production;
    }
}

fn number(row: &AnyRow, column: &str) -> sqlx::Result<u32> {
    let number: i64 = row.try_get(column)?;
    u32::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn word<T: Column>(row: &AnyRow, column: &str) -> sqlx::Result<T> {
    let text: String = row.try_get(column)?;
    let bad = || sqlx::Error::Decode(format!("{column} {text:?} is no word of it").into());
    T::from_column(&text).ok_or_else(bad)
}

impl RegistrationPolicy {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        let order = |name: &str, least, most| {
            (least > most).then(|| format!("{name}: the least is {least}, the most {most}"))
        };
        self.outside()
            .or_else(|| order("years", self.years_min, self.years_max))
            .or_else(|| order("label", self.label_min, self.label_max))
            .or_else(|| self.few_approvers())
    }

    /// More approvals than there is anybody for would let nothing through.
    fn few_approvers(&self) -> Option<String> {
        let (needed, named) = (self.approvals, self.approvers.count());
        let is_asked = self.change_control == ChangeControl::Verify;
        (is_asked && named < needed).then(|| {
            format!("change-control verify: {needed} approvals, and {named} approvers are named")
        })
    }

    /// What is wrong with the leftmost label of a name in the zone. A label is one of
    /// RFC 1123 already.
    pub(crate) fn label_fault(&self, label: &str) -> Option<String> {
        let characters = match label.strip_prefix("xn--").map(idna::punycode::decode) {
            Some(Some(unicode)) => unicode.len(),
            _ => label.len(),
        };
        let (least, most) = (self.label_min, self.label_max);
        if !(least..=most).contains(&u32::try_from(characters).unwrap_or(u32::MAX)) {
            return Some(format!("{characters} characters; {least} to {most} here"));
        }
        // RFC 1035 section 2.3.1; RFC 1123 section 2.1 then let digits begin a label.
        let is_strict = self.name_rule == NameRule::Rfc1035;
        if is_strict && !label.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Some("a label begins with a letter here".to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests;
