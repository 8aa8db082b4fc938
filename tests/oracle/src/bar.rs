//! What has to hold.

use crate::judged::{Claim, Judged, Source};
use crate::server::Judge;

/// Of the mutants that every server refuses, so many may be taken.
const FALSELY_ACCEPTED: f64 = 0.004;

/// One thing that has to hold, and whether it does.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) bar: String,
    pub(crate) is_met: bool,
}

pub(crate) fn all(judged: &[Judged], judges: &[Judge]) -> Vec<Bar> {
    let majors: Vec<u32> = judges.iter().map(|judge| judge.major).collect();
    vec![real(judged), accepted(judged), claims(judged, &majors)]
}

/// Nobody who writes SQL that a server takes is told that it is none.
fn real(judged: &[Judged]) -> Bar {
    let sql = || of_real(judged).filter(|one| one.is_sql());
    let refused = sql().filter(|one| one.is_falsely_refused()).count();
    Bar {
        what: "statements of real folders that are SQL, and refused by us".to_owned(),
        figure: format!("{refused} of {}", sql().count()),
        bar: "none".to_owned(),
        // Of nothing at all everything is true.
        is_met: refused == 0 && sql().count() > 0,
    }
}

fn of_real(judged: &[Judged]) -> impl Iterator<Item = &Judged> {
    judged.iter().filter(|one| matches!(one.case.source, Source::Real(_)))
}

fn accepted(judged: &[Judged]) -> Bar {
    let wrong = || {
        let mutants = judged.iter().filter(|one| matches!(one.case.source, Source::Mutant(_)));
        mutants.filter(|one| !one.is_sql())
    };
    let accepted = wrong().filter(|one| one.ours.is_fine()).count();
    let rate = rate(accepted, wrong().count());
    Bar {
        what: "mutants that are no SQL, and accepted by us".to_owned(),
        figure: format!("{accepted} of {} ({:.2} %)", wrong().count(), rate * 100.0),
        bar: format!("{} %", FALSELY_ACCEPTED * 100.0),
        is_met: rate <= FALSELY_ACCEPTED && wrong().count() > 0,
    }
}

/// The corpus knows what is SQL.
fn claims(judged: &[Judged], majors: &[u32]) -> Bar {
    let wrong: Vec<&Judged> = judged.iter().filter(|one| !claim_holds(one, majors)).collect();
    let texts: Vec<String> =
        wrong.iter().take(20).map(|one| format!("\n    {}", one.case.text)).collect();
    Bar {
        what: "statements of the corpus of which it says something wrong".to_owned(),
        figure: format!("{}{}", wrong.len(), texts.concat()),
        bar: "none".to_owned(),
        is_met: wrong.is_empty(),
    }
}

fn claim_holds(one: &Judged, majors: &[u32]) -> bool {
    let Source::Corpus(claim) = &one.case.source else { return true };
    let expected = |major: u32| match claim {
        Claim::FineSince(first) => major >= *first,
        Claim::Wrong => false,
    };
    majors.iter().zip(&one.servers).all(|(major, said)| said.is_fine() == expected(*major))
}

#[allow(clippy::cast_precision_loss, reason = "some thousands")]
pub(crate) fn rate(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judged::tests::judged;
    use crate::verdict::Verdict::{self, Fine};

    fn no() -> Verdict {
        Verdict::refused(None, "no")
    }

    #[test]
    fn one_statement_of_a_real_folder_is_one_too_many() {
        let real = || Source::Real("a 1".to_owned());
        let mut all = vec![judged(real(), Fine, &[Fine])];
        assert!(super::real(&all).is_met);
        all.push(judged(real(), no(), &[no(), Fine]));
        assert!(!super::real(&all).is_met);
        assert!(!super::real(&[]).is_met);
    }

    #[test]
    fn four_mutants_of_a_thousand_are_not_too_many() {
        let wrong = |ours| judged(Source::Mutant("deleted"), ours, &[no()]);
        let mut all: Vec<Judged> =
            (0..1000).map(|n| wrong(if n < 4 { Fine } else { no() })).collect();
        assert!(accepted(&all).is_met);
        all.push(wrong(Fine));
        assert!(!accepted(&all).is_met);
        assert!(!accepted(&[]).is_met);
    }

    #[test]
    fn the_corpus_is_held_to_what_it_says() {
        let one = |claim, servers: &[Verdict]| judged(Source::Corpus(claim), Fine, servers);
        let majors = [15, 18];
        assert!(claim_holds(&one(Claim::FineSince(16), &[no(), Fine]), &majors));
        assert!(!claim_holds(&one(Claim::FineSince(13), &[no(), Fine]), &majors));
        assert!(!claim_holds(&one(Claim::FineSince(16), &[Fine, Fine]), &majors));
        assert!(claim_holds(&one(Claim::Wrong, &[no(), no()]), &majors));
        assert!(!claim_holds(&one(Claim::Wrong, &[no(), Fine]), &majors));
    }
}
