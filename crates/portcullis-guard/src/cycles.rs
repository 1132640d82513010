//! Names that lead back to themselves, or through too many others: cfn-guard follows them until
//! the stack ends.

use std::collections::{BTreeMap, BTreeSet};

/// Chains of names longer than this are refused.
const LONGEST: usize = 64;

/// What is wrong with a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It needs itself.
    Cycle(String),
    /// It needs more than [`LONGEST`] others in a row.
    Long(String),
}

/// The first fault in names and the names each of them needs.
pub(crate) fn find(needs: &BTreeMap<String, BTreeSet<String>>) -> Option<Fault> {
    // Length of the longest chain below a name, once it is known.
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    needs.keys().find_map(|name| visit(name, needs, &mut known, &mut Vec::new()).err())
}

fn visit<'a>(
    name: &'a str,
    needs: &'a BTreeMap<String, BTreeSet<String>>,
    known: &mut BTreeMap<&'a str, usize>,
    open: &mut Vec<&'a str>,
) -> Result<usize, Fault> {
    if let Some(length) = known.get(name) {
        return Ok(*length);
    }
    if open.contains(&name) {
        return Err(Fault::Cycle(name.to_owned()));
    }
    if open.len() > LONGEST {
        return Err(Fault::Long(name.to_owned()));
    }
    open.push(name);
    let mut length = 0;
    for next in needs.get(name).into_iter().flatten().filter(|n| needs.contains_key(*n)) {
        length = length.max(1 + visit(next, needs, known, open)?);
    }
    open.pop();
    if length > LONGEST {
        return Err(Fault::Long(name.to_owned()));
    }
    known.insert(name, length);
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(
        edges: impl IntoIterator<Item = (usize, usize)>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut out = BTreeMap::<String, BTreeSet<String>>::new();
        for (a, b) in edges {
            out.entry(format!("n{b:04}")).or_default();
            out.entry(format!("n{a:04}")).or_default().insert(format!("n{b:04}"));
        }
        out
    }

    #[test]
    fn cycles_and_long_chains_are_found() {
        assert_eq!(find(&graph([(0, 1), (0, 2), (1, 3), (2, 3)])), None);
        assert_eq!(find(&graph([(0, 1), (1, 2), (2, 1)])), Some(Fault::Cycle("n0001".into())));
        assert!(matches!(find(&graph((0..5000).map(|i| (i, i + 1)))), Some(Fault::Long(_))));
        assert!(matches!(find(&graph((0..5000).map(|i| (i + 1, i)))), Some(Fault::Long(_))));
        assert_eq!(find(&graph((0..60).map(|i| (i, i + 1)))), None);
    }
}
