//! Protocols and port ranges.
//!
//! Protocol `-1`, and any protocol other than TCP, UDP, ICMP and ICMPv6, allows traffic on all
//! ports whatever the range says
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>).

use portcullis_core::{Kind, Value};

use crate::text::Known;
use crate::truth::Truth;

const TCP: u8 = 6;
const UDP: u8 = 17;
const LAST: i64 = 65_535;

/// What may be known of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Every,
    One(u8),
    Unknown,
}

/// A permission's protocol and ports; `None` for an end that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub protocol: Protocol,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// A port that a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// `None`: TCP or UDP.
    protocol: Option<u8>,
    port: i64,
}

impl Protocol {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        Some(match text.as_str() {
            "-1" | "all" | "any" => Protocol::Every,
            "tcp" | "tls" => Protocol::One(TCP),
            "udp" => Protocol::One(UDP),
            "icmp" => Protocol::One(1),
            "icmpv6" => Protocol::One(58),
            other => Protocol::One(other.parse().ok()?),
        })
    }

    /// The protocol a value names; none at all is every protocol.
    pub(crate) fn of(value: Option<&Value>) -> Self {
        let Some(value) = value else { return Protocol::Every };
        Known::of(value)
            .and_then(|k| k.whole().and_then(Protocol::parse))
            .unwrap_or(Protocol::Unknown)
    }
}

impl Ports {
    /// A permission from its three values; an absent end is the end of all ports.
    pub(crate) fn of(protocol: Protocol, from: Option<&Value>, to: Option<&Value>) -> Self {
        let end = |v: Option<&Value>, absent: i64| match v {
            None => Some(absent),
            // -1 stands for all ports, at either end.
            Some(v) => number(v).map(|n| if n < 0 { absent } else { n }),
        };
        let mut ports = Self { protocol, from: end(from, 0), to: end(to, LAST) };
        if ports.every_port_of_protocol() {
            ports.from = Some(0);
            ports.to = Some(LAST);
        }
        ports
    }

    /// A single value: a port, `80-90`, `tcp:22`, or `-1` and `all`.
    pub(crate) fn parse(value: &Value) -> Option<Self> {
        let text = value.scalar_text()?;
        let text = text.trim();
        let any = Self { protocol: Protocol::Every, from: Some(0), to: Some(LAST) };
        if matches!(text.to_ascii_lowercase().as_str(), "-1" | "all" | "any" | "*") {
            return Some(any);
        }
        let (protocol, range) = match text.split_once(':') {
            Some((p, r)) => (Protocol::parse(p)?, r),
            None => (Protocol::Every, text),
        };
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        Some(Self {
            protocol,
            from: Some(from.trim().parse().ok()?),
            to: Some(to.trim().parse().ok()?),
        })
    }

    fn every_port_of_protocol(self) -> bool {
        match self.protocol {
            Protocol::Every => true,
            Protocol::One(n) => !matches!(n, TCP | UDP | 1 | 58),
            Protocol::Unknown => false,
        }
    }

    pub(crate) fn include(self, want: Wanted) -> Truth {
        let protocol = match (self.protocol, want.protocol) {
            (Protocol::Every, _) => Truth::True,
            (Protocol::One(n), Some(w)) => (n == w).into(),
            (Protocol::One(n), None) => (n == TCP || n == UDP).into(),
            (Protocol::Unknown, _) => Truth::Unknown,
        };
        if protocol == Truth::Unknown {
            // It may be `-1`, whatever the range.
            return Truth::Unknown;
        }
        let above = self.from.map(|f| f <= want.port);
        let below = self.to.map(|t| t >= want.port);
        protocol.and(above.into()).and(below.into())
    }

    pub(crate) fn every_port(self) -> Truth {
        let protocol = match self.protocol {
            Protocol::Every => Truth::True,
            Protocol::One(_) => Truth::False,
            Protocol::Unknown => Truth::Unknown,
        };
        if protocol == Truth::Unknown {
            return Truth::Unknown;
        }
        let ends = Truth::from(self.from.map(|f| f <= 0)).and(self.to.map(|t| t >= LAST).into());
        protocol.and(ends)
    }

    pub(crate) fn wider_than(self, n: i64) -> Truth {
        match (self.protocol, self.from, self.to) {
            // Types and codes of ICMP are no ports.
            (Protocol::One(1 | 58), ..) => Truth::False,
            (_, Some(f), Some(t)) => {
                let wide = t.saturating_sub(f).saturating_add(1) > n;
                match self.protocol {
                    Protocol::Unknown => Truth::Unknown,
                    _ => wide.into(),
                }
            }
            _ => Truth::Unknown,
        }
    }
}

impl Wanted {
    /// `22` for TCP or UDP, `tcp:22` for one of them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (protocol, port) = match text.split_once(':') {
            Some((p, port)) => match Protocol::parse(p)? {
                Protocol::One(n) => (Some(n), port),
                _ => return None,
            },
            None => (None, text),
        };
        let port = port.trim().parse().ok()?;
        (0..=LAST).contains(&port).then_some(Self { protocol, port })
    }
}

fn number(value: &Value) -> Option<i64> {
    match &value.kind {
        Kind::Num(n) => n.as_i64(),
        Kind::Str(s) => s.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::OriginId;

    fn of(protocol: &str, from: Option<&str>, to: Option<&str>) -> Ports {
        let v = |t: &str| Value::str(t, OriginId::NONE);
        let (from, to) = (from.map(v), to.map(v));
        Ports::of(Protocol::of(Some(&v(protocol))), from.as_ref(), to.as_ref())
    }

    #[test]
    fn permissions_include_ports() {
        let w = |t: &str| Wanted::parse(t).unwrap();
        let ssh = of("tcp", Some("22"), Some("22"));
        for (p, want, truth) in [
            (ssh, "22", Truth::True),
            (ssh, "udp:22", Truth::False),
            (ssh, "23", Truth::False),
            (of("6", Some("0"), Some("65535")), "3389", Truth::True),
            (of("-1", Some("0"), Some("0")), "22", Truth::True),
            (of("ALL", None, None), "udp:53", Truth::True),
            (of("tcp", Some("-1"), Some("-1")), "22", Truth::True),
            (of("icmp", Some("8"), Some("-1")), "22", Truth::False),
            (of("what", Some("22"), Some("22")), "22", Truth::Unknown),
            (of("tcp", Some("var"), Some("21")), "22", Truth::False),
            (of("tcp", Some("var"), Some("23")), "22", Truth::Unknown),
        ] {
            assert_eq!(p.include(w(want)), truth, "{p:?} {want}");
        }
        assert_eq!(of("-1", None, None).every_port(), Truth::True);
        assert_eq!(of("tcp", Some("0"), Some("65535")).every_port(), Truth::False);
        assert_eq!(of("tcp", Some("20"), Some("40")).wider_than(20), Truth::True);
        assert_eq!(ssh.wider_than(1), Truth::False);
        assert_eq!(Wanted::parse("tcp:x"), None);
    }
}
