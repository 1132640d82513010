//! The way back through the history, for all suppressions at once.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use portcullis_core::files::parent;
use portcullis_core::report::Since;
use rustc_hash::FxHashMap;

use super::text::{Kind, Reader, Text, What};
use crate::date;
use crate::git::{Against, Change, Lineage, Objects};
use crate::suppress::exceptions::Matchers;

/// Most files of one commit that are looked into for what moved from there.
const MOVED_FROM: usize = 50;

/// Versions of files that are held at a time.
const HELD: usize = 512;

/// The longest that is walked, for histories whose commits are dear to compare.
const LONGEST: Duration = Duration::from_secs(60);

/// A question, by its number.
#[derive(Clone, Copy)]
pub(super) struct Item(pub(super) usize);

struct Question {
    rule: usize,
    what: What,
    answer: Option<Since>,
}

/// A version of a file, and the questions that it answers.
struct Place {
    path: Rc<str>,
    kind: Kind,
    object: String,
    items: Vec<usize>,
}

/// All questions, and where in the history each is.
pub(super) struct Walk<'a> {
    lineage: &'a Lineage,
    objects: Objects,
    reader: Reader<'a>,
    matches: &'a dyn Fn(&Matchers, usize) -> bool,
    texts: FxHashMap<(String, Kind), Rc<Text>>,
    questions: Vec<Question>,
    /// By commit.
    places: FxHashMap<usize, Vec<Place>>,
    /// The last commit's versions, by path.
    last: FxHashMap<String, Option<String>>,
}

/// A part of the history is not there.
struct Missing;

impl<'a> Walk<'a> {
    pub(super) fn new(
        lineage: &'a Lineage,
        reader: Reader<'a>,
        matches: &'a dyn Fn(&Matchers, usize) -> bool,
    ) -> Result<Self, String> {
        Ok(Self {
            lineage,
            objects: lineage.objects()?,
            reader,
            matches,
            texts: FxHashMap::default(),
            questions: Vec::new(),
            places: FxHashMap::default(),
            last: FxHashMap::default(),
        })
    }

    /// Reads a text that is in no commit.
    pub(super) fn read(&mut self, kind: Kind, text: &str) -> Text {
        self.reader.read(kind, text)
    }

    /// A question whose answer is known.
    pub(super) fn told(&mut self, since: Since) -> Item {
        self.questions.push(Question { rule: 0, what: What::Whole, answer: Some(since) });
        Item(self.questions.len() - 1)
    }

    /// Asks since when a file that was scanned accepts a rule.
    pub(super) fn ask(&mut self, path: &str, kind: Kind, what: What, rule: usize) -> Item {
        let not_committed =
            || Since::Unknown("it does not stand in the commit that is checked out".to_owned());
        let Some(object) = self.last(path, kind) else { return self.told(not_committed()) };
        let Ok(text) = self.text(&object, kind) else { return self.told(missing()) };
        if !text.accepts(&what, rule, self.matches) {
            return self.told(not_committed());
        }
        self.questions.push(Question { rule, what, answer: None });
        let item = self.questions.len() - 1;
        self.put(0, Rc::from(path), kind, object, item);
        Item(item)
    }

    /// The object of a file in the last commit.
    fn last(&mut self, path: &str, kind: Kind) -> Option<String> {
        if let Some(known) = self.last.get(path) {
            return known.clone();
        }
        let commit = &self.lineage.steps.first()?.id;
        let found = self.objects.find(&format!("{commit}:{path}")).ok();
        let object = found.map(|(object, bytes)| {
            let text = self.reader.read(kind, &String::from_utf8_lossy(&bytes));
            self.texts.insert((object.clone(), kind), Rc::new(text));
            object
        });
        self.last.insert(path.to_owned(), object.clone());
        object
    }

    fn text(&mut self, object: &str, kind: Kind) -> Result<Rc<Text>, Missing> {
        let key = (object.to_owned(), kind);
        if let Some(text) = self.texts.get(&key) {
            return Ok(text.clone());
        }
        let bytes = self.objects.read(object).map_err(|_| Missing)?;
        let text = Rc::new(self.reader.read(kind, &String::from_utf8_lossy(&bytes)));
        if self.texts.len() >= HELD {
            self.texts.clear();
        }
        self.texts.insert(key, text.clone());
        Ok(text)
    }

