//! What the parser takes, and PostgreSQL does not.
//!
//! Owns the differences that `cargo xtask oracle` found between the two and that somebody may run into: above all
//! words that are reserved, where a name should stand. A tree without errors comes in.

use migrate_core::sql::lexer::Lexer;
use squawk_parser::{is_col_name_keyword, is_reserved_keyword, is_type_func_name_keyword};
use squawk_syntax::{SyntaxElement, SyntaxKind as K, SyntaxNode, SyntaxToken};

use super::mistake::Mistake;
use super::node::{Look, is_trivia};

/// The first such thing.
pub(super) fn mistake(text: &str, tree: &SyntaxNode) -> Option<Mistake> {
    tree.descendants().find_map(|node| refused(&node)).map(|refused| match refused {
        Refused::At(offset) => Mistake::new(text, offset, ""),
        Refused::Reserved(token) => {
            Mistake::reserved(token.text(), token.text_range().start().into())
        }
        Refused::Incomplete(offset) => match comes_after(text, offset) {
            true => Mistake::new(text, offset, ""),
            false => Mistake::new(text, text.len(), ""),
        },
    })
}

enum Refused {
    /// What stands there cannot stand there.
    At(usize),
    /// A word that is no name.
    Reserved(SyntaxToken),
    /// Something is missing there.
    Incomplete(usize),
}

fn comes_after(text: &str, offset: usize) -> bool {
    Lexer::new(text).any(|token| token.start >= offset && !token.kind.is_trivia())
}

/// Most nodes of a tree are names, and most names are one identifier: that has to be quick.
fn refused(node: &SyntaxNode) -> Option<Refused> {
    if is_name(node.kind()) {
        return name(node);
    }
    expression(node)
        .or_else(|| constraint(node))
        .or_else(|| missing(node))
        .or_else(|| statement(node))
        .or_else(|| misplaced(node).map(|it| Refused::At(start(&it))))
}

fn start(element: &SyntaxElement) -> usize {
    element.text_range().start().into()
}

/// The one word that a node is made of.
fn word(node: &SyntaxNode) -> Option<SyntaxToken> {
    let mut tokens = node.children_with_tokens().filter(|child| !is_blank(child));
    let only = tokens.next()?.into_token()?;
    tokens.next().is_none().then_some(only)
}

fn is_blank(element: &SyntaxElement) -> bool {
    element.as_token().is_some_and(is_trivia)
}

/// A name that is no name: which words are none depends on what is named.
fn name(node: &SyntaxNode) -> Option<Refused> {
    let segment = matches!(node.kind(), K::PATH_SEGMENT | K::PATH_SEGMENT_REF);
    if segment && node.text_range().is_empty() {
        // Of an operator's name this is what stands before the sign.
        let is_table = owner(node).is_some_and(|(owner, _)| owner == K::TABLE_NAME_REF);
        return is_table.then(|| Refused::Incomplete(node.text_range().start().into()));
    }
    let token = word(node).filter(|token| token.kind() != K::IDENT)?;
    let kind = token.kind();
    let taken = match segment.then(|| owner(node)).flatten() {
        // Behind a dot any word will do.
        Some((_, true)) => false,
        Some((K::PATH_TYPE, _)) => {
            is_reserved_keyword(kind) || (is_col_name_keyword(kind) && !TYPES.contains(&kind))
        }
        Some((owner, _)) if ROUTINES.contains(&owner) => is_reserved_keyword(kind),
        _ if node.parent().is_some_and(|parent| parent.kind() == K::AS_NAME) => false,
        _ => is_reserved_keyword(kind) || is_type_func_name_keyword(kind),
    };
    taken.then_some(Refused::Reserved(token))
}

/// What a path names, and whether this part of it stands behind a dot.
fn owner(segment: &SyntaxNode) -> Option<(K, bool)> {
    let path = segment.parent()?;
    let is_path = |node: &SyntaxNode| matches!(node.kind(), K::PATH | K::PATH_REF);
    let owner = path.ancestors().find(|node| !is_path(node))?;
    Some((owner.kind(), path.has(K::DOT)))
}

