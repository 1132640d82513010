//! Expressions to values.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions>.

use std::cell::OnceCell;
use std::sync::Arc;

use portcullis_core::{
    Assoc, Decider, Diagnostic, FileId, Files, How, Kind, Map, MapEntry, OriginId, Seq, Span,
    Value, Why, WhyKind,
};
use portcullis_syntax::hcl::{Expr, ExprKind, ForExpr};

use crate::convert::{convert, kind_name, normalise, type_of};
use crate::functions::{self, FunctionContext, FunctionError};
use crate::resolver::Resolver;
use crate::scope::{Access, Binding, Scope, with_names};
use crate::types::Type;
use crate::unify::{alternatives, as_part};
use crate::unknowns::{choice, derived, invalid};

/// How deep templates may render templates.
const MAX_TEMPLATE_DEPTH: u32 = 64;

type Side = (Value, Vec<Diagnostic>);

/// The two results of a conditional, evaluated when first needed.
struct Sides<'e> {
    exprs: [&'e Expr; 2],
    done: [OnceCell<Side>; 2],
}

impl Resolver<'_> {
    /// Evaluates an expression. What Terraform would refuse is reported and unknown.
    pub(crate) fn eval(&self, e: &Expr, s: &Scope<'_>) -> Value {
        self.descend(|| self.eval_kind(e, s)).unwrap_or_else(|| {
            let text = "evaluation stopped here: references nest too deep, or there is too much to evaluate";
            self.report_always(Diagnostic::error(e.span, text));
            Value::unknown(Why::at(WhyKind::Limit, text, e.span), OriginId::NONE)
        })
    }

    fn eval_kind(&self, e: &Expr, s: &Scope<'_>) -> Value {
        let literal = |kind| Value::new(kind, self.hop(e.span, s.literal, OriginId::NONE));
        match &e.kind {
            ExprKind::Null => literal(Kind::Null),
            ExprKind::Bool(b) => literal(Kind::Bool(*b)),
            ExprKind::Num(n) => literal(Kind::Num(n.clone())),
            ExprKind::Str(t) => literal(Kind::Str(normalise(t.clone()))),
            ExprKind::Template(parts) => self.template(parts, e.span, s),
            ExprKind::Var(name) => self.reference(name, &[], e.span, s),
            ExprKind::Tuple(items) => literal(Kind::List(
                Seq::Tuple,
                items.iter().map(|x| self.eval(x, s)).collect::<Vec<_>>().into(),
            )),
            ExprKind::Object(items) => self.object(items, e.span, s),
            ExprKind::For(f) => self.for_expression(f, e.span, s),
            ExprKind::Conditional(parts) => self.conditional(parts, e.span, s),
            ExprKind::Call { name, args, expand, .. } => self.call(name, args, *expand, e.span, s),
            ExprKind::Unary(op, x) => self.unary(*op, x, e.span, s),
            ExprKind::Binary(op, sides) => self.binary(*op, sides, e.span, s),
            ExprKind::Paren(inner) => self.eval(inner, s),
            ExprKind::Traversal(base, steps) => match &base.kind {
                ExprKind::Var(name) => self.reference(name, steps, e.span, s),
                _ => {
                    let base = self.eval(base, s);
                    let value = self.steps(base, steps, e.span, s);
                    self.through(value, e.span, How::Expression)
                }
            },
        }
    }

    /// The text of a scalar; `Err` with what stands for it when it is unknown or none (reported).
    pub(crate) fn text_of(&self, v: &Value, span: Span, what: &str) -> Result<Arc<str>, Value> {
        if let Some(text) = v.scalar_text() {
            return Ok(text);
        }
        match &v.kind {
            Kind::Unknown(_) | Kind::Choice(_) => Err(v.clone()),
            _ => Err(self.error(span, format!("{what} must be text, this is {}", kind_name(v)))),
        }
    }

    /// A condition's value; `Err` when it is unknown or no condition (reported).
    pub(crate) fn truth_of(&self, v: &Value, span: Span) -> Result<bool, Value> {
        match &v.kind {
            Kind::Bool(b) => Ok(*b),
            Kind::Unknown(_) | Kind::Choice(_) => Err(v.clone()),
            Kind::Null => Err(self.error(span, "the condition is null: it must be true or false")),
            _ => match convert(v, &Type::Bool).ok().and_then(|c| c.as_bool()) {
                Some(b) => Ok(b),
                None => Err(self.error(
                    span,
                    format!("the condition must be true or false, this is {}", kind_name(v)),
                )),
            },
        }
    }

    // Conditionals.

    fn conditional(&self, parts: &[Expr; 3], span: Span, s: &Scope<'_>) -> Value {
        let [condition, then, otherwise] = parts;
        let c = self.eval(condition, s);
        let sides = Sides { exprs: [then, otherwise], done: Default::default() };
        self.lift(&[c], &mut |v| match v {
            [c] => self.choose(c, condition, &sides, span, s),
            _ => invalid(span),
        })
    }

    /// One side of a conditional and its problems, evaluated once.
    fn side<'x>(&self, sides: &'x Sides<'_>, at: usize, s: &Scope<'_>) -> &'x Side {
        let [then, otherwise] = sides.exprs;
        let (slot, expr) =
            if at == 0 { (&sides.done[0], then) } else { (&sides.done[1], otherwise) };
        slot.get_or_init(|| self.capture(|| self.eval(expr, s)))
    }

    fn choose(
        &self,
        c: &Value,
        condition: &Expr,
        sides: &Sides<'_>,
        span: Span,
        s: &Scope<'_>,
    ) -> Value {
        match self.truth_of(c, condition.span) {
            Ok(truth) => {
                let (value, problems) = self.side(sides, usize::from(!truth), s);
                problems.iter().for_each(|p| self.report(p.clone()));
                // The other side gives its type only: it need not convert, and its problems do not
                // count. What is refused may have a type all the same.
                let (other, _) = self.side(sides, usize::from(truth), s);
                let fitted = alternatives(value, other).and_then(|ty| as_part(value, &ty).ok());
                let Some(value) = fitted else {
                    let text =
                        "the two results of the conditional have types that do not fit together";
                    return self.error(span, text);
                };
                self.through(value, span, How::Expression).with_marks(c.marks)
            }
            Err(c) if is_invalid(&c) => {
                let ty = alternatives(&self.side(sides, 0, s).0, &self.side(sides, 1, s).0);
                invalid(span).with_type(ty.filter(|ty| *ty != Type::Any).map(Arc::new))
            }
            Err(c) => {
                let arms = [0, 1].map(|at| self.side(sides, at, s).0.clone());
                let [then, otherwise] = &arms;
                let arms = match alternatives(then, otherwise) {
                    Some(ty) => {
                        arms.iter().map(|v| as_part(v, &ty).unwrap_or_else(|_| v.clone())).collect()
                    }
                    None => arms.to_vec(),
                };
                let (by, flipped) = self.condition_decider(condition, &c, s);
                let mut arms: Vec<Value> = arms
                    .into_iter()
                    .enumerate()
                    // An arm that hangs on the same condition is that of the same side.
                    .map(|(i, v)| crate::resolver::pick(&v, by, usize::from((i == 1) != flipped)))
                    .collect();
                if flipped {
                    arms.reverse();
                }
                let from = arms.iter().map(|a| a.origin).find(|o| *o != OriginId::NONE);
                let origin = self.hop(span, How::Expression, from.unwrap_or(OriginId::NONE));
                choice(by, arms, origin).with_marks(c.marks)
            }
        }
    }

    /// The decider of a condition that is not known: arm 0 is true, unless flipped.
    fn condition_decider(
        &self,
        condition: &Expr,
        value: &Value,
        s: &Scope<'_>,
    ) -> (portcullis_core::DeciderId, bool) {
        let (key, flipped) = self.condition_key(condition, s);
        let by = self.decider(key, value, || {
            let source = self.files.sources().get(condition.span.file);
            let text = source.slice(condition.span);
            let text = if flipped { format!("not {text}") } else { text.to_owned() };
            Decider {
                name: Arc::from(format!("{text} ? …")), span: Some(condition.span), arms: 2
            }
        });
        (by, flipped)
    }

    // For-expressions.

    fn for_expression(&self, f: &ForExpr, span: Span, s: &Scope<'_>) -> Value {
        let collection = self.eval(&f.collection, s);
        self.lift(&[collection], &mut |v| match v {
            [c] => self.for_over(c, f, span, s),
            _ => invalid(span),
        })
    }

    fn for_over(&self, collection: &Value, f: &ForExpr, span: Span, s: &Scope<'_>) -> Value {
        let origin = self.hop(span, How::Expression, collection.origin);
        let pairs = match self.pairs(collection, f.collection.span) {
            Ok(pairs) => pairs,
            Err(v) => return derived([&v], origin).with_marks(collection.marks),
        };
        if pairs.is_empty() && !self.condition_stands(f, collection, s) {
            return invalid(span);
        }
        let mut marks = collection.marks;
        let mut unknown: Vec<Value> = Vec::new();
        let mut list = Vec::with_capacity(pairs.len());
        let mut keyed: Vec<(Arc<str>, Value)> = Vec::new();
        for (key, value) in pairs {
            let inner;
            let outer = match &f.key_var {
                Some(name) => {
                    inner = Binding { name, value: key, next: s.bindings };
                    s.bind(&inner)
                }
                None => *s,
            };
            let binding = Binding { name: &f.value_var, value, next: outer.bindings };
            let s = outer.bind(&binding);
            if let Some(condition) = &f.condition {
                let c = self.eval(condition, &s);
                marks = marks.union(c.marks);
                match self.filters(&c, condition.span) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(v) => {
                        unknown.push(v);
                        continue;
                    }
                }
            }
            let Some(key) = &f.key else {
                list.push(self.eval(&f.value, &s));
                continue;
            };
            let k = self.eval(key, &s);
            marks = marks.union(k.marks);
            let value = self.eval(&f.value, &s);
            match self.text_of(&k, key.span, "the key") {
                Ok(k) => keyed.push((k, value)),
                Err(v) => unknown.push(v),
            }
        }
        if !unknown.is_empty() {
            return derived(&unknown, origin).with_marks(marks);
        }
        let Some(key) = &f.key else {
            return Value::list(list, origin).with_marks(marks);
        };
        let mut at: rustc_hash::FxHashMap<Arc<str>, usize> = rustc_hash::FxHashMap::default();
        let mut groups: Vec<(Arc<str>, Vec<Value>)> = Vec::new();
        for (k, v) in keyed {
            match at.get(&k).and_then(|i| groups.get_mut(*i)) {
                Some((_, group)) if f.group => group.push(v),
                // The result is refused, and keeps its type.
                Some(_) => {
                    let text = format!(
                        "two elements have the key {k:?}: add ... after the value to group them"
                    );
                    self.error(key.span, text);
                }
                None => {
                    at.insert(k.clone(), groups.len());
                    groups.push((k, vec![v]));
                }
            }
        }
        groups.sort_by(|a, b| a.0.cmp(&b.0));
        let entries = groups.into_iter().map(|(key, mut group)| {
            let value = if f.group {
                let from = group.first().map_or(OriginId::NONE, |v| v.origin);
                Value::list(group, from)
            } else {
                group.pop().unwrap_or_else(Value::null)
            };
            MapEntry { key, key_span: None, value }
        });
        Value::map(Map::from_entries(entries), origin).with_marks(marks)
    }

    /// The value of a for-expression's condition, which Terraform converts even while it is unknown,
    /// unlike that of a conditional.
    fn filters(&self, v: &Value, span: Span) -> Result<bool, Value> {
        self.truth_of(v, span).map_err(|v| match convert(&v, &Type::Bool) {
            Ok(_) => v,
            Err(_) => self.error(
                span,
                format!("the condition must be true or false, this is {}", kind_name(&v)),
            ),
        })
    }

    /// Whether Terraform accepts the condition before it knows any element; it looks at it so even
    /// where there is none.
    fn condition_stands(&self, f: &ForExpr, collection: &Value, s: &Scope<'_>) -> bool {
        let Some(condition) = &f.condition else { return true };
        let any =
            || Value::unknown(Why::new(WhyKind::NoValue, "it is any element"), collection.origin);
        let inner;
        let outer = match &f.key_var {
            Some(name) => {
                inner = Binding { name, value: any(), next: s.bindings };
                s.bind(&inner)
            }
            None => *s,
        };
        let binding = Binding { name: &f.value_var, value: any(), next: outer.bindings };
        let s = outer.bind(&binding);
        let (stands, problems) = self.capture(|| {
            let c = self.eval(condition, &s);
            self.filters(&c, condition.span).map_or_else(|v| !is_invalid(&v), |_| true)
        });
        let clean = problems.is_empty();
        problems.into_iter().for_each(|p| self.report(p));
        stands && clean
    }

    /// Keys and values of a collection in Terraform's order; `Err` when it is unknown or none.
    pub(crate) fn pairs(&self, v: &Value, span: Span) -> Result<Vec<(Value, Value)>, Value> {
        match &v.kind {
            Kind::List(Seq::Set, items) => {
                Ok(items.iter().map(|x| (x.clone(), x.clone())).collect())
            }
            Kind::List(_, items) => Ok(items
                .iter()
                .enumerate()
                .map(|(i, x)| (Value::num(i, OriginId::NONE), x.clone().with_marks(v.marks)))
                .collect()),
            Kind::Map(_, m) => {
                let mut entries: Vec<&MapEntry> = m.iter().collect();
                entries.sort_by(|a, b| a.key.cmp(&b.key));
                Ok(entries
                    .into_iter()
                    .map(|e| {
                        let key = Value::str(e.key.clone(), v.origin);
                        (key, e.value.clone().with_marks(v.marks))
                    })
                    .collect())
            }
            Kind::Unknown(_)
                if !is_invalid(v)
                    && matches!(type_of(v), Type::String | Type::Number | Type::Bool) =>
            {
                let text = format!("a {} cannot be iterated over", type_of(v));
                Err(self.error(span, text))
            }
            Kind::Unknown(_) | Kind::Choice(_) => Err(v.clone()),
            Kind::Null => Err(self.error(span, "null cannot be iterated over")),
            _ => Err(self.error(span, format!("{} cannot be iterated over", kind_name(v)))),
        }
    }

    // Calls.

    fn call(&self, name: &str, args: &[Expr], expand: bool, span: Span, s: &Scope<'_>) -> Value {
        if s.access == Access::Constant {
            return self.error(
                span,
                format!("{name}(…) cannot be called here: only constant values may stand here"),
            );
        }
        match name.strip_prefix("core::").unwrap_or(name) {
            "try" => return self.try_each(args, span, s),
            "can" => return self.can(args, span, s),
            "templatestring" => {
                if let Some(arg) = args.first()
                    && matches!(arg.kind, ExprKind::Str(_) | ExprKind::Template(_))
                {
                    let text = "templatestring renders text that stands elsewhere: \
                                write a reference here, or the template itself without the call";
                    return self.error(arg.span, text);
                }
            }
            _ => {}
        }
        let mut values = Vec::with_capacity(args.len());
        let mut spans = Vec::with_capacity(args.len());
        for (i, arg) in args.iter().enumerate() {
            let value = self.eval(arg, s);
            if !(expand && i + 1 == args.len()) {
                values.push(value);
                spans.push(arg.span);
                continue;
            }
            match &value.kind {
                Kind::List(_, items) => {
                    values.extend(items.iter().map(|x| x.clone().with_marks(value.marks)));
                    spans.resize(values.len(), arg.span);
                }
                Kind::Unknown(_) | Kind::Choice(_) => {
                    let origin = self.hop(span, How::Expression, value.origin);
                    values.push(value);
                    return derived(&values, origin);
                }
                _ => {
                    return self.error(
                        arg.span,
                        format!(
                            "only a list can be expanded with ..., this is {}",
                            kind_name(&value)
                        ),
                    );
                }
            }
        }
        // What is invalid is reported already; the call has nothing to add.
        if let Some(v) = values.iter().find(|v| is_invalid(v)) {
            return v.clone().with_type(None);
        }
        let from = values
            .iter()
            .map(|v| v.origin)
            .find(|o| *o != OriginId::NONE)
            .unwrap_or(OriginId::NONE);
        let ctx = Context { resolver: self };
        let call = functions::Call { name, args: values, arg_spans: &spans, span, ctx: &ctx };
        let result = functions::call(call);
        if let Ok(v) = &result {
            let size = v.as_str().map_or(0, |t| t.len() / 64);
            self.spend(size + v.as_list().map_or(0, <[Value]>::len));
        }
        match result {
            Ok(value) if value.origin == OriginId::NONE => {
                let origin = self.hop(span, How::Expression, from);
                value.with_origin(origin)
            }
            Ok(value) => self.through(value, span, How::Expression),
            Err(e) => {
                let at = e.arg.and_then(|i| spans.get(i)).copied().unwrap_or(span);
                self.error(at, e.message)
            }
        }
    }

    /// The first argument that can be evaluated. Terraform calls the result unknown when that
    /// argument is not wholly known; it may still turn out to be an error.
    fn try_each(&self, args: &[Expr], span: Span, s: &Scope<'_>) -> Value {
        let mut met = Vec::new();
        for arg in args {
            let (value, problems) = self.capture(|| self.eval(arg, s));
            if !problems.is_empty() {
                met.extend(problems);
                continue;
            }
            let value = match &value.kind {
                Kind::Choice(c) if c.arms.iter().all(Value::is_wholly_known) => value,
                Kind::Unknown(_) => value,
                _ if value.is_wholly_known() => value,
                _ => derived([&value], value.origin),
            };
            return self.through(value, span, How::Expression);
        }
        let first = met.into_iter().next().map_or_else(String::new, |p| p.message);
        self.error(span, format!("no argument of try can be evaluated; the first one: {first}"))
    }

    fn can(&self, args: &[Expr], span: Span, s: &Scope<'_>) -> Value {
        let [arg] = args else {
            return self.error(span, format!("can takes 1 argument, {} given", args.len()));
        };
        let (value, problems) = self.capture(|| self.eval(arg, s));
        let origin = self.hop(span, How::Expression, value.origin);
        if !problems.is_empty() {
            return Value::bool(false, origin);
        }
        if !value.is_wholly_known() {
            return derived([&value], origin);
        }
        Value::bool(true, origin).with_marks(value.marks)
    }
}

