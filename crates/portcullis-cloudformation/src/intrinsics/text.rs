//! Functions that make text: `Sub`, `Join`, `Split`, `Base64`, `ToJsonString`, and the dynamic
//! references that text may hold.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::{Kind, Marks, OriginId, Span, Unknown, Value, Why, WhyKind};

use crate::eval::{Evaluator, refs_of};
use crate::view::{SubPart, View, sub_parts};

/// Longest text that functions make.
const MAX_TEXT: usize = 1 << 20;
/// Most pieces of a text with holes that are kept.
const MAX_PIECES: usize = 1024;

impl Evaluator<'_> {
    /// Text as a value. Dynamic references in it are not known.
    ///
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>
    pub(crate) fn text(&mut self, text: Arc<str>, origin: OriginId) -> Value {
        if !text.contains("{{resolve:") {
            return Value::str(text, origin);
        }
        let mut pieces: Vec<Option<Arc<str>>> = Vec::new();
        let (mut secret, mut service, mut rest) = (false, "", &*text);
        while let Some((before, after)) = rest.split_once("{{resolve:") {
            let Some((reference, tail)) = after.split_once("}}") else { break };
            if !before.is_empty() {
                pieces.push(Some(Arc::from(before)));
            }
            pieces.push(None);
            service = reference.split(':').next().unwrap_or("");
            secret |= matches!(service, "secretsmanager" | "ssm-secure");
            rest = tail;
        }
        if pieces.is_empty() {
            return Value::str(text, origin);
        }
        if !rest.is_empty() {
            pieces.push(Some(Arc::from(rest)));
        }
        let why = format!("read from {service} on deployment");
        let span = self.graph.origins.get(origin).map(|o| o.span);
        let unknown = Unknown {
            why: Why { kind: WhyKind::External, text: Arc::from(why), span },
            not_null: true,
            refs: smallvec::SmallVec::new(),
            pieces: Some(pieces.into()),
            holds: None,
        };
        let marks = if secret { Marks::SENSITIVE } else { Marks::default() };
        Value::new(Kind::Unknown(Arc::new(unknown)), origin).with_marks(marks)
    }

    /// One text of these parts; with an unknown among them, an unknown that knows its pieces.
    fn concat(&mut self, function: &str, parts: &[Value], span: Span) -> Value {
        let mut buffer = String::new();
        let mut pieces: Vec<Option<Arc<str>>> = Vec::new();
        let mut why: Option<Why> = None;
        let mut total = 0;
        let flush = |buffer: &mut String, pieces: &mut Vec<Option<Arc<str>>>| {
            if !buffer.is_empty() {
                pieces.push(Some(Arc::from(std::mem::take(buffer))));
            }
            pieces.push(None);
        };
        for part in parts {
            if let Some(text) = part.scalar_text() {
                total += text.len();
                buffer.push_str(&text);
            } else if let Kind::Unknown(u) = &part.kind {
                if why.as_ref().is_none_or(|w| u.why.kind.precedes(w.kind)) {
                    why = Some(u.why.clone());
                }
                match &u.pieces {
                    Some(inner) => {
                        for piece in inner.iter() {
                            match piece {
                                Some(text) => {
                                    total += text.len();
                                    buffer.push_str(text);
                                }
                                None => flush(&mut buffer, &mut pieces),
                            }
                        }
                    }
                    None => flush(&mut buffer, &mut pieces),
                }
            } else {
                return self.cannot(function, parts, span);
            }
            if pieces.len() > MAX_PIECES || total > MAX_TEXT {
                let why = Why::at(WhyKind::Limit, "the text is too long", span);
                return self.unknown_from(why, parts, span);
            }
        }
        let origin = self.expression(span, parts);
        let (refs, marks) = refs_of(parts);
        let Some(why) = why else {
            return self.text(Arc::from(buffer), origin).with_marks(marks);
        };
        if !buffer.is_empty() {
            pieces.push(Some(Arc::from(buffer)));
        }
        let unknown =
            Unknown { why, not_null: true, refs, pieces: Some(pieces.into()), holds: None };
        Value::new(Kind::Unknown(Arc::new(unknown)), origin).with_marks(marks)
    }

    pub(super) fn join(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let [delimiter, list] = match self.arguments::<2>("Join", arg) {
            Ok(items) => items,
            Err(value) => return value,
        };
        let args = [self.eval(s, delimiter), self.eval(s, list)];
        self.lift(&args, 1, span, &mut |e, args| {
            let [delimiter, list] = args else { return Value::null() };
            let Some(items) = list.as_list() else { return e.cannot("Join", args, span) };
            let mut parts = Vec::with_capacity(items.len() * 2);
            for item in items.iter().filter(|v| !v.is_null()) {
                if !parts.is_empty() {
                    parts.push(delimiter.clone());
                }
                // A list parameter inside the list stands for its elements.
                match item.as_list() {
                    Some(inner) => {
                        for (i, v) in inner.iter().enumerate() {
                            if i > 0 {
                                parts.push(delimiter.clone());
                            }
                            parts.push(v.clone());
                        }
                    }
                    None => parts.push(item.clone()),
                }
            }
            e.concat("Join", &parts, span)
        })
    }

    pub(super) fn sub(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let (text, variables) = match (arg.text(), arg.seq()) {
            (Some(text), _) => (text, None),
            (_, Some([text, variables])) if View::from(text).text().is_some() => {
                (View::from(text).text().unwrap_or(""), View::from(variables).map())
            }
            (_, Some([text])) if View::from(text).text().is_some() => {
                (View::from(text).text().unwrap_or(""), None)
            }
            _ => return self.invalid(span, "Sub takes text, or a list of text and a mapping"),
        };
        let literal = self.origin(arg.span);
        let mut parts = Vec::new();
        for part in sub_parts(text) {
            parts.push(match part {
                SubPart::Text(t) => Value::str(t, literal),
                SubPart::Variable(name) => {
                    let own = variables.and_then(|m| m.iter().find(|(k, _)| &*k.text == name));
                    let value = match own {
                        Some((_, node)) if node.is_null() => {
                            let why = format!("the variable {name} of Sub is null");
                            let origin = self.origin(node.span);
                            Value::unknown(Why::at(WhyKind::Invalid, why, node.span), origin)
                        }
                        Some((_, node)) => self.eval(s, node),
                        None => self.variable(s, name, span),
                    };
                    if value.is_null() { Value::str("", value.origin) } else { value }
                }
            });
        }
        self.lift(&parts, 0, span, &mut |e, parts| e.concat("Sub", parts, span))
    }

    /// `${Name}` or `${Resource.Attribute}` in the text of `Sub`.
    fn variable(&mut self, s: usize, name: &str, span: Span) -> Value {
        match name.split_once('.') {
            Some((logical, attr)) if !name.starts_with("AWS::") => {
                self.attribute(s, logical, attr, span)
            }
            _ => self.reference(s, name, span),
        }
    }

    pub(super) fn split(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let [delimiter, text] = match self.arguments::<2>("Split", arg) {
            Ok(items) => items,
            Err(value) => return value,
        };
        let args = [self.eval(s, delimiter), self.eval(s, text)];
        self.lift(&args, 0, span, &mut |e, args| {
            let Some(delimiter) = args[0].scalar_text() else {
                return e.cannot("Split", args, span);
            };
            if delimiter.is_empty() {
                return e.invalid(span, "Split needs a delimiter");
            }
            let Some(text) = args[1].scalar_text() else {
                return match args[1].as_unknown().and_then(|u| pieces_between(u, &delimiter)) {
                    Some(parts) => {
                        let items = parts.iter().map(|p| e.piece(p, &args[1], span)).collect();
                        let origin = e.expression(span, &args[1..]);
                        Value::list(items, origin).with_marks(args[1].marks)
                    }
                    None => e.cannot("Split", args, span),
                };
            };
            let origin = e.expression(span, &args[1..]);
            let items = text.split(&*delimiter).map(|t| Value::str(t, origin)).collect();
            Value::list(items, origin).with_marks(args[1].marks)
        })
    }

    /// An element of a text that was split: known where no hole is in it.
    fn piece(&mut self, parts: &[Option<Arc<str>>], whole: &Value, span: Span) -> Value {
        let Some(unknown) = whole.as_unknown().filter(|_| parts.iter().any(Option::is_none)) else {
            let text: String = parts.iter().flatten().map(|p| &**p).collect();
            let origin = self.expression(span, std::slice::from_ref(whole));
            return Value::str(text, origin);
        };
        let why = unknown.why.clone();
        let Value { kind, origin, marks, .. } =
            self.unknown_from(why, std::slice::from_ref(whole), span);
        let kind = match kind {
            Kind::Unknown(u) => {
                let pieces = Some(parts.into());
                Kind::Unknown(Arc::new(Unknown { pieces, ..(*u).clone() }))
            }
            other => other,
        };
        Value::new(kind, origin).with_marks(marks)
    }

    /// `Select` from `Split` of a text of which only the beginning is known: the elements that end
    /// before the first hole.
    pub(super) fn select_from_split(
        &mut self,
        s: usize,
        index: &Value,
        list: View<'_>,
        span: Span,
    ) -> Option<Value> {
        let Some(("Split", arg)) = list.call() else { return None };
        let [delimiter, text] = arg.seq()? else { return None };
        let delimiter = self.eval(s, delimiter).scalar_text().filter(|d| !d.is_empty())?;
        let index: usize = index.scalar_text()?.trim().parse().ok()?;
        let text = self.eval(s, text);
        let first = text.as_unknown()?.pieces.as_deref()?.first()?.clone()?;
        // The last element may go on in the hole.
        let (known, _) = first.rsplit_once(&*delimiter)?;
        let element = known.split(&*delimiter).nth(index)?;
        let origin = self.expression(span, std::slice::from_ref(&text));
        Some(Value::str(element, origin))
    }

    pub(super) fn base64(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let text = self.eval_view(s, arg);
        self.lift(&[text], 0, span, &mut |e, args| match args[0].scalar_text() {
            Some(text) => {
                let origin = e.expression(span, args);
                Value::str(STANDARD.encode(text.as_bytes()), origin).with_marks(args[0].marks)
            }
            None => {
                let value = e.cannot("Base64", args, span);
                // What is known of the text can be read behind the part that is not.
                if matches!(args[0].kind, Kind::Unknown(_)) {
                    e.graph.origins.set_encoded(value.origin, args[0].clone());
                }
                value
            }
        })
    }

    /// `Fn::ToJsonString`; the structure stays readable behind the text.
    pub(super) fn json_string(&mut self, s: usize, arg: View<'_>, span: Span) -> Value {
        let structure = self.eval_view(s, arg);
        let args = std::slice::from_ref(&structure);
        let value = match (json(&structure, 0), Self::why_of(args)) {
            (Some(json), _) => {
                let origin = self.expression(span, args);
                Value::str(json.to_string(), origin).with_marks(refs_of(args).1)
            }
            (None, why) => {
                let why = why.unwrap_or_else(|| {
                    Why::at(WhyKind::NoValue, "part of the text is undecided", span)
                });
                self.unknown_from(why, args, span)
            }
        };
        self.graph.origins.set_encoded(value.origin, structure);
        value
    }
}