fn expression(node: &SyntaxNode) -> Option<Refused> {
    let first = || node.children().next();
    let wrong = match node.kind() {
        K::PREFIX_EXPR => first().filter(|op| op.kind() == K::CUSTOM_OP && compares(op)),
        K::BIN_EXPR if node.has(K::IS_KW) || node.has(K::IS_NOT) => {
            node.children().last().filter(|right| !can_be(right))
        }
        K::BIN_EXPR if is_comparison(node) => {
            return node.children().find(is_comparison).and_then(|_| operator(node));
        }
        // An expression as a key stands in parentheses.
        K::PARTITION_ITEM => first().filter(|key| UNKEYED.contains(&key.kind())),
        K::ARRAY_BOUND => first().filter(|bound| {
            bound.kind() != K::LITERAL || word(bound).is_none_or(|it| it.kind() != K::INT_NUMBER)
        }),
        K::INDEX_EXPR if node.children().count() < 2 => {
            let mut parts = node.children_with_tokens();
            let bracket = parts.find(|part| part.kind() == K::R_BRACK);
            return bracket.map(|bracket| Refused::At(start(&bracket)));
        }
        _ => None,
    };
    wrong.map(|node| Refused::At(node.text_range().start().into()))
}

fn end(node: SyntaxNode) -> Refused {
    Refused::Incomplete(node.text_range().end().into())
}

/// `<>` is no operator of one side.
fn compares(operator: &SyntaxNode) -> bool {
    matches!(&*operator.written(), "<" | ">" | "=" | "<>" | "!=" | "<=" | ">=")
}

const COMPARISONS: [K; 7] = [K::L_ANGLE, K::R_ANGLE, K::EQ, K::LTEQ, K::GTEQ, K::NEQ, K::NEQB];

/// `a < b < c` would have to say which comes first.
fn is_comparison(node: &SyntaxNode) -> bool {
    node.kind() == K::BIN_EXPR && operator(node).is_some()
}

fn operator(node: &SyntaxNode) -> Option<Refused> {
    let mut tokens = node.children_with_tokens();
    tokens.find(|it| COMPARISONS.contains(&it.kind())).map(|it| Refused::At(start(&it)))
}

/// What stands behind `IS`.
fn can_be(right: &SyntaxNode) -> bool {
    let Some(word) = word(right) else { return false };
    matches!(
        word.kind(),
        K::NULL_KW | K::TRUE_KW | K::FALSE_KW | K::UNKNOWN_KW | K::DOCUMENT_KW | K::NORMALIZED_KW
    )
}

fn constraint(node: &SyntaxNode) -> Option<Refused> {
    let at = |node: SyntaxNode| Refused::At(node.text_range().start().into());
    match node.kind() {
        // A key is valid or it is none.
        K::UNIQUE_CONSTRAINT | K::PRIMARY_KEY_CONSTRAINT | K::EXCLUDE_CONSTRAINT => {
            node.sub(K::NOT_VALID).map(at)
        }
        K::CHECK_CONSTRAINT => {
            node.sub(K::DEFERRABLE_CONSTRAINT_OPTION).or_else(|| node.sub(K::INHERIT)).map(at)
        }
        K::GENERATED_STORED => node.sub(K::GENERATED_BY_DEFAULT).map(at),
        K::MATCH_PARTIAL => Some(at(node.clone())),
        K::DEFAULT_CONSTRAINT => node
            .children()
            .next()
            .filter(|value| value.kind() == K::PREFIX_EXPR && value.has(K::NOT_KW))
            .map(at),
        _ => None,
    }
}

/// What has to be there and is not.
fn missing(node: &SyntaxNode) -> Option<Refused> {
    let is_dropped = |(drop, _, name): &(K, _, K)| *drop == node.kind() && !node.has(*name);
    let children = || node.children().filter(|child| child.kind() != K::IF_EXISTS).count();
    let is_incomplete = match node.kind() {
        K::ALTER_TABLE => node.has(K::TABLE_RELATION_NAME) && children() < 2,
        K::COMPOSITE_FIELD_DEF | K::COPY | K::CREATE_TABLE => children() < 2,
        K::DISCARD | K::FROM_ALIAS => children() < 1,
        // Only the statement itself can be one of them.
        _ if node.parent().is_some_and(|parent| parent.kind() == K::SOURCE_FILE) => {
            super::DROPS.iter().any(is_dropped)
        }
        _ => false,
    };
    is_incomplete.then(|| end(node.clone()))
}

fn statement(node: &SyntaxNode) -> Option<Refused> {
    let dot = |name: SyntaxNode| {
        let path = name.sub(K::PATH)?;
        let dot = path.children_with_tokens().find(|it| it.kind() == K::DOT)?;
        Some(Refused::At(start(&dot)))
    };
    match node.kind() {
        // An index, and what gets another name, stays in its schema.
        K::CREATE_INDEX => node.sub(K::INDEX).and_then(dot),
        K::TABLE_RENAME_TO => node.sub(K::TABLE_NAME).and_then(dot),
        K::ALTER_TABLE if node.has(K::COMMA) => {
            let mut children = node.children();
            let alone = children.find(|child| ALONE.contains(&child.kind()))?;
            Some(Refused::At(alone.text_range().start().into()))
        }
        _ => None,
    }
}

