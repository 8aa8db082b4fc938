//! A folder as two constants: the texts of its files, one after the other, and what is known of them.
//!
//! The compiler looks at every expression of a table, and every pointer in it costs the program four words; two
//! constants it takes as they are, whatever they hold. The macro packs, the program unpacks when it has something
//! to apply. Owns the order of the bytes, which both sides share; knows nothing of files.

use std::borrow::Cow;
use std::time::Duration;

use crate::sql::Statement;
use crate::{
    Backfill, Checksum, Code, MigrationId, Phase, Script, SqlDown, SqlMigration, Step, Version,
};

/// Migrations as two constants.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    /// Everything but the texts, as [`pack`] wrote it.
    pub rows: &'static [u8],
    /// The texts of all scripts, in the order in which they stand in the migrations.
    pub texts: &'static str,
}

/// Writes down everything but the texts.
pub fn pack<'m>(migrations: impl IntoIterator<Item = &'m SqlMigration>) -> Vec<u8> {
    let mut writer = Writer::default();
    for migration in migrations {
        writer.migration(migration);
    }
    writer.0
}

/// The scripts of migrations, in the order in which their texts are packed.
pub fn scripts<'m>(
    migrations: impl IntoIterator<Item = &'m SqlMigration>,
) -> impl Iterator<Item = &'m Script> {
    let steps = |m: &'m SqlMigration| std::iter::once(&m.up).chain(m.down.steps());
    migrations.into_iter().flat_map(steps).filter_map(Step::script)
}

impl Packed {
    /// No migrations.
    pub const EMPTY: Packed = Packed { rows: &[], texts: "" };

    /// The migrations; `None` when the two do not belong together.
    pub fn unpack(self) -> Option<Vec<SqlMigration>> {
        let mut reader = Reader { rows: self.rows, texts: self.texts };
        let mut migrations = Vec::new();
        while !reader.rows.is_empty() {
            migrations.push(reader.migration()?);
        }
        reader.texts.is_empty().then_some(migrations)
    }

    /// The only one.
    ///
    /// # Panics
    /// Where the macro did not pack one, or the compiler did not compare the length of its text.
    #[doc(hidden)]
    pub fn only(self) -> SqlMigration {
        match self.unpack().as_deref() {
            Some([only]) => only.clone(),
            #[expect(clippy::panic, reason = "the macro that wrote this expression is broken")]
            _ => panic!("the macro packs one migration"),
        }
    }
}

/// The order of the bytes, also of what is packed elsewhere.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

pub(crate) struct Reader {
    pub(crate) rows: &'static [u8],
    pub(crate) texts: &'static str,
}

/// Each of these has its other half below, line by line.
impl Writer {
    fn migration(&mut self, migration: &SqlMigration) {
        let SqlMigration { id, name, up, down, checksum, after, lock_timeout } = migration;
        self.id(*id);
        self.text(name);
        self.step(up);
        self.down(down);
        self.0.extend(checksum.as_bytes());
        self.list(after, |writer, id| writer.id(*id));
        self.list(lock_timeout.as_slice(), |writer, time| {
            writer.number(time.as_secs());
            writer.number(time.subsec_nanos().into());
        });
    }

    pub(crate) fn id(&mut self, id: MigrationId) {
        self.0.extend(id.version.get().to_le_bytes());
        self.0.push(match id.phase {
            Phase::Expand => 0,
            Phase::Migrate => 1,
            Phase::Contract => 2,
        });
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Transaction(script) => self.script(0, script),
            Step::Standalone(script) => self.script(1, script),
            Step::Backfill(Backfill::Sql(script)) => self.script(2, script),
            Step::Code(Code { revision, transaction }) => {
                self.0.extend([3, u8::from(*transaction)]);
                self.number((*revision).into());
            }
            Step::Backfill(Backfill::Code { revision, head }) => {
                self.0.push(4);
                self.number((*revision).into());
                self.text(head);
            }
        }
    }

    fn script(&mut self, kind: u8, script: &Script) {
        self.0.push(kind);
        self.text(&script.file);
        self.size(script.text.len());
        let (mut end, mut line) = (0, 0);
        self.list(&script.statements, |writer, statement| {
            writer.number((statement.start - end).into());
            writer.number((statement.end - statement.start).into());
            writer.number((statement.line - line).into());
            writer.number(statement.column.into());
            (end, line) = (statement.end, statement.line);
        });
    }

    fn down(&mut self, down: &SqlDown) {
        match down {
            SqlDown::Missing => self.0.push(0),
            SqlDown::Steps(steps) => {
                self.0.push(1);
                self.list(steps, Writer::step);
            }
            SqlDown::With(Phase::Expand) => self.0.push(2),
            SqlDown::With(Phase::Migrate) => self.0.push(3),
            SqlDown::With(Phase::Contract) => self.0.push(4),
            SqlDown::Irreversible(reason) => {
                self.0.push(5);
                self.text(reason);
            }
        }
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.size(items.len());
        items.iter().for_each(|item| each(self, item));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.size(text.len());
        self.0.extend(text.as_bytes());
    }

    fn size(&mut self, size: usize) {
        self.number(u64::try_from(size).unwrap_or(u64::MAX));
    }

    /// Seven bits to a byte, the lowest first; the eighth says that there are more.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

