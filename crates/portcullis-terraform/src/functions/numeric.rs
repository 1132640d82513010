//! Numbers.

use std::cmp::Ordering;

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, RoundingMode};
use portcullis_core::{Kind, Number, Seq, Value};

use crate::convert::convert;
use crate::types::Type;

use super::args::Args;
use super::spec::{ANY, NUM, Spec, Want};
use super::{FunctionError, Outcome};

/// Most elements that `range` gives, by Terraform's own rule.
const MAX_RANGE: usize = 1024;
/// Longest text that `parseint` reads.
const MAX_DIGITS: usize = 10_000;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::deep("abs", &[NUM], abs).returns(Want::Num),
    Spec::deep("ceil", &[NUM], |a| round(a, RoundingMode::Ceiling)).returns(Want::Num),
    Spec::deep("floor", &[NUM], |a| round(a, RoundingMode::Floor)).returns(Want::Num),
    Spec::deep("log", &[NUM, NUM], |a| a.float(ln(a.num(0).as_f64()) / ln(a.num(1).as_f64())))
        .returns(Want::Num),
    Spec::deep("max", &[], |a| extreme(a, Ordering::Greater)).returns(Want::Num).rest(NUM),
    Spec::deep("min", &[], |a| extreme(a, Ordering::Less)).returns(Want::Num).rest(NUM),
    Spec::deep("parseint", &[ANY, NUM], parseint).returns(Want::Num),
    Spec::deep("pow", &[NUM, NUM], |a| a.float(power(a.num(0).as_f64(), a.num(1).as_f64())))
        .returns(Want::Num),
    Spec::deep("range", &[], range).returns(Want::Numbers).rest(NUM),
    Spec::deep("signum", &[NUM], |a| Ok(a.make(Kind::Num(a.int(0)?.signum().into()))))
        .returns(Want::Num),
    Spec::deep("sum", &[ANY], sum).returns(Want::Num),
];

fn abs(a: &Args<'_>) -> Outcome {
    let n = a.num(0);
    a.number(if n.is_negative() { n.neg() } else { n })
}

fn round(a: &Args<'_>, mode: RoundingMode) -> Outcome {
    let n = a.num(0);
    match n.to_big() {
        Some(decimal) => a.number(Number::from(decimal.with_scale_round(0, mode))),
        None => a.number(n),
    }
}

/// The natural logarithm, computed as Go does it, so that the last digits agree.
///
/// The method is that of FreeBSD's `e_log.c`; see <https://pkg.go.dev/math#Log>.
fn ln(x: f64) -> f64 {
    const LN2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    const SERIES: [f64; 7] = [
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    if x <= 0.0 || !x.is_finite() {
        return x.ln();
    }
    let (mut fraction, mut exponent) = split(x);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let (f, k) = (fraction - 1.0, exponent as f64);
    let s = f / (2.0 + f);
    let (s2, s4) = (s * s, s * s * (s * s));
    let odd = s2 * (SERIES[0] + s4 * (SERIES[2] + s4 * (SERIES[4] + s4 * SERIES[6])));
    let even = s4 * (SERIES[1] + s4 * (SERIES[3] + s4 * SERIES[5]));
    let half = 0.5 * f * f;
    k * LN2[0] - ((half - (s * (half + (odd + even)) + k * LN2[1])) - f)
}

/// `x` to the power of `y`, multiplied out as Go does it, so that the last digits agree.
fn power(x: f64, y: f64) -> f64 {
    let special = x == 0.0 || !x.is_finite() || !y.is_finite() || y.abs() >= 9e18;
    if special || y == 0.0 || x == 1.0 || y == 1.0 || y.abs() == 0.5 {
        return x.powf(y);
    }
    let (mut whole, mut part) = (y.abs().trunc(), y.abs().fract());
    if part != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    let mut mantissa = 1.0;
    let mut exponent = 0_i64;
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            whole += 1.0;
        }
        mantissa = (part * ln(x)).exp();
    }
    let (mut square, mut scale) = split(x);
    let mut bits = whole as i64;
    while bits != 0 {
        if scale.abs() > 1 << 12 {
            exponent += scale;
            break;
        }
        if bits & 1 == 1 {
            mantissa *= square;
            exponent += scale;
        }
        square *= square;
        scale *= 2;
        if square < 0.5 {
            square += square;
            scale -= 1;
        }
        bits >>= 1;
    }
    if y < 0.0 {
        (mantissa, exponent) = (1.0 / mantissa, -exponent);
    }
    let exponent = i32::try_from(exponent.clamp(-5_000, 5_000)).unwrap_or(0);
    // In steps, since the power of two alone may be out of range.
    (0..exponent.abs() / 500).fold(mantissa, |m, _| m * 2_f64.powi(500 * exponent.signum()))
        * 2_f64.powi(exponent % 500)
}

