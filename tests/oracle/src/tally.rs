//! Counts for each source.

use std::collections::BTreeMap;

use crate::judged::{Claim, Judged, Source};
use crate::verdict::line;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) statements: usize,
    /// Who takes it: we and a server, we alone, a server alone, nobody.
    pub(crate) both: usize,
    pub(crate) falsely_accepted: usize,
    pub(crate) falsely_refused: usize,
    pub(crate) neither: usize,
    /// The same for each server alone, the oldest first.
    pub(crate) servers: Vec<Pair>,
    /// The same for the library.
    pub(crate) library: Pair,
    /// What one server takes and another one does not.
    pub(crate) depends_on_the_version: usize,
    /// Where the library is of another mind than the newest server.
    pub(crate) oracles_divided: usize,
    pub(crate) places: Places,
}

/// Our verdict beside that of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) accepted_by_both: usize,
    pub(crate) accepted_by_us: usize,
    pub(crate) accepted_by_them: usize,
    pub(crate) refused_by_both: usize,
}

impl Pair {
    fn add(&mut self, ours: bool, theirs: bool) {
        match (ours, theirs) {
            (true, true) => self.accepted_by_both += 1,
            (true, false) => self.accepted_by_us += 1,
            (false, true) => self.accepted_by_them += 1,
            (false, false) => self.refused_by_both += 1,
        }
    }
}

/// Where we point, of what we refuse together with the newest server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) compared: usize,
    /// At the server's line.
    pub(crate) line: usize,
    /// At the server's token.
    pub(crate) token: usize,
    /// Of those whose text has more than one line.
    pub(crate) compared_in_lines: usize,
    pub(crate) line_in_lines: usize,
}

/// What a row of the table is called.
pub(crate) fn name(source: &Source) -> String {
    match source {
        Source::Real(package) => package.clone(),
        Source::Corpus(Claim::FineSince(_)) => "corpus, fine".to_owned(),
        Source::Corpus(Claim::Wrong) => "corpus, wrong".to_owned(),
        Source::Mutant(what) => format!("mutants, {what}"),
    }
}

/// What the sources of one kind add up to.
pub(crate) fn group(source: &Source) -> &'static str {
    match source {
        Source::Real(_) => "real folders",
        Source::Corpus(_) => "corpus",
        Source::Mutant(_) => "mutants",
    }
}

/// By a name of their source.
pub(crate) fn by<K: Ord>(judged: &[Judged], key: impl Fn(&Source) -> K) -> BTreeMap<K, Tally> {
    let mut tallies: BTreeMap<K, Tally> = BTreeMap::new();
    for one in judged {
        tallies.entry(key(&one.case.source)).or_default().add(one);
    }
    tallies
}

impl Tally {
    fn add(&mut self, one: &Judged) {
        self.statements += 1;
        let ours = one.ours.is_fine();
        match (ours, one.is_sql()) {
            (true, true) => self.both += 1,
            (true, false) => self.falsely_accepted += 1,
            (false, true) => self.falsely_refused += 1,
            (false, false) => self.neither += 1,
        }
        self.servers.resize_with(one.servers.len(), Pair::default);
        for (pair, server) in self.servers.iter_mut().zip(&one.servers) {
            pair.add(ours, server.is_fine());
        }
        if let Some(library) = &one.library {
            self.library.add(ours, library.is_fine());
        }
        self.depends_on_the_version += usize::from(one.depends_on_the_version());
        self.oracles_divided += usize::from(one.divides_the_oracles());
        self.places.add(one);
    }
}

impl Places {
    fn add(&mut self, one: &Judged) {
        let ours = one.ours.refusal().and_then(|refusal| refusal.at);
        let server = one.servers.last().and_then(|said| said.refusal());
        let (Some(ours), Some(theirs)) = (ours, server.and_then(|refusal| refusal.at)) else {
            return;
        };
        let text = one.case.text.as_str();
        let same_line = usize::from(line(text, ours) == line(text, theirs));
        self.compared += 1;
        self.line += same_line;
        self.token += usize::from(ours == theirs);
        if text.trim().contains('\n') {
            self.compared_in_lines += 1;
            self.line_in_lines += same_line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judged::tests::judged;
    use crate::verdict::Verdict::{self, Fine};

    fn at(place: usize) -> Verdict {
        Verdict::refused(Some(place), "no")
    }

    #[test]
    fn who_takes_it_is_counted_for_all_and_for_each() {
        let source = || Source::Mutant("deleted");
        let all = [
            judged(source(), Fine, &[at(0), Fine]),
            judged(source(), at(0), &[at(0), Fine]),
            judged(source(), Fine, &[at(0), at(0)]),
            judged(source(), at(0), &[at(0), at(1)]),
        ];
        let tallies = by(&all, group);
        let tally = &tallies["mutants"];
        let counts = [tally.both, tally.falsely_refused, tally.falsely_accepted, tally.neither];
        assert_eq!(counts, [1, 1, 1, 1]);
        assert_eq!(tally.depends_on_the_version, 2);
        let oldest = Pair { accepted_by_us: 2, refused_by_both: 2, ..Pair::default() };
        assert_eq!(tally.servers[0], oldest);
        assert_eq!(tally.servers[1].accepted_by_them, 1);
        assert_eq!((tally.places.compared, tally.places.line, tally.places.token), (1, 1, 0));
    }

    #[test]
    fn a_text_of_several_lines_shows_whether_the_line_is_right() {
        let mut one = judged(Source::Mutant("deleted"), at(8), &[at(1)]);
        one.case.text = "a\nb\nc\nd\ne".to_owned();
        let tally = &by(&[one], group)["mutants"];
        assert_eq!((tally.places.compared_in_lines, tally.places.line_in_lines), (1, 0));
    }
}