/// Parts that are fine elsewhere.
fn misplaced(node: &SyntaxNode) -> Option<SyntaxElement> {
    let sub = |kind| node.sub(kind).map(SyntaxElement::from);
    match node.kind() {
        K::MERGE_WHEN_MATCHED => sub(K::MERGE_INSERT),
        K::COPY if node.has(K::COPY_TO) => sub(K::WHERE_CLAUSE),
        K::JOIN if node.has(K::NATURAL_KW) => sub(K::JOIN_CROSS),
        K::SELECT => node.subs(K::LIMIT_CLAUSE).nth(1).map(SyntaxElement::from),
        K::ROLE_OPTION_GENERIC => {
            let word = word(node)?;
            let known = ROLE_OPTIONS.iter().any(|known| word.text().eq_ignore_ascii_case(known));
            (!known).then(|| word.into())
        }
        // Only the last argument can be many.
        K::ARG_LIST => {
            let mut args = node.subs(K::ARG).skip_while(|arg| !arg.has(K::VARIADIC_KW));
            args.next()?;
            args.next().map(SyntaxElement::from)
        }
        _ => None,
    }
}

/// Changes of a table that are statements of their own.
const ALONE: [K; 6] = [
    K::TABLE_RENAME_TO,
    K::RENAME_COLUMN,
    K::RENAME_CONSTRAINT,
    K::SET_SCHEMA,
    K::ATTACH_PARTITION,
    K::DETACH_PARTITION,
];

const UNKEYED: [K; 6] =
    [K::LITERAL, K::BIN_EXPR, K::PREFIX_EXPR, K::POSTFIX_EXPR, K::CASE_EXPR, K::ARRAY_EXPR];

const ROLE_OPTIONS: [&str; 14] = [
    "superuser",
    "nosuperuser",
    "createdb",
    "nocreatedb",
    "createrole",
    "nocreaterole",
    "login",
    "nologin",
    "replication",
    "noreplication",
    "bypassrls",
    "nobypassrls",
    "inherit",
    "noinherit",
];

/// They may have a name that is reserved for joins, such as `left`.
const ROUTINES: [K; 9] = [
    K::FUNCTION_NAME,
    K::FUNCTION_NAME_REF,
    K::PROCEDURE_NAME,
    K::PROCEDURE_NAME_REF,
    K::ROUTINE_NAME,
    K::ROUTINE_NAME_REF,
    K::AGGREGATE_NAME,
    K::TYPE_NAME_REF,
    K::OP,
];

/// Keywords that are the name of a type.
const TYPES: [K; 20] = [
    K::BIGINT_KW,
    K::BIT_KW,
    K::BOOLEAN_KW,
    K::CHAR_KW,
    K::CHARACTER_KW,
    K::DEC_KW,
    K::DECIMAL_KW,
    K::FLOAT_KW,
    K::INT_KW,
    K::INTEGER_KW,
    K::INTERVAL_KW,
    K::JSON_KW,
    K::NCHAR_KW,
    K::NONE_KW, // the side that an operator does not have
    K::NUMERIC_KW,
    K::REAL_KW,
    K::SMALLINT_KW,
    K::TIME_KW,
    K::TIMESTAMP_KW,
    K::VARCHAR_KW,
];

/// Nodes that are a name of one word, or a part of one of several.
const fn is_name(kind: K) -> bool {
    matches!(
        kind,
        K::PATH_SEGMENT
            | K::PATH_SEGMENT_REF
            | K::ACCESS_METHOD_REF
            | K::CHANNEL_REF
            | K::COLUMN_NAME
            | K::COLUMN_NAME_REF
            | K::COMPOSITE_FIELD
            | K::COMPOSITE_FIELD_REF
            | K::CONSTRAINT_NAME
            | K::CONSTRAINT_NAME_REF
            | K::CTE_NAME
            | K::CURSOR
            | K::CURSOR_REF
            | K::DATABASE
            | K::DATABASE_REF
            | K::EVENT_TRIGGER
            | K::EVENT_TRIGGER_REF
            | K::EXTENSION
            | K::EXTENSION_REF
            | K::FOREIGN_DATA_WRAPPER_REF
            | K::POLICY
            | K::POLICY_REF
            | K::PREPARED_STATEMENT
            | K::PREPARED_STATEMENT_REF
            | K::PUBLICATION
            | K::PUBLICATION_REF
            | K::RULE
            | K::RULE_REF
            | K::SAVEPOINT_REF
            | K::SCHEMA
            | K::SCHEMA_REF
            | K::SERVER
            | K::SERVER_REF
            | K::TABLESPACE_REF
            | K::TRANSITION_RELATION_NAME
            | K::TRIGGER
            | K::TRIGGER_REF
    )
}

