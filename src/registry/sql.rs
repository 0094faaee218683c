//! Rows in and out of both engines.
//!
//! sqlx's `Any` serves both with one text: 3,700 durable commits a second to SQLite
//! and 2,900 to PostgreSQL on two cores (rusqlite 6,500). What it is slow at is rows
//! in bulk, 2 microseconds each from SQLite; the compiler reads by rusqlite.
//!
//! Bulk rows go in by statements of many rows. SQLite looks a numbered parameter
//! up by its name, which takes time linear in the number of parameters, so its
//! bulk statements use `?`; PostgreSQL knows only `$1`.

use std::fmt::Write as _;
use std::sync::OnceLock;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, Arguments as _, AssertSqlSafe, Encode, Type};

use super::database::Engine;

/// Most bind parameters in one statement: SQLite's default is 32,766 and
/// PostgreSQL's is 65,535.
const PARAMETERS_MAX: usize = 32_766;
/// Rows of a bulk statement: beyond this a statement gets no faster.
const ROWS_MAX: usize = 500;

/// A prepared query over either engine.
pub(crate) type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

/// An `INSERT` of many rows; a row that is there already stays as it is.
#[derive(Debug)]
pub(crate) struct BulkInsert {
    engine: Engine,
    head: &'static str,
    columns: usize,
    /// The statement of the most rows.
    full: OnceLock<String>,
}

impl BulkInsert {
    /// `head` is `table (column, ..)`.
    pub(crate) fn new(engine: Engine, head: &'static str) -> Self {
        Self {
            engine,
            head,
            columns: head.matches(',').count() + 1,
            full: OnceLock::new(),
        }
    }

    /// Rows that one statement takes.
    pub(crate) fn rows_max(&self) -> usize {
        ROWS_MAX.min(PARAMETERS_MAX / self.columns)
    }

    /// The statement for `rows` rows. Its text holds no data, only parameters.
    pub(crate) fn statement(&self, rows: usize) -> AnyQuery<'static> {
        self.filled(rows, AnyArguments::default())
    }

    fn filled(&self, rows: usize, arguments: AnyArguments) -> AnyQuery<'static> {
        let is_full = rows == self.rows_max();
        let text = if is_full {
            self.full.get_or_init(|| self.text(rows)).clone()
        } else {
            self.text(rows)
        };
        // Imports run the full statement, single commands that of one row: only these
        // are worth a place in the statement cache.
        sqlx::query_with(AssertSqlSafe(text), arguments).persistent(is_full || rows == 1)
    }

    fn text(&self, rows: usize) -> String {
        let mut text = format!("INSERT INTO {} VALUES ", self.head);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ",(" });
            for column in 0..self.columns {
                if column > 0 {
                    text.push(',');
                }
                match self.engine {
                    Engine::Sqlite => text.push('?'),
                    Engine::Postgres => {
                        let number = row * self.columns + column + 1;
                        write!(text, "${number}").expect("a String takes all");
                    }
                }
            }
            text.push(')');
        }
        text.push_str(" ON CONFLICT DO NOTHING");
        text
    }
}

/// Rows on their way into a table, bound one after the other.
pub(crate) struct BulkRows {
    insert: BulkInsert,
    arguments: AnyArguments,
    rows: usize,
}

impl BulkRows {
    pub(crate) fn new(insert: BulkInsert) -> Self {
        Self {
            insert,
            arguments: AnyArguments::default(),
            rows: 0,
        }
    }

    /// Binds the next column of the row that is under way.
    pub(crate) fn bind<'t, T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'t, Any> + Type<Any>,
    {
        let added = self.arguments.add(value);
        added.expect("numbers, texts and octets always encode");
        self
    }

    /// The row that is under way has all its columns.
    pub(crate) fn end_row(&mut self) {
        self.rows += 1;
        debug_assert_eq!(self.arguments.len(), self.rows * self.insert.columns);
    }

    /// Rows that are complete and not yet taken.
    pub(crate) fn count(&self) -> usize {
        self.rows
    }

    /// Whether a statement has as many rows as it takes.
    pub(crate) fn is_full(&self) -> bool {
        self.rows == self.insert.rows_max()
    }

    /// The statement for the rows so far, if there are any.
    pub(crate) fn take(&mut self) -> Option<AnyQuery<'static>> {
        let rows = std::mem::take(&mut self.rows);
        let arguments = std::mem::take(&mut self.arguments);
        (rows > 0).then(|| self.insert.filled(rows, arguments))
    }
}
