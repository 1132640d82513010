//! Rules over values that are one of several: the whole condition once per combination of arms.

use portcullis_core::{DeciderId, Why, WhyKind};
use smallvec::SmallVec;

use crate::evaluate::{Job, Judged};
use crate::row::Case;
use crate::truth::Truth;

/// Combinations of arms that are looked at before a rule gives up.
const MOST: usize = 16;

/// One combination of arms and what it gives.
pub(crate) struct Leaf<'a, 'w> {
    pub case: Case<'a, 'w>,
    pub judged: Judged,
}

/// Every combination of the arms of those deciders that the rule meets; `None` if there are too
/// many.
pub(crate) fn leaves<'a, 'w>(job: &Job<'a, 'w>) -> Option<Vec<Leaf<'a, 'w>>> {
    let mut out = Vec::new();
    expand(job, SmallVec::new(), &mut out).then_some(out)
}

fn expand<'a, 'w>(
    job: &Job<'a, 'w>,
    taken: SmallVec<[(DeciderId, u32); 4]>,
    out: &mut Vec<Leaf<'a, 'w>>,
) -> bool {
    let case = job.case(taken.clone());
    let judged = case.judge(job.shapes);
    let met = case.arms.met.borrow().first().copied();
    let Some(decider) = met else {
        out.push(Leaf { case, judged });
        return out.len() <= MOST;
    };
    let arms = case.world.graph.deciders.get(decider.0 as usize).map_or(0, |d| d.arms);
    if arms == 0 || arms as usize > MOST || taken.len() >= MOST {
        return false;
    }
    (0..arms).all(|arm| {
        let mut taken = taken.clone();
        taken.push((decider, arm));
        expand(job, taken, out)
    })
}

/// A row as all combinations see it.
pub(crate) struct Merged {
    /// `None`: not applicable in any of them.
    pub truth: Option<Truth>,
    /// The combination, and the row in it, that evidence is taken from.
    pub from: (usize, usize),
    /// The combinations do not agree.
    pub split: bool,
}

/// Rows of all combinations, in the order of their first appearance.
pub(crate) fn merge(leaves: &[Leaf<'_, '_>]) -> Vec<Merged> {
    let mut keys = Vec::new();
    for leaf in leaves {
        for row in &leaf.judged.rows {
            if !keys.contains(&row.key) {
                keys.push(row.key);
            }
        }
    }
    keys.iter()
        .map(|key| {
            let mut seen: SmallVec<[(Option<Truth>, usize, usize); 16]> = SmallVec::new();
            for (l, leaf) in leaves.iter().enumerate() {
                match leaf.judged.rows.iter().position(|r| r.key == *key) {
                    Some(r) => seen.push((leaf.judged.rows[r].truth, l, r)),
                    None => seen.push((None, l, usize::MAX)),
                }
            }
            let has = |t: Option<Truth>| seen.iter().find(|(s, ..)| *s == t);
            let all_fail = seen.iter().all(|(s, ..)| *s == Some(Truth::False));
            let bad = has(Some(Truth::False)).or_else(|| has(Some(Truth::Unknown)));
            match bad {
                Some((_, l, r)) if all_fail => {
                    Merged { truth: Some(Truth::False), from: (*l, *r), split: false }
                }
                Some((_, l, r)) => {
                    let all_unknown = seen.iter().all(|(s, ..)| *s == Some(Truth::Unknown));
                    Merged { truth: Some(Truth::Unknown), from: (*l, *r), split: !all_unknown }
                }
                None => Merged {
                    truth: has(Some(Truth::True)).map(|_| Truth::True),
                    from: (0, 0),
                    split: false,
                },
            }
        })
        .collect()
}

/// The cause named when combinations do not agree.
pub(crate) fn depends_on(leaves: &[Leaf<'_, '_>]) -> Vec<Why> {
    let mut deciders: Vec<DeciderId> =
        leaves.iter().flat_map(|l| l.case.arms.taken.iter().map(|(d, _)| *d)).collect();
    deciders.sort_unstable();
    deciders.dedup();
    let graph = leaves.first().map(|l| l.case.world.graph);
    deciders
        .into_iter()
        .filter_map(|d| graph.and_then(|g| g.deciders.get(d.0 as usize)))
        .map(|d| Why {
            kind: WhyKind::NoValue,
            text: format!("it depends on {}", d.name).into(),
            span: d.span,
        })
        .collect()
}

/// The cause named when there are too many combinations.
pub(crate) fn too_many() -> Why {
    Why::new(WhyKind::Limit, format!("it depends on more than {MOST} combinations of choices"))
}
