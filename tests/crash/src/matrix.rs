//! All points, tried by a few workers, and what came of them.
//!
//! Owns who tries what. A worker whose points bring a server down has a server of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use migrate_tests::proxy::Rewrite;
use tokio::runtime::{Builder, Runtime};

use crate::lab::Lab;
use crate::point::{self, Kind, Point};
use crate::run::Run;
use crate::story::{Outcome, Story};
use crate::{Result, runs, say};

/// Workers that share a server, and such as have one each.
const SOFT: usize = 6;
const HARD: usize = 2;

/// Of each kind of disturbance of each run, one point in so many is tried in a hurry.
const ONE_IN: usize = 16;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'w> {
    pub(crate) bin: Option<&'w Path>,
    pub(crate) quick: bool,
    /// Only this run.
    pub(crate) only: Option<&'w str>,
    pub(crate) rewrite: Option<Rewrite>,
    /// Is one difference enough?
    pub(crate) until_found: bool,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) points: usize,
    pub(crate) void: usize,
    pub(crate) differences: Vec<String>,
    /// How many points each kind has.
    pub(crate) kinds: BTreeMap<String, usize>,
}

struct Work {
    began: Instant,
    all: AtomicUsize,
    stop: AtomicBool,
    tally: Mutex<Tally>,
    until_found: bool,
}

pub(crate) fn tried(wish: &Wish<'_>) -> Result<Tally> {
    let work = Work {
        began: Instant::now(),
        all: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        tally: Mutex::default(),
        until_found: wish.until_found,
    };
    let ends = std::thread::scope(|scope| {
        let hard = if wish.until_found { 0 } else { HARD };
        let hard: Vec<_> = (0..hard)
            .map(|number| {
                let work = &work;
                scope.spawn(move || hardly(wish, number, work))
            })
            .collect();
        let soft = scope.spawn(|| softly(wish, &work));
        let mut ends: Vec<Result<()>> = vec![joined(soft)];
        ends.extend(hard.into_iter().map(joined));
        ends
    });
    ends.into_iter().collect::<Result<()>>()?;
    work.tally.into_inner().map_err(|_| "a worker panicked".into())
}

fn joined(thread: std::thread::ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|_| Err("a worker panicked".into()))
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Everything that leaves the server alone.
fn softly(wish: &Wish<'_>, work: &Work) -> Result<()> {
    let runtime = runtime()?;
    let lab = runtime.block_on(Lab::start(wish.bin))?;
    let stories = runtime.block_on(stories(wish, &lab))?;
    let points = points(wish, &stories, |kind| !kind.is_hard());
    work.all.fetch_add(points.len(), Ordering::Relaxed);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let one = || scope.spawn(|| work.through(&points, &next));
        let workers: Vec<_> = (0..SOFT).map(|_| one()).collect();
        workers.into_iter().try_for_each(joined)
    })
}

/// One of those who bring their server down.
fn hardly(wish: &Wish<'_>, number: usize, work: &Work) -> Result<()> {
    let runtime = runtime()?;
    let lab = runtime.block_on(Lab::start(wish.bin))?;
    let stories = runtime.block_on(stories(wish, &lab))?;
    let points = points(wish, &stories, Kind::is_hard);
    let mine: Vec<_> = points.into_iter().skip(number).step_by(HARD).collect();
    work.all.fetch_add(mine.len(), Ordering::Relaxed);
    work.through(&mine, &AtomicUsize::new(0))
}

async fn stories<'l>(wish: &Wish<'_>, lab: &'l Lab) -> Result<Vec<Story<'l>>> {
    let is_wished = |run: &&Run| wish.only.is_none_or(|name| name == run.name);
    let runs = runs::ALL.iter().filter(is_wished).filter(|run| run.since <= lab.major());
    let mut stories = Vec::new();
    for run in runs {
        stories.push(Story::learn(lab, *run, wish.rewrite).await?);
    }
    let mut messages =
        stories.iter().flat_map(|story| &story.conversations).flat_map(|all| &all.messages);
    if wish.rewrite.is_some() && !messages.any(|message| message.rewritten) {
        return Err("the bug was not planted: the library sends nothing that it changes".into());
    }
    Ok(stories)
}