/// Whether a value stands for an error that was reported.
pub(crate) fn is_invalid(v: &Value) -> bool {
    v.as_unknown().is_some_and(|u| u.why.kind == WhyKind::Invalid)
}

/// The evaluator as functions see it.
struct Context<'r, 'a> {
    resolver: &'r Resolver<'a>,
}

impl FunctionContext for Context<'_, '_> {
    fn files(&self) -> &dyn Files {
        self.resolver.files
    }

    fn base_dir(&self) -> &str {
        &self.resolver.root
    }

    fn origin(&self, span: Span, from: Option<OriginId>) -> OriginId {
        self.resolver.hop(span, How::Expression, from.unwrap_or(OriginId::NONE))
    }

    fn set_encoded(&self, id: OriginId, structure: Value) {
        self.resolver.encode(id, structure);
    }

    fn render_template(
        &self,
        file: FileId,
        text: &str,
        vars: &Value,
    ) -> Result<Value, FunctionError> {
        let refuse = |message: String| FunctionError { message, arg: None };
        let r = self.resolver;
        // `templatestring` brings texts that are not the file's own.
        let whole = *r.files.sources().get(file).text == *text;
        let cached = r.templates.borrow().get(&file).filter(|_| whole).cloned();
        let expr = match cached {
            Some(e) => e,
            None => {
                let parsed = portcullis_syntax::hcl::parse_template(file, text, 0);
                let expr = std::rc::Rc::new(parsed.map_err(|problems| {
                    refuse(problems.first().map_or_else(
                        || "the template cannot be read".to_owned(),
                        |p| format!("in the template: {}", p.message),
                    ))
                })?);
                if whole {
                    r.templates.borrow_mut().insert(file, expr.clone());
                }
                expr
            }
        };
        let depth = r.template_depth.get();
        if depth >= MAX_TEMPLATE_DEPTH {
            return Err(refuse(format!(
                "templates call each other more than {MAX_TEMPLATE_DEPTH} levels deep"
            )));
        }
        r.template_depth.set(depth + 1);
        let names: &[MapEntry] =
            &vars.as_map().map(|m| m.iter().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let (value, problems) = r.capture(|| {
            with_names(names, None, &mut |bindings| {
                let scope = Scope {
                    access: Access::Template,
                    bindings,
                    ..Scope::module(crate::scope::ModId(0))
                };
                r.eval(&expr, &scope)
            })
        });
        r.template_depth.set(depth);
        match problems.into_iter().next() {
            Some(p) => Err(refuse(format!("in the template: {}", p.message))),
            None => {
                convert(&value, &Type::String).map_err(|e| refuse(format!("in the template: {e}")))
            }
        }
    }
}

impl Resolver<'_> {
    /// A mapping whose attributes all count as written here.
    pub(crate) fn made(&self, entries: Vec<(&str, Value)>, origin: OriginId) -> Value {
        let map: Map = entries.into_iter().map(|(k, v)| (Arc::<str>::from(k), v)).collect();
        Value::new(Kind::Map(Assoc::Object, Arc::new(map)), origin)
    }
}
