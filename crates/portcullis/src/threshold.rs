//! What fails the build: `--fail-on`.

use std::cmp::Reverse;

use portcullis_core::Severity;
use portcullis_core::report::{Finding, OutcomeKind};

use crate::fail::Fail;

/// A parsed `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Threshold {
    fail: Option<Severity>,
    unknown: Option<Severity>,
}

impl Threshold {
    /// Parses `LEVEL[,unknown[:LEVEL]]`. `unknown` without a level takes the level before it.
    pub(crate) fn parse(text: &str) -> Result<Self, Fail> {
        let bad = || {
            Fail::new(format!(
                "--fail-on {text}: expected critical, high, medium, low, info or never, \
                 optionally followed by `,unknown` or `,unknown:LEVEL`"
            ))
        };
        let level = |word: &str| match word {
            "never" => Ok(None),
            _ => Severity::parse(word).map(Some).ok_or_else(bad),
        };
        let mut out = Threshold { fail: Some(Severity::Critical), unknown: None };
        for (i, part) in text.split(',').map(str::trim).enumerate() {
            match (i, part.split_once(':')) {
                (_, Some(("unknown", at))) => out.unknown = level(at)?,
                (_, None) if part == "unknown" => {
                    out.unknown = Some(out.fail.unwrap_or(Severity::Info));
                }
                (0, None) => out.fail = level(part)?,
                _ => return Err(bad()),
            }
        }
        Ok(out)
    }

    /// Whether a result is at or above it.
    pub(crate) fn is_met(self, finding: &Finding) -> bool {
        match finding.outcome {
            OutcomeKind::Fail => self.fails_at(finding.severity),
            OutcomeKind::Unknown => self.doubts_at(finding.severity),
            OutcomeKind::Suppressed | OutcomeKind::Pass => false,
        }
    }

    /// Orders thresholds by what they stop, the least first: failures count before doubts.
    pub(crate) fn strength(self) -> [Option<Reverse<Severity>>; 2] {
        [self.fail.map(Reverse), self.unknown.map(Reverse)]
    }

    /// Whether a failure of this severity is at or above it.
    pub(crate) fn fails_at(self, severity: Severity) -> bool {
        self.fail.is_some_and(|level| severity >= level)
    }

    /// Whether something of this severity that could not be told is at or above it.
    pub(crate) fn doubts_at(self, severity: Severity) -> bool {
        self.unknown.is_some_and(|level| severity >= level)
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.fail.map_or("never", Severity::name))?;
        match self.unknown {
            Some(level) => write!(f, ",unknown:{}", level.name()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_unknowns_are_read() {
        let t = |s: &str| Threshold::parse(s).map(|t| (t.fail, t.unknown)).ok();
        assert_eq!(t("high"), Some((Some(Severity::High), None)));
        assert_eq!(t("never"), Some((None, None)));
        assert_eq!(t("high,unknown"), Some((Some(Severity::High), Some(Severity::High))));
        assert_eq!(
            t("critical,unknown:low"),
            Some((Some(Severity::Critical), Some(Severity::Low)))
        );
        assert_eq!(t("sometimes"), None);
        assert_eq!(t("high,low"), None);
    }

    #[test]
    fn what_stops_least_comes_first() {
        let ordered =
            ["never", "never,unknown:high", "critical", "critical,unknown", "high", "info"];
        let mut all = ordered.map(|text| Threshold::parse(text).ok());
        all.reverse();
        all.sort_by_key(|t| t.map(Threshold::strength));
        assert_eq!(all, ordered.map(|text| Threshold::parse(text).ok()));
    }
}
