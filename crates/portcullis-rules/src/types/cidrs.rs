//! Address ranges.

use std::net::IpAddr;

use portcullis_core::{Kind, Value};

use crate::truth::Truth;

/// An address range, or as much of it as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    /// A range of known address and width.
    Known { v6: bool, bits: u128, len: u8 },
    /// Only the prefix length is known, as in `"${var.ip}/32"`.
    Length(u8),
}

impl Net {
    /// Parses `10.0.0.0/8`, `::/0` in any spelling, or a bare address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, len) = match text.split_once('/') {
            Some((a, l)) => (a, Some(l.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let (v6, bits, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(a) => (false, u128::from(u32::from(a)) << 96, 32),
            IpAddr::V6(a) => (true, u128::from(a), 128),
        };
        let len = len.unwrap_or(width);
        (len <= width).then(|| Net::Known { v6, bits: bits & mask(len), len })
    }

    /// What is known of a value that should be a range; `None` if it is none.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match &value.kind {
            Kind::Str(s) => Net::parse(s),
            Kind::Unknown(u) => {
                let last = u.pieces.as_deref()?.last()?.as_deref()?;
                let (_, len) = last.rsplit_once('/')?;
                Some(Net::Length(len.parse().ok()?))
            }
            _ => None,
        }
    }

    /// Whether this range contains the whole of `other`, which is known.
    pub(crate) fn contains(self, other: Net) -> Truth {
        let Net::Known { v6, bits, len } = other else { return Truth::Unknown };
        match self {
            Net::Known { v6: own_v6, bits: own, len: own_len } => {
                (own_v6 == v6 && own_len <= len && bits & mask(own_len) == own).into()
            }
            Net::Length(own_len) if own_len > len => Truth::False,
            Net::Length(_) => Truth::Unknown,
        }
    }

    /// Prefix length: `/n` of IPv4 and of IPv6 alike.
    pub(crate) fn len(self) -> u8 {
        match self {
            Net::Known { len, .. } | Net::Length(len) => len,
        }
    }
}

fn mask(len: u8) -> u128 {
    if len == 0 { 0 } else { u128::MAX << (128 - u32::from(len.min(128))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_ranges_of_their_family() {
        let n = |t: &str| Net::parse(t).unwrap();
        assert_eq!(n("0.0.0.0/0").contains(n("10.0.0.0/8")), Truth::True);
        assert_eq!(n("10.0.0.0/8").contains(n("0.0.0.0/0")), Truth::False);
        assert_eq!(n("0:0:0:0:0:0:0:0/0"), n("::/0"));
        assert_eq!(n("0.0.0.0/0").contains(n("::/0")), Truth::False);
        assert_eq!(n("10.1.2.3").len(), 32);
        assert_eq!(Net::Length(32).contains(n("0.0.0.0/0")), Truth::False);
        assert_eq!(Net::Length(0).contains(n("0.0.0.0/0")), Truth::Unknown);
        for bad in ["10.0.0.0/33", "x", "", "sg-1", "10.0.0.0/"] {
            assert_eq!(Net::parse(bad), None, "{bad}");
        }
    }
}
