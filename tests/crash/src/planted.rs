//! A few bugs, planted on the wire: what the library sends is changed on its way to the server.
//!
//! A matrix that does not find them finds nothing.

use migrate_tests::proxy::Rewrite;

#[derive(Clone, Copy)]
pub(crate) struct Plant {
    pub(crate) name: &'static str,
    pub(crate) rewrite: Rewrite,
}

pub(crate) const ALL: [Plant; 4] = [
    Plant { name: "commit before the history row", rewrite: commits_before_the_row },
    Plant { name: "lock not rechecked", rewrite: trusts_the_lock },
    Plant { name: "started row missing", rewrite: starts_in_silence },
    Plant { name: "place committed before the rows", rewrite: notes_the_place_first },
];

const ROW: &str = "INSERT INTO \"public\".\"schema_migrations\"";
const LOOK: &str = "pg_catalog.pg_try_advisory_xact_lock(";

fn commits_before_the_row(text: &str) -> Option<String> {
    text.contains(ROW).then(|| text.replace(ROW, &format!("COMMIT; BEGIN; {ROW}")))
}

fn trusts_the_lock(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(LOOK)?;
    let (_, after) = rest.split_once(')')?;
    Some(format!("{before}true{after}"))
}

fn starts_in_silence(text: &str) -> Option<String> {
    (text.contains(ROW) && text.contains("'started'")).then(|| "SELECT 1".to_owned())
}

/// The range of a batch is held by the message that looks for its rows.
fn notes_the_place_first(text: &str) -> Option<String> {
    let place = "UPDATE public.schema_migrations_range r SET cursor_place = coalesce((SELECT ARRAY[max(s.id)::text] FROM (
            SELECT f.id FROM filled f WHERE f.id > coalesce(r.cursor_place[1]::int, 0) ORDER BY f.id LIMIT 3
        ) s HAVING count(*) > 0), r.cursor_place) WHERE NOT r.done AND NOT r.is_hole; COMMIT; ";
    text.contains("FOR UPDATE OF r").then(|| format!("{place}{text}"))
}
