//! The story: every migration in order, forward, and back where there is a way back.

use std::collections::{BTreeSet, HashSet};

use migrate_core::{
    LockTarget, MigrationId, Phase, Place, Problem, Script, SqlDown, SqlMigration, Step, Targets,
    Version,
};

use crate::allow::Allows;
use crate::facts::Facts;
use crate::finding::{Finding, Level};
use crate::fix::{Fix, Remedy, Site, stands_alone};
use crate::locks::{Lock, Mode, is_opaque, locks};
use crate::name::{Name, fold};
use crate::read::{Piece, pieces};
use crate::rules::{self, Check, Hit, Open, Rule, Situation};
use crate::schema::{Birth, Found, Mark, Schema, differences};
use crate::statement::{Action, Statement};

/// What there is to say of a folder.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// What the rules find, in the order of the migrations.
    pub findings: Vec<Finding>,
    /// What each statement locks, for whoever runs it.
    pub targets: Vec<Targets>,
    /// The newest version of the folder.
    newest: Option<Version>,
}

/// So many migrations with findings look like a past rather than like one change.
const A_PAST: usize = 5;

impl Judgement {
    /// Where nothing is called released, a folder with a past is judged as if it were yet to run: says so. `file` is
    /// where the folder's settings stand or would.
    pub fn advice(&self, facts: &Facts, file: &str) -> Option<Problem> {
        let found: BTreeSet<_> = self.findings.iter().map(|finding| finding.migration).collect();
        let newest = self.newest.filter(|_| facts.released.is_none() && found.len() > A_PAST)?;
        let message =
            format!("{} migrations have findings, and none is called released", found.len());
        let help = format!(
            "What databases in use have applied is not judged: write `released = \"{newest}\"`, or the newest \
             version that they have, into {file}."
        );
        Some(Problem::error(file, message, help).as_warning())
    }
}

/// Judges the migrations of a folder, which are in order.
///
/// ```
/// use migrate_core::source::{File, WayBack, read};
/// use migrate_lint::{Facts, judge};
///
/// let files = [
///     File { path: "m/1_users.sql", bytes: b"CREATE TABLE users (id bigint PRIMARY KEY, email text);" },
///     File { path: "m/2_email.sql", bytes: b"CREATE INDEX users_email ON users (email);" },
/// ];
/// let contents = read("m", &files, WayBack::Ignore);
/// let judgement = judge(&contents.migrations, &Facts::default());
/// assert_eq!(judgement.findings[0].rule, "create_index");
/// assert_eq!(judgement.targets[0].locks[0].relation, "public.users");
/// ```
pub fn judge(migrations: &[SqlMigration], facts: &Facts) -> Judgement {
    Judge::of_all(migrations, facts).told
}

/// Judges several migrations, each as if it were the only one behind the folder.
pub fn judge_each(
    migrations: &[SqlMigration],
    next: &[SqlMigration],
    facts: &Facts,
) -> Vec<Judgement> {
    let mut judge = Judge::of_all(migrations, facts);
    let each = next.iter().map(|migration| {
        let before = judge.schema.mark();
        judge.told = Judgement::default();
        judge.change(migration, &[]);
        judge.schema.take_back(before);
        std::mem::take(&mut judge.told)
    });
    each.collect()
}

/// One way back undoes several phases of a version.
fn is_undone_with(other: &SqlMigration, first: &SqlMigration) -> bool {
    let phase = match other.down {
        SqlDown::With(phase) => phase,
        _ => return false,
    };
    other.id.version == first.id.version && phase == first.id.phase
}

struct Judge<'f> {
    facts: &'f Facts,
    migrations: &'f [SqlMigration],
    /// The versions that have a file that is no contract.
    expanded: HashSet<Version>,
    schema: Schema,
    /// What the statement that is judged locks against others.
    locked: Vec<LockTarget>,
    told: Judgement,
}

/// A file while it is judged.
struct File<'m> {
    id: MigrationId,
    step: &'m Step,
    script: &'m Script,
    pieces: Vec<Piece<'m>>,
    /// May each of its statements be outside of a transaction?
    may_be_alone: bool,
    allows: Allows,
}

