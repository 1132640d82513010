//! What went wrong while reading: one type for syntax, resolution, config and rule problems.

use crate::source::Span;

/// How much a diagnostic matters to the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something could not be analysed: the scan is incomplete (exit 3).
    Error,
    /// Worth knowing; the scan is complete all the same.
    Warning,
}

/// One problem, with the place it is at where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the answer is incomplete because of it.
    pub level: Level,
    /// Where; `None` only when the file itself could not be read.
    pub span: Option<Span>,
    /// Boundary-relative path, for problems without a span.
    pub path: Option<String>,
    /// What is wrong: what was found and what was expected.
    pub message: String,
    /// What to do about it, where there is more to say than the message says.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            span: Some(span),
            path: None,
            message: message.into(),
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(span, message) }
    }

    /// An error about a file as a whole.
    pub fn file(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            span: None,
            path: Some(path.into()),
            message: message.into(),
            help: None,
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
