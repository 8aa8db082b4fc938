//! What was measured: samples, their medians and ratios.
//!
//! Samples of one round stand at the same place in every series, so that a ratio is taken within the round and
//! a machine that gets slower meanwhile does not show in it. Knows nothing of what the measures mean.

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Such as `apply_s`.
    pub measure: &'static str,
    /// `migrate`, `psql` or another migrator.
    pub tool: &'static str,
    /// Which of the tool's ways.
    pub mode: &'static str,
    /// How many migrations the folder has.
    pub migrations: usize,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Figures {
    series: Vec<(Key, Vec<f64>)>,
    ratios: Vec<(Key, Key)>,
}

impl Figures {
    /// Adds a sample.
    pub fn add(&mut self, key: Key, value: f64) {
        match self.series.iter_mut().find(|(other, _)| *other == key) {
            Some((_, values)) => values.push(value),
            None => self.series.push((key, vec![value])),
        }
    }

    /// Shows a figure beside another one.
    pub fn compare(&mut self, key: Key, to: Key) {
        if !self.ratios.contains(&(key, to)) {
            self.ratios.push((key, to));
        }
    }

    /// The median of a series.
    pub fn median(&self, key: Key) -> Option<f64> {
        median(self.samples(key)?)
    }

    /// The median of the ratios of each round.
    pub fn ratio(&self, key: Key, to: Key) -> Option<f64> {
        let pairs = self.samples(key)?.iter().zip(self.samples(to)?);
        median(&pairs.map(|(a, b)| a / b).collect::<Vec<_>>())
    }

    /// The largest of a series.
    pub fn most(&self, key: Key) -> Option<f64> {
        self.samples(key)?.iter().copied().max_by(f64::total_cmp)
    }

    /// The largest ratio of any round.
    pub fn most_ratio(&self, key: Key, to: Key) -> Option<f64> {
        let pairs = self.samples(key)?.iter().zip(self.samples(to)?);
        pairs.map(|(a, b)| a / b).max_by(f64::total_cmp)
    }

    /// The sum of a series, and how long it is.
    pub fn total(&self, key: Key) -> Option<(f64, usize)> {
        self.samples(key).map(|samples| (samples.iter().sum(), samples.len()))
    }

    fn samples(&self, key: Key) -> Option<&[f64]> {
        self.series.iter().find(|(other, _)| *other == key).map(|(_, values)| values.as_slice())
    }

    fn compared(&self, key: Key) -> Option<Key> {
        self.ratios.iter().find(|(other, _)| *other == key).map(|(_, to)| *to)
    }

    /// Every figure with its samples, and what it is shown beside.
    pub fn all(&self) -> impl Iterator<Item = (Key, &[f64], Option<Key>)> {
        self.series.iter().map(|(key, values)| (*key, values.as_slice(), self.compared(*key)))
    }

    /// Prints all of it.
    pub fn print(&self) {
        println!(
            "\n{:<26} {:>5} {:<8} {:<20} {:>10} {:<4} {:>3} {:>7}",
            "measure", "files", "tool", "mode", "median", "", "n", "ratio"
        );
        for (key, values) in &self.series {
            let ratio = self.compared(*key).and_then(|to| self.ratio(*key, to).zip(Some(to)));
            let ratio = ratio.map_or_else(String::new, |(ratio, to)| {
                format!("{ratio:>7.3} of {} {} ({})", to.tool, to.measure, to.mode)
            });
            println!(
                "{:<26} {:>5} {:<8} {:<20} {:>10.3} {:<4} {:>3} {ratio}",
                key.measure,
                key.migrations,
                key.tool,
                key.mode,
                median(values).unwrap_or_default(),
                unit(key.measure),
                values.len(),
            );
        }
    }
}

/// The unit is the end of the name.
pub fn unit(measure: &str) -> &'static str {
    match measure.rsplit('_').next() {
        Some("s") => "s",
        Some("ms") => "ms",
        Some("mib") => "MiB",
        Some("mb") => "MB",
        Some("bytes") => "B",
        Some("second") => "1/s",
        _ => "",
    }
}

/// The middle one, or the middle of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    match sorted.len() % 2 {
        0 => Some(f64::midpoint(*sorted.get(middle - 1)?, upper)),
        _ => Some(upper),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let key = |tool| Key { measure: "apply_s", tool, mode: "", migrations: 1 };
        let mut figures = Figures::default();
        for (ours, theirs) in [(1.0, 2.0), (10.0, 20.0), (3.0, 4.0)] {
            figures.add(key("migrate"), ours);
            figures.add(key("sqlx"), theirs);
        }
        assert_eq!(figures.median(key("migrate")), Some(3.0));
        assert_eq!(figures.ratio(key("migrate"), key("sqlx")), Some(0.5));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