#[cfg(test)]
mod tests {
    use crate::parse::statement;

    /// Where the caret stands is marked by the text from there on.
    #[test]
    fn what_postgresql_refuses_is_refused() {
        for (text, rest) in [
            ("ALTER TABLE t ADD COLUMN user text", "user text"),
            ("ALTER TABLE t ADD CONSTRAINT references UNIQUE (a)", "references UNIQUE (a)"),
            ("CREATE INDEX i ON t USING as (a)", "as (a)"),
            ("CREATE TABLE t (a values)", "values)"),
            ("DROP TABLE IF EXISTS natural", "natural"),
            ("CREATE INDEX s.i ON t (a)", ".i ON t (a)"),
            ("CREATE INDEX i ON t (a || b)", "a || b)"),
            ("CREATE INDEX i ON t (42)", "42)"),
            ("ALTER TABLE t RENAME TO s.u", ".u"),
            ("ALTER TABLE t ADD a int, RENAME TO u", "RENAME TO u"),
            ("ALTER TABLE t ADD UNIQUE (a) NOT VALID", "NOT VALID"),
            ("ALTER TABLE t ADD PRIMARY KEY (a) NOT VALID", "NOT VALID"),
            ("ALTER TABLE t ADD CHECK (a) DEFERRABLE", "DEFERRABLE"),
            ("CREATE TABLE t (a int CHECK (a > 0) INHERIT)", "INHERIT)"),
            (
                "CREATE TABLE t (a int GENERATED BY DEFAULT AS (b) STORED)",
                "BY DEFAULT AS (b) STORED)",
            ),
            ("CREATE TABLE t (a int DEFAULT NOT true)", "NOT true)"),
            ("CREATE TABLE t (a int[b])", "b])"),
            ("CREATE TABLE t (a int REFERENCES b MATCH PARTIAL)", "MATCH PARTIAL)"),
            ("CREATE TYPE t AS (a, b int)", ", b int)"),
            ("SELECT a < b < c", "< c"),
            ("SELECT a IS 1", "1"),
            ("SELECT <> a", "<> a"),
            ("SELECT f(VARIADIC a, b)", "b)"),
            ("SELECT 1 LIMIT 1 LIMIT 2", "LIMIT 2"),
            ("SELECT * FROM t NATURAL CROSS JOIN u", "CROSS JOIN u"),
            ("SELECT a[]", "]"),
            ("COPY t TO STDOUT WHERE a", "WHERE a"),
            ("MERGE INTO t USING u ON a WHEN MATCHED THEN INSERT VALUES (1)", "INSERT VALUES (1)"),
            ("CREATE ROLE r SUPERUSR", "SUPERUSR"),
            ("CREATE TABLE t", ""),
            ("ALTER TABLE t", ""),
            ("DROP TABLE", ""),
            ("DROP FUNCTION IF EXISTS", ""),
            ("DISCARD", ""),
            ("COPY t", ""),
        ] {
            let mistake = statement(text).expect_err(text);
            assert_eq!(text.get(mistake.offset..), Some(rest), "{text}");
            assert!(!mistake.message.is_empty() && mistake.help.ends_with(['.', '?']), "{text}");
        }
    }

    #[test]
    fn words_that_look_like_that_are_names() {
        for text in [
            "ALTER TABLE t ADD COLUMN name text, ADD \"user\" text, ADD value int, ADD type int",
            "CREATE TABLE s.table (a json, b s.values, c bit(3), d \"values\")",
            "SELECT t.user, t.order AS desc FROM t AS u",
            "CREATE FUNCTION left(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "ALTER TABLE ALL IN TABLESPACE x SET TABLESPACE y",
            "CREATE INDEX i ON t (lower(a), (a || b), a COLLATE \"C\" DESC, CAST(b AS int), coalesce(a, b))",
            "SELECT a < b AND c < d, (a < b) < c, a IS UNKNOWN, a IS NOT TRUE, a IS NULL IS NULL",
            "SELECT a OPERATOR(pg_catalog.+) b, @ a, f(a, VARIADIC b)",
            "ALTER TABLE t ADD CHECK (a > 0) NO INHERIT NOT VALID, ADD FOREIGN KEY (a) REFERENCES u NOT VALID",
            "CREATE ROLE r LOGIN NoInherit BYPASSRLS",
            "CREATE TYPE t AS ()",
            "DROP OPERATOR ~ (NONE, int)",
        ] {
            assert!(statement(text).is_ok(), "{text}: {:?}", statement(text));
        }
    }
}
