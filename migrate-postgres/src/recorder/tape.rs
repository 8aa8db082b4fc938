//! How events become a recording.
//!
//! Owns what an event ends and what it begins; time is handed in. Knows neither clock nor lock.

use std::time::Duration;

use migrate_core::{Direction, MigrationId};

use super::{Doing, Met, Outcome, Recording, Remark, Span, Stopped, Track};
use crate::blocker::Blocker;
use crate::error::Error;
use crate::observe::Event;

#[derive(Debug)]
pub(super) struct Tape {
    recording: Recording,
}

/// What is seen so soon is taken for what began then: looks are a second apart.
const SOON: Duration = Duration::from_secs(2);

impl Tape {
    pub(super) fn new(recording: Recording) -> Self {
        Self { recording }
    }

    /// The recording, with what goes on cut at this moment.
    pub(super) fn until(&self, at: Duration) -> Recording {
        let mut recording = self.recording.clone();
        if recording.took.is_zero() {
            recording.took = at;
        }
        let open = recording.tracks.iter_mut().filter(|track| track.outcome == Outcome::Open);
        open.for_each(|track| track.reach(at));
        recording
    }

    pub(super) fn hear(&mut self, at: Duration, event: &Event<'_>) {
        match event {
            Event::Planned { actions, deferred } => {
                self.close_all(at, Outcome::Done);
                (self.recording.planned, self.recording.deferred) = (*actions, *deferred);
            }
            Event::WaitingForMigrator { holder, waited } => self.waits(at, holder, *waited),
            Event::WaitingForPromotion { waited } => {
                self.waits(at, "this standby to become a primary", *waited);
            }
            Event::Started { id, name, direction, statement } => {
                self.started(at, *id, name, *direction, *statement);
            }
            Event::Done { id, took, .. } => self.done(at, *id, *took),
            Event::Failed { error } => self.failed(at, error),
            Event::Finished { took, .. } => {
                self.close_all(at, Outcome::Done);
                self.recording.took = at.max(*took);
            }
            Event::FellBack { sqlstate } => {
                self.close_all(at, Outcome::Undone);
                let why =
                    format!("they do not fit one transaction ({sqlstate}); each gets its own");
                self.remark(at, None, why);
            }
            Event::Reconnecting { attempt, .. } => {
                self.remark(at, None, format!("the connection was lost (attempt {attempt})"));
            }
            Event::Recovered { id, found } => self.remark(at, Some(*id), (*found).to_owned()),
            Event::Notice { id, text } => self.remark(at, Some(*id), (*text).to_owned()),
            Event::Warning { text } => self.remark(at, None, (*text).to_owned()),
            Event::Ended { id, blocker, terminated } => {
                let what = if *terminated { "its session was closed" } else { "it was cancelled" };
                self.remark(at, Some(*id), format!("{blocker}: {what}"));
            }
            _ => self.of_a_track(at, event),
        }
    }

    /// What changes the track that goes on.
    fn of_a_track(&mut self, at: Duration, event: &Event<'_>) {
        match event {
            Event::Blocked { id, blockers, .. } => self.at_work(*id, |track| {
                track.turn_to(at, Doing::Looking, "");
                track.meet(at, blockers);
            }),
            Event::Queueing { id, blockers, .. } => self.at_work(*id, |track| {
                track.turn_to(at, Doing::Queueing, "");
                track.meet(at, blockers);
            }),
            Event::Locked { id, held, .. } => self.at_work(*id, |track| track.locked(at, *held)),
            Event::Retrying { id, sqlstate, .. } => self.at_work(*id, |track| {
                track.turn_to(at, Doing::Pausing, sqlstate);
                track.retries += 1;
            }),
            Event::Working { id, progress, blockers, waiting, .. } => self.at_work(*id, |track| {
                let phase = progress.map_or("", |progress| progress.phase.as_str());
                track.works(at, phase, blockers);
                track.waiting = track.waiting.max(*waiting);
            }),
            Event::Batch { id, steps, pause, .. } => self.at_work(*id, |track| {
                track.fills(at, &format!("batches, pass {}", steps.pass));
                track.batches += 1;
                track.changed += steps.batch_changed;
                track.paused += *pause;
            }),
            Event::Braked { id, why, .. } => self.at_work(*id, |track| {
                // Numbers in it change while it is the same brake.
                if let Some(span) = track.spans.last_mut().filter(|s| s.doing == Doing::Braked) {
                    (*why).clone_into(&mut span.what);
                }
                track.turn_to(at, Doing::Braked, why);
            }),
            Event::Left { id, why } => {
                self.at_work(*id, |track| track.end(at, Outcome::Left));
                self.remark(at, Some(*id), format!("left: {why}"));
            }
            _ => {}
        }
    }

