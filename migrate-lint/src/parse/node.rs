//! Looking around in the tree.
//!
//! Owns the few questions that the other files of this folder ask of a node, so that they read as the grammar does.

use squawk_syntax::{SyntaxKind as K, SyntaxNode, SyntaxToken};

use crate::name::{Name, fold};

/// Questions about what is directly below a node.
pub(super) trait Look {
    /// The first node of a kind.
    fn sub(&self, kind: K) -> Option<SyntaxNode>;
    /// All nodes of a kind.
    fn subs(&self, kind: K) -> impl Iterator<Item = SyntaxNode>;
    /// Is there a node or a token of that kind?
    fn has(&self, kind: K) -> bool;
    /// The name that the node is: `a`, `s.a`.
    fn name(&self) -> Option<Name>;
    /// The name that the first node below that is one is.
    fn first_name(&self) -> Option<Name>;
    /// The name of the first node of a kind.
    fn name_in(&self, kind: K) -> Option<Name>;
    /// The bare name of the first node of a kind.
    fn ident_in(&self, kind: K) -> Option<Box<str>>;
    /// The bare name that the node is.
    fn ident(&self) -> Option<Box<str>>;
    /// The value of a string constant.
    fn string(&self) -> Box<str>;
    /// Its text as it was written.
    fn written(&self) -> Box<str>;
}

impl Look for SyntaxNode {
    fn sub(&self, kind: K) -> Option<SyntaxNode> {
        self.children().find(|child| child.kind() == kind)
    }

    fn subs(&self, kind: K) -> impl Iterator<Item = SyntaxNode> {
        self.children().filter(move |child| child.kind() == kind)
    }

    fn has(&self, kind: K) -> bool {
        self.children_with_tokens().any(|child| child.kind() == kind)
    }

    fn name(&self) -> Option<Name> {
        let mut segments = Vec::new();
        collect(self, &mut segments);
        Name::of_segments(segments)
    }

    fn first_name(&self) -> Option<Name> {
        self.descendants().find(|node| is_name(node.kind())).and_then(|node| node.name())
    }

    fn name_in(&self, kind: K) -> Option<Name> {
        self.sub(kind)?.name()
    }

    fn ident_in(&self, kind: K) -> Option<Box<str>> {
        self.sub(kind)?.ident()
    }

    fn ident(&self) -> Option<Box<str>> {
        self.name().map(|name| name.name)
    }

    fn string(&self) -> Box<str> {
        let token = self
            .descendants_with_tokens()
            .filter_map(|e| e.into_token())
            .find(|token| !is_trivia(token));
        token.map(|token| unquoted(token.text())).unwrap_or_default()
    }

    fn written(&self) -> Box<str> {
        self.text().to_string().trim().into()
    }
}

/// `PATH` and `PATH_REF` are what all names with a schema are made of.
fn is_name(kind: K) -> bool {
    matches!(kind, K::PATH | K::PATH_REF)
}

fn collect(node: &SyntaxNode, segments: &mut Vec<Box<str>>) {
    for child in node.children_with_tokens() {
        if let Some(token) = child.as_token() {
            if !is_trivia(token) && !is_between_names(token.kind()) {
                segments.push(fold(token.text()));
            }
        } else if let Some(node) = child.as_node() {
            collect(node, segments);
        }
    }
}

pub(super) fn is_trivia(token: &SyntaxToken) -> bool {
    matches!(token.kind(), K::WHITESPACE | K::COMMENT)
}

fn is_between_names(kind: K) -> bool {
    matches!(kind, K::DOT | K::ONLY_KW | K::STAR | K::L_PAREN | K::R_PAREN)
}

/// The value of a string constant; one with escapes is left as it is written.
fn unquoted(text: &str) -> Box<str> {
    if let Some(rest) = text.strip_prefix('$') {
        let tag = rest.find('$').map_or(0, |end| end + 2);
        let body = text.get(tag..text.len().saturating_sub(tag));
        return body.unwrap_or_default().into();
    }
    let quoted = text.split_once('\'').map(|(_, rest)| rest.strip_suffix('\'').unwrap_or(rest));
    quoted.map_or_else(|| text.into(), |inside| inside.replace("''", "'").into())
}
