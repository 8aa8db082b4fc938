//! Values of an enum whose place nobody has chosen.

use migrate_core::sql::lexer::{Lexer, TokenKind};

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "enum_value_order",
    level: Level::Off,
    finds: "ALTER TYPE … ADD VALUE without BEFORE or AFTER",
    why: "the value comes last in every ORDER BY and is greater than all others; that can never be changed",
    instead: "Say BEFORE or AFTER which value it comes.",
    bad: &[
        ("1_mood.sql", "CREATE TYPE mood AS ENUM ('glad');"),
        ("2_sad.sql", "ALTER TYPE mood ADD VALUE 'sad';"),
    ],
    good: &[
        ("1_mood.sql", "CREATE TYPE mood AS ENUM ('glad');"),
        ("2_sad.sql", "ALTER TYPE mood ADD VALUE 'sad' BEFORE 'glad';"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::AlterEnum(alter) = at.action() else { return Vec::new() };
    let is_place = |word: &str| word.eq_ignore_ascii_case("before") || word.eq_ignore_ascii_case("after");
    let mut words = Lexer::new(at.text).filter(|token| token.kind == TokenKind::Word);
    if alter.renames.is_some() || words.any(|word| is_place(word.text(at.text))) {
        return Vec::new();
    }
    let value = alter.value.replace('\'', "''");
    let message = format!("the value '{value}' of `{}` comes after all others", alter.name);
    let instead = format!("Say where it belongs:\n    ALTER TYPE {} ADD VALUE '{value}' BEFORE '…';", alter.name);
    vec![Hit::new(&alter.value, message, instead).at(&alter.value)]
}
