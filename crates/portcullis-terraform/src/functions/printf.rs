//! Format strings: reading them, and writing one verb.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/functions/format>.

use std::sync::Arc;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};
use portcullis_core::{Kind, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::convert::{convert, kind_name};
use crate::types::Type;

use super::json;
use super::{FunctionError, MAX_TEXT};

/// Most digits after the point.
const MAX_PRECISION: usize = 10_000;

/// A part of a format string.
pub(super) enum Part {
    Text(String),
    Verb(Verb),
}

/// `%[arg]-8.2f`.
#[derive(Clone, Debug, Default)]
pub(super) struct Verb {
    /// Index of its argument, from 0.
    pub arg: usize,
    mode: char,
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

/// Reads a format string.
pub(super) fn parse(format: &str) -> Result<Vec<Part>, FunctionError> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut next = 0;
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        let (verb, after) = parse_verb(after, next)?;
        next = verb.arg + 1;
        parts.push(Part::Verb(verb));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

fn parse_verb(text: &str, next: usize) -> Result<(Verb, &str), FunctionError> {
    let bad = |why: &str| {
        let shown: String = text.chars().take(12).collect();
        FunctionError::at(0, format!("the format verb %{shown} is wrong: {why}"))
    };
    let mut verb = Verb { arg: next, ..Verb::default() };
    let mut rest = text;
    rest = argument_index(rest, &mut verb).ok_or_else(|| bad("arguments count from 1"))?;
    loop {
        let Some(c) = rest.chars().next() else { return Err(bad("it has no end")) };
        match c {
            '-' => verb.minus = true,
            '+' => verb.plus = true,
            ' ' => verb.space = true,
            '0' => verb.zero = true,
            '#' => verb.sharp = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    let (width, after) = number(rest).ok_or_else(|| bad("it is too wide"))?;
    verb.width = width.unwrap_or(0);
    rest = after;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = number(after).ok_or_else(|| bad("it is too precise"))?;
        let precision = precision.unwrap_or(0);
        if precision > MAX_PRECISION {
            return Err(bad("it is too precise"));
        }
        verb.precision = Some(precision);
        rest = after;
    }
    if verb.width > MAX_TEXT {
        return Err(bad("it is too wide"));
    }
    rest = argument_index(rest, &mut verb).ok_or_else(|| bad("arguments count from 1"))?;
    let Some(mode) = rest.chars().next() else { return Err(bad("it has no end")) };
    if !"vtbdoxXeEfgGsq".contains(mode) {
        return Err(bad("the letter must be one of v, t, b, d, o, x, X, e, E, f, g, G, s, q"));
    }
    verb.mode = mode;
    Ok((verb, &rest[1..]))
}

fn argument_index<'t>(text: &'t str, verb: &mut Verb) -> Option<&'t str> {
    let Some(after) = text.strip_prefix('[') else { return Some(text) };
    let (index, rest) = after.split_once(']')?;
    verb.arg = index.parse::<usize>().ok()?.checked_sub(1)?;
    Some(rest)
}

/// Leading digits as a number, if there are any; `None` when they are too many.
fn number(text: &str) -> Option<(Option<usize>, &str)> {
    let len = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(len);
    if digits.is_empty() {
        return Some((None, rest));
    }
    digits.parse().ok().map(|n| (Some(n), rest))
}

impl Verb {
    /// Whether the verb writes text as it is, so that known parts of an unknown text show.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.mode, 's' | 'v') && !self.sharp && self.width == 0 && self.precision.is_none()
    }

    /// Writes a known value.
    pub(super) fn write(&self, value: &Value) -> Result<String, FunctionError> {
        let refuse = |why: String| {
            FunctionError::at(self.arg + 1, format!("%{} cannot show this value: {why}", self.mode))
        };
        match self.mode {
            'v' => {
                let text = match &value.kind {
                    _ if self.sharp => None,
                    // As %g writes it; zero keeps its sign.
                    Kind::Num(n) if *n != 0_i64.into() => n.to_big().map_or_else(
                        || value.scalar_text(),
                        |decimal| {
                            let digits = Digits::of(&decimal);
                            let sign = if digits.negative { "-" } else { "" };
                            Some(Arc::from(format!("{sign}{}", digits.shortest(None, false))))
                        },
                    ),
                    _ => value.scalar_text(),
                };
                let text = text.map_or_else(|| json::encode(value), |t| Ok(t.to_string()))?;
                Ok(self.pad_text(&text))
            }
            _ if value.is_null() => Err(refuse("it is null".to_owned())),
            's' | 'q' => {
                let text = value
                    .scalar_text()
                    .ok_or_else(|| refuse(format!("it is {}", kind_name(value))))?;
                let text = if self.mode == 'q' { json::quote(&text) } else { text.to_string() };
                Ok(self.pad_text(&text))
            }
            't' => {
                let v = convert(value, &Type::Bool).map_err(refuse)?;
                Ok(self.pad_text(&v.scalar_text().unwrap_or_default()))
            }
            _ => {
                let v = convert(value, &Type::Number).map_err(refuse)?;
                let Kind::Num(n) = &v.kind else { return Err(refuse("no number".to_owned())) };
                let whole = matches!(self.mode, 'b' | 'd' | 'o' | 'x' | 'X');
                match n.to_big() {
                    _ if whole && !n.is_integer() => {
                        Err(refuse("a whole number is required".to_owned()))
                    }
                    Some(decimal) if whole => Ok(self.integer(&decimal)),
                    Some(decimal) => Ok(self.float(&decimal)),
                    // No zeros stand before what is no digit.
                    None => {
                        let digits = n.to_string().replace(['+', '-'], "");
                        let negative = *n < 0_i64.into();
                        let plain = Verb { plus: !self.space, ..self.clone() };
                        Ok(plain.pad_number(negative, &digits, false))
                    }
                }
            }
        }
    }

    fn pad_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(p) = self.precision
            && !matches!(self.mode, 'q' | 'v')
        {
            text = text.graphemes(true).take(p).collect();
        }
        let missing = self.width.saturating_sub(text.graphemes(true).count());
        let pad = if self.zero && !self.minus { "0" } else { " " }.repeat(missing);
        if self.minus { text + &pad } else { pad + &text }
    }

    /// Puts sign, padding and digits together.
    fn pad_number(&self, negative: bool, digits: &str, zeros: bool) -> String {
        let sign = match () {
            () if negative => "-",
            () if self.plus => "+",
            () if self.space => " ",
            () => "",
        };
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        if self.minus {
            format!("{sign}{digits}{}", " ".repeat(missing))
        } else if zeros {
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            format!("{}{sign}{digits}", " ".repeat(missing))
        }
    }

    fn integer(&self, n: &BigDecimal) -> String {
        let (int, _) = n.with_scale(0).into_bigint_and_exponent();
        let (radix, prefix) = match self.mode {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = int.magnitude().to_str_radix(radix);
        if self.mode == 'X' {
            digits = digits.to_uppercase();
        }
        if let Some(p) = self.precision {
            digits = format!("{}{digits}", "0".repeat(p.saturating_sub(digits.len())));
        }
        if self.sharp {
            digits.insert_str(0, prefix);
        }
        self.pad_number(int.sign() == Sign::Minus, &digits, self.zero && self.precision.is_none())
    }

    fn float(&self, n: &BigDecimal) -> String {
        let digits = Digits::of(n);
        let text = match self.mode {
            'f' => digits.fixed(self.precision.unwrap_or(6)),
            'e' | 'E' => digits.exponential(Some(self.precision.unwrap_or(6))),
            _ => digits.shortest(self.precision, self.sharp),
        };
        let text = if self.mode.is_ascii_uppercase() { text.to_uppercase() } else { text };
        self.pad_number(digits.negative, &text, self.zero)
    }
}

