//! `Ref` and `Fn::GetAtt`.

use std::sync::Arc;

use portcullis_core::{Diagnostic, How, Kind, Ref, Span, Value, Why, WhyKind};

use crate::choice;
use crate::eval::{Chosen, Evaluator};
use crate::template::Template;
use crate::view::View;

impl Evaluator<'_> {
    /// `Ref` of a parameter, pseudo parameter or resource.
    pub(crate) fn reference(&mut self, s: usize, name: &str, span: Span) -> Value {
        if let Some(value) = self.pseudo(s, name, span) {
            return value;
        }
        if let Some(value) = self.parameter(s, name) {
            return self.hop(&value, span, How::Expression);
        }
        let template = self.template(s);
        if has_resource(&template, name) {
            return self.resource(s, name, "Ref", span);
        }
        self.dangling(
            s,
            (name, "Ref"),
            span,
            format!("{name} is neither a parameter nor a resource of this template"),
        )
    }

    /// A reference to nothing: an error, but whatever it was meant to name, something is set.
    fn dangling(
        &mut self,
        s: usize,
        (name, attr): (&str, &str),
        span: Span,
        message: String,
    ) -> Value {
        let why = Why::at(WhyKind::Invalid, message.as_str(), span);
        self.report(Diagnostic::error(span, message));
        let address = Arc::from(format!("{}{name}", self.scope(s).prefix));
        let origin = self.origin(span);
        Value::reference(why, Ref { address, attr: Arc::from(attr) }, origin)
    }

    fn resource(&mut self, s: usize, logical: &str, attr: &str, span: Span) -> Value {
        let address: Arc<str> = Arc::from(format!("{}{logical}", self.scope(s).prefix));
        let text = if attr == "Ref" {
            format!("{address} is named when it is created")
        } else {
            format!("{address}.{attr} is set when {address} is created")
        };
        let why = Why::at(WhyKind::Computed, text, span);
        let origin = self.origin(span);
        Value::reference(why, Ref { address, attr: Arc::from(attr) }, origin)
    }

    /// `Fn::GetAtt` as a dotted text or a list.
    pub(super) fn get_att(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        if let Some(text) = arg.text() {
            return match text.split_once('.') {
                Some((logical, attr)) => self.attribute(s, logical, attr, span),
                None => self.invalid(span, "GetAtt takes `LogicalId.Attribute`"),
            };
        }
        let Some([first, rest @ ..]) = arg.seq().filter(|items| items.len() > 1) else {
            return self.invalid(span, "GetAtt takes a logical id and an attribute");
        };
        let mut parts = vec![self.eval(s, first)];
        parts.extend(rest.iter().map(|n| self.eval(s, n)));
        self.lift(&parts, 0, span, &mut |e, parts| {
            let Some(logical) = parts[0].as_str() else { return e.cannot("GetAtt", parts, span) };
            let attrs: Option<Vec<_>> = parts[1..].iter().map(Value::scalar_text).collect();
            match attrs {
                Some(attrs) => e.attribute(s, logical, &attrs.join("."), span),
                None => {
                    let target = e.attribute(s, logical, "", span);
                    e.cannot("GetAtt", &[vec![target], parts.to_vec()].concat(), span)
                }
            }
        })
    }

    /// An attribute of a resource, or an output of a nested stack.
    pub(super) fn attribute(&mut self, s: usize, logical: &str, attr: &str, span: Span) -> Value {
        let template = self.template(s);
        if !has_resource(&template, logical) {
            // SAM's generated resources are named `Api.Stage`.
            let generated =
                attr.split_once('.').map(|(more, rest)| (format!("{logical}.{more}"), rest));
            return match generated {
                Some((id, rest)) if has_resource(&template, &id) => {
                    self.resource(s, &id, rest, span)
                }
                _ => {
                    let text = format!("{logical} is not a resource of this template");
                    self.dangling(s, (logical, attr), span, text)
                }
            };
        }
        if let Some(output) = attr.strip_prefix("Outputs.")
            && let Some(value) = self.stack_output(s, logical, output, span)
        {
            return self.hop(&value, span, How::Expression);
        }
        match self.returned(s, logical, attr, span) {
            Some(value) => value,
            None => self.resource(s, logical, attr, span),
        }
    }

    /// An output of a stack; one for each template that it may have. `None` where none is read.
    fn stack_output(&mut self, s: usize, logical: &str, output: &str, span: Span) -> Option<Value> {
        if let Some(child) = self.child(s, logical) {
            return Some(self.output(child, output, span));
        }
        let Chosen { by, arms } = self.scope(s).chosen.get(logical).cloned()?;
        let values = arms
            .iter()
            .map(|name| match name.as_ref().and_then(|name| self.child(s, name)) {
                Some(child) => self.output(child, output, span),
                None => self.resource(s, logical, &format!("Outputs.{output}"), span),
            })
            .collect();
        let origin = self.origin(span);
        Some(choice::choose(by, values, origin))
    }

    /// An output of a scope.
    pub(crate) fn output(&mut self, s: usize, name: &str, asked: Span) -> Value {
        match self.scope(s).outputs.get(name) {
            Some(Some(value)) => return value.clone(),
            Some(None) => return self.invalid(asked, format!("output {name} depends on itself")),
            None => {}
        }
        let template = self.template(s);
        let Some((key, node)) = template.outputs.entry(name) else {
            let path = &template.path;
            if template.outputs.open {
                let why =
                    Why::at(WhyKind::Missing, format!("outputs of {path} were not read"), asked);
                return self.unknown_from(why, &[], asked);
            }
            return self.invalid(asked, format!("{path} has no output {name}"));
        };
        let Some(value) = node.get("Value") else {
            return self.invalid(key.span, format!("output {name} has no Value"));
        };
        self.scopes[s].outputs.insert(key.text.clone(), None);
        let value = self.deeper(asked, |e| e.eval(s, value));
        let value = self.hop(&value, key.span, How::Output);
        self.scopes[s].outputs.insert(key.text.clone(), Some(value.clone()));
        value
    }

    /// The outputs of a scope whose conditions are not false.
    pub(crate) fn outputs(&mut self, s: usize) -> Value {
        let template = self.template(s);
        let mut out = portcullis_core::Map::new();
        for (key, node) in &template.outputs.entries {
            let condition = node.get("Condition").and_then(|n| n.as_text().map(|t| (t, n.span)));
            if let Some((name, span)) = condition
                && self.condition(s, name, span).as_bool() == Some(false)
            {
                continue;
            }
            let value = self.output(s, &key.text, key.span);
            if !matches!(value.kind, Kind::Null) {
                out.put(portcullis_core::MapEntry {
                    key: key.text.clone(),
                    key_span: Some(key.span),
                    value,
                });
            }
        }
        Value::map(out, portcullis_core::OriginId::NONE)
    }
}

/// Whether a name is a resource, or may be one that was not read, as those of a module. SAM lets `Function.Version` and
/// the like stand for what it generates.
fn has_resource(template: &Template, name: &str) -> bool {
    template.resources.get(name).is_some()
        || template.resources.open
        || template.of_module(name)
        || (template.flavour == portcullis_core::Flavour::Sam
            && name.split_once('.').is_some_and(|(id, _)| template.resources.get(id).is_some()))
}
