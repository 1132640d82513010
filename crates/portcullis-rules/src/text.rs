//! Text helpers: globs, nearest names, and text of which only pieces are known.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis_core::{Kind, Ref, Unknown, Value, WhyKind};

use crate::automaton::Automaton;
use crate::truth::Truth;

/// Matches `*` (any text) and `?` (one character), with or without regard to case.
pub(crate) fn glob(pattern: &str, text: &str, fold: bool) -> bool {
    let same = |a: u8, b: u8| a == b || (fold && a.eq_ignore_ascii_case(&b));
    let (p, t) = (pattern.as_bytes(), text.as_bytes());
    let (mut i, mut j) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while j < t.len() {
        match p.get(i) {
            Some(b'*') => {
                back = Some((i + 1, j));
                i += 1;
            }
            Some(b'?') => {
                i += 1;
                j += 1;
                // One character, not one byte.
                while t.get(j).is_some_and(|b| b & 0xC0 == 0x80) {
                    j += 1;
                }
            }
            Some(c) if same(*c, t[j]) => {
                i += 1;
                j += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    i = star;
                    j = from + 1;
                }
                None => return false,
            },
        }
    }
    p[i..].iter().all(|c| *c == b'*')
}

/// The known name nearest to an unknown one, if it is near enough to be a slip.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (unknown.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|k| (distance(unknown, k), k))
        .filter(|(d, _)| *d <= most)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// Edit distance with swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(128).collect();
    let b: Vec<char> = b.chars().take(128).collect();
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<_>>(), vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        let [before, last, now] = &mut rows;
        now[0] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut d = (last[j] + 1).min(now[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(before[j - 2] + 1);
            }
            now[j] = d;
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

/// Whether the one thing that is not known is the number of an account.
fn is_account(u: &Unknown) -> bool {
    let holes = u.pieces.as_deref().map_or(1, |p| p.iter().filter(|p| p.is_none()).count());
    holes == 1
        && match (u.why.kind, u.refs.as_slice()) {
            (WhyKind::Pseudo, []) => u.why.text.starts_with("AWS::AccountId "),
            (WhyKind::Data, [one]) => {
                &*one.attr == "account_id" && one.address.contains("aws_caller_identity.")
            }
            _ => false,
        }
}

/// Text, as much of it as is known.
pub(crate) enum Known<'a> {
    Whole(Arc<str>),
    Pieces(&'a [Option<Arc<str>>], Holes),
    Nothing(Holes),
}

/// What may stand where text is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holes {
    /// Anything.
    Any,
    /// An account, a region, a partition and the like: some plain word.
    Pseudo,
    /// One hole, the number of the account: twelve digits
    /// (<https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>).
    Account,
    /// Names, ids or ARNs of resources and data sources: no wildcards, and none of AWS's own.
    Identifiers,
}

impl Holes {
    fn of(u: &Unknown) -> Self {
        let identifies = |r: &Ref| {
            let attr = r.attr.to_ascii_lowercase();
            let ends = ["arn", "id", "name", "ref", "partition", "suffix", "region"];
            ends.iter().any(|e| attr.ends_with(e))
        };
        if is_account(u) {
            Holes::Account
        } else if !u.why.kind.is_given() || !u.refs.iter().all(identifies) {
            Holes::Any
        } else if !u.refs.is_empty() {
            Holes::Identifiers
        } else if u.why.kind == WhyKind::Pseudo {
            Holes::Pseudo
        } else {
            Holes::Any
        }
    }

    /// Whether a text asks for something that such holes never hold: wildcards beyond those that
    /// are known, or the account that AWS's own policies have in their ARNs.
    fn never(self, pieces: &[Option<Arc<str>>], want: &str) -> bool {
        let wild = |t: &str| t.bytes().filter(|b| matches!(b, b'*' | b'?')).count();
        let known: usize = pieces.iter().flatten().map(|p| wild(p)).sum();
        let own = |t: &str| t.contains("::aws:");
        match self {
            Holes::Any => false,
            Holes::Pseudo => wild(want) > known,
            Holes::Identifiers | Holes::Account => {
                wild(want) > known || (own(want) && !pieces.iter().flatten().any(|p| own(p)))
            }
        }
    }
}