impl<'m> File<'m> {
    fn read(id: MigrationId, step: &'m Step) -> Option<Self> {
        let script = step.script()?;
        let pieces = pieces(step);
        let allows = Allows::read(&script.text, &pieces);
        let is_alone = |piece: &Piece<'_>| piece.statement.as_ref().is_ok_and(stands_alone);
        let may_be_alone = pieces.len() == 1 || pieces.iter().all(is_alone);
        Some(Self { id, step, script, pieces, may_be_alone, allows })
    }

    /// The statement that a remedy is for, or the comment that is to go.
    fn site(&self, offset: usize, remedy: &Remedy) -> Site<'m> {
        let is_at =
            |piece: &&Piece<'_>| (piece.offset..=piece.offset + piece.text.len()).contains(&offset);
        let piece = self.pieces.iter().find(is_at).filter(|_| *remedy != Remedy::Line);
        let comment = offset..line_end(&self.script.text, offset);
        let range = piece.map_or(comment, |piece| piece.offset..piece.offset + piece.text.len());
        Site {
            id: self.id,
            script: self.script,
            step: self.step,
            start: range.start,
            end: range.end,
            in_transaction: piece.is_some_and(|piece| piece.in_transaction),
            may_be_alone: self.may_be_alone,
            own: None,
            sibling: None,
        }
    }
}

impl<'f> Judge<'f> {
    /// Has judged a folder.
    fn of_all(migrations: &'f [SqlMigration], facts: &'f Facts) -> Self {
        let expanded = migrations.iter().filter(|m| m.id.phase != Phase::Contract);
        let expanded = expanded.map(|migration| migration.id.version).collect();
        let newest = migrations.last().map(|migration| migration.id.version);
        let told = Judgement { newest, ..Judgement::default() };
        let (schema, locked) = (Schema::default(), Vec::new());
        let mut judge = Judge { facts, migrations, expanded, schema, locked, told };
        judge.assume();
        let mut rest = migrations;
        while let Some((first, others)) = rest.split_first() {
            let together = others.iter().take_while(|other| is_undone_with(other, first)).count();
            let (same, later) = others.split_at_checked(together).unwrap_or((others, &[]));
            judge.change(first, same);
            rest = later;
        }
        judge
    }
}

