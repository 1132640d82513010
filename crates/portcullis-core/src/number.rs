//! Numbers as Terraform has them: exact integers, decimals of high precision.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// Significant decimal digits kept by division; Terraform keeps 512 bits, about 154 digits.
const DIGITS: u64 = 154;
/// Largest power of ten a literal may have, so that `1e999999999` costs nothing.
const MAX_EXPONENT: i64 = 5_000;

/// A number. Integers that fit are kept as `i64`, so that equal numbers have one form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Int(i64),
    Big(Arc<BigDecimal>),
}

impl Number {
    /// Parses decimal text with optional sign, fraction and exponent; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let t = text.strip_prefix('+').unwrap_or(text);
        if let Ok(i) = t.parse::<i64>() {
            return Some(Self(Repr::Int(i)));
        }
        if t.is_empty() || t.contains('_') || t.len() > 10_000 {
            return None;
        }
        let big = BigDecimal::from_str(t).ok()?;
        let (_, scale) = big.as_bigint_and_exponent();
        if scale.abs() > MAX_EXPONENT {
            return None;
        }
        Some(Self::from_big(big))
    }

    fn from_big(big: BigDecimal) -> Self {
        if big.is_integer() {
            if let Some(i) = big.to_i64() {
                return Self(Repr::Int(i));
            }
        }
        Self(Repr::Big(Arc::new(big.normalized())))
    }

    fn big(&self) -> BigDecimal {
        match &self.0 {
            Repr::Int(i) => BigDecimal::from(*i),
            Repr::Big(b) => (**b).clone(),
        }
    }

    /// The nearest number to a float; `None` for infinities and NaN.
    #[must_use]
    pub fn from_f64(f: f64) -> Option<Self> {
        if !f.is_finite() {
            return None;
        }
        if f.fract() == 0.0 && f.abs() < 9e15 {
            return Some(Self(Repr::Int(f as i64)));
        }
        Self::parse(&format!("{f:e}"))
    }

    /// The integer, when it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(i) => Some(*i),
            Repr::Big(_) => None,
        }
    }

    /// The nearest float.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(i) => *i as f64,
            Repr::Big(b) => b.to_f64().unwrap_or(f64::MAX),
        }
    }

    /// The decimal, for arithmetic that this type does not offer.
    #[must_use]
    pub fn to_big(&self) -> BigDecimal {
        self.big()
    }

    /// Whether it has no fraction.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Big(b) => b.is_integer(),
        }
    }

    /// Sum.
    #[must_use]
    pub fn add(&self, o: &Self) -> Self {
        match (&self.0, &o.0) {
            (Repr::Int(a), Repr::Int(b)) => match a.checked_add(*b) {
                Some(c) => Self(Repr::Int(c)),
                None => Self::from_big(self.big() + o.big()),
            },
            _ => Self::from_big(self.big() + o.big()),
        }
    }

    /// Difference.
    #[must_use]
    pub fn sub(&self, o: &Self) -> Self {
        self.add(&o.neg())
    }

    /// Product.
    #[must_use]
    pub fn mul(&self, o: &Self) -> Self {
        match (&self.0, &o.0) {
            (Repr::Int(a), Repr::Int(b)) => match a.checked_mul(*b) {
                Some(c) => Self(Repr::Int(c)),
                None => Self::from_big(self.big() * o.big()),
            },
            _ => Self::from_big((self.big() * o.big()).with_prec(DIGITS)),
        }
    }

    /// Quotient; `None` when the divisor is zero.
    #[must_use]
    pub fn div(&self, o: &Self) -> Option<Self> {
        let d = o.big();
        if d.is_zero() {
            return None;
        }
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &o.0) {
            if a.checked_rem(*b) == Some(0) {
                return a.checked_div(*b).map(|q| Self(Repr::Int(q)));
            }
        }
        Some(Self::from_big((self.big() / d).with_prec(DIGITS)))
    }

    /// Remainder with the sign of the dividend; `None` when the divisor is zero.
    #[must_use]
    pub fn rem(&self, o: &Self) -> Option<Self> {
        let d = o.big();
        if d.is_zero() {
            return None;
        }
        Some(Self::from_big(self.big() % d))
    }

    /// Negation.
    #[must_use]
    pub fn neg(&self) -> Self {
        match &self.0 {
            Repr::Int(i) => match i.checked_neg() {
                Some(n) => Self(Repr::Int(n)),
                None => Self::from_big(-self.big()),
            },
            Repr::Big(b) => Self::from_big(-(**b).clone()),
        }
    }
}

impl From<i64> for Number {
    fn from(i: i64) -> Self {
        Self(Repr::Int(i))
    }
}

impl From<usize> for Number {
    fn from(i: usize) -> Self {
        Self(Repr::Int(i64::try_from(i).unwrap_or(i64::MAX)))
    }
}

impl From<BigDecimal> for Number {
    fn from(b: BigDecimal) -> Self {
        Self::from_big(b)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, o: &Self) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}

impl Ord for Number {
    fn cmp(&self, o: &Self) -> Ordering {
        match (&self.0, &o.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            _ => self.big().cmp(&o.big()),
        }
    }
}

impl fmt::Display for Number {
    /// Plain decimal notation without an exponent or trailing zeros, as Terraform prints numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(i) => write!(f, "{i}"),
            Repr::Big(b) => write!(f, "{}", b.to_plain_string()),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(t: &str) -> Number {
        Number::parse(t).unwrap()
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(n("0.1").add(&n("0.2")), n("0.3"));
        assert_eq!(n("9223372036854775807").add(&n("1")).to_string(), "9223372036854775808");
        assert_eq!(n("10").div(&n("4")), Some(n("2.5")));
        assert_eq!(n("1").div(&n("0")), None);
        assert_eq!(n("-7").rem(&n("3")), Some(n("-1")));
        assert_eq!(n("1e3"), Number::from(1000_i64));
        assert_eq!(n("1.50").to_string(), "1.5");
    }

    #[test]
    fn refuses_what_is_no_number() {
        for t in ["", "a", "1e999999999", "1_000", "0x10", "--1"] {
            assert_eq!(Number::parse(t), None, "{t}");
        }
    }
}
