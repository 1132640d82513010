//! Digests of text and of files, and identifiers made of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use portcullis_core::WhyKind;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::args::Args;
use super::filesystem::{Found, read_bytes};
use super::spec::{NUM, STR, Spec};
use super::{FunctionError, Outcome};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::text("base64sha256", &[STR], |a| base64::<Sha256>(a, a.str(0).as_bytes())),
    Spec::text("base64sha512", &[STR], |a| base64::<Sha512>(a, a.str(0).as_bytes())),
    Spec::text("filebase64sha256", &[STR], |a| of_file(a, base64::<Sha256>)),
    Spec::text("filebase64sha512", &[STR], |a| of_file(a, base64::<Sha512>)),
    Spec::text("filemd5", &[STR], |a| of_file(a, hex::<Md5>)),
    Spec::text("filesha1", &[STR], |a| of_file(a, hex::<Sha1>)),
    Spec::text("filesha256", &[STR], |a| of_file(a, hex::<Sha256>)),
    Spec::text("filesha512", &[STR], |a| of_file(a, hex::<Sha512>)),
    Spec::text("md5", &[STR], |a| hex::<Md5>(a, a.str(0).as_bytes())),
    Spec::text("sha1", &[STR], |a| hex::<Sha1>(a, a.str(0).as_bytes())),
    Spec::text("sha256", &[STR], |a| hex::<Sha256>(a, a.str(0).as_bytes())),
    Spec::text("sha512", &[STR], |a| hex::<Sha512>(a, a.str(0).as_bytes())),
    Spec::text("bcrypt", &[STR], |a| {
        a.never(WhyKind::Computed, "bcrypt gives another text on every run")
    })
    .optional(&[NUM]),
    Spec::text("rsadecrypt", &[STR, STR], |a| {
        a.never(WhyKind::Unsupported, "rsadecrypt: nothing is decrypted")
    }),
    Spec::text("uuid", &[], |a| a.never(WhyKind::Computed, "uuid gives another text on every run")),
    Spec::text("uuidv5", &[STR, STR], uuidv5),
];

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn hex<D: Digest>(a: &Args<'_>, bytes: &[u8]) -> Outcome {
    a.text(to_hex(&D::digest(bytes)))
}

fn base64<D: Digest>(a: &Args<'_>, bytes: &[u8]) -> Outcome {
    a.text(STANDARD.encode(D::digest(bytes)))
}

fn of_file(a: &Args<'_>, digest: fn(&Args<'_>, &[u8]) -> Outcome) -> Outcome {
    match read_bytes(a)? {
        Found::It(bytes) => digest(a, &bytes),
        Found::Unknown(v) => Ok(v),
    }
}

/// <https://www.rfc-editor.org/rfc/rfc4122#section-4.3>; the namespaces are its appendix C.
fn uuidv5(a: &Args<'_>) -> Outcome {
    let namespace = match a.str(0) {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let digits: String = namespace.chars().filter(|c| *c != '-').collect();
    let bytes = (digits.len() == 32)
        .then(|| u128::from_str_radix(&digits, 16).ok())
        .flatten()
        .ok_or_else(|| FunctionError::at(0, "expected dns, url, oid, x500 or a UUID"))?;
    let mut hash = Sha1::new();
    hash.update(bytes.to_be_bytes());
    hash.update(a.str(1).as_bytes());
    let mut id = hash.finalize()[..16].to_vec();
    id[6] = (id[6] & 0x0f) | 0x50;
    id[8] = (id[8] & 0x3f) | 0x80;
    let t = to_hex(&id);
    a.text(format!("{}-{}-{}-{}-{}", &t[..8], &t[8..12], &t[12..16], &t[16..20], &t[20..]))
}
