//! What migrate says of a text, as it would of a file.

use migrate_core::sql::{self, MistakeKind};

use crate::verdict::Verdict;

pub(crate) fn verdict(text: &str) -> Verdict {
    let statements = match sql::statements(text) {
        Ok(statements) => statements,
        Err(mistakes) => match mistakes.first() {
            // It is SQL; only the data behind it is not ours to send.
            Some(mistake) if mistake.kind == MistakeKind::CopyFromStdin => return of_one(text),
            Some(mistake) => return Verdict::refused(Some(mistake.offset), mistake.to_string()),
            None => return Verdict::Fine,
        },
    };
    let verdicts = statements.iter().map(|statement| {
        let start = usize::try_from(statement.start).unwrap_or(usize::MAX);
        of_one(statement.text(text)).moved(start)
    });
    verdicts.into_iter().find(|verdict| !verdict.is_fine()).unwrap_or(Verdict::Fine)
}

fn of_one(statement: &str) -> Verdict {
    match migrate_lint::mistake(statement) {
        None => Verdict::Fine,
        Some(mistake) => Verdict::refused(Some(mistake.offset), mistake.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mistake_of_several_statements_counts() {
        assert_eq!(verdict("SELECT 1; SELECT 2"), Verdict::Fine);
        let at = |text| verdict(text).refusal().and_then(|refusal| refusal.at);
        assert_eq!(at("SELECT 1; SELEKT 2"), Some(10));
        assert_eq!(at("SELECT 'a"), Some(7));
    }

    #[test]
    fn a_copy_is_sql() {
        assert_eq!(verdict("COPY t FROM STDIN"), Verdict::Fine);
        assert!(!verdict("COPY t FORM STDIN").is_fine());
    }
}