fn points<'s, 'l>(
    wish: &Wish<'_>,
    stories: &'s [Story<'l>],
    is_mine: impl Fn(Kind) -> bool,
) -> Vec<(&'s Story<'l>, Point)> {
    let mut points = Vec::new();
    for (number, story) in stories.iter().enumerate() {
        let mut all = point::all(&story.conversations);
        all.retain(|point| is_mine(point.kind));
        let drawn = if wish.quick { drawn(all, number) } else { all };
        points.extend(drawn.into_iter().map(|point| (story, point)));
    }
    if wish.until_found { shuffled(points) } else { points }
}

/// At least one of each kind, and not those at the same messages.
fn drawn(points: Vec<Point>, seed: usize) -> Vec<Point> {
    let mut kinds: BTreeMap<Kind, Vec<Point>> = BTreeMap::new();
    points.into_iter().for_each(|point| kinds.entry(point.kind).or_default().push(point));
    let few = kinds.into_values().enumerate().flat_map(|(kind, points)| {
        let first = (seed * 7 + kind * 5) % points.len().min(ONE_IN);
        points.into_iter().skip(first).step_by(ONE_IN).collect::<Vec<_>>()
    });
    few.collect()
}

/// Of each kind and each run early, and always in the same order.
fn shuffled<T>(points: Vec<T>) -> Vec<T> {
    let mut numbered: Vec<_> = points.into_iter().enumerate().collect();
    numbered.sort_by_key(|(number, _)| number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    numbered.into_iter().map(|(_, point)| point).collect()
}

impl Work {
    fn through(&self, points: &[(&Story<'_>, Point)], next: &AtomicUsize) -> Result<()> {
        let runtime = runtime()?;
        while !self.stop.load(Ordering::Relaxed) {
            let Some((story, point)) = points.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return Ok(());
            };
            let outcome = runtime.block_on(story.tell(point));
            let outcome =
                outcome.map_err(|error| format!("{}: {point}: {error}", story.run.name))?;
            self.count(story, point, outcome)?;
        }
        Ok(())
    }

    fn count(&self, story: &Story<'_>, point: &Point, outcome: Outcome) -> Result<()> {
        let mut tally = self.tally.lock().map_err(|_| "a worker panicked")?;
        match outcome {
            Outcome::Void => tally.void += 1,
            Outcome::Tried(found) => {
                tally.points += 1;
                *tally.kinds.entry(point.kind.to_string()).or_default() += 1;
                if !found.is_empty() {
                    let text = format!("{}: {point}\n    {}", story.run.name, found.join("\n    "));
                    if !self.until_found {
                        say(&text)?;
                    }
                    self.stop.fetch_or(self.until_found, Ordering::Relaxed);
                    tally.differences.push(text);
                }
            }
        }
        if tally.points.is_multiple_of(100) && tally.points > 0 {
            self.progress(&tally, story.run.name)?;
        }
        Ok(())
    }

    fn progress(&self, tally: &Tally, name: &str) -> Result<()> {
        let took = self.began.elapsed().max(Duration::from_millis(1)).as_secs_f64();
        let rate = tally.points as f64 / took;
        let all = self.all.load(Ordering::Relaxed);
        say(&format!("{} of {all} points, {rate:.0} a second, at {name}", tally.points))
    }
}

#[cfg(test)]
mod tests {
    use migrate_tests::proxy::{After, Before};

    use super::*;

    fn points(count: usize, kind: Kind) -> impl Iterator<Item = Point> {
        let point = move |message| Point { connection: 0, message, words: String::new(), kind };
        (0..count).map(point)
    }

    #[test]
    fn a_sample_has_some_of_every_kind() {
        for seed in 0..40 {
            let all = points(3, Kind::Robbed).chain(points(100, Kind::Cut(Before)));
            let drawn = drawn(all.chain(points(1, Kind::Cut(After))).collect(), seed);
            let count = |kind| drawn.iter().filter(|point| point.kind == kind).count();
            assert_eq!((count(Kind::Robbed), count(Kind::Cut(After))), (1, 1), "{seed}");
            assert!((6..=7).contains(&count(Kind::Cut(Before))), "{seed}");
        }
    }

    #[test]
    fn an_order_is_of_all_and_the_same_each_time() {
        let order = || shuffled((0..100).collect());
        let mut sorted = order();
        assert_eq!(sorted, order());
        assert!(!sorted.is_sorted());
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..100));
    }
}
