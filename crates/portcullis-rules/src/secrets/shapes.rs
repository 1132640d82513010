//! Shapes of credentials, and names of what holds them.

use std::sync::OnceLock;

use base64::Engine as _;
use regex::RegexSet;

/// Credentials that are known by their beginning or their frame.
const SHAPES: [&str; 10] = [
    // Access key ids: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>.
    r"(?:^|[^A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?:$|[^A-Z0-9])",
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----",
    r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}",
    r"\bgithub_pat_[A-Za-z0-9_]{22}",
    r"\bglpat-[A-Za-z0-9_-]{20}",
    r"\bxox[abprs]-[A-Za-z0-9-]{10}",
    r"\b[sr]k_live_[A-Za-z0-9]{16}",
    r"\bAIza[A-Za-z0-9_-]{35}",
    r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10}",
    // A user and a password in an address; what is filled in later starts with `$`, `{` or `<`.
    r"[a-z][a-z0-9+.-]*://[^\s:/@]+:[^\s:/@${<*][^\s:/@]*@",
];

/// A secret assigned to a name inside a longer text, as in a start-up script.
const ASSIGNED: &str = r#"(?i)(?:password|passwd|secret|token|api_?key|access_?key)["']?\s*[=:]\s*["']?([A-Za-z0-9/+=_!@#%^&*.-]{8,})"#;

/// A password written out between quotes, which may be escaped: letters alone will do.
const QUOTED: &str =
    r#"(?i)(?:password|passwd)["']?\s*[=:]\s*\\?["']([^"'\\\s$<{%(][^"'\\\s]{7,})\\?["']"#;

/// A password that a PHP script defines as a constant.
const DEFINED: &str = r#"(?i)\bdefine\(\s*["'][a-z0-9_]*(?:password|passwd|secret|token|api_?key)["']\s*,\s*["']([^"'\\\s$<{%(][^"'\\\s]{7,})["']"#;

/// Shannon entropy, in bits per character, of text that nobody made up.
const RANDOM: f64 = 3.5;

/// The same for text without any frame, which has to be told from paths and identifiers.
const VERY_RANDOM: f64 = 4.2;

/// Characters of a secret access key.
const AWS_SECRET: usize = 40;

/// Whether text is, or holds, a credential by its shape alone.
pub(super) fn is_credential(text: &str) -> bool {
    static SET: OnceLock<Option<RegexSet>> = OnceLock::new();
    static QUOTES: OnceLock<[Option<regex::Regex>; 2]> = OnceLock::new();
    static ASSIGN: OnceLock<Option<regex::Regex>> = OnceLock::new();
    if text.len() < 8 {
        return false;
    }
    let set = SET.get_or_init(|| RegexSet::new(SHAPES).ok());
    if set.as_ref().is_some_and(|s| s.is_match(text)) || holds_aws_secret(text) {
        return true;
    }
    let quoted = QUOTES.get_or_init(|| [QUOTED, DEFINED].map(|r| regex::Regex::new(r).ok()));
    let written = |value: &str| entropy(value) >= 2.5 && !is_placeholder(value);
    let captured = |c: regex::Captures<'_>| written(c.get(1).map_or("", |m| m.as_str()));
    if quoted.iter().flatten().flat_map(|r| r.captures_iter(text)).any(captured) {
        return true;
    }
    if let Some(inner) = decoded(text) {
        return is_credential(&inner);
    }
    let assign = ASSIGN.get_or_init(|| regex::Regex::new(ASSIGNED).ok());
    assign.iter().flat_map(|r| r.captures_iter(text)).any(|c| {
        let value = c.get(1).map_or("", |m| m.as_str());
        mixed(value) && !value.starts_with("arn:") && entropy(value) >= 2.5
    })
}

/// The text behind base64, where the whole is that and the text can be read: user data and the like.
/// What is shorter than a credential is left alone.
pub(super) fn decoded(text: &str) -> Option<String> {
    let plain: String = text.split_ascii_whitespace().collect();
    let alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    if plain.len() < 24 || !plain.len().is_multiple_of(4) || !plain.bytes().all(alphabet) {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(plain).ok()?;
    let inner = String::from_utf8(bytes).ok()?;
    let readable = inner.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    readable.then_some(inner)
}

/// A run of forty characters as secret access keys have them.
fn holds_aws_secret(text: &str) -> bool {
    let key = |c: char| c.is_ascii_alphanumeric() || c == '/' || c == '+';
    text.split(|c| !key(c)).any(|run| {
        let has = |f: fn(&char) -> bool| run.chars().any(|c| f(&c));
        run.len() == AWS_SECRET
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit)
            && entropy(run) >= VERY_RANDOM
    })
}

