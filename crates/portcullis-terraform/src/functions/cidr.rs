//! Network prefixes.

use std::net::{Ipv4Addr, Ipv6Addr};

use bigdecimal::num_bigint::BigInt;
use portcullis_core::{Seq, WhyKind};

use super::args::Args;
use super::spec::{NUM, STR, Spec, Want};
use super::{FunctionError, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("cidrhost", &[STR, NUM], cidrhost),
    Spec::text("cidrnetmask", &[STR], cidrnetmask),
    Spec::text("cidrsubnet", &[STR, NUM, NUM], cidrsubnet),
    Spec::deep("cidrsubnets", &[STR], cidrsubnets).returns(Want::Strings).rest(NUM),
];

/// A prefix; IPv4 addresses are the low 32 bits.
#[derive(Clone, Copy)]
struct Prefix {
    v6: bool,
    address: u128,
    length: u32,
}

impl Prefix {
    fn parse(text: &str) -> Result<Self, FunctionError> {
        let bad = |why: &str| {
            FunctionError::at(0, format!("{text:?} is no network prefix like 10.0.0.0/16: {why}"))
        };
        let (address, length) = text.split_once('/').ok_or_else(|| bad("it has no length"))?;
        let (v6, address) = if address.contains(':') {
            let a: Ipv6Addr = address.parse().map_err(|_| bad("the address is wrong"))?;
            (true, u128::from(a))
        } else {
            (false, u128::from(ipv4(address).ok_or_else(|| bad("the address is wrong"))?))
        };
        let digits = length.bytes().all(|b| b.is_ascii_digit());
        let length = length.parse::<u32>().ok().filter(|l| digits && *l <= width(v6));
        let length = length.ok_or_else(|| bad("the length is wrong"))?;
        let mut prefix = Self { v6, address, length };
        prefix.address &= !prefix.host_mask();
        Ok(prefix)
    }

    fn width(self) -> u32 {
        width(self.v6)
    }

    /// Whether it is an IPv4 address in IPv6's form: `::ffff:192.0.2.1`.
    fn is_mapped(self) -> bool {
        self.v6 && self.address >> 32 == 0xffff
    }

    /// The bits below the prefix.
    fn host_mask(self) -> u128 {
        let host = self.width() - self.length;
        if host == 0 { 0 } else { u128::MAX >> (128 - host) }
    }

    fn show_address(self) -> String {
        if self.is_mapped() {
            Ipv4Addr::from(self.address as u32).to_string()
        } else if self.v6 {
            Ipv6Addr::from(self.address).to_string()
        } else {
            Ipv4Addr::from(u32::try_from(self.address).unwrap_or(u32::MAX)).to_string()
        }
    }

    fn show(self) -> String {
        // An IPv4 address in IPv6's form is shown in IPv4's.
        let length = if self.is_mapped() { self.length.saturating_sub(96) } else { self.length };
        format!("{}/{length}", self.show_address())
    }
}

fn width(v6: bool) -> u32 {
    if v6 { 128 } else { 32 }
}

/// Four decimal numbers; leading zeros are allowed and mean nothing, as in old versions of Go.
fn ipv4(text: &str) -> Option<u32> {
    let mut parts = text.split('.');
    let mut out = 0_u32;
    for _ in 0..4 {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = part.trim_start_matches('0');
        let n: u8 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        out = (out << 8) | u32::from(n);
    }
    parts.next().is_none().then_some(out)
}

/// A whole number of any size.
fn whole(a: &Args<'_>, i: usize) -> Result<BigInt, FunctionError> {
    let n = a.num(i);
    match n.to_big().filter(|_| n.is_integer()) {
        Some(decimal) => Ok(decimal.with_scale(0).into_bigint_and_exponent().0),
        None => Err(FunctionError::at(i, format!("a whole number is required, this is {n}"))),
    }
}

