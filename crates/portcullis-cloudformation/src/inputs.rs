//! Values of parameters and pseudo parameters in a scope.

use std::sync::Arc;

use portcullis_core::{How, Kind, Marks, Number, Span, Unknown, Value, Why, WhyKind};
use smallvec::SmallVec;

use crate::choice;
use crate::eval::{Evaluator, Setting};
use crate::parameters::{Parameter, ParameterKind};

impl Evaluator<'_> {
    /// The value of a declared parameter.
    pub(crate) fn parameter(&mut self, s: usize, name: &str) -> Option<Value> {
        if let Some(value) = self.scope(s).parameters.get(name) {
            return Some(value.clone());
        }
        let template = self.template(s);
        let parameter = template.parameter(name)?;
        let mut value = match self.scope(s).passed.clone() {
            None => self.root_value(s, parameter),
            Some(passed) => self.passed_value(s, parameter, &passed),
        };
        if parameter.no_echo {
            value = value.with_marks(Marks::SENSITIVE);
        }
        self.scopes[s].parameters.insert(parameter.name.clone(), value.clone());
        Some(value)
    }

    fn root_value(&mut self, s: usize, p: &Parameter) -> Value {
        // A world changes the root's parameters, not those of templates that it imports from.
        let changed = if s == 0 { self.assignment.0.as_slice() } else { &[] };
        let set = changed.iter().find(|(n, _)| *n == p.name).map(|(_, v)| v.clone());
        match set {
            Some(Setting::Text(text, span)) => return self.convert(p, &text, span, How::Literal),
            Some(Setting::Other) => {
                let text = format!("parameter {} may have any other value", p.name);
                let unknown = Arc::new(Unknown {
                    why: Why::at(WhyKind::NoValue, text, p.span),
                    not_null: false,
                    refs: SmallVec::new(),
                    pieces: None,
                    holds: None,
                });
                self.others.push(unknown.clone());
                let origin = self.graph.origins.add(p.span, How::Parameter, None);
                return Value::new(Kind::Unknown(unknown), origin);
            }
            None => {}
        }
        let given = self.scope(s).given.iter().rev().find(|g| g.name == p.name).cloned();
        if let Some(given) = given {
            let (span, how) = match given.span {
                Some(span) => (span, How::VarFile),
                None => (p.span, How::CommandLine),
            };
            return self.convert(p, &given.text, span, how);
        }
        self.default_value(s, p)
    }

    /// The value of a parameter that nothing sets.
    fn default_value(&mut self, s: usize, p: &Parameter) -> Value {
        if let Some((text, span)) = &p.default {
            return self.convert(p, text, *span, How::Default);
        }
        let why = Why::at(WhyKind::NoValue, format!("parameter {} has no value", p.name), p.span);
        if p.allowed.is_empty() || p.kind == ParameterKind::Store {
            let origin = self.graph.origins.add(p.span, How::Parameter, None);
            return Value::unknown(why, origin);
        }
        let arms: Vec<Value> =
            p.allowed.iter().map(|(t, span)| self.convert(p, t, *span, How::Literal)).collect();
        let name = format!("parameter {}", p.name);
        let key = format!("{}{name}", self.scope(s).prefix);
        let by = self.decider(key, &name, p.span, arms.len(), why);
        let origin = self.origin(p.span);
        choice::choose(by, arms, origin)
    }

    fn passed_value(&mut self, s: usize, p: &Parameter, passed: &Value) -> Value {
        match &passed.kind {
            Kind::Map(_, m) => match m.entry(&p.name) {
                Some(entry) => {
                    let span = entry.key_span.unwrap_or(p.span);
                    self.convert_value(s, p, &entry.value, span)
                }
                None => self.default_value(s, p),
            },
            Kind::Choice(c) => {
                let arms = c.arms.iter().map(|v| self.passed_value(s, p, v)).collect();
                choice::choose(c.by, arms, passed.origin)
            }
            Kind::Unknown(_) => passed.clone(),
            _ => self.default_value(s, p),
        }
    }

    /// A value handed to a parameter, as the parameter's type has it.
    fn convert_value(&mut self, s: usize, p: &Parameter, value: &Value, span: Span) -> Value {
        let text = match &value.kind {
            Kind::Choice(c) => {
                let arms = c.arms.iter().map(|v| self.convert_value(s, p, v, span)).collect();
                return choice::choose(c.by, arms, value.origin).with_marks(value.marks);
            }
            Kind::List(_, items)
                if !matches!(p.kind, ParameterKind::List | ParameterKind::Numbers) =>
            {
                let texts: Option<Vec<_>> = items.iter().map(Value::scalar_text).collect();
                texts.map(|t| Arc::from(t.join(",")))
            }
            Kind::Null => return self.default_value(s, p),
            _ => value.scalar_text(),
        };
        let Some(text) = text else { return self.hop(value, span, How::Argument) };
        let converted = self.convert(p, &text, span, How::Argument);
        let origin = self.graph.origins.add(span, How::Argument, Some(value.origin));
        converted.with_origin(origin).with_marks(value.marks)
    }

    /// Text as a parameter's type has it.
    fn convert(&mut self, p: &Parameter, text: &Arc<str>, span: Span, how: How) -> Value {
        let origin = self.graph.origins.add(span, how, None);
        match p.kind {
            ParameterKind::Text => self.text(text.clone(), origin),
            ParameterKind::Number => number(text, origin),
            ParameterKind::List | ParameterKind::Numbers => {
                let items = text.split(',').map(str::trim).filter(|_| !text.is_empty());
                let items = items
                    .map(|t| match p.kind {
                        ParameterKind::Numbers => number(&Arc::from(t), origin),
                        _ => self.text(Arc::from(t), origin),
                    })
                    .collect();
                Value::list(items, origin)
            }
            ParameterKind::Store => {
                let why = format!("parameter {} is read from the parameter store", p.name);
                let origin = self.graph.origins.add(p.span, How::Parameter, Some(origin));
                Value::unknown(Why::at(WhyKind::External, why, p.span), origin)
            }
        }
    }

    /// The value of a pseudo parameter; `None` for names that are none.
    ///
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>
    pub(crate) fn pseudo(&mut self, s: usize, name: &str, span: Span) -> Option<Value> {
        let origin = self.graph.origins.add(span, How::Expression, None);
        let per_stack = match name {
            "AWS::NoValue" => return Some(Value::new(Kind::Null, origin)),
            "AWS::AccountId"
            | "AWS::Partition"
            | "AWS::Region"
            | "AWS::URLSuffix"
            | "AWS::NotificationARNs" => false,
            "AWS::StackId" | "AWS::StackName" => true,
            _ => return None,
        };
        let root = self.scope(s).passed.is_none();
        if self.scope(s).elsewhere {
            let why = format!("{name} is that of each account and region of the stack set");
            let why = Why::at(WhyKind::Pseudo, why, span);
            return Some(self.unknown_from(why, &[], span).with_origin(origin));
        }
        let given = self.given(s, name).filter(|_| root || !per_stack);
        let given = given.or_else(|| {
            let region = self.given(s, "AWS::Region")?;
            let (partition, suffix) = partition(&region);
            match name {
                "AWS::Partition" => Some(Arc::from(partition)),
                "AWS::URLSuffix" => Some(Arc::from(suffix)),
                _ => None,
            }
        });
        if let Some(text) = given {
            if name == "AWS::NotificationARNs" {
                let items = text.split(',').map(|t| Value::str(t.trim(), origin)).collect();
                return Some(Value::list(items, origin));
            }
            return Some(Value::str(text, origin));
        }
        let why = Why::at(WhyKind::Pseudo, format!("{name} is not given"), span);
        Some(self.unknown_from(why, &[], span).with_origin(origin))
    }

    fn given(&self, s: usize, name: &str) -> Option<Arc<str>> {
        self.scope(s).given.iter().rev().find(|g| &*g.name == name).map(|g| g.text.clone())
    }
}

/// A number, where its text says nothing else: a parameter's number is inserted as it is written,
/// so `012` and `1.50` stay text.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>
fn number(text: &Arc<str>, origin: portcullis_core::OriginId) -> Value {
    match Number::parse(text.trim()) {
        Some(n) if n.to_string() == text.trim() => Value::num(n, origin),
        _ => Value::str(text.clone(), origin),
    }
}

/// Partition and URL suffix of a region.
///
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
fn partition(region: &str) -> (&'static str, &'static str) {
    const PREFIXES: [(&str, &str, &str); 6] = [
        ("cn-", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-", "aws-us-gov", "amazonaws.com"),
        ("us-iso-", "aws-iso", "c2s.ic.gov"),
        ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
        ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
        ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ];
    PREFIXES
        .iter()
        .find(|(prefix, ..)| region.starts_with(prefix))
        .map_or(("aws", "amazonaws.com"), |(_, partition, suffix)| (partition, suffix))
}
