//! The question was wrong: exit 2.

/// A usage or config error, with what to do about it in the text.
#[derive(Debug)]
pub(crate) struct Fail {
    /// The message.
    pub(crate) message: String,
    drawn: bool,
}

impl Fail {
    /// An error with this message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), drawn: false }
    }

    /// An error whose text is ready to be shown: messages with code frames.
    pub(crate) fn drawn(text: impl Into<String>) -> Self {
        Self { message: text.into(), drawn: true }
    }

    /// The same with words before it.
    pub(crate) fn within(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }
}

impl std::fmt::Display for Fail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.drawn { f.write_str(&self.message) } else { write!(f, "error: {}", self.message) }
    }
}