fn cidrhost(a: &Args<'_>) -> Outcome {
    let mut prefix = Prefix::parse(a.str(0))?;
    let last = BigInt::from(prefix.host_mask());
    let number = whole(a, 1)?;
    // Negative numbers count from the end.
    let host = if number < BigInt::from(0) { &last + 1 + &number } else { number.clone() };
    match u128::try_from(&host) {
        Ok(host) if host <= prefix.host_mask() => {
            // Terraform counts the bits of an IPv4 address written as IPv6 from the wrong end.
            prefix.address |= if prefix.is_mapped() { host << 96 } else { host };
            a.text(prefix.show_address())
        }
        _ => Err(FunctionError::at(
            1,
            format!(
                "{} has no host number {number}: it has {} bits for hosts",
                prefix.show(),
                prefix.width() - prefix.length
            ),
        )),
    }
}

fn cidrnetmask(a: &Args<'_>) -> Outcome {
    let mut prefix = Prefix::parse(a.str(0))?;
    if prefix.v6 {
        return Err(FunctionError::at(0, "only IPv4 prefixes have a netmask"));
    }
    prefix.address = u128::from(u32::MAX) & !prefix.host_mask();
    a.text(prefix.show_address())
}

fn cidrsubnet(a: &Args<'_>) -> Outcome {
    let prefix = Prefix::parse(a.str(0))?;
    let bits = a.int(1)?;
    let length = i64::from(prefix.length).saturating_add(bits);
    if length < 0 {
        return a.never(WhyKind::Unsupported, "cidrsubnet: a prefix shorter than none");
    }
    let length = u32::try_from(length).ok().filter(|l| *l <= prefix.width()).ok_or_else(|| {
        let left = prefix.width() - prefix.length;
        FunctionError::at(1, format!("{} has {left} bits left, {bits} asked for", prefix.show()))
    })?;
    // Terraform looks at the size of the number only, and takes negative ones for what their bits
    // are; with negative bits it does not look at all.
    let number = whole(a, 2)?;
    let limit = u32::try_from(bits).ok().filter(|b| *b < 64).map(|b| BigInt::from(1) << b);
    let size = BigInt::from(number.magnitude().clone());
    let shifted = BigInt::from(prefix.address) | (number.clone() << (prefix.width() - length));
    let address = u128::try_from(shifted.magnitude()).ok().filter(|n| {
        limit.is_none_or(|limit| size < limit) && (prefix.v6 || *n <= u128::from(u32::MAX))
    });
    let Some(address) = address else {
        return Err(FunctionError::at(
            2,
            format!("{bits} bits do not hold the network number {number}"),
        ));
    };
    a.text(Prefix { length, address, ..prefix }.show())
}

fn cidrsubnets(a: &Args<'_>) -> Outcome {
    let prefix = Prefix::parse(a.str(0))?;
    let end = BigInt::from(prefix.address) + BigInt::from(prefix.host_mask()) + 1;
    let mut next = BigInt::from(prefix.address);
    if prefix.address == 0 && a.len() > 1 {
        // Terraform starts behind the subnet before, and at the first address there is none.
        return Err(FunctionError::at(0, format!("{} starts at the first address", prefix.show())));
    }
    let mut out = Vec::with_capacity(a.len());
    for i in 1..a.len() {
        let bits = a.int(i)?;
        let bits = u32::try_from(bits)
            .ok()
            .filter(|b| (1..=32).contains(b))
            .ok_or_else(|| FunctionError::at(i, "a prefix is extended by 1 to 32 bits"))?;
        let length = prefix.length + bits;
        if length > prefix.width() {
            return Err(FunctionError::at(
                i,
                format!("{} cannot be extended by {bits} bits", prefix.show()),
            ));
        }
        let size = BigInt::from(1) << (prefix.width() - length);
        // Each subnet starts at the next multiple of its size.
        let start = (&next + &size - 1) / &size * &size;
        next = &start + &size;
        match u128::try_from(&start) {
            Ok(address) if next <= end => {
                out.push(Prefix { v6: prefix.v6, address, length }.show());
            }
            _ => {
                return Err(FunctionError::at(
                    i,
                    format!("{} has no room left for a /{length}", prefix.show()),
                ));
            }
        }
    }
    if out.is_empty() {
        return a.seq(Seq::List, Vec::new());
    }
    a.strings(out)
}
