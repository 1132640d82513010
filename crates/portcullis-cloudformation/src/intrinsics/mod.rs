//! The intrinsic functions, in short and long form.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>

mod cidr;
mod lists;
mod logic;
mod mapping;
mod references;
mod returned;
mod text;

use std::sync::Arc;

use portcullis_core::{Kind, NotCovered, Ref, Span, Unknown, Value, Why, WhyKind};
use smallvec::SmallVec;

use crate::eval::Evaluator;
use crate::view::View;

impl Evaluator<'_> {
    /// Calls a function by its name without `Fn::`.
    pub(crate) fn call(&mut self, s: usize, name: &str, arg: View<'_>, span: Span) -> Value {
        match name {
            "Ref" if arg.is_flag() => self.invalid(span, "Ref takes a name"),
            "Ref" => match arg.text() {
                Some(name) => self.reference(s, name, span),
                None => {
                    let name = self.eval_view(s, arg);
                    self.lift(&[name], 0, span, &mut |e, args| match args[0].as_str() {
                        Some(name) => {
                            let name = name.to_owned();
                            e.reference(s, &name, span)
                        }
                        None => e.cannot("Ref", args, span),
                    })
                }
            },
            "GetAtt" => self.get_att(s, arg, span),
            "Sub" => self.sub(s, arg, span),
            "Join" => self.join(s, arg, span),
            "Split" => self.split(s, arg, span),
            "Base64" => self.base64(s, arg, span),
            "Select" => self.select(s, arg, span),
            "Length" => self.length(s, arg, span),
            "Cidr" => self.cidr(s, arg, span),
            "FindInMap" => self.find_in_map(s, arg, span),
            "If" => self.conditional(s, arg, span),
            "And" | "Or" | "Not" | "Equals" => self.truth_of_call(s, name, arg, span),
            "Condition" => match arg.text() {
                Some(name) => self.condition(s, name, span),
                None => self.invalid(span, "Condition takes the name of a condition"),
            },
            "ToJsonString" => self.json_string(s, arg, span),
            "GetAZs" => self.zones(s, arg, span),
            "ImportValue" => self.import(s, arg, span),
            "Transform" => self.transform(arg, span),
            other => {
                let why = format!("the function {other} is not evaluated");
                let origin = self.origin(span);
                Value::unknown(Why::at(WhyKind::Unsupported, why, span), origin)
            }
        }
    }

    /// A value that is set, but known elsewhere.
    pub(crate) fn external(&mut self, span: Span, why: &str) -> Value {
        let unknown = Unknown {
            why: Why::at(WhyKind::External, why, span),
            not_null: true,
            refs: SmallVec::new(),
            pieces: None,
            holds: None,
        };
        let origin = self.origin(span);
        Value::new(Kind::Unknown(Arc::new(unknown)), origin)
    }

    /// The zones of a region, which are known to the account only, but no two are the same.
    fn zones(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let region = self.eval_view(s, arg);
        let mut zones =
            self.external(span, "the zones of the region are known to the account only");
        // An empty name is the region of the stack.
        let region = match (&region.kind, region.scalar_text()) {
            (_, Some(text)) => text,
            (Kind::Unknown(u), _) if u.why.text.starts_with("AWS::Region ") => Arc::from(""),
            _ => return zones,
        };
        if let Kind::Unknown(u) = &mut zones.kind {
            let address = Arc::from(format!("{}{region}", Ref::ZONES));
            Arc::make_mut(u).refs.push(Ref { address, attr: Arc::from("") });
        }
        zones
    }

    /// What a function gives for arguments it cannot use: unknown where they are, else an error.
    pub(crate) fn cannot(&mut self, function: &str, args: &[Value], span: Span) -> Value {
        match Self::why_of(args) {
            Some(why) => self.unknown_from(why, args, span),
            None => {
                let shape = args.iter().map(shape).collect::<Vec<_>>().join(" and ");
                self.invalid(span, format!("{function} cannot take {shape}"))
            }
        }
    }

    fn transform(&mut self, arg: View<'_>, span: Span) -> Value {
        let member = |map: View<'_>, name: &str| -> Option<String> {
            let (_, node) = map.map()?.iter().find(|(k, _)| &*k.text == name)?;
            View::from(node).text().map(str::to_owned)
        };
        let name = member(arg, "Name").unwrap_or_default();
        let origin = self.origin(span);
        if name != "AWS::Include" {
            let why = Why::at(WhyKind::Unsupported, format!("the macro {name} is not run"), span);
            return Value::unknown(why, origin);
        }
        let location = arg
            .map()
            .and_then(|m| m.iter().find(|(k, _)| &*k.text == "Parameters"))
            .and_then(|(_, node)| member(View::from(node), "Location"));
        let location = location.unwrap_or_else(|| "AWS::Include".to_owned());
        let why = Why::at(WhyKind::Missing, format!("the include {location} was not read"), span);
        self.uncovered("template", location, span);
        Value::unknown(why, origin)
    }

    /// Lists a template or module that is not read, once.
    pub(crate) fn uncovered(&mut self, what: &'static str, name: String, span: Span) {
        let entry = NotCovered { what, name, span: Some(span), path: None };
        if !self.not_covered.contains(&entry) {
            self.not_covered.push(entry);
        }
    }

    /// Exactly `N` arguments of a function.
    pub(crate) fn arguments<'n, const N: usize>(
        &mut self,
        function: &str,
        arg: View<'n>,
    ) -> Result<&'n [portcullis_syntax::Node; N], Value> {
        match arg.seq().and_then(|items| items.try_into().ok()) {
            Some(items) => Ok(items),
            None => Err(self.invalid(arg.span, format!("{function} takes a list of {N}"))),
        }
    }
}

fn shape(value: &Value) -> &'static str {
    match &value.kind {
        Kind::Null => "nothing",
        Kind::Bool(_) => "a boolean",
        Kind::Num(_) => "a number",
        Kind::Str(_) => "text",
        Kind::List(..) => "a list",
        Kind::Map(..) => "a mapping",
        Kind::Unknown(_) => "an unknown",
        Kind::Choice(_) => "a choice",
    }
}
