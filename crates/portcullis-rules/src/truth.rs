//! Three-valued logic.

use std::ops::Not;

/// What can be said of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    /// False decides, then unknown.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            _ => Truth::True,
        }
    }

    /// True decides, then unknown.
    pub(crate) fn or(self, other: Self) -> Self {
        !((!self).and(!other))
    }

    /// Conjunction that stops at the first false; true over nothing.
    pub(crate) fn all(items: impl IntoIterator<Item = Truth>) -> Self {
        let mut out = Truth::True;
        for t in items {
            out = out.and(t);
            if out == Truth::False {
                break;
            }
        }
        out
    }

    /// Disjunction that stops at the first true; false over nothing.
    pub(crate) fn any(items: impl IntoIterator<Item = Truth>) -> Self {
        let mut out = Truth::False;
        for t in items {
            out = out.or(t);
            if out == Truth::True {
                break;
            }
        }
        out
    }

    /// What holds only if something uncertain applies: a definite answer becomes unknown.
    pub(crate) fn unless_false(self) -> Self {
        if self == Truth::False { Truth::Unknown } else { self }
    }
}

impl Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(b: bool) -> Self {
        if b { Truth::True } else { Truth::False }
    }
}

impl From<Option<bool>> for Truth {
    fn from(b: Option<bool>) -> Self {
        b.map_or(Truth::Unknown, Truth::from)
    }
}
