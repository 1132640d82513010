//! Base64, URL encoding and character sets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::WhyKind;

use super::args::{Args, bounded};
use super::spec::{Reads, STR, Spec};
use super::{FunctionError, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("base64decode", &[STR], base64decode),
    Spec::text("base64encode", &[STR], base64encode).reads(Reads::OwnDeep),
    // The bytes depend on the compressor, so that any guess would differ from Terraform's.
    Spec::text("base64gzip", &[STR], |a| {
        a.never(WhyKind::Unsupported, "base64gzip: compressed text is not computed")
    }),
    Spec::text("textdecodebase64", &[STR, STR], textdecodebase64),
    Spec::text("textencodebase64", &[STR, STR], textencodebase64),
    Spec::text("urlencode", &[STR], urlencode),
];

/// Of a text of which parts are not known, nothing is known; what is known of the text can be looked
/// up behind it.
fn base64encode(a: &Args<'_>) -> Outcome {
    let text = a.value(0);
    if let Some(known) = text.as_str() {
        return a.text(STANDARD.encode(known));
    }
    let out = a.unknown();
    a.head.ctx.set_encoded(out.origin, text);
    Ok(out)
}

fn base64decode(a: &Args<'_>) -> Outcome {
    let bytes = decode(a.str(0))?;
    match String::from_utf8(bytes) {
        Ok(text) => a.text(text),
        Err(_) => Err(FunctionError::at(0, "the decoded bytes are not UTF-8 text")),
    }
}

fn decode(text: &str) -> Result<Vec<u8>, FunctionError> {
    // Line breaks may stand anywhere in base64, by Go's rule.
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    STANDARD
        .decode(text)
        .map_err(|e| FunctionError::at(0, format!("the text is not valid base64: {e}")))
}

/// The character sets that are read and written here.
enum Charset {
    Utf8,
    Utf16 { big: bool, mark: bool },
    Latin1,
    Ascii,
}

/// `None` for character sets that Terraform knows and this does not.
fn charset(name: &str) -> Result<Option<Charset>, FunctionError> {
    let lower = name.to_ascii_lowercase();
    Ok(Some(match lower.as_str() {
        "utf-8" | "csutf8" => Charset::Utf8,
        "utf-16le" => Charset::Utf16 { big: false, mark: false },
        "utf-16be" => Charset::Utf16 { big: true, mark: false },
        "utf-16" => Charset::Utf16 { big: true, mark: true },
        "iso-8859-1" | "iso_8859-1" | "latin1" | "l1" => Charset::Latin1,
        "us-ascii" | "us" | "iso646-us" | "csascii" => Charset::Ascii,
        other => {
            let known = [
                "iso-8859-",
                "windows-",
                "shift_jis",
                "euc-",
                "gb",
                "big5",
                "koi8-",
                "ibm",
                "hz-",
                "iso-2022-",
                "macintosh",
                "cp",
            ];
            if known.iter().any(|k| other.starts_with(k)) {
                return Ok(None);
            }
            return Err(FunctionError::at(1, format!("{name:?} names no character set")));
        }
    }))
}

const UNSUPPORTED: &str = "this character set is not supported";

fn textencodebase64(a: &Args<'_>) -> Outcome {
    let text = a.str(0);
    let Some(charset) = charset(a.str(1))? else {
        return a.never(WhyKind::Unsupported, UNSUPPORTED);
    };
    let lost = |c: char| FunctionError::at(0, format!("{} has no character {c:?}", a.str(1)));
    let narrow = |limit: u32| -> Result<Vec<u8>, FunctionError> {
        text.chars()
            .map(|c| match u8::try_from(u32::from(c)) {
                Ok(b) if u32::from(b) < limit => Ok(b),
                _ => Err(lost(c)),
            })
            .collect()
    };
    let bytes = match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Latin1 => narrow(256)?,
        Charset::Ascii => narrow(128)?,
        Charset::Utf16 { big, mark } => {
            let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
            units.flat_map(|u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        }
    };
    a.text(STANDARD.encode(bytes))
}

fn textdecodebase64(a: &Args<'_>) -> Outcome {
    let bytes = decode(a.str(0))?;
    let Some(charset) = charset(a.str(1))? else {
        return a.never(WhyKind::Unsupported, UNSUPPORTED);
    };
    let text = match charset {
        Charset::Utf8 => String::from_utf8(bytes).ok(),
        Charset::Ascii => String::from_utf8(bytes).ok().filter(|t| t.is_ascii()),
        Charset::Latin1 => Some(bytes.into_iter().map(char::from).collect()),
        Charset::Utf16 { big, mark } => {
            let mut little = !big;
            let mut rest = bytes.as_slice();
            if mark && let [x, y, tail @ ..] = rest {
                match (x, y) {
                    (0xFE, 0xFF) => rest = tail,
                    (0xFF, 0xFE) => {
                        little = true;
                        rest = tail;
                    }
                    _ => {}
                }
            }
            let pairs = rest.chunks_exact(2);
            let whole = pairs.remainder().is_empty();
            let units: Vec<u16> = pairs
                .map(|p| {
                    let pair = [p[0], p[1]];
                    if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
                })
                .collect();
            String::from_utf16(&units).ok().filter(|_| whole)
        }
    };
    match text {
        Some(text) => a.text(text),
        None => Err(FunctionError::at(0, format!("the bytes are not {} text", a.str(1)))),
    }
}

fn urlencode(a: &Args<'_>) -> Outcome {
    let text = a.str(0);
    bounded(text.len().saturating_mul(3))?;
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(b));
            }
            b' ' => out.push('+'),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    a.text(out)
}