/// `0.d1d2d3… × 10^point`, without trailing zeros; zero has no digits.
struct Digits {
    negative: bool,
    list: Vec<u8>,
    point: i64,
}

impl Digits {
    fn of(n: &BigDecimal) -> Self {
        let (int, scale) = n.as_bigint_and_exponent();
        let mut list: Vec<u8> = if int == BigInt::from(0) {
            Vec::new()
        } else {
            int.magnitude().to_str_radix(10).bytes().map(|b| b - b'0').collect()
        };
        let point = i64::try_from(list.len()).unwrap_or(i64::MAX).saturating_sub(scale);
        while list.last() == Some(&0) {
            list.pop();
        }
        let point = if list.is_empty() { 0 } else { point };
        Self { negative: int.sign() == Sign::Minus, list, point }
    }

    /// Rounded to so many digits, halves to even.
    fn rounded(&self, keep: i64) -> Self {
        let mut out = Self { negative: self.negative, list: self.list.clone(), point: self.point };
        let Ok(keep) = usize::try_from(keep) else {
            out.list.clear();
            return out;
        };
        if keep >= out.list.len() {
            return out;
        }
        let first_cut = out.list[keep];
        let more = out.list.len() > keep + 1;
        let odd = keep > 0 && out.list[keep - 1] % 2 == 1;
        out.list.truncate(keep);
        if first_cut > 5 || (first_cut == 5 && (more || odd)) {
            let mut i = keep;
            loop {
                if i == 0 {
                    out.list.insert(0, 1);
                    out.point += 1;
                    break;
                }
                i -= 1;
                if out.list[i] == 9 {
                    out.list[i] = 0;
                } else {
                    out.list[i] += 1;
                    break;
                }
            }
        }
        while out.list.last() == Some(&0) {
            out.list.pop();
        }
        out
    }

