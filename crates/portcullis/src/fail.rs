//! The question was wrong: exit 2.

/// A usage or config error, with what to do about it in the text.
#[derive(Debug)]
pub(crate) struct Fail {
    /// The message.
    pub(crate) message: String,
}

impl Fail {
    /// An error with this message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
