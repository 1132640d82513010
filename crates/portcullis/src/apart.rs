//! What the environments of a root say alike, told once, and what only some of them say, told with
//! their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_core::report::environments;
use portcullis_core::{Diagnostic, Hidden, Span};
use rustc_hash::FxHashMap;

/// Problems and hidden resources of roots that are judged once for each of their environments.
#[derive(Default)]
pub(crate) struct Apart {
    problems: FxHashMap<Key, (Diagnostic, BTreeSet<Arc<str>>)>,
    hidden: BTreeMap<(String, String, String), BTreeSet<Arc<str>>>,
}

/// Root, place, file and text of a problem.
type Key = (String, Option<Span>, Option<String>, String);

impl Apart {
    /// Takes what a root gave in an environment.
    pub(crate) fn add(
        &mut self,
        root: &str,
        environment: &Arc<str>,
        problems: Vec<Diagnostic>,
        hidden: Vec<Hidden>,
    ) {
        for d in problems {
            let key = (root.to_owned(), d.span, d.path.clone(), d.message.clone());
            let said = self.problems.entry(key).or_insert_with(|| (d, BTreeSet::new()));
            said.1.insert(environment.clone());
        }
        for h in hidden {
            let key = (root.to_owned(), h.address, h.because);
            self.hidden.entry(key).or_default().insert(environment.clone());
        }
    }

    /// All of it, in no order; `count` is how many environments a root has.
    pub(crate) fn told(self, count: impl Fn(&str) -> usize) -> (Vec<Diagnostic>, Vec<Hidden>) {
        let some = |root: &str, said: &BTreeSet<Arc<str>>| match said.len() < count(root) {
            true => environments(said.iter().map(|e| &**e)),
            false => String::new(),
        };
        let problems = self.problems.into_iter().map(|((root, ..), (mut d, said))| {
            d.message.push_str(&some(&root, &said));
            d
        });
        let hidden = self.hidden.into_iter().map(|((root, address, mut because), said)| {
            because.push_str(&some(&root, &said));
            Hidden { address, because }
        });
        (problems.collect(), hidden.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_say_is_told_once_and_what_some_say_with_their_names() {
        let file = |text: &str| Diagnostic::file("a.tf", text);
        let off = |because: &str| Hidden { address: "a.b".into(), because: because.into() };
        let mut apart = Apart::default();
        let (dev, production) = (Arc::from("dev"), Arc::from("production"));
        apart.add("app", &dev, vec![file("broken"), file("odd")], vec![off("count = 0")]);
        apart.add("app", &production, vec![file("broken")], vec![off("count = 0")]);
        apart.add("db", &dev, vec![file("alone")], vec![off("count = 1 - 1")]);
        let (problems, hidden) = apart.told(|root| if root == "app" { 2 } else { 1 });
        let mut texts: Vec<String> = problems.into_iter().map(|d| d.message).collect();
        texts.sort();
        assert_eq!(texts, ["alone", "broken", "odd (environment dev)"]);
        let because: Vec<String> = hidden.into_iter().map(|h| h.because).collect();
        assert_eq!(because, ["count = 0", "count = 1 - 1"]);
    }
}
