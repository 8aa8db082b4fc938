//! Approvals: somebody has seen just this evidence.
//!
//! Owns their table. When one is good for what is found now is the core's to say.

use migrate_core::{Approval, Gate, Version};
use sqlx::PgConnection;

use super::{Answer, ask};
use crate::error::Error;
use crate::session::Session;
use crate::sql::{Names, literal};
use crate::wire::text;

/// What somebody has approved of one contract.
pub(crate) async fn approval(
    connection: &mut PgConnection,
    names: &Names,
    version: Version,
) -> Result<Option<Approval>, Error> {
    let question = names.approval_of(version);
    let Answer::Rows(rows) = ask(connection, names, "read an approval", question).await? else {
        return Ok(None);
    };
    let of = |column| rows.first().and_then(|row| text(row, column));
    let (Some(evidence), Some(lines), Some(by)) = (of("evidence"), of("lines"), of("by")) else {
        return Ok(None);
    };
    let lines = lines.lines().map(ToOwned::to_owned).collect();
    Ok(Some(Approval { evidence: evidence.to_owned(), lines, by: by.to_owned() }))
}

/// Writes down that somebody has.
pub(crate) async fn approve(
    session: &mut Session,
    names: &Names,
    gate: &Gate,
    reason: &str,
) -> Result<(), Error> {
    let (evidence, lines) =
        (literal(&gate.evidence().to_string()), literal(&gate.lines().join("\n")));
    let values = [("evidence", &*evidence), ("lines", &lines), ("reason", &literal(reason))];
    let approve = session.as_ourselves(names) + &names.approve(gate.id.version, &values);
    let sent = session.send(approve).await;
    sent.map(drop).map_err(|error| Error::driver("write the approval", error))
}
