//! The names of one set's tables and its lock.
//!
//! Owns what they are called, and the role that everything is done as. Which statement they stand in is the parent's.

use migrate_core::Checksum;
use migrate_core::sql::quote;

use super::{AS_WE_WRITE, ident};
use crate::error::Error;

/// The names of one set's tables and its lock, quoted and ready to stand in a statement.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// `"public"."schema_migrations"`
    pub(crate) history: String,
    pub(crate) settled: String,
    pub(crate) unsettle: String,
    /// The leases' table, and its name alone as a literal.
    pub(crate) lease: String,
    pub(crate) lease_relation: String,
    /// The backfills' table, and that of their ranges.
    pub(crate) backfill: String,
    pub(crate) range: String,
    /// The tables of instances that are alive, of sessions that nobody accounts for, and of approvals.
    pub(crate) instance: String,
    pub(crate) stranger: String,
    pub(crate) approval: String,
    /// The function that writes to sqlx's table too, and the name of its trigger.
    pub(crate) mirror: String,
    pub(crate) mirror_name: String,
    /// The schema, as a literal and as a name.
    pub(crate) schema: String,
    pub(crate) schema_ident: String,
    /// The set, as a literal.
    pub(crate) set: String,
    /// The advisory lock.
    pub(crate) key: i64,
    /// The role that everything is done as, quoted.
    pub(crate) role: Option<String>,
}

/// PostgreSQL cuts longer names; ours has endings of its own.
const LONGEST_TABLE: usize = 63 - "_unsettle".len();

impl Names {
    /// Those of a history in this schema, for one set.
    pub(crate) fn new(
        (schema, table): (&str, &str),
        set: &str,
        role: Option<&str>,
    ) -> Result<Self, Error> {
        if table.is_empty() || table.len() > LONGEST_TABLE || schema.is_empty() || schema.len() > 63
        {
            let next = format!(
                "Give the table a name of 1 to {LONGEST_TABLE} bytes, and the schema one of 1 to 63."
            );
            let message = format!(
                "failed to use `{schema}.{table}` as the history: a name is empty or too long"
            );
            return Err(Error::declaration(message).now("nothing was changed").next(next));
        }
        let nul = |_| {
            let message =
                "failed to use the name of a schema, table, set or role: it has a NUL character";
            Error::declaration(message).now("nothing was changed").next("Give it another name.")
        };
        let of = |ending: &str| quote::qualified(schema, &format!("{table}{ending}")).map_err(nul);
        let key = lock_key(&format!("{schema}.{table}/{set}"));
        let mirror_name = format!("migrate_mirror_{:016x}", key.cast_unsigned());
        Ok(Self {
            mirror: quote::qualified(schema, &mirror_name).map_err(nul)?,
            mirror_name,
            history: of("")?,
            settled: of("_settled")?,
            unsettle: of("_unsettle")?,
            lease: of("_lease")?,
            backfill: of("_backfill")?,
            range: of("_range")?,
            lease_relation: quote::literal(&format!("{table}_lease")).map_err(nul)?,
            instance: of("_instance")?,
            stranger: of("_stranger")?,
            approval: of("_approval")?,
            schema: quote::literal(schema).map_err(nul)?,
            schema_ident: quote::Ident::new(schema).map_err(nul)?.to_string(),
            set: quote::literal(set).map_err(nul)?,
            key,
            role: role.map(ident),
        })
    }

    /// Makes a session ours again, whatever a migration made of it.
    pub(crate) fn ourselves(&self) -> String {
        let role = self.role.as_ref().map(|role| format!("SET ROLE {role}; "));
        "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; ".to_owned()
            + AS_WE_WRITE
            + &role.unwrap_or_default()
    }

    /// Takes the role for one message.
    pub(crate) fn as_role(&self) -> String {
        self.role.as_ref().map(|role| format!("SET LOCAL ROLE {role}; ")).unwrap_or_default()
    }
}

/// The first eight bytes of a hash: two sets do not meet by accident, nor does anybody else's lock.
fn lock_key(name: &str) -> i64 {
    let checksum = Checksum::of_sql("migrate").and(name);
    let mut key = [0; 8];
    key.iter_mut().zip(checksum.as_bytes()).for_each(|(to, from)| *to = *from);
    i64::from_be_bytes(key)
}
