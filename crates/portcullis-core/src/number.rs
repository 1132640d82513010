//! Numbers as Terraform has them: exact integers, decimals of high precision, and the two infinities
//! that a division by zero or the logarithm of zero gives.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bigdecimal::{BigDecimal, RoundingMode, Signed, ToPrimitive, Zero};

use crate::binary::{BITS, Binary};

/// Decimals of so many digits are told apart by Terraform's 512 bits; longer ones are rounded.
const DIGITS: u64 = 154;
/// Largest power of ten a literal may have, so that `1e999999999` costs nothing.
const MAX_EXPONENT: i64 = 5_000;

/// A number. Integers that fit are kept as `i64`, so that equal numbers have one form.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Int(i64),
    /// Equal to zero, and printed with its sign as Terraform prints it.
    NegativeZero,
    Big(Arc<BigDecimal>),
    Infinite {
        negative: bool,
    },
}

impl Number {
    /// Parses decimal text with optional sign, fraction and exponent, or `inf`; `None` for anything
    /// else. Source: <https://pkg.go.dev/math/big#Float.Parse>.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let t = text.strip_prefix('+').unwrap_or(text);
        if let Ok(i) = t.parse::<i64>() {
            if i == 0 && t.starts_with('-') {
                return Some(Self(Repr::NegativeZero));
            }
            return Some(Self(Repr::Int(i)));
        }
        if t.is_empty() || t.contains('_') || t.len() > 10_000 {
            return None;
        }
        if let "inf" | "Inf" | "-inf" | "-Inf" = t {
            return Some(Self::infinite(t.starts_with('-')));
        }
        let big = BigDecimal::from_str(t).ok()?;
        let (_, scale) = big.as_bigint_and_exponent();
        if scale.abs() > MAX_EXPONENT {
            return None;
        }
        if big.is_zero() && t.starts_with('-') {
            return Some(Self(Repr::NegativeZero));
        }
        if big.digits() > DIGITS {
            return Some(Self::from_big(Binary::from_decimal(&big).to_decimal()));
        }
        Some(Self::from_big(big))
    }

    fn from_big(big: BigDecimal) -> Self {
        if big.is_integer()
            && let Some(i) = big.to_i64()
        {
            return Self(Repr::Int(i));
        }
        Self(Repr::Big(Arc::new(big.normalized())))
    }

    fn infinite(negative: bool) -> Self {
        Self(Repr::Infinite { negative })
    }

    /// The decimal; of infinities, none.
    fn big(&self) -> Option<BigDecimal> {
        match &self.0 {
            Repr::Int(i) => Some(BigDecimal::from(*i)),
            Repr::NegativeZero => Some(BigDecimal::zero()),
            Repr::Big(b) => Some((**b).clone()),
            Repr::Infinite { .. } => None,
        }
    }

    /// The nearest number to a float; `None` for NaN.
    #[must_use]
    pub fn from_f64(f: f64) -> Option<Self> {
        if f.is_nan() {
            return None;
        }
        if f.is_infinite() {
            return Some(Self::infinite(f < 0.0));
        }
        if f == 0.0 && f.is_sign_negative() {
            return Some(Self(Repr::NegativeZero));
        }
        if f.fract() == 0.0 && f.abs() < 9e15 {
            return Some(Self(Repr::Int(f as i64)));
        }
        Some(Self::from_big(Binary::from_f64(f).to_decimal()))
    }

    /// The integer, when it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(i) => Some(*i),
            Repr::NegativeZero => Some(0),
            Repr::Big(_) | Repr::Infinite { .. } => None,
        }
    }

    /// The nearest float.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(i) => *i as f64,
            Repr::NegativeZero => -0.0,
            Repr::Big(b) => b.to_f64().unwrap_or(f64::MAX),
            Repr::Infinite { negative: false } => f64::INFINITY,
            Repr::Infinite { negative: true } => f64::NEG_INFINITY,
        }
    }

    /// The decimal, for arithmetic that this type does not offer; of infinities, none.
    #[must_use]
    pub fn to_big(&self) -> Option<BigDecimal> {
        self.big()
    }

    /// Whether it is one of the two infinities, which neither JSON nor a plan can hold.
    #[must_use]
    pub fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::Infinite { .. })
    }

    /// Whether it is finite and has no fraction.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int(_) | Repr::NegativeZero => true,
            Repr::Big(b) => b.is_integer(),
            Repr::Infinite { .. } => false,
        }
    }

    fn is_zero(&self) -> bool {
        // Fractions are never kept as zero.
        matches!(self.0, Repr::Int(0) | Repr::NegativeZero)
    }

    /// Whether its sign is minus, that of negative zero included.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Int(i) => *i < 0,
            Repr::NegativeZero => true,
            Repr::Big(b) => b.is_negative(),
            Repr::Infinite { negative } => *negative,
        }
    }

    /// Applies an operation to decimals: exactly to whole ones as long as the result fits 512 bits,
    /// else with Terraform's rounding.
    fn apply(
        &self,
        o: &Self,
        (a, b): (BigDecimal, BigDecimal),
        exact: impl Fn(BigDecimal, BigDecimal) -> BigDecimal,
        rounded: impl Fn(&Binary, &Binary) -> Binary,
    ) -> Self {
        if self.is_integer() && o.is_integer() {
            let result = exact(a.clone(), b.clone());
            let (int, _) = result.with_scale(0).into_bigint_and_exponent();
            if int.bits() <= BITS {
                return Self::from_big(result);
            }
        }
        let result = rounded(&Binary::from_decimal(&a), &Binary::from_decimal(&b));
        Self::from_big(result.to_decimal())
    }

    /// Sum; `None` of opposing infinities.
    #[must_use]
    pub fn add(&self, o: &Self) -> Option<Self> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &o.0)
            && let Some(c) = a.checked_add(*b)
        {
            return Some(Self(Repr::Int(c)));
        }
        if let (Repr::NegativeZero, Repr::NegativeZero) = (&self.0, &o.0) {
            return Some(self.clone());
        }
        match (self.big(), o.big()) {
            (Some(a), Some(b)) => Some(self.apply(o, (a, b), |a, b| a + b, Binary::add)),
            (None, None) if self.is_negative() != o.is_negative() => None,
            (None, _) => Some(self.clone()),
            (_, None) => Some(o.clone()),
        }
    }

    /// Difference; `None` of an infinity and itself.
    #[must_use]
    pub fn sub(&self, o: &Self) -> Option<Self> {
        self.add(&o.neg())
    }

    /// Product; `None` of zero and an infinity.
    #[must_use]
    pub fn mul(&self, o: &Self) -> Option<Self> {
        let negative = self.is_negative() != o.is_negative();
        let any_zero = self.is_zero() || o.is_zero();
        let (Some(a), Some(b)) = (self.big(), o.big()) else {
            return (!any_zero).then(|| Self::infinite(negative));
        };
        if any_zero && negative {
            return Some(Self(Repr::NegativeZero));
        }
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &o.0)
            && let Some(c) = a.checked_mul(*b)
        {
            return Some(Self(Repr::Int(c)));
        }
        Some(self.apply(o, (a, b), |a, b| a * b, Binary::mul))
    }

    /// Quotient, infinite where the divisor is zero; `None` of two zeros or two infinities.
    #[must_use]
    pub fn div(&self, o: &Self) -> Option<Self> {
        let negative = self.is_negative() != o.is_negative();
        let nothing = || Self(if negative { Repr::NegativeZero } else { Repr::Int(0) });
        let (n, d) = match (self.big(), o.big()) {
            (Some(n), Some(d)) => (n, d),
            (None, None) => return None,
            (None, _) => return Some(Self::infinite(negative)),
            (_, None) => return Some(nothing()),
        };
        if d.is_zero() {
            return (!self.is_zero()).then(|| Self::infinite(negative));
        }
        if self.is_zero() {
            return Some(nothing());
        }
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &o.0)
            && a.checked_rem(*b) == Some(0)
        {
            return a.checked_div(*b).map(|q| Self(Repr::Int(q)));
        }
        let quotient = Binary::from_decimal(&n).div(&Binary::from_decimal(&d));
        Some(Self::from_big(quotient.to_decimal()))
    }

    /// Remainder with the sign of the dividend; `None` where one of the two is infinite. Divided by
    /// zero, all remains, by Terraform's rule.
    #[must_use]
    pub fn rem(&self, o: &Self) -> Option<Self> {
        if self.is_infinite() || o.is_infinite() {
            return None;
        }
        if o.is_zero() {
            return Some(self.clone());
        }
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &o.0)
            && let Some(r) = a.checked_rem(*b)
        {
            return Some(Self(Repr::Int(r)));
        }
        let whole = self.div(o)?.big()?.with_scale_round(0, RoundingMode::Down);
        self.sub(&o.mul(&Self::from_big(whole))?)
    }

    /// Negation.
    #[must_use]
    pub fn neg(&self) -> Self {
        match &self.0 {
            Repr::Int(0) => Self(Repr::NegativeZero),
            Repr::NegativeZero => Self(Repr::Int(0)),
            Repr::Int(i) => match i.checked_neg() {
                Some(n) => Self(Repr::Int(n)),
                None => Self::from_big(-BigDecimal::from(*i)),
            },
            Repr::Big(b) => Self::from_big(-(**b).clone()),
            Repr::Infinite { negative } => Self::infinite(!negative),
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

impl PartialEq for Number {
    fn eq(&self, o: &Self) -> bool {
        self.cmp(o) == Ordering::Equal
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::NegativeZero => Repr::Int(0).hash(state),
            other => other.hash(state),
        }
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
            _ => match (self.big(), o.big()) {
                (Some(a), Some(b)) => a.cmp(&b),
                // Of one that is infinite and one that is not, the sign of the former decides.
                (None, None) => o.is_negative().cmp(&self.is_negative()),
                (None, _) => {
                    if self.is_negative() {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
                (_, None) => {
                    if o.is_negative() {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    }
                }
            },
        }
    }
}

impl fmt::Display for Number {
    /// Plain decimal notation without an exponent or trailing zeros, `+Inf` and `-Inf`, as Terraform
    /// prints numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(i) => write!(f, "{i}"),
            Repr::NegativeZero => write!(f, "-0"),
            Repr::Big(b) => write!(f, "{}", b.to_plain_string()),
            Repr::Infinite { negative } => f.write_str(if *negative { "-Inf" } else { "+Inf" }),
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
        assert_eq!(n("0.1").add(&n("0.2")), Some(n("0.3")));
        let past = n("9223372036854775807").add(&n("1")).unwrap();
        assert_eq!(past.to_string(), "9223372036854775808");
        assert_eq!(n("10").div(&n("4")), Some(n("2.5")));
        assert_eq!(n("-7").rem(&n("3")), Some(n("-1")));
        assert_eq!(n("1e3"), Number::from(1000_i64));
        assert_eq!(n("1.50").to_string(), "1.5");
        assert_eq!(n("-0").sub(&n("0")).unwrap().to_string(), "-0");
        assert_eq!(n("5.5").rem(&n("1.5")), Some(n("1")));
    }

    #[test]
    fn rounds_as_terraform_does() {
        let third = n("1").div(&n("3")).unwrap();
        assert_eq!(third.to_string(), format!("0.{}5", "3".repeat(154)));
        assert_eq!(third.mul(&n("3")), Some(n("1")));
        let square = n("1.1").mul(&n("1.1")).unwrap();
        assert_eq!(square.to_string(), format!("1.21{}1", "0".repeat(151)));
        assert_eq!(n("4.35").mul(&n("100")), Some(n("435")));
        assert_eq!(n("0.1").mul(&n("3")), Some(n("0.3")));
        // A float of 53 bits, at a power of two.
        assert_eq!(Number::from_f64(2_f64.powi(64)).unwrap().to_string(), "18446744073709550000");
        assert_eq!(Number::from_f64(0.1).unwrap(), n("0.1"));
        let (mut huge, mut tiny) = (n("1e5000"), n("1e-5000"));
        for _ in 0..40 {
            (huge, tiny) = (huge.mul(&huge).unwrap(), tiny.mul(&tiny).unwrap());
        }
        assert_eq!(tiny, n("0"));
        assert!(huge > n("1e5000"));
        let big = n("123456789012345678901234567890");
        assert_eq!(
            big.mul(&big).unwrap().to_string(),
            "15241578753238836750495351562536198787501905199875019052100"
        );
    }

    #[test]
    fn infinities_follow_terraform() {
        let (up, down) = (n("inf"), n("-Inf"));
        assert_eq!(n("1").div(&n("0")), Some(up.clone()));
        assert_eq!(n("-1").div(&n("0")), Some(down.clone()));
        assert_eq!(n("5").div(&down).unwrap().to_string(), "-0");
        assert_eq!(up.mul(&n("-2")), Some(down.clone()));
        assert_eq!(up.add(&n("-2")), Some(up.clone()));
        assert_eq!((up.to_string(), down.to_string()), ("+Inf".to_owned(), "-Inf".to_owned()));
        assert!(down < n("-1e5000") && n("1e5000") < up && down < up && up == n("+inf"));
        // Terraform refuses these.
        assert_eq!(n("0").div(&n("0")), None);
        assert_eq!(up.div(&down), None);
        assert_eq!(up.sub(&up), None);
        assert_eq!(up.mul(&n("0")), None);
        assert_eq!(up.rem(&n("2")), None);
        assert_eq!(n("2").rem(&up), None);
        assert_eq!(Number::from_f64(f64::NAN), None);
    }

    #[test]
    fn refuses_what_is_no_number() {
        for t in ["", "a", "1e999999999", "1_000", "0x10", "--1"] {
            assert_eq!(Number::parse(t), None, "{t}");
        }
    }
}
