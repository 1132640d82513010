//! Type constraints of variables: `type = map(object({ … }))`.
//!
//! Facts: <https://developer.hashicorp.com/terraform/language/expressions/type-constraints>.

use std::sync::Arc;

use portcullis_core::{Diagnostic, Span, Value};
pub(crate) use portcullis_core::{ObjectAttr, Type};
use portcullis_syntax::hcl::{Expr, ExprKind};

use crate::convert::convert;

/// Constraints nested deeper than this are refused.
const MAX_DEPTH: usize = 64;

/// Reads a type constraint. `eval_default` evaluates the defaults of `optional(type, default)`.
///
/// Accepts what current Terraform accepts, and the quoted forms of old configurations
/// (`"string"`, `"list"`, `"map"`).
///
/// # Errors
/// What is written where a type belongs, and what may stand there.
pub(crate) fn parse_type(
    expr: &Expr,
    eval_default: &mut dyn FnMut(&Expr) -> Value,
) -> Result<Type, Diagnostic> {
    // Old spellings are allowed for the whole constraint only, never inside another one.
    match &expr.kind {
        ExprKind::Var(name) if &**name == "list" => return Ok(Type::List(Box::new(Type::Any))),
        ExprKind::Var(name) if &**name == "map" => return Ok(Type::Map(Box::new(Type::Any))),
        ExprKind::Str(text) => {
            return match &**text {
                "string" => Ok(Type::String),
                "list" => Ok(Type::List(Box::new(Type::Any))),
                "map" => Ok(Type::Map(Box::new(Type::Any))),
                other => Err(Diagnostic::error(
                    expr.span,
                    format!("{other:?} is no type: a type is written without quotes"),
                )
                .with_help("write string, number, bool, any, list(…), set(…), map(…), object({…}) or tuple([…])")),
            };
        }
        _ => {}
    }
    Parser { eval_default }.parse(expr, 0)
}

struct Parser<'f> {
    eval_default: &'f mut dyn FnMut(&Expr) -> Value,
}

