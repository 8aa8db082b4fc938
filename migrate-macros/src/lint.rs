//! Is it safe: what the linter says of the SQL, and what the runner learns from it.
//!
//! Owns when it is asked, and the switch that silences it for one build. Without the feature `lint` it is never
//! asked, and nothing of it is compiled.

use proc_macro2::{Span, TokenStream};

use crate::{attribute, embed};

/// What came of it.
#[derive(Default)]
pub(crate) struct Verdict {
    /// What the compiler is to say.
    pub(crate) said: TokenStream,
    /// Does that stop the build?
    pub(crate) fails: bool,
    /// What statements lock, packed.
    pub(crate) targets: Vec<u8>,
}

/// Where the compiler shows errors and warnings.
#[derive(Clone, Copy)]
pub(crate) struct Spans {
    pub(crate) error: Span,
    pub(crate) warning: Span,
}

#[cfg(not(feature = "lint"))]
mod asked {
    use super::*;

    pub(crate) fn folder(_: &attribute::Folder, _: &embed::Folder, _: bool, _: Spans) -> Verdict {
        Verdict::default()
    }

    pub(crate) fn migration(_: &embed::Migration, _: Spans) -> Verdict {
        Verdict::default()
    }
}

#[cfg(feature = "lint")]
mod asked {
    use migrate_core::source::SETTINGS_FILE;
    use migrate_core::{Problem, Severity, Targets};
    use migrate_lint::{Facts, Finding, Judgement, Level, judge};
    use quote::quote;

    use super::*;
    use crate::expand;

    /// The switch, for the build that has to go out now.
    const SWITCH: &str = "MIGRATE_LINT";

    /// Judges a folder. Of one with files that cannot be read, only what stands by itself is certain.
    pub(crate) fn folder(
        declared: &attribute::Folder,
        folder: &embed::Folder,
        is_complete: bool,
        spans: Spans,
    ) -> Verdict {
        let switch = match Switch::read() {
            Ok(switch) => switch,
            Err(problem) => return Verdict::of_problems(&[problem], spans),
        };
        if switch == Switch::Off {
            return Verdict::of_problems(&[is_off(&folder.path)], spans);
        }
        let (mut facts, problems) = Facts::of(&folder.contents.settings, declared.released);
        if !declared.code.is_empty() {
            // What stands beside the folder may make what its files refer to.
            facts.levels.entry("missing_object".to_owned()).or_insert(Level::Warn);
        }
        let mut judgement = judge(&folder.contents.migrations, &facts);
        if !is_complete {
            judgement.findings.retain(is_certain);
        }
        let advice = judgement.advice(&facts, &format!("{}/{SETTINGS_FILE}", folder.path));
        let mut verdict = Verdict::of_problems(&problems, spans);
        verdict.find(&judgement, switch, spans);
        verdict.add(advice.as_slice(), spans);
        verdict.targets = Targets::pack(&judgement.targets);
        verdict
    }

    /// Judges a migration of which nobody knows what was there before it.
    pub(crate) fn migration(read: &embed::Migration, spans: Spans) -> Verdict {
        let switch = Switch::read().unwrap_or(Switch::On); // a folder tells of what is wrong with it
        let mut verdict = Verdict::default();
        if let (Some(row), true) = (&read.row, switch != Switch::Off) {
            let mut judgement = judge(std::slice::from_ref(row), &Facts::default());
            judgement.findings.retain(is_certain);
            verdict.find(&judgement, switch, spans);
        }
        verdict
    }

    /// Does it hold whatever was there before?
    fn is_certain(finding: &Finding) -> bool {
        finding.rule == "syntax_error"
    }

    impl Verdict {
        fn of_problems(problems: &[Problem], spans: Spans) -> Self {
            // Named in the tokens, so that another value compiles the crate again.
            let said = quote!(
                const _: ::core::option::Option<&str> = ::core::option_env!(#SWITCH);
            );
            let mut verdict = Self { said, ..Self::default() };
            verdict.add(problems, spans);
            verdict
        }

        fn add(&mut self, problems: &[Problem], spans: Spans) {
            self.fails |= problems.iter().any(|problem| problem.severity == Severity::Error);
            self.said.extend(expand::problems(problems, spans.error, spans.warning));
        }

        fn find(&mut self, judgement: &Judgement, switch: Switch, spans: Spans) {
            for finding in &judgement.findings {
                let is_error = finding.level == Level::Error && switch == Switch::On;
                self.fails |= is_error;
                let text = finding.to_string();
                self.said.extend(match is_error {
                    true => expand::error(&text, spans.error),
                    false => expand::warning(&text, spans.warning),
                });
            }
        }
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Switch {
        On,
        /// Errors are warnings.
        Warn,
        Off,
    }

    impl Switch {
        fn read() -> Result<Self, Problem> {
            let value = std::env::var_os(SWITCH).unwrap_or_default();
            match value.to_str() {
                Some("" | "on") => Ok(Switch::On),
                Some("warn") => Ok(Switch::Warn),
                Some("off") => Ok(Switch::Off),
                _ => {
                    let message = "is neither `on`, `warn` nor `off`";
                    let help = "Unset it; `warn` makes warnings of the linter's errors, `off` silences it.";
                    Err(Problem::error(SWITCH, message, help))
                }
            }
        }
    }

    fn is_off(folder: &str) -> Problem {
        let message = format!("the SQL was not checked, because {SWITCH} is `off`");
        let help =
            "Unset it for the next build, or look with `migrate lint` at what this one hides.";
        Problem::error(folder, message, help).as_warning()
    }
}

pub(crate) use asked::{folder, migration};