impl Judge<'_> {
    /// What the project says that something else makes, and what the runner does.
    fn assume(&mut self) {
        let existing = self.facts.existing.iter().chain([&self.facts.history]);
        let names = existing.map(|name| name.split('.').map(fold).collect());
        self.schema.assume(names.filter_map(Name::of_segments));
    }

    /// A migration and those that its way back undoes as well, then that way back.
    fn change(&mut self, first: &SqlMigration, same: &[SqlMigration]) {
        let before = self.schema.mark();
        for migration in [first].into_iter().chain(same) {
            self.forward(migration);
        }
        if self.facts.judges(first.id) {
            for step in first.down.steps() {
                self.back(first.id, step, &before);
            }
        }
        self.schema.keep(before);
    }

    fn forward(&mut self, migration: &SqlMigration) {
        self.schema.begin(migration.id);
        let Some(mut file) = File::read(migration.id, &migration.up) else { return };
        let statements: Vec<Statement> = file.pieces.iter_mut().map(take).collect();
        let shown: Vec<&Statement> = statements.iter().collect();
        let judges = self.facts.judges(migration.id);
        let mut open = Open::default();
        for (index, statement) in shown.iter().enumerate() {
            let Some(piece) = file.pieces.get(index) else { continue };
            open.meet(statement, index, piece.in_transaction);
            let locks = self.aim(&file, index, statement);
            if judges {
                self.locked = against_others(&locks);
                let situation = Situation {
                    statement,
                    text: piece.text,
                    file: &file.script.file,
                    earlier: shown.get(open.start..index).unwrap_or_default(),
                    later: shown.get(index + 1..).unwrap_or_default(),
                    migration: migration.id,
                    in_transaction: piece.in_transaction,
                    in_batches: matches!(migration.up, Step::Backfill(_)),
                    is_first: index == 0,
                    has_expand: self.expanded.contains(&migration.id.version),
                    open: &open,
                    schema: &self.schema,
                    facts: self.facts,
                };
                let (hits, holds) = (hits(&situation), situation.holds());
                open.note(holds);
                self.report(&mut file, index, hits);
                self.locked.clear();
            }
            self.apply(&mut file, index, statement, judges);
        }
        if judges {
            self.finish(&file);
        }
    }

    /// Notes what a statement locks of what others may be using.
    fn aim(&mut self, file: &File<'_>, index: usize, statement: &Statement) -> Vec<Lock> {
        let mut locks = locks(statement, &self.schema);
        locks.retain_mut(|lock| match self.schema.relation(&lock.relation) {
            Found::Known(entry) if entry.born.migration == Some(file.id) => false,
            Found::Known(entry) => {
                lock.is_guess = self.schema.guesses_schema_of(&lock.relation);
                lock.relation = Name::qualified(&entry.key.schema, &entry.key.name);
                true
            }
            Found::Missing | Found::Unknown => {
                if let (None, Some(only)) = (&lock.relation.schema, self.schema.only_schema()) {
                    lock.relation = Name::qualified(only, &lock.relation.name);
                }
                true
            }
        });
        let opaque = is_opaque(statement);
        if let (Some(piece), true) = (file.pieces.get(index), opaque || !locks.is_empty()) {
            let offset = u32::try_from(piece.offset).unwrap_or(u32::MAX);
            let locks = locks.iter().map(Lock::target).collect();
            self.told.targets.push(Targets { migration: file.id, offset, locks, opaque });
        }
        locks
    }

    /// Applies a statement, and tells why it would fail. Does it go through?
    fn apply(
        &mut self,
        file: &mut File<'_>,
        index: usize,
        statement: &Statement,
        judges: bool,
    ) -> bool {
        let born =
            Birth { migration: Some(file.id), statement: u32::try_from(index).unwrap_or(u32::MAX) };
        let mistake = file
            .pieces
            .get(index)
            .and_then(|piece| piece.statement.as_ref().err().map(|m| (piece.text, m.clone())));
        if let Some((text, mistake)) = mistake {
            self.schema.doubt_words_of(text);
            if judges {
                let hit = Hit::new("", mistake.message, mistake.help);
                let offset =
                    file.pieces.get(index).map_or(0, |piece| piece.offset + mistake.offset);
                self.tell(file, rules::find("syntax_error"), offset, hit);
            }
            return false;
        }
        let clashes = self.schema.apply(statement, born);
        let told = clashes.iter().filter(|_| judges && !self.facts.has_gaps);
        for clash in told {
            let found = rules::all().iter().find_map(|rule| match rule.check {
                Check::Clash(check) => check(clash).map(|hit| (*rule, hit)),
                _ => None,
            });
            self.report(file, index, found.into_iter().collect());
        }
        clashes.is_empty()
    }

    /// Does the way back lead to where the mark is? Afterwards it is as if nobody had gone it.
    fn back(&mut self, id: MigrationId, step: &Step, before: &Mark) {
        let Some(mut file) = File::read(id, step) else { return };
        let after = self.schema.mark();
        self.schema.begin(id);
        let statements: Vec<Statement> = file.pieces.iter_mut().map(take).collect();
        let mut goes_through = !statements.is_empty();
        for (index, statement) in statements.iter().enumerate() {
            goes_through &= self.apply(&mut file, index, statement, true);
        }
        if goes_through && !self.schema.has_new_doubts(before) {
            let differences = differences(&self.schema, &after);
            let found = rules::all().iter().find_map(|rule| match rule.check {
                Check::Differences(check) => check(&differences).map(|hit| (*rule, hit)),
                _ => None,
            });
            self.report(&mut file, 0, found.into_iter().collect());
        }
        self.finish(&file);
        self.schema.take_back(after);
    }

    fn report(&mut self, file: &mut File<'_>, index: usize, hits: Vec<(&'static Rule, Hit)>) {
        for (rule, hit) in hits {
            if self.level(rule) == Level::Off || file.allows.silences(rule.name, index) {
                continue;
            }
            let Some(piece) = file.pieces.get(index) else { continue };
            let word = hit.word.as_deref().and_then(|word| find_word(piece.text, word));
            let offset = piece.offset + word.unwrap_or(0);
            self.tell(file, Some(rule), offset, hit);
        }
    }

    /// What is wrong with the permissions of a file.
    fn finish(&mut self, file: &File<'_>) {
        for (offset, hit) in file.allows.mistakes.iter().cloned() {
            self.tell(file, rules::find("bad_allow"), offset, hit);
        }
        let level = |name: &str| rules::find(name).map_or(Level::Off, |rule| self.level(rule));
        let unused: Vec<(usize, Hit)> = file.allows.unused(level).collect();
        for (offset, hit) in unused {
            self.tell(file, rules::find("unused_allow"), offset, hit);
        }
    }

    fn tell(&mut self, file: &File<'_>, rule: Option<&'static Rule>, offset: usize, hit: Hit) {
        let Some(rule) = rule.filter(|rule| self.level(rule) > Level::Off) else { return };
        self.told.findings.push(Finding {
            rule: rule.name,
            level: self.level(rule),
            migration: file.id,
            file: file.script.file.clone().into_owned(),
            place: Place::at(&file.script.text, offset),
            message: hit.message,
            why: rule.why.to_owned(),
            instead: hit.instead,
            can_be_allowed: rule.can_be_allowed(),
            locks: self.locked.clone(),
            fix: hit.remedy.and_then(|remedy| self.fix(file, offset, remedy)),
        });
    }

    fn fix(&self, file: &File<'_>, offset: usize, remedy: Remedy) -> Option<Fix> {
        let find = |id: MigrationId| {
            let at = self.migrations.binary_search_by_key(&id, |migration| migration.id).ok()?;
            self.migrations.get(at)
        };
        let sibling = find(MigrationId::new(file.id.version, Phase::Migrate));
        Site { own: find(file.id), sibling, ..file.site(offset, &remedy) }.place(remedy)
    }

    fn level(&self, rule: &Rule) -> Level {
        self.facts.level(rule)
    }
}