    fn at_work(&mut self, id: MigrationId, change: impl FnOnce(&mut Track)) {
        let mut tracks = self.recording.tracks.iter_mut().rev();
        if let Some(track) =
            tracks.find(|track| track.id == Some(id) && track.outcome == Outcome::Open)
        {
            change(track);
        }
    }

    fn waits(&mut self, at: Duration, holder: &str, waited: Duration) {
        let tracks = &mut self.recording.tracks;
        if !tracks.last().is_some_and(|last| last.id.is_none() && last.outcome == Outcome::Open) {
            let from = at.saturating_sub(waited);
            let mut track = Track::new(from, None, holder, Direction::Up, None);
            track.turn_to(from, Doing::WaitingForMigrator, "");
            tracks.push(track);
        }
        if let Some(track) = tracks.last_mut() {
            holder.clone_into(&mut track.name);
            track.reach(at);
        }
    }

    fn started(
        &mut self,
        at: Duration,
        id: MigrationId,
        name: &str,
        direction: Direction,
        statement: Option<u32>,
    ) {
        self.at_work(id, |track| track.end(at, Outcome::Done));
        let mut track = Track::new(at, Some(id), name, direction, statement);
        track.turn_to(at, Doing::Working, "");
        self.recording.tracks.push(track);
    }

    /// Those that shared a transaction are done at once, and each took its own time.
    fn done(&mut self, at: Duration, id: MigrationId, took: Duration) {
        self.at_work(id, |track| {
            let own = track.from + took;
            let end = if track.statement.is_none() { own.min(at) } else { at };
            track.end(end, Outcome::Done);
        });
    }

    /// Of those that go on, the last is the one that failed; the others shared its transaction.
    fn failed(&mut self, at: Duration, error: &Error) {
        let mut open =
            self.recording.tracks.iter_mut().rev().filter(|track| track.outcome == Outcome::Open);
        if let Some(last) = open.next() {
            last.end(at, Outcome::Failed);
        }
        open.for_each(|track| track.end(at, Outcome::Undone));
        let place = error.place();
        self.recording.took = at;
        self.recording.stopped = Some(Stopped {
            message: error.outline(),
            sqlstate: error.sqlstate().map(ToOwned::to_owned),
            file: place.map(|(file, ..)| file.to_owned()),
            line: place.map(|(_, line, _)| line),
        });
    }

    fn close_all(&mut self, at: Duration, outcome: Outcome) {
        let open = self.recording.tracks.iter_mut().filter(|track| track.outcome == Outcome::Open);
        open.for_each(|track| track.end(at, outcome));
    }

    fn remark(&mut self, at: Duration, id: Option<MigrationId>, text: String) {
        self.recording.remarks.push(Remark { at, id, text });
    }
}

impl Default for Track {
    fn default() -> Self {
        Self::new(Duration::ZERO, None, "", Direction::Up, None)
    }
}

