//! Which provider configuration a resource has, and the tags it adds to all of them.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/meta-arguments/resource-provider>,
//! <https://developer.hashicorp.com/terraform/language/modules/develop/providers> and
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs#default_tags>.

use std::sync::Arc;

use portcullis_core::{How, Kind, Map, MapEntry, Value};
use portcullis_syntax::hcl::{Block, Expr, ExprKind, Step};

use crate::module::label;
use crate::resolver::{Node, Resolver};
use crate::scope::{ModId, Scope};
use crate::unknowns::derived;

/// The name of a provider configuration as it is written: `aws`, `aws.east`.
fn written(e: &Expr) -> Option<String> {
    match &e.kind {
        ExprKind::Var(name) => Some(name.to_string()),
        ExprKind::Str(text) => Some(text.to_string()),
        ExprKind::Traversal(base, steps) => match (&base.kind, steps.as_slice()) {
            (ExprKind::Var(name), [Step::Attr(alias, _)]) => Some(format!("{name}.{alias}")),
            _ => None,
        },
        _ => None,
    }
}

/// The provider configuration that a resource has.
pub(crate) struct Provider {
    /// Its name where it is written: `aws`, `aws.east`.
    name: String,
    /// Its module and index there; the default one may be written nowhere.
    pub(crate) place: Option<(ModId, usize)>,
}

impl Provider {
    /// Whether it is the one without an alias.
    pub(crate) fn is_default(&self) -> bool {
        !self.name.contains('.')
    }
}

impl Resolver<'_> {
    /// The provider configuration of a resource; `None` where the name leads nowhere.
    pub(crate) fn provider_named(&self, m: ModId, block: &Block) -> Option<Provider> {
        let mut name = match block.body.attribute("provider") {
            Some(a) => written(&a.expr)?,
            None => label(block, 0).split('_').next()?.to_owned(),
        };
        let mut m = m;
        loop {
            let instance = self.instance(m);
            if let Some(i) = instance.module.providers.find(&name) {
                return Some(Provider { name, place: Some((m, i)) });
            }
            // Handed in by the call, or the caller's own default configuration.
            let Some((caller, call, _)) = instance.caller.as_ref() else {
                // Nobody has to write the default one.
                return (!name.contains('.')).then_some(Provider { name, place: None });
            };
            let parent = self.instance(*caller);
            let call = parent.module.calls.list.get(*call)?;
            let handed = call.body.attribute("providers").and_then(|a| match &a.expr.kind {
                ExprKind::Object(items) => items
                    .iter()
                    .find(|item| written(&item.key).as_deref() == Some(name.as_str()))
                    .and_then(|item| written(&item.value)),
                _ => None,
            });
            match handed {
                Some(other) => name = other,
                None if name.contains('.') => return None,
                None => {}
            }
            m = *caller;
        }
    }

    /// The arguments of a provider configuration.
    pub(crate) fn provider_body(&self, m: ModId, i: usize) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.providers.list.get(i) else { return Value::null() };
        self.value_once(Node::Provider(m, i), block.header, || {
            let address = self.provider_address(block, &instance.prefix);
            self.body(&block.body, &Scope::module(m), &address, block.span)
        })
    }

    /// The body of an AWS resource with `tags_all`: its own tags over its provider's
    /// `default_tags`, as AWS will have them. Without default tags the body is as written.
    pub(crate) fn with_default_tags(&self, m: ModId, block: &Block, body: Value) -> Value {
        if !label(block, 0).starts_with("aws_") || body.get("tags_all").is_some() {
            return body;
        }
        let place = self.provider_named(m, block).and_then(|p| p.place);
        let Some((owner, i)) = place else { return body };
        let provider = self.provider_body(owner, i);
        let Some(defaults) = default_tags(&provider) else { return body };
        let Some(map) = body.as_map() else { return body };
        let tags = match map.get("tags").filter(|t| !t.is_null()) {
            None => defaults.clone(),
            Some(own) => match (defaults.as_map(), own.as_map()) {
                (Some(from), Some(over)) => {
                    let entries: Vec<MapEntry> = from.iter().chain(over.iter()).cloned().collect();
                    Value::map(Map::from_entries(entries), own.origin)
                }
                _ => derived([own, defaults], own.origin),
            },
        };
        let tags = self.through(tags, block.header, How::Provider);
        let mut map = Map::clone(map);
        map.insert("tags_all", tags);
        Value { kind: Kind::Map(portcullis_core::Assoc::Object, Arc::new(map)), ..body }
    }
}

/// The tags of a provider's `default_tags` block.
fn default_tags(provider: &Value) -> Option<&Value> {
    let block = provider.get("default_tags")?;
    let block = block.as_list().map_or(Some(block), <[Value]>::first)?;
    match &block.kind {
        Kind::Map(..) => block.get("tags").filter(|t| !t.is_null()),
        Kind::Null => None,
        // Not known whether there are any, or which.
        _ => Some(block),
    }
}