    fn at(&self, i: i64) -> char {
        let digit = usize::try_from(i).ok().and_then(|i| self.list.get(i)).copied().unwrap_or(0);
        char::from(b'0' + digit)
    }

    fn fixed(&self, precision: usize) -> String {
        let places = i64::try_from(precision).unwrap_or(i64::MAX);
        let d = self.rounded(self.point.saturating_add(places));
        let mut out = String::new();
        if d.point > 0 && !d.list.is_empty() {
            out.extend((0..d.point).map(|i| d.at(i)));
        } else {
            out.push('0');
        }
        if precision > 0 {
            out.push('.');
            out.extend(
                (0..places)
                    .map(|i| if d.list.is_empty() { '0' } else { d.at(d.point.saturating_add(i)) }),
            );
        }
        out
    }

    /// `d.ddde±dd`; without a precision all digits there are.
    fn exponential(&self, precision: Option<usize>) -> String {
        let d = match precision {
            Some(p) => self.rounded(i64::try_from(p).unwrap_or(i64::MAX).saturating_add(1)),
            None => self.rounded(i64::MAX),
        };
        let after = precision.unwrap_or_else(|| d.list.len().saturating_sub(1));
        let mut out = String::from(d.at(0));
        if after > 0 {
            out.push('.');
            out.extend((1..=i64::try_from(after).unwrap_or(0)).map(|i| d.at(i)));
        }
        let exponent = if d.list.is_empty() { 0 } else { d.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        out + &format!("e{sign}{:02}", exponent.abs())
    }

    /// `%g`: an exponent for very large and very small numbers only.
    fn shortest(&self, precision: Option<usize>, keep_zeros: bool) -> String {
        let limit = precision.map(|p| p.max(1));
        let d = match limit {
            Some(p) => self.rounded(i64::try_from(p).unwrap_or(i64::MAX)),
            None => self.rounded(i64::MAX),
        };
        let count = d.list.len();
        let threshold = match limit {
            None => 6,
            Some(p) if p > count && i64::try_from(count).unwrap_or(0) >= d.point => count,
            Some(p) => p,
        };
        let exponent = if d.list.is_empty() { 0 } else { d.point - 1 };
        let threshold = i64::try_from(threshold).unwrap_or(i64::MAX);
        let wanted = if keep_zeros { limit.unwrap_or(6).max(count) } else { count };
        if exponent < -4 || exponent >= threshold.max(1) {
            return d.exponential(Some(wanted.saturating_sub(1)));
        }
        let places = i64::try_from(wanted).unwrap_or(0).saturating_sub(d.point).max(0);
        d.fixed(usize::try_from(places).unwrap_or(0))
    }
}
