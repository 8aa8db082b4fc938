//! The settled mark: how a start that has nothing to do costs one query.
//!
//! Owns the mark of one program under one set of options, and the few words of report that it keeps. A mark
//! is only ever a shortcut: without it, or without the right to read or write it, the slow path answers.

use migrate_core::{Deferred, MigrationId, Notice, NoticeKind, Phase, Plan, Reason, Version};
use sqlx::PgConnection;

use crate::sql::Names;
use crate::wire::{send, text};

/// What a settled program would report: why things wait, and what is unusual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) deferred: Vec<Deferred>,
    pub(crate) notices: Vec<Notice>,
}

/// Is there nothing to do? One query, no lock, no write.
pub(crate) async fn read(
    connection: &mut PgConnection,
    names: &Names,
    digest: &str,
) -> Option<Settled> {
    match send(connection, names.settled(digest)).await {
        Ok(row) => Settled::parse(text(&row?, "report")?),
        Err(error) => {
            tracing::debug!(%error, "migrate: no settled mark to read");
            None
        }
    }
}

/// Leaves the mark as somebody (a few settings for the message), unless the history has changed since it was read or the role may not.
pub(crate) async fn write(
    identity: &str,
    connection: &mut PgConnection,
    names: &Names,
    digest: &str,
    plan: &Plan,
    stamp: i64,
) {
    // Whether a gate is closed is looked at each time: a mark says nothing of what happens outside of the history.
    if plan.deferred.iter().any(|deferred| deferred.reason == Reason::GateClosed) {
        return;
    }
    let report =
        Settled { deferred: plan.deferred.clone(), notices: plan.notices.clone() }.to_text();
    let settle = format!("{identity}{}", names.settle(digest, &report, stamp));
    if let Err(error) = send(connection, settle).await {
        tracing::debug!(%error, "migrate: no settled mark left");
    }
}

/// One line each: what, which, why, and the name.
impl Settled {
    fn to_text(&self) -> String {
        let deferred = self.deferred.iter().map(|d| line("wait", d.id, &reason(d.reason), &d.name));
        let notices = self.notices.iter().map(|n| line("note", n.id, notice(n.kind), &n.name));
        deferred.chain(notices).collect::<Vec<_>>().join("\n")
    }

    /// `None` when a version that knows more words wrote it.
    fn parse(text: &str) -> Option<Self> {
        let mut settled = Self::default();
        for line in text.lines() {
            let mut words = line.splitn(5, ' ');
            let (what, id) = (words.next()?, id(words.next()?, words.next()?)?);
            let (why, name) = (words.next()?, words.next()?.to_owned());
            match what {
                "wait" => settled.deferred.push(Deferred { id, name, reason: parse_reason(why)? }),
                "note" => settled.notices.push(Notice { id, name, kind: parse_notice(why)? }),
                _ => return None,
            }
        }
        Some(settled)
    }
}

fn line(what: &str, id: MigrationId, why: &str, name: &str) -> String {
    let name = name.replace(char::is_control, " ");
    format!("{what} {} {} {why} {name}", id.version, id.phase)
}

fn id(version: &str, phase: &str) -> Option<MigrationId> {
    let (version, phase): (i64, Phase) = (version.parse().ok()?, phase.parse().ok()?);
    Some(MigrationId::new(Version::new(version), phase))
}

fn reason(reason: Reason) -> String {
    match reason {
        Reason::PhaseNotAsked => "phase".to_owned(),
        Reason::BeyondTarget => "beyond".to_owned(),
        Reason::WaitsFor(id) => format!("for:{}:{}", id.version, id.phase),
        Reason::Behind(id) => format!("behind:{}:{}", id.version, id.phase),
        Reason::GateClosed => "gate".to_owned(),
        _ => "backfill".to_owned(),
    }
}

fn parse_reason(word: &str) -> Option<Reason> {
    let mut parts = word.split(':');
    let kind = parts.next()?;
    let other = parts.next().zip(parts.next()).and_then(|(version, phase)| id(version, phase));
    match (kind, other) {
        ("phase", _) => Some(Reason::PhaseNotAsked),
        ("beyond", _) => Some(Reason::BeyondTarget),
        ("backfill", _) => Some(Reason::Unfilled),
        ("gate", _) => Some(Reason::GateClosed),
        ("for", Some(id)) => Some(Reason::WaitsFor(id)),
        ("behind", Some(id)) => Some(Reason::Behind(id)),
        _ => None,
    }
}

fn notice(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Late => "late",
        NoticeKind::CodeElsewhere => "code",
        _ => "newer",
    }
}

fn parse_notice(word: &str) -> Option<NoticeKind> {
    match word {
        "late" => Some(NoticeKind::Late),
        "code" => Some(NoticeKind::CodeElsewhere),
        "newer" => Some(NoticeKind::UnknownNewer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mark_keeps_is_read_back() {
        let at = |v, p| MigrationId::new(Version::new(v), p);
        let wait = |reason| Deferred { id: at(7, Phase::Contract), name: "drop it".into(), reason };
        let settled = Settled {
            deferred: vec![
                wait(Reason::PhaseNotAsked),
                wait(Reason::BeyondTarget),
                wait(Reason::Unfilled),
                wait(Reason::GateClosed),
                wait(Reason::WaitsFor(at(7, Phase::Migrate))),
                wait(Reason::Behind(at(-1, Phase::Expand))),
            ],
            notices: [NoticeKind::Late, NoticeKind::UnknownNewer, NoticeKind::CodeElsewhere]
                .map(|kind| Notice { id: at(8, Phase::Expand), name: String::new(), kind })
                .to_vec(),
        };
        assert_eq!(Settled::parse(&settled.to_text()), Some(settled));
        assert_eq!(Settled::parse("maybe 1 expand x y"), None);
        assert_eq!(Settled::parse(""), Some(Settled::default()));
    }
}