impl<'a> Known<'a> {
    /// The text of a scalar or of an unknown; `None` for lists and mappings, which are no text.
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        match &value.kind {
            Kind::Unknown(u) => Some(Self::of_unknown(u)),
            _ => value.scalar_text().map(Known::Whole),
        }
    }

    fn of_unknown(u: &'a Unknown) -> Self {
        let holes = Holes::of(u);
        u.pieces.as_deref().map_or(Known::Nothing(holes), |p| Known::Pieces(p, holes))
    }

    /// Whether the text asks for something that the unknown parts never hold.
    fn never(&self, want: &str) -> bool {
        match self {
            Known::Whole(_) => false,
            Known::Pieces(p, holes) => holes.never(p, want),
            Known::Nothing(holes) => holes.never(&[], want),
        }
    }

    pub(crate) fn equals(&self, want: &str, fold: bool) -> Truth {
        match self {
            Known::Whole(t) => same(t, want, fold).into(),
            _ if self.never(want) => Truth::False,
            Known::Pieces(p, _) if !could_be(p, want, fold) => Truth::False,
            _ => Truth::Unknown,
        }
    }

    pub(crate) fn starts_with(&self, want: &str, fold: bool) -> Truth {
        let known = match self {
            Known::Pieces([Some(first), ..], _) => Some(&**first),
            _ => None,
        };
        self.has_end(want, known, |text, n| {
            same_bytes(&text.as_bytes()[..n], &want.as_bytes()[..n], fold)
        })
    }

    pub(crate) fn ends_with(&self, want: &str, fold: bool) -> Truth {
        let known = match self {
            Known::Pieces([.., Some(last)], _) => Some(&**last),
            _ => None,
        };
        self.has_end(want, known, |text, n| {
            let (t, w) = (text.as_bytes(), want.as_bytes());
            same_bytes(&t[t.len() - n..], &w[w.len() - n..], fold)
        })
    }

    /// Whether `want` stands at one end of the text. `known` is the piece at that end, if the text
    /// is known in pieces; `agrees` tells whether a text and `want` have the same bytes there, as
    /// many as both have.
    fn has_end(
        &self,
        want: &str,
        known: Option<&str>,
        agrees: impl Fn(&str, usize) -> bool,
    ) -> Truth {
        let decide = |text: &str| {
            if !agrees(text, text.len().min(want.len())) {
                Truth::False
            } else if text.len() >= want.len() {
                Truth::True
            } else {
                Truth::Unknown
            }
        };
        match self {
            _ if want.is_empty() => Truth::True,
            Known::Whole(t) => decide(t).and((t.len() >= want.len()).into()),
            _ if self.never(want) => Truth::False,
            _ => known.map_or(Truth::Unknown, decide),
        }
    }

    pub(crate) fn contains(&self, want: &str, fold: bool) -> Truth {
        let has = |t: &str| {
            if fold {
                t.to_ascii_lowercase().contains(&want.to_ascii_lowercase())
            } else {
                t.contains(want)
            }
        };
        match self {
            Known::Whole(t) => has(t).into(),
            Known::Pieces(p, _) if p.iter().flatten().any(|t| has(t)) => Truth::True,
            _ if self.never(want) => Truth::False,
            _ => self.with_number(want).map_or(Truth::Unknown, |t| has(&t).into()),
        }
    }

    /// The text with a number in place of the account's, where what is asked of it names no digit:
    /// then any number gives the same answer.
    fn with_number(&self, asked: &str) -> Option<String> {
        const NUMBER: &str = "111122223333";
        if asked.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        match self {
            Known::Pieces(p, Holes::Account) => {
                Some(p.iter().map(|p| p.as_deref().unwrap_or(NUMBER)).collect())
            }
            Known::Nothing(Holes::Account) => Some(NUMBER.to_owned()),
            _ => None,
        }
    }

    /// The text against a glob. Of pieces: true if the glob holds whatever stands in the holes,
    /// false if its literal start or end contradicts theirs.
    pub(crate) fn like(&self, pattern: &str, fold: bool) -> Truth {
        match self {
            Known::Whole(t) => glob(pattern, t, fold).into(),
            Known::Pieces(p, _) => {
                if let Some(text) = self.with_number(pattern) {
                    return glob(pattern, &text, fold).into();
                }
                let start = pattern.find(['*', '?']).unwrap_or(pattern.len());
                let end = pattern.rfind(['*', '?']).map_or(0, |i| i + 1);
                let ends = self
                    .starts_with(&pattern[..start], fold)
                    .and(self.ends_with(&pattern[end..], fold));
                if ends != Truth::True {
                    return ends;
                }
                // A pattern with stars alone between its ends: every literal run between stars
                // must lie in one piece, in order.
                if stars_hold(pattern, p, fold) { Truth::True } else { Truth::Unknown }
            }
            Known::Nothing(_) if pattern.bytes().all(|b| b == b'*') && !pattern.is_empty() => {
                Truth::True
            }
            Known::Nothing(_) => Truth::Unknown,
        }
    }

    /// The value as a glob against a text of the rule.
    pub(crate) fn covers(&self, text: &str, fold: bool) -> Truth {
        let (pieces, holes) = match self {
            Known::Whole(pattern) => return glob(pattern, text, fold).into(),
            Known::Pieces(pieces, holes) => (*pieces, *holes),
            // An identifier is no pattern, and no text that a rule spells.
            Known::Nothing(Holes::Identifiers | Holes::Account) => return Truth::False,
            Known::Nothing(_) => return Truth::Unknown,
        };
        let with = |hole: &str| {
            let all: String = pieces.iter().map(|p| p.as_deref().unwrap_or(hole)).collect();
            glob(&all, text, fold)
        };
        if !with("*") {
            // Whatever stands in the holes.
            return Truth::False;
        }
        match holes {
            Holes::Any => Truth::Unknown,
            // The rule's account or region stands for any.
            Holes::Pseudo | Holes::Account => Truth::True,
            // Where the known wildcards reach over the hole, it does not matter.
            Holes::Identifiers => with("\u{0}").into(),
        }
    }

    /// A regular expression over the text, as much of it as is known.
    pub(crate) fn matches(&self, automaton: &Automaton) -> Truth {
        let (pieces, holes): (&[Option<Arc<str>>], _) = match self {
            Known::Whole(t) => return automaton.matches(&[Some(t.clone())], |_| true),
            Known::Pieces(p, holes) => (p, *holes),
            Known::Nothing(holes) => (&[None], *holes),
        };
        // What is filled in is taken for one line of plain text; identifiers hold no wildcards.
        let wild = |b: u8| matches!(b, b'*' | b'?');
        automaton.matches(pieces, |b| match holes {
            Holes::Account => b.is_ascii_digit(),
            Holes::Any => (0x20..0x7f).contains(&b),
            _ => (0x20..0x7f).contains(&b) && !wild(b),
        })
    }

    /// The text where all of it is known.
    pub(crate) fn whole(&self) -> Option<&str> {
        match self {
            Known::Whole(t) => Some(t),
            _ => None,
        }
    }

    /// Text that a regular expression takes or refuses as it does the value, where there is one.
    pub(crate) fn for_expression(&self, expression: &str) -> Option<Cow<'_, str>> {
        match self {
            Known::Whole(t) => Some(Cow::Borrowed(t)),
            _ => self.with_number(&without_counts(expression)).map(Cow::Owned),
        }
    }
}

