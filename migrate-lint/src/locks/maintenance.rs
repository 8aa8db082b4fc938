//! What statements that look after tables lock.

use super::{Lock, Mode, Work, relatives, used, with_heirs, with_parts};
use crate::name::Name;
use crate::schema::Schema;
use crate::statement::Maintenance;

pub(super) fn maintained(maintenance: &Maintenance, schema: &Schema) -> Vec<Lock> {
    use Maintenance as M;
    match maintenance {
        M::Vacuum { tables, full: true } => {
            tables.iter().map(|t| Lock::new(t, Mode::AccessExclusive, Work::Rewrite)).collect()
        }
        M::Vacuum { tables, .. } => tables
            .iter()
            .flat_map(|table| with_parts(schema, table, Mode::ShareUpdateExclusive, Work::Scan))
            .collect(),
        // It reads a sample, of heirs too.
        M::Analyze { tables } => tables
            .iter()
            .flat_map(|table| with_heirs(schema, table, Mode::ShareUpdateExclusive, Work::None))
            .collect(),
        M::Cluster { table } => {
            table.iter().map(|t| Lock::new(t, Mode::AccessExclusive, Work::Rewrite)).collect()
        }
        M::Lock { tables, mode } => {
            let locked = |table| {
                let sources = relatives::sources(schema, table);
                let all: Vec<Name> = [table.clone()].into_iter().chain(sources).collect();
                all.iter()
                    .flat_map(|one| with_heirs(schema, one, *mode, Work::None))
                    .collect::<Vec<_>>()
            };
            tables.iter().flat_map(locked).collect()
        }
        M::Refresh { view, with_data: false, .. } => {
            vec![Lock::short(view, Mode::AccessExclusive)]
        }
        M::Refresh { view, concurrently, .. } => {
            let lock = match concurrently {
                true => Lock::new(view, Mode::Exclusive, Work::Scan),
                false => Lock::new(view, Mode::AccessExclusive, Work::Rewrite),
            };
            let sources = relatives::sources(schema, view);
            let read = sources.iter().flat_map(|source| used(schema, source, Mode::AccessShare));
            [lock].into_iter().chain(read).collect()
        }
        M::Reindex { name: Some(name), index, concurrently } => {
            reindexed(name, *index, *concurrently, schema)
        }
        M::Reindex { name: None, .. } => Vec::new(),
    }
}

/// Who looks for a plan asks every index of its tables, and waits for the one that is built anew.
fn reindexed(name: &Name, index: bool, concurrently: bool, schema: &Schema) -> Vec<Lock> {
    let (on_index, on_table) = match concurrently {
        true => (Mode::ShareUpdateExclusive, Mode::ShareUpdateExclusive),
        false => (Mode::AccessExclusive, Mode::Share),
    };
    if index {
        let of = relatives::table_of(schema, name);
        let of = of.map(|of| Lock::new(&of, on_table, Work::Scan));
        return [Lock::new(name, on_index, Work::Scan)].into_iter().chain(of).collect();
    }
    let mut locks = with_parts(schema, name, on_table, Work::Scan);
    if !concurrently {
        let built = locks.iter().filter(|lock| !relatives::is_partitioned(schema, &lock.relation));
        let indexes: Vec<Name> =
            built.flat_map(|lock| relatives::indexes(schema, &lock.relation)).collect();
        locks.extend(indexes.iter().map(|index| Lock::new(index, on_index, Work::Scan)));
    }
    locks
}
