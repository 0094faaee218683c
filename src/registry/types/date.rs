//! A day of the calendar, as EPP's `curExpDate` has it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ValueError, text_value};
use crate::registry::calendar::{from_text, to_text};
use crate::registry::database::Timestamp;

/// A day in UTC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CalendarDate(String);

impl CalendarDate {
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        match from_text(&format!("{text}T00:00:00Z")) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(ValueError::syntax(text, "write a day as YYYY-MM-DD")),
        }
    }

    /// The day of a moment.
    pub fn of(at: Timestamp) -> Self {
        let text = to_text(at);
        Self(text.split('T').next().unwrap_or_default().to_owned())
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_value!(CalendarDate);