/// An expression without its counts (`{12}`) and its classes of all digits (`0-9`).
fn without_counts(expression: &str) -> String {
    let mut out = String::new();
    let mut rest = expression;
    while let Some((before, counted)) = rest.split_once('{') {
        out.push_str(before);
        let Some((count, after)) = counted.split_once('}') else { break };
        if !count.bytes().all(|b| b.is_ascii_digit() || b == b',') {
            out.push_str(count);
        }
        rest = after;
    }
    out.push_str(rest);
    out.replace("0-9", "")
}

/// Whether a glob is satisfied by the known pieces, whatever stands between them.
fn stars_hold(pattern: &str, pieces: &[Option<Arc<str>>], fold: bool) -> bool {
    let single = pattern.matches('?').count();
    let holes = pieces.iter().filter(|p| p.is_none()).count();
    if single > 0 && holes > 1 {
        return false;
    }
    // Holes are text that cannot occur in a literal of a rule, so that no literal matches them;
    // one that is longer than there are `?` is covered by a `*`, and so is every longer one.
    (0..=single + 1).all(|length| {
        let hole = "\u{0}".repeat(length);
        let text: String = pieces.iter().map(|p| p.as_deref().unwrap_or(&hole)).collect();
        glob(pattern, &text, fold)
    })
}

