//! Binary floating point of a chosen precision, to round as Terraform does.
//!
//! Terraform computes with mantissas of 512 bits (Go's `math/big`) and shows the shortest decimal
//! that stands for the result. Between operations a number is that decimal: it leads back to the
//! same bits, so that nothing is lost.

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, BigUint, Sign};

/// Bits of a mantissa in Terraform.
pub(crate) const BITS: u64 = 512;

/// Exponents stay within this: smaller numbers are zero, larger ones the largest. Repeated squaring
/// would otherwise grow without end.
const MAX_EXPONENT: i64 = 20_000;

/// `± mantissa × 2^exponent`, the mantissa of at most `bits` bits.
#[derive(Clone)]
pub(crate) struct Binary {
    negative: bool,
    mantissa: BigUint,
    exponent: i64,
    bits: u64,
}

impl Binary {
    /// The nearest binary to a decimal.
    pub(crate) fn from_decimal(n: &BigDecimal) -> Self {
        let (int, scale) = n.as_bigint_and_exponent();
        let negative = int.sign() == Sign::Minus;
        let size = int.magnitude().clone();
        let ten = |power: i64| BigUint::from(10_u8).pow(u32::try_from(power).unwrap_or(u32::MAX));
        if scale <= 0 {
            return Self::rounded(negative, size * ten(-scale), false, 0, BITS);
        }
        Self::ratio(negative, size, &ten(scale), 0)
    }

    /// A finite float, with its own precision.
    pub(crate) fn from_f64(f: f64) -> Self {
        let raw = f.to_bits();
        let field = (raw >> 52) & 0x7ff;
        let fraction = raw & ((1 << 52) - 1);
        let (mantissa, exponent) = match field {
            0 => (fraction, -1074),
            _ => (fraction | (1 << 52), i64::try_from(field).unwrap_or(0) - 1075),
        };
        Self::rounded(f.is_sign_negative(), mantissa.into(), false, exponent, 53)
    }

    /// Rounds half to even; `more` says that something below the mantissa was cut off already.
    fn rounded(negative: bool, size: BigUint, more: bool, exponent: i64, bits: u64) -> Self {
        let excess = size.bits().saturating_sub(bits);
        if excess == 0 {
            let mantissa = if exponent < -MAX_EXPONENT { BigUint::ZERO } else { size };
            return Self { negative, mantissa, exponent: exponent.min(MAX_EXPONENT), bits };
        }
        let mut mantissa = &size >> excess;
        let half = size.bit(excess - 1);
        let below = more || size.trailing_zeros().is_some_and(|z| z < excess - 1);
        if half && (below || mantissa.bit(0)) {
            mantissa += 1_u8;
        }
        let exponent = exponent.saturating_add(i64::try_from(excess).unwrap_or(i64::MAX));
        // Rounding up may have made the mantissa a bit longer: a power of two, so nothing is cut.
        Self::rounded(negative, mantissa, false, exponent, bits)
    }

    fn ratio(negative: bool, size: BigUint, by: &BigUint, exponent: i64) -> Self {
        let shift = (BITS + 2 + by.bits()).saturating_sub(size.bits());
        let size = size << shift;
        let quotient = &size / by;
        let more = &quotient * by != size;
        let exponent = exponent.saturating_sub(i64::try_from(shift).unwrap_or(i64::MAX));
        Self::rounded(negative, quotient, more, exponent, BITS)
    }

    pub(crate) fn add(&self, o: &Self) -> Self {
        let exponent = self.exponent.min(o.exponent);
        let aligned = |b: &Self| {
            let shift = u64::try_from(b.exponent - exponent).unwrap_or(0);
            let sign = if b.negative { Sign::Minus } else { Sign::Plus };
            BigInt::from_biguint(sign, &b.mantissa << shift)
        };
        let (sign, size) = (aligned(self) + aligned(o)).into_parts();
        Self::rounded(sign == Sign::Minus, size, false, exponent, BITS)
    }

    pub(crate) fn mul(&self, o: &Self) -> Self {
        let size = &self.mantissa * &o.mantissa;
        let exponent = self.exponent.saturating_add(o.exponent);
        Self::rounded(self.negative != o.negative, size, false, exponent, BITS)
    }

    /// The quotient; the divisor must not be zero.
    pub(crate) fn div(&self, o: &Self) -> Self {
        let exponent = self.exponent.saturating_sub(o.exponent);
        Self::ratio(self.negative != o.negative, self.mantissa.clone(), &o.mantissa, exponent)
    }

    /// The decimal of fewest digits that is nearer to this than to its neighbours.
    pub(crate) fn to_decimal(&self) -> BigDecimal {
        if self.mantissa == BigUint::ZERO {
            return BigDecimal::from(0);
        }
        // One bit more than the precision, so that half a step is 1.
        let shift = self.bits + 1 - self.mantissa.bits();
        let mantissa = &self.mantissa << shift;
        let exponent = self.exponent.saturating_sub(i64::try_from(shift).unwrap_or(i64::MAX));
        let even = !mantissa.bit(1);
        let power = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
        let (factor, scale) = if exponent >= 0 {
            (BigUint::from(1_u8) << power, 0)
        } else {
            (BigUint::from(5_u8).pow(power), i64::from(power))
        };
        let [low, here, high] = [&mantissa - 1_u8, mantissa.clone(), &mantissa + 1_u8]
            .map(|m| (m * &factor).to_str_radix(10));
        let len = high.len();
        let [low, here, high] = [low, here, high].map(|t| format!("{t:0>len$}").into_bytes());
        let (digits, dropped) = shortest(&low, &here, &high, even);
        let text: String = digits.into_iter().map(char::from).collect();
        let size = text.parse::<BigUint>().unwrap_or_default();
        let sign = if self.negative { Sign::Minus } else { Sign::Plus };
        let dropped = i64::try_from(dropped).unwrap_or(0);
        BigDecimal::new(BigInt::from_biguint(sign, size), scale - dropped)
    }
}

/// The fewest leading digits of `here`, rounded, that lie between `low` and `high` (all of one
/// length), and how many digits are left off. The ends themselves count when `even`.
fn shortest(low: &[u8], here: &[u8], high: &[u8], even: bool) -> (Vec<u8>, usize) {
    let significant = |t: &[u8]| t.iter().rposition(|d| *d != b'0').map_or(0, |i| i + 1);
    let (low_len, high_len) = (significant(low), significant(high));
    for (i, ((l, m), h)) in low.iter().zip(here).zip(high).enumerate() {
        let down = l != m || (even && i + 1 == low_len);
        let up = m != h && (even || m + 1 < *h || i + 1 < high_len);
        if !down && !up {
            continue;
        }
        let (kept, cut) = here.split_at(i + 1);
        let nearer_up = match cut.first() {
            Some(b'5') if significant(cut) == 1 => (m - b'0') % 2 == 1,
            Some(d) => *d >= b'5',
            None => false,
        };
        let mut digits = kept.to_vec();
        if up && (!down || nearer_up) {
            increment(&mut digits);
        }
        return (digits, cut.len());
    }
    (here.to_vec(), 0)
}

fn increment(digits: &mut Vec<u8>) {
    for d in digits.iter_mut().rev() {
        if *d == b'9' {
            *d = b'0';
        } else {
            *d += 1;
            return;
        }
    }
    digits.insert(0, b'1');
}
