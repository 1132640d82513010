//! Small things about text that several formats need.

use portcullis_core::Severity;
pub(crate) use portcullis_core::text::{code, counted, markdown};

/// `text`, or `other` where it is blank: several fields of several formats must not be empty.
pub(crate) fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.trim().is_empty() { other } else { text }
}

/// At most `most` characters, the last an ellipsis where something was cut.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The first paragraph of a remediation on one line, if it begins with prose.
pub(crate) fn advice(remediation: &str) -> Option<String> {
    let lines = remediation.trim().lines().map(str::trim);
    let prose: Vec<&str> = lines.take_while(|l| !l.is_empty() && !l.starts_with("```")).collect();
    let text = prose.join(" ");
    let text = text.trim_start_matches(['#', '-', '*', ' ']).trim_end_matches(':');
    (!text.is_empty()).then(|| text.to_owned())
}

/// A rule's message where the address it begins with is printed beside it already.
pub(crate) fn beside<'a>(message: &'a str, address: &str) -> &'a str {
    match message.strip_prefix(address) {
        Some(rest) if rest.starts_with(' ') => rest.trim_start(),
        _ => message,
    }
}

/// Lines of at most `width` characters, broken at spaces; a longer word is a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A severity at the start of a line.
pub(crate) fn capital(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Info",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

/// Whether a text is an address on the web by itself: nothing in it has to be quoted.
pub(crate) fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    // The characters of a URI: <https://www.rfc-editor.org/rfc/rfc3986#appendix-A>.
    let in_uri = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    rest.is_some_and(|r| {
        r.starts_with(|c: char| c.is_ascii_alphanumeric()) && r.chars().all(in_uri)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_the_whole_first_paragraph() {
        let text = "Make a group, and\npoint the behaviour at it:\n\n```yaml\nA: 1\n```\n";
        assert_eq!(advice(text).as_deref(), Some("Make a group, and point the behaviour at it"));
        assert_eq!(advice("Add a key.\n```hcl\nk = 1\n```").as_deref(), Some("Add a key."));
        assert_eq!(advice("```hcl\nk = 1\n```"), None);
        assert_eq!(advice(" \n"), None);
    }

    #[test]
    fn an_address_is_told_once() {
        assert_eq!(beside("aws_vpc.a has no logs", "aws_vpc.a"), "has no logs");
        assert_eq!(beside("aws_vpc.ab has no logs", "aws_vpc.a"), "aws_vpc.ab has no logs");
        assert_eq!(beside("no logs", ""), "no logs");
    }

    #[test]
    fn links_are_whole_addresses() {
        assert!(is_link("https://docs.aws.amazon.com/a/b.html#c"));
        for text in ["see https://x.org", "https://", "https://x.org/a b", "ftp://x.org", "<b>"] {
            assert!(!is_link(text), "{text}");
        }
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("ab cd  efghij k", 5), ["ab cd", "efghij", "k"]);
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüx", 3), "äö…");
    }
}