/// Whether text made of these pieces could be `want`.
fn could_be(pieces: &[Option<Arc<str>>], want: &str, fold: bool) -> bool {
    // Each hole is a `*`; pieces that hold glob characters themselves are compared loosely.
    let pattern: String =
        pieces.iter().map(|p| p.as_deref().unwrap_or("*")).collect::<Vec<_>>().concat();
    glob(&pattern, want, fold)
}

pub(crate) fn same(a: &str, b: &str, fold: bool) -> bool {
    a == b || (fold && a.eq_ignore_ascii_case(b))
}

fn same_bytes(a: &[u8], b: &[u8], fold: bool) -> bool {
    a == b || (fold && a.eq_ignore_ascii_case(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (p, t, want) in [
            ("s3:*", "s3:getobject", true),
            ("s3:Get?bject", "s3:GetObject", true),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?", "é", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(p, t, false), want, "{p} {t}");
        }
        assert!(glob("S3:*", "s3:x", true));
    }

    #[test]
    fn pieces_decide_when_they_suffice() {
        let pieces = [Some(Arc::from("arn:aws:kms:")), None, Some(Arc::from(":key/1"))];
        let k = Known::Pieces(&pieces, Holes::Any);
        assert_eq!(k.starts_with("arn:", false), Truth::True);
        assert_eq!(k.starts_with("arn:aws:s3", false), Truth::False);
        assert_eq!(k.starts_with("arn:aws:kms:eu", false), Truth::Unknown);
        assert_eq!(k.ends_with("/1", false), Truth::True);
        assert_eq!(k.ends_with("/2", false), Truth::False);
        assert_eq!(k.contains(":key/", false), Truth::True);
        assert_eq!(k.contains("zzz", false), Truth::Unknown);
        assert_eq!(k.like("arn:*:key/*", false), Truth::True);
        assert_eq!(k.like("arn:*:alias/*", false), Truth::Unknown);
        assert_eq!(k.like("s3:*", false), Truth::False);
        assert_eq!(k.like("arn:?*:key/1", false), Truth::True);
        assert_eq!(k.like("arn:aws:kms:?*:key/1", false), Truth::Unknown);
        assert_eq!(k.equals("arn:aws:kms:x:key/1", false), Truth::Unknown);
        assert_eq!(k.equals("other", false), Truth::False);
    }

    #[test]
    fn an_account_is_a_number() {
        let pieces = [None, Some(Arc::from("-acme.logs"))];
        let k = Known::Pieces(&pieces, Holes::Account);
        assert_eq!(k.contains("support", false), Truth::False);
        assert_eq!(k.contains("-acme", false), Truth::True);
        assert_eq!(k.contains("111122223333", false), Truth::Unknown);
        assert_eq!(k.like("*support*", false), Truth::False);
        assert_eq!(k.like("*-acme*", false), Truth::True);
        assert_eq!(k.like("1111*", false), Truth::Unknown);
        assert_eq!(
            k.for_expression("^[0-9a-z.-]{3,63}$").as_deref(),
            Some("111122223333-acme.logs")
        );
        for asked in ["^111122223333", "^[0-4]{12}-", "12", r"^\x31"] {
            assert_eq!(k.for_expression(asked), None, "{asked}");
        }
        assert_eq!(k.equals("111122223333-acme.logs", false), Truth::Unknown);
        assert_eq!(k.covers("111122223333-acme.logs", false), Truth::True);
        assert!(Known::Nothing(Holes::Pseudo).for_expression("^[0-9]{12}$").is_none());
    }

    #[test]
    fn slips_are_recognised() {
        assert_eq!(nearest("requrie", ["require", "resources"]), Some("require"));
        assert_eq!(nearest("xyz", ["require", "resources"]), None);
    }
}
