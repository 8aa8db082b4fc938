//! What pg_dump says of a database, made comparable.
//!
//! Owns what is left out of the comparison and why: a secret that pg_dump makes up each time, and the time of day
//! where a statement wrote it down.

/// A dump that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dump {
    pub(crate) text: String,
    /// Points in time that were masked because they fell into the run.
    pub(crate) times: usize,
}

impl Dump {
    /// `began` is when the run did, `YYYY-MM-DD HH:MM:SS` in UTC; later times are those of its statements.
    pub(crate) fn new(text: &str, began: &str) -> Self {
        let lines = text.lines().filter(|line| {
            // From 2025 on, so that psql can tell the dump from what is in it.
            !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ")
        });
        let mut times = 0;
        let lines = lines.map(|line| mask(line, began, &mut times) + "\n");
        Self { text: lines.collect(), times }
    }

    /// Tables, functions, rows of a table: what pg_dump has a heading for.
    pub(crate) fn objects(&self) -> usize {
        let headings = ["-- Name: ", "-- Data for Name: "];
        let is_heading = |line: &&str| headings.iter().any(|heading| line.starts_with(heading));
        self.text.lines().filter(is_heading).count()
    }

    /// Without comments, and without the settings at the head: those are the dump's own, and every pg_dump has others.
    pub(crate) fn lines(&self) -> usize {
        let is_content = |line: &&str| {
            !(line.trim().is_empty() || line.starts_with("--") || line.starts_with("SET "))
        };
        self.text.lines().filter(is_content).count()
    }

    /// The dump of one more database.
    pub(crate) fn add(&mut self, database: &str, other: &Dump) {
        self.text.push_str(&format!("-- Name: {database}; Type: DATABASE\n{}", other.text));
        self.times += other.times;
    }
}

const TIME: &str = "0000-00-00 00:00:00";

fn mask(line: &str, began: &str, times: &mut usize) -> String {
    let (mut masked, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        let (done, later) = match time(rest).filter(|time| time.get(..TIME.len()) >= Some(began)) {
            Some(time) => {
                *times += 1;
                ("<time of the run>", time.len())
            }
            None => (rest.get(..first.len_utf8()).unwrap_or_default(), first.len_utf8()),
        };
        masked.push_str(done);
        rest = rest.get(later..).unwrap_or_default();
    }
    masked
}

/// The point in time that a text begins with, with its fraction.
fn time(text: &str) -> Option<&str> {
    let start = text.get(..TIME.len())?;
    let fits = start.bytes().zip(TIME.bytes()).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let rest = text.get(TIME.len()..).filter(|_| fits)?;
    let fraction = rest.strip_prefix('.').unwrap_or_default();
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let fraction = if digits > 0 { digits + 1 } else { 0 };
    text.get(..TIME.len() + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_of_the_run_is_masked() {
        let text = "\\restrict abc\nCOPY t (a) FROM stdin;\n1\té2026-11-21 10:00:00.123+00\t2026-11-21 09:59:59+00\n";
        let dump = Dump::new(text, "2026-11-21 10:00:00");
        assert_eq!(dump.times, 1);
        let expected = "COPY t (a) FROM stdin;\n1\té<time of the run>+00\t2026-11-21 09:59:59+00\n";
        assert_eq!(dump.text, expected);
    }

    #[test]
    fn what_another_pg_dump_says_of_itself_does_not_count() {
        let dump = |head: &str| {
            Dump::new(&format!("{head}\n-- Name: t; Type: TABLE\n\nCREATE TABLE t ();\n"), "")
        };
        let (old, new) = (dump("-- by 15\nSET a = 0;"), dump("-- by 18\nSET a = 0;\nSET b = 0;"));
        assert_eq!((old.lines(), old.objects()), (1, 1));
        assert_eq!((new.lines(), new.objects()), (1, 1));
    }

    #[test]
    fn other_numbers_stay() {
        let text = "2026-11-21\n99\n2026-11-21T10:00:01\n";
        assert_eq!(
            Dump::new(text, "2000-01-01 00:00:00"),
            Dump { text: text.to_owned(), times: 0 }
        );
    }
}