/// Whether a name says that what it holds is secret, and not merely where or what about one.
pub(super) fn names_secret(name: &str) -> bool {
    let name: String =
        name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    const SECRET: [&str; 9] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "privatekey",
        "accesskey",
        "credential",
    ];
    // What only tells of a secret, and what says of itself that it is none that counts.
    const ABOUT: [&str; 18] = [
        "arn",
        "name",
        "id",
        "path",
        "url",
        "uri",
        "endpoint",
        "length",
        "ttl",
        "expiry",
        "expiration",
        "enabled",
        "type",
        "version",
        "region",
        "file",
        "test",
        "example",
    ];
    SECRET.iter().any(|s| name.contains(s)) && !ABOUT.iter().any(|a| name.ends_with(a))
}

/// Characters of one run of letters and digits that nobody takes for the name of something.
const RUN: usize = 20;

/// Whether text could be a generated secret: no address, path, ARN, template or sentence, and
/// nothing that calls itself a placeholder.
pub(super) fn looks_random(text: &str) -> bool {
    let begins = ["arn:", "http:", "https:", "/", "${", "{{", "<", "s3:"];
    text.len() >= 16
        && !text.contains(char::is_whitespace)
        && !begins.iter().any(|b| text.starts_with(b))
        && !is_placeholder(text)
        && !of_words(text)
        && mixed(text)
        && (entropy(text) >= RANDOM || (one_run(text) && entropy(text) >= 2.5))
}

/// Whether text says of itself that it stands for something else.
fn is_placeholder(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = ["example", "placeholder", "changeme", "change_me", "dummy", "replace"];
    words.iter().any(|w| text.contains(w))
}

/// Whether text is words and numbers between separators, as names of things are.
fn of_words(text: &str) -> bool {
    let mut parts = text.split(['-', '_', '.', '/', ':']).filter(|p| !p.is_empty()).peekable();
    let pure = |p: &str| {
        p.chars().all(|c| c.is_ascii_alphabetic()) || p.chars().all(|c| c.is_ascii_digit())
    };
    text.contains(['-', '_', '.', '/', ':']) && parts.peek().is_some() && parts.all(pure)
}

/// Whether text is long and holds letters and digits only: names have dashes, dots or slashes.
fn one_run(text: &str) -> bool {
    text.len() >= RUN && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn mixed(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit()) && text.chars().any(|c| c.is_ascii_alphabetic())
}

/// Shannon entropy in bits per byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let n = text.len() as f64;
    let used = counts.iter().filter(|c| **c > 0);
    used.map(|c| f64::from(*c) / n).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_shape() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
            "postgres://app:hunter2@db.example.com/app",
            "DB_PASSWORD=hunter2hunter",
            "token: \"a1b2c3d4e5f6\"",
            "export DATABASE_PASSWORD=\\\"NotARealPassword\\\"",
            "password = 'NotARealPassword'",
            "define('DB_PASSWORD', 'NotARealPassword');",
            // export DATABASE_PASSWORD="NotARealPassword"
            "ZXhwb3J0IERBVEFCQVNFX1BBU1NXT1JEPSJOb3RBUmVhbFBhc3N3b3JkIg==",
        ] {
            assert!(is_credential(text), "{text}");
        }
        for text in [
            "",
            "orders",
            "AKIA",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders-AbCdEf",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/orders",
            "postgres://app:${password}@db.example.com/app",
            "password=$(aws ssm get-parameter)",
            "token_ttl=3600",
            "password = \"${var.password}\"",
            "password: \"<your password>\"",
            "define('DB_PASSWORD', '${Password}');",
            "define('DB_PASSWORD_FILE', '/run/secrets/database');",
            "columns = ['name', 'password', 'description']",
            "password = \"changeme-later\"",
            "ZXhwb3J0IEdSRUVUSU5HPWhlbGxvIHdvcmxk",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "services/production/orders/handlers/main",
        ] {
            assert!(!is_credential(text), "{text}");
        }
    }

    #[test]
    fn names_tell_secrets_from_what_is_about_them() {
        for name in ["DB_PASSWORD", "apiKey", "github-token", "SECRET"] {
            assert!(names_secret(name), "{name}");
        }
        for name in
            ["SECRET_ARN", "PASSWORD_LENGTH", "TOKEN_URL", "TABLE", "secretName", "MYSECRET_TEST"]
        {
            assert!(!names_secret(name), "{name}");
        }
        assert!(looks_random("x9Kq2vTz8Lm4Rw7Pb1"));
        assert!(looks_random("lkjfdlksajdlksajdlksajdlk123"), "keyboard noise is a secret too");
        for text in [
            "changeme",
            "arn:aws:iam::111122223333:role/a1B2",
            "/orders/prod/token1234",
            "aaaaaaaaaaaaaaaa1",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
            "x9Kq2vTz8Lm4Rw7Pb1EXAMPLE",
            "orders-service-production-1",
        ] {
            assert!(!looks_random(text), "{text}");
        }
    }
}
