//! `Fn::Cidr`.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-cidr.html>

use std::net::IpAddr;

use portcullis_core::{Span, Value};

use crate::eval::Evaluator;
use crate::view::View;

/// CloudFormation makes at most this many blocks.
const MAX_BLOCKS: u32 = 256;

impl Evaluator<'_> {
    pub(super) fn cidr(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let Some(items) = arg.seq().filter(|items| matches!(items.len(), 2 | 3)) else {
            return self
                .invalid(span, "Cidr takes a list of a block, a count and a number of bits");
        };
        let args: Vec<Value> = items.iter().map(|n| self.eval(s, n)).collect();
        self.lift(&args, 0, span, &mut |e, args| {
            let texts: Option<Vec<_>> = args.iter().map(Value::scalar_text).collect();
            let Some(texts) = texts else { return e.cannot("Cidr", args, span) };
            let number = |i: usize| texts.get(i).and_then(|t| t.trim().parse::<u32>().ok());
            let blocks = number(1).and_then(|count| {
                let bits = if texts.len() == 3 { Some(number(2)?) } else { None };
                blocks(&texts[0], count, bits)
            });
            match blocks {
                Some(blocks) => {
                    let origin = e.expression(span, args);
                    Value::list(blocks.into_iter().map(|b| Value::str(b, origin)).collect(), origin)
                }
                None => e.refused(
                    args,
                    span,
                    format!("{} does not divide into that many blocks of that size", texts[0]),
                ),
            }
        })
    }
}

/// The first `count` blocks that leave `bits` bits to hosts.
fn blocks(block: &str, count: u32, bits: Option<u32>) -> Option<Vec<String>> {
    let (address, prefix) = block.trim().split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix: u32 = prefix.parse().ok()?;
    let (width, base) = match address {
        IpAddr::V4(a) => (32, u128::from(u32::from(a))),
        IpAddr::V6(a) => (128, u128::from(a)),
    };
    let bits = bits.unwrap_or(if width == 128 { 64 } else { 8 });
    if count == 0 || count > MAX_BLOCKS || prefix > width || bits > width - prefix {
        return None;
    }
    let host_bits = width - prefix;
    let spare = host_bits - bits;
    if spare < 32 && u128::from(count) > 1_u128 << spare {
        return None;
    }
    let base = if host_bits >= 128 { 0 } else { base >> host_bits << host_bits };
    (0..count)
        .map(|i| {
            let start = base + if bits >= 128 { 0 } else { u128::from(i) << bits };
            let address = match width {
                32 => IpAddr::from(u32::try_from(start).ok()?.to_be_bytes()),
                _ => IpAddr::from(start.to_be_bytes()),
            };
            Some(format!("{address}/{}", width - bits))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn blocks_are_consecutive_and_bounded() {
        assert_eq!(
            blocks("10.0.0.0/16", 3, Some(8)).unwrap(),
            ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]
        );
        assert_eq!(blocks("10.0.5.9/16", 1, Some(12)).unwrap(), ["10.0.0.0/20"]);
        assert_eq!(blocks("2001:db8::/56", 2, Some(64)).unwrap()[1], "2001:db8:0:1::/64");
        assert_eq!(blocks("10.0.0.0/24", 2, Some(8)), None);
        assert_eq!(blocks("10.0.0.0/99", 1, Some(8)), None);
        assert_eq!(blocks("::/0", 1, Some(128)).unwrap(), ["::/0"]);
        assert_eq!(blocks("x", 1, None), None);
    }
}