impl Parser<'_> {
    fn parse(&mut self, expr: &Expr, depth: usize) -> Result<Type, Diagnostic> {
        if depth > MAX_DEPTH {
            return Err(Diagnostic::error(
                expr.span,
                format!("type constraint nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        match &expr.kind {
            ExprKind::Paren(inner) => self.parse(inner, depth + 1),
            ExprKind::Var(name) => match &**name {
                "any" => Ok(Type::Any),
                "bool" => Ok(Type::Bool),
                "number" => Ok(Type::Number),
                "string" => Ok(Type::String),
                "list" | "set" | "map" => {
                    Err(refuse(expr.span, &format!("{name} needs an element type: {name}(string)")))
                }
                "object" => Err(refuse(expr.span, "object needs its attributes: object({ … })")),
                "tuple" => Err(refuse(expr.span, "tuple needs its elements: tuple([…])")),
                other => Err(refuse(expr.span, &format!("{other} is no type"))),
            },
            ExprKind::Call { name, args, expand: false, .. } => {
                self.constructor(expr.span, name, args, depth)
            }
            _ => Err(refuse(expr.span, "expected a type")),
        }
    }

    fn constructor(
        &mut self,
        span: Span,
        name: &str,
        args: &[Expr],
        depth: usize,
    ) -> Result<Type, Diagnostic> {
        if name == "optional" {
            return Err(refuse(span, "optional(…) may stand only for an attribute of an object"));
        }
        if !matches!(name, "list" | "set" | "map" | "object" | "tuple") {
            return Err(refuse(span, &format!("{name} is no type constructor")));
        }
        let [arg] = args else {
            return Err(refuse(
                span,
                &format!("{name}(…) takes one argument, {} given", args.len()),
            ));
        };
        Ok(match name {
            "list" => Type::List(Box::new(self.parse(arg, depth + 1)?)),
            "set" => Type::Set(Box::new(self.parse(arg, depth + 1)?)),
            "map" => Type::Map(Box::new(self.parse(arg, depth + 1)?)),
            "tuple" => {
                let ExprKind::Tuple(items) = &arg.kind else {
                    return Err(refuse(arg.span, "tuple(…) takes a list of types in brackets"));
                };
                Type::Tuple(
                    items.iter().map(|t| self.parse(t, depth + 1)).collect::<Result<_, _>>()?,
                )
            }
            _ => {
                let ExprKind::Object(items) = &arg.kind else {
                    return Err(refuse(arg.span, "object(…) takes its attributes in braces"));
                };
                let mut attrs: Vec<ObjectAttr> = Vec::with_capacity(items.len());
                for item in items {
                    let (ExprKind::Var(name) | ExprKind::Str(name)) = &item.key.kind else {
                        return Err(refuse(item.key.span, "an attribute's name must be literal"));
                    };
                    attrs.retain(|a| a.name != *name);
                    attrs.push(self.attribute(name.clone(), &item.value, depth)?);
                }
                Type::Object(attrs)
            }
        })
    }

    fn attribute(
        &mut self,
        name: Arc<str>,
        expr: &Expr,
        depth: usize,
    ) -> Result<ObjectAttr, Diagnostic> {
        let ExprKind::Call { name: called, args, .. } = &expr.kind else {
            return Ok(ObjectAttr {
                name,
                ty: self.parse(expr, depth + 1)?,
                optional: false,
                default: None,
            });
        };
        if &**called != "optional" {
            let ty = self.parse(expr, depth + 1)?;
            return Ok(ObjectAttr { name, ty, optional: false, default: None });
        }
        let (ty, default) = match args.as_slice() {
            [ty] => (self.parse(ty, depth + 1)?, None),
            [ty, default] => {
                let ty = self.parse(ty, depth + 1)?;
                let value = (self.eval_default)(default);
                let value = convert(&value, &ty).map_err(|e| {
                    Diagnostic::error(
                        default.span,
                        format!("the default of attribute {name} does not fit its type: {e}"),
                    )
                })?;
                (ty, Some(value))
            }
            _ => {
                return Err(refuse(
                    expr.span,
                    &format!(
                        "optional(…) takes a type and at most a default, {} given",
                        args.len()
                    ),
                ));
            }
        };
        Ok(ObjectAttr { name, ty, optional: true, default })
    }
}

fn refuse(span: Span, message: &str) -> Diagnostic {
    Diagnostic::error(span, message).with_help(
        "types are string, number, bool, any, list(…), set(…), map(…), object({…}) and tuple([…])",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::{FileId, OriginId};
    use portcullis_syntax::hcl::ObjectItem;

    fn e(kind: ExprKind) -> Expr {
        Expr { span: Span::new(FileId(0), 0, 1), kind }
    }

    fn var(name: &str) -> Expr {
        e(ExprKind::Var(name.into()))
    }

    fn call(name: &str, args: Vec<Expr>) -> Expr {
        let span = Span::new(FileId(0), 0, 1);
        e(ExprKind::Call { name: name.into(), name_span: span, args, expand: false })
    }

    fn parse(expr: &Expr) -> Result<Type, Diagnostic> {
        parse_type(expr, &mut |_| Value::num(5_i64, OriginId::NONE))
    }

    #[test]
    fn reads_nested_constraints_and_defaults() {
        let object = call(
            "object",
            vec![e(ExprKind::Object(vec![
                ObjectItem { key: var("a"), value: call("list", vec![var("string")]) },
                ObjectItem {
                    key: var("b"),
                    value: call("optional", vec![var("string"), e(ExprKind::Null)]),
                },
            ]))],
        );
        let Type::Object(attrs) = parse(&object).unwrap() else { panic!("an object") };
        assert_eq!(attrs[0].ty, Type::List(Box::new(Type::String)));
        assert!(!attrs[0].optional && attrs[1].optional);
        // The default took the attribute's type.
        assert_eq!(attrs[1].default.as_ref().and_then(Value::as_str), Some("5"));
    }

    #[test]
    fn old_spellings_stand_alone_only() {
        assert_eq!(parse(&e(ExprKind::Str("string".into()))), Ok(Type::String));
        assert_eq!(parse(&var("list")), Ok(Type::List(Box::new(Type::Any))));
        assert!(parse(&call("list", vec![var("list")])).is_err());
        assert!(parse(&call("optional", vec![var("string")])).is_err());
        assert!(parse(&e(ExprKind::Str("int".into()))).is_err());
    }
}