impl Track {
    fn new(
        from: Duration,
        id: Option<MigrationId>,
        name: &str,
        direction: Direction,
        statement: Option<u32>,
    ) -> Self {
        Self {
            id,
            name: name.to_owned(),
            direction,
            statement,
            from,
            to: from,
            outcome: Outcome::Open,
            spans: Vec::new(),
            held: Vec::new(),
            retries: 0,
            blockers: Vec::new(),
            waiting: 0,
            batches: 0,
            changed: 0,
            paused: Duration::ZERO,
        }
    }

    /// The track goes on until then at least.
    fn reach(&mut self, at: Duration) {
        self.to = self.to.max(at);
        if let Some(span) = self.spans.last_mut() {
            span.to = span.to.max(at);
        }
    }

    fn turn_to(&mut self, at: Duration, doing: Doing, what: &str) {
        self.reach(at);
        if self.spans.last().is_some_and(|span| span.doing == doing && span.what == what) {
            return;
        }
        self.spans.retain(|span| span.to > span.from);
        self.spans.push(Span { doing, what: what.to_owned(), from: at, to: at });
    }

    /// Whoever asks for a lock and has somebody in its way still waits.
    fn works(&mut self, at: Duration, phase: &str, blockers: &[Blocker]) {
        self.meet(at, blockers);
        match self.spans.last_mut() {
            Some(span) if span.doing == Doing::Queueing && !blockers.is_empty() => self.reach(at),
            Some(span) if is_fresh(span, at) => {
                phase.clone_into(&mut span.what);
                self.reach(at);
            }
            _ => self.turn_to(at, Doing::Working, phase),
        }
    }

    /// The batch that is told of began before, and is told when it ends.
    fn fills(&mut self, at: Duration, what: &str) {
        match self.spans.last_mut().filter(|span| span.doing == Doing::Working) {
            Some(span) if span.what.is_empty() => {
                what.clone_into(&mut span.what);
                self.reach(at);
            }
            _ => self.turn_to(at, Doing::Working, what),
        }
    }

    /// The locks were had some time ago, and are given back.
    fn locked(&mut self, at: Duration, held: Duration) {
        let from = at.saturating_sub(held).max(self.from);
        if let Some(span) = self.spans.last_mut()
            && span.doing == Doing::Queueing
        {
            let from = from.max(span.from);
            span.to = from;
            self.spans.retain(|span| span.to > span.from);
            self.spans.push(Span { doing: Doing::Working, what: String::new(), from, to: at });
        }
        self.held.push(Span { doing: Doing::Holding, what: String::new(), from, to: at });
        self.reach(at);
    }

    fn meet(&mut self, at: Duration, blockers: &[Blocker]) {
        for blocker in blockers {
            let same = |met: &&mut Met| {
                let other = &met.blocker;
                (other.pid, &other.application, &other.relation)
                    == (blocker.pid, &blocker.application, &blocker.relation)
            };
            match self.blockers.iter_mut().find(same) {
                Some(met) => (met.blocker, met.to) = (blocker.clone(), at),
                None => self.blockers.push(Met { blocker: blocker.clone(), from: at, to: at }),
            }
        }
    }

    fn end(&mut self, at: Duration, outcome: Outcome) {
        let at = at.max(self.from);
        self.reach(at);
        self.to = at;
        self.spans.iter_mut().for_each(|span| span.to = span.to.min(at));
        self.outcome = outcome;
    }
}

fn is_fresh(span: &Span, at: Duration) -> bool {
    span.doing == Doing::Working && span.what.is_empty() && at.saturating_sub(span.from) <= SOON
}

#[cfg(test)]
mod tests {
    use migrate_core::{Phase, Version};

    use super::*;
    use crate::progress::Progress;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn id(version: i64) -> MigrationId {
        MigrationId::new(Version::new(version), Phase::Expand)
    }

