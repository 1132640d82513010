//! Why a row has its verdict: the leaves that decided, their places, and causes of ignorance.

use portcullis_core::{Evidence, OriginId, Why};

use crate::describe::{self, shown, wanted};
use crate::matchers::Judge;
use crate::model::{Attr, Cond, Matcher, Quantifier};
use crate::native;
use crate::path::{Path, Root};
use crate::place;
use crate::project::{Place, why_of};
use crate::row::{Found, Row};
use crate::secrets;
use crate::truth::Truth;

/// Pieces of evidence kept for one finding.
const MOST: usize = 16;

/// What explains a verdict.
#[derive(Default)]
pub(crate) struct Explained {
    pub evidence: Vec<Evidence>,
    pub whys: Vec<Why>,
}

impl Explained {
    /// Each cause once, at the first of its places.
    pub(crate) fn why(&mut self, why: Why) {
        if !self.whys.iter().any(|w| w.text == why.text) {
            self.whys.push(why);
        }
    }
}

/// Whether a path is that of a policy statement's effect.
fn is_effect(path: &str) -> bool {
    path.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("effect"))
}

impl Row<'_, '_, '_> {
    /// Explains that `cond` has this truth, which the caller found it to have.
    pub(crate) fn explain(&self, cond: &Cond, truth: Truth, out: &mut Explained) {
        if out.evidence.len() >= MOST {
            return;
        }
        match cond {
            Cond::All(list) | Cond::Any(list) => {
                // Of alternatives for different resources, those for others are beside the point.
                let meant = |c: &&Cond| {
                    matches!((cond, truth), (Cond::All(_), _) | (_, Truth::True))
                        || !self.is_for_others(c)
                        || list.iter().all(|c| self.is_for_others(c))
                };
                let mut same = list.iter().filter(|c| self.judge(c) == truth).filter(meant);
                // The first false decides `all`, the first true decides `any`.
                let one = matches!(
                    (cond, truth),
                    (Cond::All(_), Truth::False) | (Cond::Any(_), Truth::True)
                );
                if one {
                    if let Some(first) = same.next() {
                        self.explain(first, truth, out);
                    }
                    return;
                }
                let from = out.evidence.len();
                same.for_each(|c| self.explain(c, truth, out));
                // What is written says more than what is missing, and what a statement allows more
                // than that it allows.
                out.evidence[from..].sort_by_key(|e| (e.found.is_none(), is_effect(&e.path)));
            }
            Cond::Not(inner) => self.explain(inner, !truth, out),
            Cond::Attr(attr, matcher) => {
                if let Some(model) = self.case.rule.logic().attrs.get(*attr) {
                    self.leaf(model, matcher, truth, out);
                }
            }
            Cond::Linked(part, quantifier, inner) => {
                self.explain_linked(*part, *quantifier, inner, truth, out);
            }
            Cond::Fact(fact) => {
                let owner = Place::of(self.case.id);
                let place = if self.each.is_empty() { owner } else { self.place };
                out.evidence.push(Evidence {
                    path: self.each.to_owned(),
                    found: (!self.each.is_empty()).then(|| shown(&self.value)),
                    secret: false,
                    wanted: describe::fact(self.case, fact, truth == Truth::True),
                    origin: self.value.origin,
                    through: place.expr,
                    span: match self.each.is_empty() {
                        true => self.case.resource.header,
                        false => place::of_value(self.case.world, place, self.value.origin),
                    },
                });
            }
            Cond::Native(name, args) => {
                let Some(native) = native::find(name) else { return };
                let judgement = (native.judge)(self, args);
                let attrs = &self.case.rule.logic().attrs;
                if let Some(attr) = attrs.iter().find(|a| &*a.name == judgement.attribute) {
                    let values = self.read_attr(attr);
                    self.found(attr, &values, &judgement.wanted, truth, out);
                    if truth == Truth::Unknown && out.whys.is_empty() {
                        for name in native.attributes {
                            for f in self.read_named(name) {
                                why_of(&f.value).into_iter().for_each(|w| out.why(w));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whether a condition is a conjunction whose first member, which says what the rest is for,
    /// does not hold.
    fn is_for_others(&self, cond: &Cond) -> bool {
        match cond {
            Cond::All(list) => {
                list.len() > 1
                    && list.first().is_some_and(|first| self.judge(first) == Truth::False)
            }
            _ => false,
        }
    }

    fn explain_linked(
        &self,
        part: usize,
        quantifier: Quantifier,
        inner: &Cond,
        truth: Truth,
        out: &mut Explained,
    ) {
        let linked = self.part(part);
        let before = out.evidence.len();
        // The truth of single resources that brought this about.
        let decisive = match (quantifier, truth) {
            (_, Truth::Unknown) => Truth::Unknown,
            (Quantifier::None, t) => !t,
            (_, t) => t,
        };
        for (id, doubt) in &linked.list {
            let row = self.with(part, *id);
            let found = row.judge(inner);
            if found == decisive {
                row.explain(inner, found, out);
            }
            if truth == Truth::Unknown {
                doubt.iter().for_each(|w| out.why(w.clone()));
            }
        }
        if truth == Truth::Unknown {
            linked.unknown.iter().for_each(|w| out.why(w.clone()));
        }
        if out.evidence.len() == before {
            let name = self.case.rule.logic().parts.get(part).map(|p| p.name.to_string());
            out.evidence.push(Evidence {
                path: name.unwrap_or_default(),
                found: None,
                secret: false,
                wanted: "a linked resource that meets the condition".to_owned(),
                origin: OriginId::NONE,
                through: OriginId::NONE,
                span: self.case.resource.header,
            });
        }
    }

    fn leaf(&self, attr: &Attr, matcher: &Matcher, truth: Truth, out: &mut Explained) {
        let values = self.read_attr(attr);
        let judge = Judge { case: self.case, row: Some(self), ty: attr.ty };
        let one = |f: &Found| judge.matcher(matcher, std::slice::from_ref(f));
        let decisive: Vec<Found> = values.iter().filter(|f| one(f) == truth).cloned().collect();
        let words = wanted(self.case, matcher, truth == Truth::True);
        let values = if decisive.is_empty() { values.to_vec() } else { decisive };
        let from = out.evidence.len();
        self.found(attr, &values, &words, truth, out);
        if matcher.is_about_secrets() {
            // Each of the values has one piece of evidence.
            let values = values.iter().map(Some).chain(std::iter::repeat(None));
            for (e, found) in out.evidence[from..].iter_mut().zip(values) {
                if e.found.is_some() {
                    e.found = Some("(sensitive)".to_owned());
                    e.secret = true;
                    if let Some(line) = found.and_then(|f| self.line_of_secret(f)) {
                        (e.span, e.origin, e.through) = (line.span, line.origin, line.origin);
                    }
                }
            }
        }
    }

    /// The line that holds the credential, of a text of several lines in the resource's own block.
    fn line_of_secret(&self, found: &Found) -> Option<secrets::Line> {
        let owner = self.case.world.resource(found.place.owner)?;
        secrets::of_credential(self.case.world, &found.value, owner.block)
    }

    /// Evidence for each of these values, or for their absence.
    fn found(&self, attr: &Attr, values: &[Found], words: &str, truth: Truth, out: &mut Explained) {
        let world = self.case.world;
        let reading = attr.reading(self.case.terraform());
        for f in values.iter().take(MOST) {
            if truth == Truth::Unknown {
                why_of(&f.value).into_iter().for_each(|w| out.why(w));
            }
            let path = f.path.and_then(|i| reading.and_then(|r| r.all_paths().nth(i)));
            let Some(path) = path else {
                // A default: nothing is written.
                self.absent(attr, words, out);
                continue;
            };
            out.evidence.push(Evidence {
                path: self.path_text(path),
                found: Some(shown(&f.value)),
                secret: false,
                wanted: words.to_owned(),
                origin: f.value.origin,
                through: f.place.attach.map_or(f.place.expr, |(_, expr)| expr),
                span: place::of_value(world, f.place, f.value.origin),
            });
        }
        if values.is_empty() {
            self.absent(attr, words, out);
        }
    }

    fn absent(&self, attr: &Attr, words: &str, out: &mut Explained) {
        let world = self.case.world;
        let reading = attr.reading(self.case.terraform());
        let (path, span) = match reading.and_then(|r| self.missing(r.all_paths())) {
            Some((path, place)) => (self.path_text(path), place::of_absence(world, place)),
            None => (attr.name.to_string(), place::of_absence(world, self.place)),
        };
        out.evidence.push(Evidence {
            path,
            found: None,
            secret: false,
            wanted: words.to_owned(),
            origin: OriginId::NONE,
            through: OriginId::NONE,
            span,
        });
    }

    /// Evidence for the absence of a row that meets the condition.
    pub(crate) fn no_row(&self, each: &[Path], out: &mut Explained) {
        let world = self.case.world;
        let (path, span) = match self.missing(each.iter()) {
            Some((path, place)) => (self.path_text(path), place::of_absence(world, place)),
            None => (String::new(), place::of_absence(world, self.place)),
        };
        out.evidence.push(Evidence {
            path,
            found: None,
            secret: false,
            wanted: "one that meets the condition".to_owned(),
            origin: OriginId::NONE,
            through: OriginId::NONE,
            span,
        });
    }

    /// The path of which most is there, and the place that lacks the rest.
    fn missing<'p>(&self, paths: impl Iterator<Item = &'p Path>) -> Option<(&'p Path, Place)> {
        let walk = self.case.walk(false);
        let own = Place::of(self.case.id);
        let resource = self.case.resource;
        let mut best: Option<(usize, &Path, Place)> = None;
        for path in paths {
            let (depth, place) = match path.root {
                Root::Row => walk.missing(&self.value, &path.steps, self.place),
                Root::Resource => walk.missing(&resource.body, &path.steps, own),
                Root::Meta => walk.missing(&resource.meta, &path.steps, own),
                Root::Part(part) => {
                    let bound = self.bound.filter(|(p, _)| *p == part).map(|(_, id)| id);
                    let certain = |l: &crate::joins::Linked| {
                        l.list.iter().find(|(_, doubt)| doubt.is_none()).map(|(id, _)| *id)
                    };
                    match bound.or_else(|| certain(&self.part(part))) {
                        Some(id) => match self.case.world.resource(id) {
                            // A companion that is there is nearer than the resource alone.
                            Some(r) => {
                                let (n, p) = walk.missing(&r.body, &path.steps, Place::of(id));
                                (n + 1, p)
                            }
                            None => (0, own),
                        },
                        None => (0, own),
                    }
                }
            };
            if best.is_none_or(|(n, ..)| depth > n) {
                best = Some((depth, path, place));
            }
        }
        best.map(|(_, path, place)| (path, place))
    }

    fn path_text(&self, path: &Path) -> String {
        match (path.root, self.each, path.inner()) {
            (Root::Row, "", inner) => inner.to_owned(),
            (Root::Row, each, "") => each.to_owned(),
            (Root::Row, each, inner) => format!("{each}.{inner}"),
            (_, _, inner) => inner.to_owned(),
        }
    }
}