/// What readers alone may share is nobody's trouble.
fn against_others(locks: &[Lock]) -> Vec<LockTarget> {
    let strong = locks.iter().filter(|lock| lock.mode > Mode::RowShare);
    strong.map(Lock::target).collect()
}

fn line_end(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    offset + rest.lines().next().map_or(0, str::len)
}

fn take(piece: &mut Piece<'_>) -> Statement {
    match &mut piece.statement {
        Ok(statement) => std::mem::take(statement),
        // The mistake is told, and that is enough.
        Err(_) => Statement { action: Action::Other(""), ..Statement::default() },
    }
}

/// What the rules find, one for each thing that they speak of.
fn hits(situation: &Situation<'_>) -> Vec<(&'static Rule, Hit)> {
    let mut hits: Vec<(&'static Rule, Hit)> = Vec::new();
    for rule in rules::all().iter().filter(|rule| situation.facts.level(rule) > Level::Off) {
        let found = match rule.check {
            Check::Statement(check) => check(situation),
            Check::Surroundings(check) if hits.is_empty() => check(situation),
            _ => continue,
        };
        let mut found =
            found.into_iter().filter(|hit| !hits.iter().any(|(_, other)| other.about == hit.about));
        let Some(mut first) = found.next() else { continue };
        let others: Vec<Hit> = found.collect();
        first.message.push_str(&and_more(others.len()));
        let and = |all: Option<Remedy>, other: Hit| all?.and(other.remedy?);
        first.remedy = others.into_iter().fold(first.remedy.take(), and);
        hits.push((*rule, first));
    }
    hits
}

/// What a statement does several times is told once.
fn and_more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and once more in this statement)".to_owned(),
        others => format!(" (and {others} times more in this statement)"),
    }
}

/// Where a name stands as a word of its own.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let mut found = lower.match_indices(&word).filter(|(at, _)| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !is_part(before) && !is_part(after)
    });
    found.next().map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
