//! `Fn::FindInMap`.

use std::sync::Arc;

use portcullis_core::{How, Span, Value, Why, WhyKind};
use portcullis_syntax::{Key, Node};

use crate::choice;
use crate::eval::Evaluator;
use crate::template::Template;
use crate::view::View;

/// Most keys of a mapping that an unknown key is tried with.
const MAX_KEYS: usize = 16;

impl Evaluator<'_> {
    pub(super) fn find_in_map(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let Some(items) = arg.seq().filter(|items| matches!(items.len(), 3 | 4)) else {
            return self.invalid(span, "FindInMap takes a list of a map's name and two keys");
        };
        let default =
            items.get(3).and_then(|n| n.entry("DefaultValue")).map(|(_, node)| self.eval(s, node));
        let args: Vec<Value> = items[..3].iter().map(|n| self.eval(s, n)).collect();
        let names: Vec<Option<&str>> = items[..3]
            .iter()
            .map(|n| match View::from(n).call() {
                Some(("Ref", arg)) => arg.text(),
                _ => None,
            })
            .collect();
        let template = self.template(s);
        self.lift(&args, 0, span, &mut |e, args| {
            let Some(name) = args[0].scalar_text() else {
                return e.cannot("FindInMap", args, span);
            };
            let Some(map) = template.mappings.get(&name) else {
                if let Some(default) = &default {
                    return default.clone();
                }
                if template.mappings.open {
                    let why = Why::at(WhyKind::Missing, "part of Mappings was not read", span);
                    return e.unknown_from(why, args, span);
                }
                return e.invalid(span, format!("there is no mapping {name}"));
            };
            let lookup = Lookup { s, span, template: &template, default: &default, names: &names };
            e.look_up(&lookup, map, args, 1)
        })
    }

    /// Takes the key at `args[level]` and goes on to the next; an unknown key is tried with every
    /// key there is.
    fn look_up(&mut self, l: &Lookup<'_>, node: &Node, args: &[Value], level: usize) -> Value {
        let Some(key) = args.get(level) else {
            let value = self.eval(l.s, node);
            let from = self.graph.origins.add(node.span, How::Mapping, None);
            return self.hop(&value.with_origin(from), l.span, How::Expression);
        };
        let Some(entries) = node.as_map() else {
            return self.invalid(node.span, "a mapping has two levels of keys");
        };
        if let Some(key) = key.scalar_text() {
            return match entries.iter().find(|(k, _)| k.text == key) {
                Some((_, next)) => self.look_up(l, next, args, level + 1),
                None => self.missing(l, &key, args),
            };
        }
        let Some(unknown) = key.as_unknown() else { return self.cannot("FindInMap", args, l.span) };
        let fallback = unknown.why.clone();
        if entries.is_empty() || entries.len() > MAX_KEYS {
            return self.unknown_from(fallback, args, l.span);
        }
        self.quiet += 1;
        let values: Vec<Value> =
            entries.iter().map(|(_, next)| self.look_up(l, next, args, level + 1)).collect();
        self.quiet -= 1;
        // A key under which nothing stands would fail on deployment, so it is not the one.
        if values.iter().all(|v| v.as_unknown().is_some()) {
            return self.unknown_from(fallback, args, l.span);
        }
        let by = self.key_decider(l, entries, level, fallback);
        let origin = self.expression(l.span, &args[level..=level]);
        choice::choose(by, values, origin)
    }

    /// Lookups by the same name among the same keys go together.
    fn key_decider(
        &mut self,
        l: &Lookup<'_>,
        entries: &[(Key, Node)],
        level: usize,
        why: Why,
    ) -> portcullis_core::DeciderId {
        let keys: Vec<&str> = entries.iter().map(|(k, _)| &*k.text).collect();
        let (id, name) = match l.names.get(level).copied().flatten() {
            Some(n) if n.starts_with("AWS::") => (n.to_owned(), n.to_owned()),
            Some(n) => (format!("{}{n}", self.scope(l.s).prefix), format!("parameter {n}")),
            None => (format!("{:?}", l.span), "key of a mapping".to_owned()),
        };
        self.decider(format!("key {id}: {}", keys.join(",")), &name, l.span, keys.len(), why)
    }

    fn missing(&mut self, l: &Lookup<'_>, key: &Arc<str>, args: &[Value]) -> Value {
        match l.default {
            Some(default) => default.clone(),
            None if l.template.mappings.open => {
                let why = Why::at(WhyKind::Missing, "part of Mappings was not read", l.span);
                self.unknown_from(why, args, l.span)
            }
            None => {
                let map = args[0].scalar_text().unwrap_or_default();
                self.refused(args, l.span, format!("the mapping {map} has no key {key} here"))
            }
        }
    }
}

/// What stays the same during one lookup.
struct Lookup<'l> {
    s: usize,
    span: Span,
    template: &'l Template,
    default: &'l Option<Value>,
    names: &'l [Option<&'l str>],
}
