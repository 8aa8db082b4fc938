//! Which findings a person looks at.
//!
//! Each rule that has found something is among them, and the rest of the places goes to the rules as their findings
//! are many. Within a rule the order is that of a hash, so that a finding that comes or goes changes the sample
//! as little as can be.

use std::collections::BTreeMap;

use crate::case::{Case, Key};

/// How many are drawn.
pub(crate) const SIZE: usize = 60;
/// Changed by nobody: another one would be another sample.
const SEED: u64 = 20_261_129;

/// The sample, in the order of the cases.
pub(crate) fn draw<'c, 'j>(cases: &'c [Case<'j>]) -> Vec<&'c Case<'j>> {
    let keys: Vec<Key> = cases.iter().map(Case::key).collect();
    let chosen = choose(&keys, SIZE);
    cases.iter().zip(&keys).filter(|(_, key)| chosen.contains(key)).map(|(case, _)| case).collect()
}

fn choose(keys: &[Key], size: usize) -> Vec<&Key> {
    let mut rules: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for key in keys {
        rules.entry(&key.rule).or_default().push(key);
    }
    let counts: Vec<usize> = rules.values().map(Vec::len).collect();
    let places = places(&counts, size);
    let mut chosen = Vec::new();
    for (mut of_rule, places) in rules.into_values().zip(places) {
        of_rule.sort_by_key(|key| hash(key));
        chosen.extend(of_rule.into_iter().take(places));
    }
    chosen
}

/// One place for each, then by largest remainders.
fn places(counts: &[usize], size: usize) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    let rest = size.min(all).saturating_sub(counts.len());
    let others = (all - counts.len()).max(1);
    let share = |count: &usize| (count - 1) * rest;
    let mut places: Vec<usize> = counts.iter().map(|count| 1 + share(count) / others).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&i| {
        std::cmp::Reverse(counts.get(i).map_or(0, |count| share(count) % others))
    });
    let left = (rest + counts.len()).saturating_sub(places.iter().sum());
    for i in order.into_iter().take(left) {
        if let Some(place) = places.get_mut(i) {
            *place += 1;
        }
    }
    places
}

/// FNV-1a and a last mix: the same on every machine.
fn hash(key: &Key) -> u64 {
    let Key { folder, file, line, rule } = key;
    let text = format!("{SEED}\n{folder}\n{file}\n{line}\n{rule}");
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(counts: &[(&str, u32)]) -> Vec<Key> {
        let of = |(rule, count): &(&str, u32)| {
            let rule = (*rule).to_owned();
            let key = move |line| Key {
                folder: "f".to_owned(),
                file: "1_a.sql".to_owned(),
                line,
                rule: rule.clone(),
            };
            (0..*count).map(key).collect::<Vec<_>>()
        };
        counts.iter().flat_map(of).collect()
    }

    fn drawn(keys: &[Key], rule: &str, size: usize) -> usize {
        choose(keys, size).iter().filter(|key| key.rule == rule).count()
    }

    #[test]
    fn each_rule_is_there_and_the_rest_is_in_proportion() {
        let keys = keys(&[("rare", 1), ("some", 21), ("many", 81)]);
        let of = |rule| drawn(&keys, rule, 23);
        assert_eq!((of("rare"), of("some"), of("many")), (1, 5, 17));
    }

    #[test]
    fn no_more_is_drawn_than_there_is() {
        let keys = keys(&[("rare", 1), ("some", 3)]);
        assert_eq!(choose(&keys, 60).len(), 4);
    }

    #[test]
    fn a_finding_that_goes_changes_little() {
        let mut keys = keys(&[("many", 81)]);
        let before: Vec<Key> = choose(&keys, 20).into_iter().cloned().collect();
        keys.retain(|key| key != &before[0]);
        let after = choose(&keys, 20);
        assert_eq!(before[1..].iter().filter(|key| after.contains(key)).count(), 19);
    }
}