/// A number as a fraction from one half to one and a power of two.
fn split(x: f64) -> (f64, i64) {
    let (mut fraction, mut exponent) = (x, 0);
    while fraction.abs() >= 1.0 {
        fraction /= 2.0;
        exponent += 1;
    }
    while fraction.abs() < 0.5 {
        fraction *= 2.0;
        exponent -= 1;
    }
    (fraction, exponent)
}

fn extreme(a: &Args<'_>, wanted: Ordering) -> Outcome {
    let mut best: Option<&Number> = None;
    for n in a.values.iter().filter_map(Value::as_num) {
        if best.is_none_or(|b| n.cmp(b) == wanted) {
            best = Some(n);
        }
    }
    match best {
        Some(n) => a.number(n.clone()),
        None => Err(FunctionError::new("at least one number is required")),
    }
}

fn parseint(a: &Args<'_>) -> Outcome {
    let value = a.value(0);
    let Some(text) = value.as_str() else { return Err(a.wrong(0, "a string")) };
    let base = u32::try_from(a.int(1)?).ok().filter(|b| (2..=62).contains(b));
    let base = base.ok_or_else(|| FunctionError::at(1, "the base must be between 2 and 62"))?;
    let bad = || FunctionError::at(0, format!("{text:?} is no whole number in base {base}"));
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (Sign::Minus, &text[1..]),
        Some(b'+') => (Sign::Plus, &text[1..]),
        _ => (Sign::Plus, text),
    };
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return Err(bad());
    }
    let digits: Option<Vec<u8>> = digits
        .bytes()
        .map(|b| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'z' => Some(b - b'a' + 10),
            // Up to base 36 case does not matter; above, capitals go on where small letters end.
            b'A'..=b'Z' => Some(b - b'A' + if base <= 36 { 10 } else { 36 }),
            _ => None,
        })
        .map(|d| d.filter(|d| u32::from(*d) < base))
        .collect();
    let n = digits.and_then(|d| BigInt::from_radix_be(sign, &d, base)).ok_or_else(bad)?;
    a.number(Number::from(BigDecimal::from(n)))
}

fn range(a: &Args<'_>) -> Outcome {
    let zero = Number::from(0_i64);
    let (start, end, step) = match a.len() {
        1 => (zero.clone(), a.num(0), None),
        2 => (a.num(0), a.num(1), None),
        3 => (a.num(0), a.num(1), Some(a.num(2))),
        n => {
            return Err(FunctionError::new(format!("range takes 1 to 3 arguments, {n} given")));
        }
    };
    let step = step.unwrap_or_else(|| if end < start { (-1_i64).into() } else { 1_i64.into() });
    let down = step < zero;
    if start == end {
        return a.seq(Seq::List, Vec::new());
    }
    if step == zero {
        return Err(FunctionError::at(2, "the step must not be zero"));
    }
    if (down && end > start) || (!down && end < start) {
        return Err(FunctionError::at(2, "the step leads away from the end"));
    }
    let origin = a.origin();
    let mut out = Vec::new();
    let mut n = start;
    while if down { n > end } else { n < end } {
        if out.len() == MAX_RANGE {
            return Err(FunctionError::new(format!(
                "range gives at most {MAX_RANGE} numbers: bring the ends nearer or take larger steps"
            )));
        }
        out.push(Value::num(n.clone(), origin));
        let Some(next) = n.add(&step) else { break };
        n = next;
    }
    a.seq(Seq::List, out)
}

fn sum(a: &Args<'_>) -> Outcome {
    let (_, items) = a.sequence(0)?;
    if items.is_empty() {
        return Err(FunctionError::at(0, "an empty list has no sum"));
    }
    let mut total: Option<Number> = None;
    for item in items {
        if item.is_null() {
            return Err(FunctionError::at(0, "the elements must not be null"));
        }
        let n = convert(item, &Type::Number).map_err(|e| FunctionError::at(0, e))?;
        if let Some(n) = n.as_num() {
            let sum = total.map_or_else(|| Some(n.clone()), |total| total.add(n));
            let none = || FunctionError::at(0, "opposing infinities have no sum");
            total = Some(sum.ok_or_else(none)?);
        }
    }
    a.number(total.unwrap_or_else(|| 0_i64.into()))
}
