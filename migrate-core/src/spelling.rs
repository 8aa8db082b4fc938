//! What somebody may have meant who mistyped a word.

/// The known word that is a few letters away, if there is one.
///
/// ```
/// assert_eq!(migrate_core::nearest("contrat", ["expand", "contract"]), Some("contract"));
/// assert_eq!(migrate_core::nearest("teleport", ["expand", "contract"]), None);
/// ```
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let near = known.into_iter().map(|known| (distance(word, known), known)).min();
    near.filter(|(far, known)| *far <= known.len().div_ceil(3).max(2)).map(|(_, known)| known)
}

/// Levenshtein's distance, over one row.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let best = (corner + usize::from(x != y)).min(left + 1).min(*cell + 1);
            corner = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("after", "after"), 0);
    }
}
