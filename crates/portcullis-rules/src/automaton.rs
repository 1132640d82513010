//! Regular expressions over text of which only pieces are known.

use std::sync::Arc;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use rustc_hash::FxHashSet;

use crate::truth::Truth;

/// Bounds on an automaton and on the work of making it, in bytes.
const SIZE: usize = 1 << 20;

/// An expression as an automaton, to be run over pieces and over every text that may stand between
/// them. Boxed, since few patterns ever need theirs.
#[derive(Clone, Debug)]
pub(crate) struct Automaton(Box<dense::DFA<Vec<u32>>>);

impl Automaton {
    /// `None` for what is no expression, or one too large to be judged so.
    pub(crate) fn build(expression: &str) -> Option<Self> {
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(SIZE))
            .determinize_size_limit(Some(SIZE));
        dense::Builder::new()
            .configure(config)
            .build(expression)
            .ok()
            .map(|dfa| Self(Box::new(dfa)))
    }

    /// Whether the expression matches a text made of these pieces: for every text in the holes, for
    /// none, or for some. `fills` says which bytes a hole may have.
    pub(crate) fn matches(&self, pieces: &[Option<Arc<str>>], fills: impl Fn(u8) -> bool) -> Truth {
        let dfa = &self.0;
        let Ok(start) = dfa.start_state(&start::Config::new()) else { return Truth::Unknown };
        let mut states: FxHashSet<StateID> = FxHashSet::from_iter([start]);
        // A match is seen one byte late, and holds whatever follows.
        let mut matched = false;
        for piece in pieces {
            match piece {
                Some(text) => {
                    for byte in text.bytes() {
                        states = states.iter().map(|s| dfa.next_state(*s, byte)).collect();
                        matched |= self.settle(&mut states);
                    }
                }
                None => {
                    let mut open: Vec<StateID> = states.iter().copied().collect();
                    while let Some(state) = open.pop() {
                        for byte in (0..=u8::MAX).filter(|b| fills(*b)) {
                            let next = dfa.next_state(state, byte);
                            if states.insert(next) && !dfa.is_match_state(next) {
                                open.push(next);
                            }
                        }
                    }
                    matched |= self.settle(&mut states);
                }
            }
        }
        let ends = |s: &StateID| dfa.is_match_state(dfa.next_eoi_state(*s));
        let some = matched || states.iter().any(ends);
        match (some, states.iter().all(ends)) {
            (true, true) => Truth::True,
            (true, false) => Truth::Unknown,
            (false, _) => Truth::False,
        }
    }

    /// Takes out the states in which the expression has matched; whether there was one.
    fn settle(&self, states: &mut FxHashSet<StateID>) -> bool {
        let before = states.len();
        states.retain(|s| !self.0.is_match_state(*s));
        states.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pieces = [Option<Arc<str>>];

    #[test]
    fn pieces_decide_where_every_filling_agrees() {
        let text = |t: &str| Some(Arc::from(t));
        let prefixed = [text("arn:aws:iam::"), None, text(":role/x")];
        let begun = [text("5.7."), None];
        let cases: [(&str, &Pieces, Truth); 9] = [
            ("^arn:aws:iam::", &prefixed, Truth::True),
            ("^arn:aws:iam::.*:role/", &prefixed, Truth::True),
            ("^arn:aws:s3", &prefixed, Truth::False),
            ("role/x$", &prefixed, Truth::True),
            ("role/y$", &prefixed, Truth::False),
            ("^arn:aws:iam::[0-9]{12}:", &prefixed, Truth::Unknown),
            ("^5[.]7[.]", &begun, Truth::True),
            ("^8[.]", &begun, Truth::False),
            ("^5[.]7[.]3$", &begun, Truth::Unknown),
        ];
        for (expression, pieces, want) in cases {
            let found = Automaton::build(expression)
                .unwrap()
                .matches(pieces, |b| (0x20..0x7f).contains(&b));
            assert_eq!(found, want, "{expression}");
        }
        let wild = Automaton::build("[*]").unwrap();
        assert_eq!(wild.matches(&[None], |b| b != b'*'), Truth::False);
        assert_eq!(wild.matches(&[None], |_| true), Truth::Unknown);
    }
}
