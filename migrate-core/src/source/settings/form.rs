//! The form of a settings file: the part of TOML that a key with a string, a number or a list of strings needs.
//!
//! Owns where a key and its value begin and end. Knows no key.

/// A line that says something, and those that its list goes on over.
pub(super) struct Line<'t> {
    /// The table that it stands in; empty above the first.
    pub(super) table: &'t str,
    pub(super) key: &'t str,
    pub(super) value: Value<'t>,
    /// Byte offsets into the text.
    pub(super) start: usize,
    pub(super) value_start: usize,
    pub(super) value_end: usize,
}

pub(super) enum Value<'t> {
    /// In quotes, of either kind; what is in them is taken as it is.
    Text(&'t str),
    /// Without quotes.
    Word(&'t str),
    List(Vec<&'t str>),
    /// Nothing of these, or more than one.
    Broken,
}

/// Whatever is said, in order. The head of a table is a line too, without a key.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut cursor = Cursor { text, at: 0 };
    let (mut lines, mut table) = (Vec::new(), "");
    loop {
        cursor.pass_over_nothing();
        if cursor.rest().is_empty() {
            return lines;
        }
        let line = cursor.line(table);
        table = line.table;
        lines.push(line);
    }
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, is_end: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(is_end).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn eat(&mut self, c: char) -> bool {
        let is_there = self.rest().starts_with(c);
        self.at += if is_there { c.len_utf8() } else { 0 };
        is_there
    }

    /// Blanks, ends of lines and comments.
    fn pass_over_nothing(&mut self) {
        loop {
            self.take(|c| !(c.is_whitespace() || c == '\u{feff}'));
            if !self.rest().starts_with('#') {
                return;
            }
            self.take(is_end_of_line);
        }
    }

    fn line(&mut self, table: &'t str) -> Line<'t> {
        let start = self.at;
        if self.eat('[') {
            let table = self.take(|c| c == ']' || is_end_of_line(c)).trim();
            let value = if self.eat(']') { Value::Word("") } else { Value::Broken };
            return self.end(Line {
                table,
                key: "",
                value,
                start,
                value_start: start,
                value_end: self.at,
            });
        }
        let key = self.take(|c| c == '=' || c == '#' || is_end_of_line(c)).trim();
        let key = key.trim_matches(['"', '\'']);
        if !self.eat('=') {
            let at = self.at;
            return Line {
                table,
                key,
                value: Value::Broken,
                start,
                value_start: at,
                value_end: at,
            };
        }
        self.take(|c| !is_blank(c));
        let value_start = self.at;
        let value = self.value();
        let value_end = self.at;
        self.end(Line { table, key, value, start, value_start, value_end })
    }

    /// Nothing but a comment stands behind a value.
    fn end(&mut self, line: Line<'t>) -> Line<'t> {
        let behind = self.take(|c| c == '#' || is_end_of_line(c));
        self.take(is_end_of_line);
        match behind.trim().is_empty() {
            true => line,
            false => Line { value: Value::Broken, ..line },
        }
    }

    fn value(&mut self) -> Value<'t> {
        if self.eat('[') {
            return self.list().map_or(Value::Broken, Value::List);
        }
        match self.text_in_quotes() {
            Some(Some(text)) => Value::Text(text),
            Some(None) => Value::Broken,
            None => match self.take(|c| c == '#' || c.is_whitespace()) {
                "" => Value::Broken,
                word => Value::Word(word),
            },
        }
    }

    /// A text whose closing quote may be missing; `None` where there is none.
    fn text_in_quotes(&mut self) -> Option<Option<&'t str>> {
        let quote = ['"', '\''].into_iter().find(|quote| self.eat(*quote))?;
        let text = self.take(|c| c == quote || is_end_of_line(c));
        Some(self.eat(quote).then_some(text))
    }

    fn list(&mut self) -> Option<Vec<&'t str>> {
        let mut items = Vec::new();
        loop {
            self.pass_over_nothing();
            if self.eat(']') {
                return Some(items);
            }
            items.push(self.text_in_quotes()??);
            self.pass_over_nothing();
            if !self.eat(',') && !self.rest().starts_with(']') {
                return None;
            }
        }
    }
}

fn is_end_of_line(c: char) -> bool {
    c == '\n'
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() && !is_end_of_line(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let shown = |line: &Line<'_>| {
            let value = match &line.value {
                Value::Text(text) => format!("text {text}"),
                Value::Word(word) => format!("word {word}"),
                Value::List(items) => format!("list {}", items.join("|")),
                Value::Broken => "broken".to_owned(),
            };
            format!("{}.{}: {value}", line.table, line.key)
        };
        lines(text).iter().map(shown).collect()
    }

    #[test]
    fn each_form_is_read() {
        let text = "\u{feff}# a # b\r\na=7 # c\n'b' = \"#\"\nc = [\"x\", # first\n 'y',\n]\n[lint]\nd = []";
        assert_eq!(
            shown(text),
            [".a: word 7", ".b: text #", ".c: list x|y", "lint.: word ", "lint.d: list "]
        );
    }

    #[test]
    fn what_is_not_whole_is_broken_and_the_rest_is_read() {
        for text in
            ["a", "a =", "a = \"x", "a = \"x\" y", "a = [\"x\"", "a = [x]", "a = [\"x\" \"y\"]"]
        {
            assert_eq!(shown(text).first().map(String::as_str), Some(".a: broken"), "{text}");
        }
        assert_eq!(shown("a = \"x\nb = 1"), [".a: broken", ".b: word 1"]);
        assert_eq!(shown("[lint"), ["lint.: broken"]);
    }
}