/// The elements of a text with holes, each as its pieces; `None` where a hole may hold the
/// delimiter, so that nobody knows how many there are.
fn pieces_between(unknown: &Unknown, delimiter: &str) -> Option<Vec<Vec<Option<Arc<str>>>>> {
    let pieces = unknown.pieces.as_deref()?;
    // The cause is that of the first hole: with a second one it says nothing of that.
    let one = pieces.iter().filter(|p| p.is_none()).count() == 1;
    if !one || unknown.why.kind != WhyKind::Pseudo || !unknown.refs.is_empty() {
        return None;
    }
    let safe = match unknown.why.text.split(' ').next() {
        Some("AWS::AccountId") => !delimiter.bytes().all(|b| b.is_ascii_digit()),
        Some("AWS::Region" | "AWS::Partition" | "AWS::StackName") => {
            delimiter.bytes().any(|b| !b.is_ascii_alphanumeric() && b != b'-')
        }
        _ => false,
    };
    if !safe {
        return None;
    }
    let mut out = vec![Vec::new()];
    for piece in pieces {
        let Some(text) = piece else {
            out.last_mut()?.push(None);
            continue;
        };
        for (n, part) in text.split(delimiter).enumerate() {
            if n > 0 {
                out.push(Vec::new());
            }
            if !part.is_empty() {
                out.last_mut()?.push(Some(Arc::from(part)));
            }
        }
    }
    Some(out)
}

/// A wholly known value as JSON.
fn json(value: &Value, depth: usize) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    if depth > 200 {
        return None;
    }
    Some(match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Num(n) => match n.as_i64() {
            Some(i) => Json::from(i),
            None => Json::from(n.as_f64()),
        },
        Kind::Str(s) => Json::from(&**s),
        Kind::List(_, items) => {
            Json::Array(items.iter().map(|v| json(v, depth + 1)).collect::<Option<_>>()?)
        }
        Kind::Map(_, m) => Json::Object(
            m.iter()
                .map(|e| Some((e.key.to_string(), json(&e.value, depth + 1)?)))
                .collect::<Option<_>>()?,
        ),
        Kind::Unknown(_) | Kind::Choice(_) => return None,
    })
}