    fn start(version: i64, statement: Option<u32>) -> Event<'static> {
        Event::Started { id: id(version), name: "a", direction: Direction::Up, statement }
    }

    fn done(version: i64, took: f64) -> Event<'static> {
        let (id, direction) = (id(version), Direction::Up);
        Event::Done { id, name: "a", direction, took: seconds(took) }
    }

    fn blocker(pid: i32) -> Blocker {
        Blocker { pid: Some(pid), ..Blocker::default() }
    }

    fn working<'e>(progress: Option<&'e Progress>, blockers: &'e [Blocker]) -> Event<'e> {
        let (statement, elapsed, waiting) = (None, Duration::ZERO, blockers.len());
        Event::Working { id: id(1), statement, elapsed, progress, blockers, waiting }
    }

    fn recorded(events: &[(f64, Event<'_>)]) -> Recording {
        let mut tape = Tape::new(Recording::default());
        events.iter().for_each(|(at, event)| tape.hear(seconds(*at), event));
        tape.until(seconds(99.0))
    }

    /// `looking 1-4` a span, in seconds.
    fn spans(track: &Track) -> Vec<String> {
        let line = |span: &Span| {
            let text = format!("{:?} {}", span.doing, span.what);
            format!("{} {}-{}", text.trim(), span.from.as_secs_f64(), span.to.as_secs_f64())
        };
        track.spans.iter().chain(&track.held).map(line).collect()
    }

    #[test]
    fn waiting_and_holding_are_kept_apart() {
        let (b, waited) = ([blocker(7), blocker(8)], Duration::ZERO);
        let recording = recorded(&[
            (1.0, start(1, None)),
            (1.0, Event::Blocked { id: id(1), blockers: &b, waited }),
            (3.0, Event::Blocked { id: id(1), blockers: &b[..1], waited }),
            (4.0, Event::Queueing { id: id(1), attempt: 0, at_most: waited, blockers: &b[..1] }),
            (4.5, Event::Retrying { id: id(1), attempt: 1, pause: waited, sqlstate: "55P03" }),
            (6.0, Event::Queueing { id: id(1), attempt: 1, at_most: waited, blockers: &[] }),
            (9.0, Event::Locked { id: id(1), waited: seconds(0.5), held: seconds(2.5) }),
            (9.5, done(1, 8.5)),
            (9.5, Event::Finished { actions: 1, took: seconds(9.0) }),
        ]);
        let [track] = recording.tracks.as_slice() else { panic!("{recording:#?}") };
        let expected = [
            "Looking 1-4",
            "Queueing 4-4.5",
            "Pausing 55P03 4.5-6",
            "Queueing 6-6.5",
            "Working 6.5-9.5",
            "Holding 6.5-9",
        ];
        assert_eq!(spans(track), expected);
        let met: Vec<_> = track.blockers.iter().map(|m| (m.blocker.pid, m.from, m.to)).collect();
        let (one, three, four) = (seconds(1.0), seconds(3.0), seconds(4.0));
        assert_eq!(met, [(Some(7), one, four), (Some(8), one, one)]);
        assert!(three > one && track.retries == 1 && track.outcome == Outcome::Done);
        assert_eq!(recording.spent(Doing::Queueing), seconds(1.0));
        assert_eq!(recording.spent(Doing::Holding), seconds(2.5));
        assert_eq!(recording.took, seconds(9.5));
    }

    #[test]
    fn phases_follow_each_other_and_one_who_waits_does_not_work() {
        let phase = |phase: &str| Progress { phase: phase.to_owned(), ..Progress::default() };
        let (scan, sort, b) = (phase("scanning"), phase("sorting"), [blocker(7)]);
        let at_most = Duration::ZERO;
        let recording = recorded(&[
            (0.0, start(1, Some(1))),
            (1.0, working(Some(&scan), &[])),
            (2.0, working(Some(&scan), &[])),
            (3.0, working(Some(&sort), &b)),
            (4.0, start(1, Some(2))),
            (4.0, Event::Queueing { id: id(1), attempt: 0, at_most, blockers: &b }),
            (5.0, working(None, &b)),
            (6.0, working(None, &[])),
            (7.0, done(1, 7.0)),
        ]);
        let all: Vec<_> = recording.tracks.iter().map(spans).collect();
        assert_eq!(all[0], ["Working scanning 0-3", "Working sorting 3-4"]);
        assert_eq!(all[1], ["Queueing 4-6", "Working 6-7"]);
        assert_eq!((recording.tracks[0].waiting, recording.tracks[1].statement), (1, Some(2)));
    }

    #[test]
    fn those_of_one_transaction_take_their_own_time_and_fail_together() {
        let took = |recording: &Recording| {
            let all = recording.tracks.iter().map(|t| (t.from, t.to, t.outcome));
            all.collect::<Vec<_>>()
        };
        let (zero, one, two) = (Duration::ZERO, seconds(1.0), seconds(2.0));
        let begin = [(0.0, start(1, None)), (1.0, start(2, None))];
        let mut events = begin.to_vec();
        events.extend([(2.0, done(1, 1.0)), (2.0, done(2, 1.0))]);
        let expected = [(zero, one, Outcome::Done), (one, two, Outcome::Done)];
        assert_eq!(took(&recorded(&events)), expected);
        let error = Error::declaration("failed to do it").next("Do it.");
        let mut events = begin.to_vec();
        events.push((2.0, Event::Failed { error: &error }));
        let recording = recorded(&events);
        assert_eq!(took(&recording), [(zero, two, Outcome::Undone), (one, two, Outcome::Failed)]);
        let stopped = recording.stopped.unwrap();
        assert_eq!(stopped.message, "failed to do it\nnext: Do it.");
    }

    #[test]
    fn the_wait_for_another_migrator_is_a_track_of_its_own() {
        let wait = |waited| Event::WaitingForMigrator { holder: "m", waited: seconds(waited) };
        let recording = recorded(&[
            (1.0, wait(0.0)),
            (6.0, wait(5.0)),
            (7.0, Event::Planned { actions: 1, deferred: 2 }),
            (7.0, start(1, None)),
        ]);
        assert_eq!(spans(&recording.tracks[0]), ["WaitingForMigrator 1-7"]);
        assert_eq!(spans(&recording.tracks[1]), ["Working 7-99"]);
        assert_eq!((recording.planned, recording.deferred), (1, 2));
        assert_eq!(recording.tracks[1].outcome, Outcome::Open);
    }

    #[test]
    fn of_a_backfill_batches_are_one_stretch_and_brakes_are_others() {
        let steps = |pass, batch_changed| crate::progress::Steps {
            pass,
            batch_changed,
            ..Default::default()
        };
        let (one, two, pause) = (steps(1, 50), steps(2, 0), seconds(0.5));
        let batch = |steps| Event::Batch { id: id(1), steps, limited_by: "batch_time", pause };
        let braked = |why| Event::Braked { id: id(1), why, opens: "later" };
        let recording = recorded(&[
            (0.0, start(1, None)),
            (1.0, batch(&one)),
            (2.0, batch(&one)),
            (3.0, braked("5 s behind")),
            (8.0, braked("6 s behind")),
            (9.0, batch(&one)),
            (10.0, batch(&two)),
            (11.0, Event::Left { id: id(1), why: "the time was over" }),
        ]);
        let [track] = recording.tracks.as_slice() else { panic!("{recording:#?}") };
        let expected = [
            "Working batches, pass 1 0-3",
            "Braked 6 s behind 3-9",
            "Working batches, pass 1 9-10",
            "Working batches, pass 2 10-11",
        ];
        assert_eq!(spans(track), expected);
        assert_eq!((track.batches, track.changed, track.paused), (4, 150, seconds(2.0)));
        assert_eq!((track.outcome, track.to), (Outcome::Left, seconds(11.0)));
        assert_eq!(recording.remarks[0].text, "left: the time was over");
    }
}