impl Reader {
    fn migration(&mut self) -> Option<SqlMigration> {
        Some(SqlMigration {
            id: self.id()?,
            name: Cow::Borrowed(self.text()?),
            up: self.step()?,
            down: self.down()?,
            checksum: Checksum::from_bytes(self.bytes()?),
            after: self.list(Self::id)?.into(),
            lock_timeout: self.list(Self::time)?.pop(),
        })
    }

    pub(crate) fn id(&mut self) -> Option<MigrationId> {
        let version = Version::new(i64::from_le_bytes(self.bytes()?));
        let phase = *Phase::ALL.get(usize::from(self.byte()?))?;
        Some(MigrationId::new(version, phase))
    }

    fn time(&mut self) -> Option<Duration> {
        Some(Duration::new(self.number()?, self.small()?))
    }

    fn step(&mut self) -> Option<Step> {
        Some(match self.byte()? {
            0 => Step::Transaction(self.script()?),
            1 => Step::Standalone(self.script()?),
            2 => Step::Backfill(Backfill::Sql(self.script()?)),
            4 => Step::Backfill(Backfill::Code {
                revision: self.small()?,
                head: self.text()?.into(),
            }),
            3 => Step::Code(Code { transaction: self.byte()? == 1, revision: self.small()? }),
            _ => return None,
        })
    }

    fn script(&mut self) -> Option<Script> {
        let file = self.text()?;
        let size = self.size()?;
        let (text, texts) = self.texts.split_at_checked(size)?;
        self.texts = texts;
        let (mut end, mut line) = (0u32, 0u32);
        let statements = self.list(|reader| {
            let start = end.checked_add(reader.small()?)?;
            end = start.checked_add(reader.small()?)?;
            line = line.checked_add(reader.small()?)?;
            Some(Statement { start, end, line, column: reader.small()? })
        })?;
        Some(Script { file: file.into(), text: text.into(), statements: statements.into() })
    }

    fn down(&mut self) -> Option<SqlDown> {
        Some(match self.byte()? {
            0 => SqlDown::Missing,
            1 => SqlDown::Steps(self.list(Self::step)?.into()),
            2 => SqlDown::With(Phase::Expand),
            3 => SqlDown::With(Phase::Migrate),
            4 => SqlDown::With(Phase::Contract),
            5 => SqlDown::Irreversible(self.text()?.into()),
            _ => return None,
        })
    }

    pub(crate) fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        (0..self.size()?).map(|_| each(self)).collect()
    }

    pub(crate) fn text(&mut self) -> Option<&'static str> {
        let size = self.size()?;
        let (text, rows) = self.rows.split_at_checked(size)?;
        self.rows = rows;
        std::str::from_utf8(text).ok()
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rows) = self.rows.split_first_chunk()?;
        self.rows = rows;
        Some(*bytes)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.bytes().map(|[byte]| byte)
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub(crate) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::{self, File, WayBack};

    fn packed(migrations: &[SqlMigration]) -> Packed {
        let texts: String = scripts(migrations).map(|script| &*script.text).collect();
        Packed { rows: pack(migrations).leak(), texts: texts.leak() }
    }

    fn folder() -> Vec<SqlMigration> {
        let files = [
            ("1_a.sql", "\u{feff}create table a ();\n\n  create table b ();"),
            ("1_a.down.sql", "drop table b; drop table a;"),
            ("2_é.expand.sql", "-- migrate: lock-timeout 1500ms\nselect 'é', 2"),
            ("2_é.migrate.sql", "-- migrate: no-transaction\nvacuum;\r\nvacuum;"),
            ("2_é.contract.sql", "-- migrate: irreversible because gone\nselect 1"),
            ("2_é.down.sql", ""),
            ("3_c.sql", "-- migrate: after 1\n-- migrate: after 2 contract\nselect 3"),
            (
                "4_d.migrate.sql",
                "-- migrate: backfill users by id batch 5000\nupdate users set a = 1 where :batch",
            ),
        ];
        let files = files.map(|(path, text)| File { path, bytes: text.as_bytes() });
        let contents = source::read("migrations", &files, WayBack::Ignore);
        assert_eq!(contents.problems, []);
        contents.migrations
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let mut migrations = folder();
        assert!(migrations.len() >= 5, "{migrations:#?}");
        let code = Step::Code(Code { revision: 300, transaction: true });
        let last = migrations.last().unwrap().clone();
        migrations.push(SqlMigration { down: code.clone().into(), up: code, ..last });
        assert_eq!(packed(&migrations).unpack(), Some(migrations));
        assert_eq!(Packed::EMPTY.unpack(), Some(Vec::new()));
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_noticed() {
        let packed = packed(&folder());
        let longer = format!("{} ", packed.texts).leak();
        assert_eq!(Packed { texts: longer, ..packed }.unpack(), None);
        let shorter = &packed.texts[..packed.texts.len() - 1];
        assert_eq!(Packed { texts: shorter, ..packed }.unpack(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_trusted(rows: Vec<u8>, texts: String) {
            let _ = Packed { rows: rows.leak(), texts: texts.leak() }.unpack();
        }

        #[test]
        fn numbers_of_any_size_come_back(number: u64) {
            let mut writer = Writer::default();
            writer.number(number);
            let mut reader = Reader { rows: writer.0.leak(), texts: "" };
            prop_assert_eq!(reader.number(), Some(number));
        }
    }
}