    fn put(&mut self, commit: usize, path: Rc<str>, kind: Kind, object: String, item: usize) {
        let places = self.places.entry(commit).or_default();
        match places.iter_mut().find(|p| p.path == path && p.object == object) {
            Some(place) => place.items.push(item),
            None => places.push(Place { path, kind, object, items: vec![item] }),
        }
    }

    /// The answers, by question.
    pub(super) fn answers(mut self) -> Vec<Since> {
        let lineage = self.lineage;
        let end = Instant::now() + LONGEST;
        let mut at_last = 0;
        let walked = if self.places.is_empty() {
            Ok(())
        } else {
            lineage.walk(end, &mut |at, against| {
                at_last = at;
                if Instant::now() < end {
                    self.visit(at, against, end);
                }
                if Instant::now() >= end || self.places.is_empty() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
        };
        let left = match walked {
            Err(why) if Instant::now() < end => Since::Unknown(why),
            _ => too_long(lineage.steps.get(at_last).and_then(|s| s.seconds)),
        };
        self.questions.into_iter().map(|q| q.answer.unwrap_or_else(|| left.clone())).collect()
    }

    fn visit(&mut self, at: usize, against: &[Against], end: Instant) {
        let Some(places) = self.places.remove(&at) else { return };
        let tables: Vec<FxHashMap<&str, &Change>> =
            against.iter().map(|a| a.changes.iter().map(|c| (&*c.path, c)).collect()).collect();
        for place in places {
            let same = against
                .iter()
                .zip(&tables)
                .find_map(|(a, changes)| a.parent.filter(|_| !changes.contains_key(&*place.path)));
            match same {
                Some(parent) => self.places.entry(parent).or_default().push(place),
                None => self.changed(at, &place, (against, &tables), end),
            }
        }
    }

    /// Answers the questions of a file that a commit changed against all its parents, or goes on
    /// with them in one of those; those that are not come to before the end have no answer.
    fn changed(
        &mut self,
        at: usize,
        place: &Place,
        (against, tables): (&[Against], &[FxHashMap<&str, &Change>]),
        end: Instant,
    ) {
        let born = self.born(at, against);
        'items: for item in place.items.iter().take_while(|_| Instant::now() < end) {
            for (a, changes) in against.iter().zip(tables) {
                let (Some(parent), Some(change)) = (a.parent, changes.get(&*place.path)) else {
                    continue;
                };
                match self.earlier(place, *item, change, &a.changes) {
                    Ok(Some((path, object, what))) => {
                        if let Some(question) = self.questions.get_mut(*item) {
                            question.what = what;
                        }
                        self.put(parent, path, place.kind, object, *item);
                        continue 'items;
                    }
                    Ok(None) => {}
                    Err(Missing) => {
                        self.answer(*item, missing());
                        continue 'items;
                    }
                }
            }
            self.answer(*item, born.clone());
        }
    }

    fn answer(&mut self, item: usize, since: Since) {
        if let Some(question) = self.questions.get_mut(item) {
            question.answer = Some(since);
        }
    }

    /// What is said of an acceptance that no known parent of a commit has.
    fn born(&mut self, at: usize, against: &[Against]) -> Since {
        let Some(step) = self.lineage.steps.get(at) else { return missing() };
        if against.iter().any(|a| a.parent.is_none()) {
            return too_long(step.seconds);
        }
        let Some(day) = step.seconds.map(date::day) else {
            return Since::Unknown(format!("its commit {} has no time that could be", step.id));
        };
        // Where a shallow clone ends, git tells of no parents; the commit itself does.
        if self.lineage.shallow && against.is_empty() {
            let head = self.objects.read(&step.id).unwrap_or_default();
            let head = String::from_utf8_lossy(&head);
            if head.lines().take_while(|l| !l.is_empty()).any(|l| l.starts_with("parent ")) {
                let why = format!(
                    "the clone is shallow: it stood already on {day}, where the history here begins"
                );
                return Since::Unknown(why);
            }
        }
        Since::Commit { day, id: step.id.clone() }
    }

    /// Where an acceptance was in a parent, and what it was there.
    fn earlier(
        &mut self,
        place: &Place,
        item: usize,
        change: &Change,
        changes: &[Change],
    ) -> Result<Option<(Rc<str>, String, What)>, Missing> {
        let Some(question) = self.questions.get(item) else { return Ok(None) };
        let (rule, what) = (question.rule, question.what.clone());
        let later = self.text(&place.object, place.kind)?;
        let here = match &change.old {
            Some(old) => Some((old, self.text(old, place.kind)?)),
            None => None,
        };
        if let Some((old, text)) = &here {
            if text.accepts(&what, rule, self.matches) {
                return Ok(Some((place.path.clone(), (*old).clone(), what)));
            }
            if text.holds(&what) {
                // It stood there and was not accepted.
                return Ok(None);
            }
        }
        if let Some((path, object)) = self.moved(place, &what, rule, change, changes, &later)? {
            return Ok(Some((path, object, what)));
        }
        // Under another name at last: what only moved is elsewhere under the same.
        let (Some((old, text)), What::Block(name)) = (here, &what) else { return Ok(None) };
        let Some(was) = text.renamed(&later, name, rule) else { return Ok(None) };
        for c in changes.iter().filter(|c| same_module(place, c)).take(MOVED_FROM) {
            let Some(new) = &c.new else { continue };
            if self.text(new, place.kind)?.holds(&was) {
                return Ok(None);
            }
        }
        Ok(Some((place.path.clone(), old.clone(), was)))
    }

    /// The file that what is accepted came from: one that is gone, or one of the same module that
    /// lost the block.
    fn moved(
        &mut self,
        place: &Place,
        what: &What,
        rule: usize,
        change: &Change,
        changes: &[Change],
        later: &Text,
    ) -> Result<Option<(Rc<str>, String)>, Missing> {
        let is_block = matches!(what, What::Block(_));
        if !is_block && change.old.is_some() {
            return Ok(None);
        }
        let mut from: Vec<&Change> = changes
            .iter()
            .filter(|c| c.path != *place.path && Kind::of(&c.path) == Some(place.kind))
            .filter(|c| c.old.is_some())
            .filter(|c| c.new.is_none() || (is_block && same_module(place, c)))
            .collect();
        let near = |c: &&Change| {
            let differs = c.old.as_deref() != Some(&*place.object);
            let names = c.path.rsplit('/').zip(place.path.rsplit('/'));
            let same = names.take_while(|(a, b)| a == b).count();
            (differs, std::cmp::Reverse(same), c.path.clone())
        };
        from.sort_by_cached_key(near);
        for c in from.into_iter().take(MOVED_FROM) {
            let Some(old) = &c.old else { continue };
            let text = self.text(old, place.kind)?;
            if !text.accepts(what, rule, self.matches) || !text.is_like(later, what) {
                continue;
            }
            let stays = match &c.new {
                Some(new) => self.text(new, place.kind)?.holds(what),
                None => false,
            };
            if !stays {
                return Ok(Some((Rc::from(&*c.path), old.clone())));
            }
        }
        Ok(None)
    }
}

/// Whether a file is another one of the same Terraform module.
fn same_module(place: &Place, c: &Change) -> bool {
    place.kind == Kind::Hcl
        && *c.path != *place.path
        && Kind::of(&c.path) == Some(Kind::Hcl)
        && parent(&c.path) == parent(&place.path)
}

/// What is said where the walk ends before the history: the day of the last commit that it came to.
fn too_long(seconds: Option<u64>) -> Since {
    let already = seconds.map(|s| format!(": it stood already on {}", date::day(s)));
    Since::Unknown(format!("its history is too long{}", already.unwrap_or_default()))
}

fn missing() -> Since {
    Since::Unknown("a part of its history is not in this clone".to_owned())
}
