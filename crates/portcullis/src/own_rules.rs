//! The scan's own rules: what it says about suppressions.

use std::sync::Arc;

use portcullis_core::Severity;
use portcullis_core::report::RuleInfo;

/// What says more about suppressions, as this version has it.
const PAGE: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/blob/v",
    env!("CARGO_PKG_VERSION"),
    "/docs/src/guide/suppressions.md"
);

/// A rule about the scan itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OwnRule {
    /// A suppression whose day is over.
    Expired,
    /// A suppression whose day is near.
    Expiring,
    /// A suppression that config or policy do not let stand.
    Forbidden,
    /// A suppression without a reason.
    Reasonless,
    /// A suppression of a rule that does not exist.
    UnknownRule,
    /// A suppression that suppresses nothing.
    Unused,
}

impl OwnRule {
    /// All, in the order of their ids.
    pub(crate) const ALL: [OwnRule; 6] = [
        OwnRule::Expired,
        OwnRule::Expiring,
        OwnRule::Forbidden,
        OwnRule::Reasonless,
        OwnRule::UnknownRule,
        OwnRule::Unused,
    ];

    /// The rule's id.
    pub(crate) fn id(self) -> &'static str {
        match self {
            OwnRule::Expired => "portcullis-suppression-expired",
            OwnRule::Expiring => "portcullis-suppression-expiring",
            OwnRule::Forbidden => "portcullis-suppression-forbidden",
            OwnRule::Reasonless => "portcullis-suppression-reason",
            OwnRule::UnknownRule => "portcullis-suppression-unknown-rule",
            OwnRule::Unused => "portcullis-suppression-unused",
        }
    }

    /// The one of an id.
    pub(crate) fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }

    /// What `explain` says of it.
    pub(crate) fn page(self) -> String {
        let (title, rationale, remediation, severity) = self.texts();
        format!(
            "# {}\n\n{title}. Severity: {}.\n\n{rationale}\n\n{remediation}\n\nEvery scan that names no \
             `--rule` says so of suppressions; it cannot be selected or suppressed. More: {PAGE}\n",
            self.id(),
            severity.name()
        )
    }

    fn texts(self) -> (&'static str, &'static str, &'static str, Severity) {
        match self {
            OwnRule::Expired => (
                "Suppressions are renewed before they expire",
                "An expired suppression no longer takes its finding out.",
                "Fix what it suppressed, or agree on a new date and write it into `until`.",
                Severity::Low,
            ),
            OwnRule::Expiring => (
                "Suppressions are looked at before they end",
                "On the day after its last one a suppression no longer takes its finding out.",
                "Fix what it suppresses, or agree on a new date and write it into `until`.",
                Severity::Info,
            ),
            OwnRule::Forbidden => (
                "Suppressions keep to the policy",
                "A suppression that the policy or the config's governance forbids takes nothing out.",
                "Fix what it suppresses, or agree on the exception with those who keep the policy.",
                Severity::Medium,
            ),
            OwnRule::Reasonless => (
                "Suppressions give a reason",
                "Nobody can judge an exception whose reason is not written down.",
                "Add `reason=\"…\"`, or the reason in the other tool's notation.",
                Severity::Info,
            ),
            OwnRule::UnknownRule => (
                "Suppressions name rules that exist",
                "A misspelt id suppresses nothing, and nobody notices.",
                "Correct the id; `portcullis rules list` prints all of them.",
                Severity::Low,
            ),
            OwnRule::Unused => (
                "Suppressions suppress something",
                "A suppression that outlives its finding hides the next one.",
                "Remove it.",
                Severity::Info,
            ),
        }
    }

    /// How bad it is.
    pub(crate) fn severity(self) -> Severity {
        self.texts().3
    }

    /// What reports say about it.
    pub(crate) fn info(self) -> RuleInfo {
        let (title, rationale, remediation, severity) = self.texts();
        RuleInfo {
            id: Arc::from(self.id()),
            title: Arc::from(title),
            severity,
            rationale: Arc::from(rationale),
            remediation: remediation.into(),
            aliases: Arc::from([]),
            controls: Arc::from([]),
            references: Arc::from([Arc::from(PAGE)]),
            service: Arc::from("portcullis"),
        }
    }
}
