//! Expressions.

use std::sync::Arc;

use portcullis_core::{Number, Span};

use super::{BinaryOp, Expr, ExprKind, ForExpr, ObjectItem, Parse, Parser, Step, UnaryOp};

impl<'t> Parser<'t> {
    /// Reads an expression and the blanks behind it; `newlines` says whether they are blanks.
    pub(super) fn expression(&mut self, newlines: bool) -> Parse<Expr> {
        self.enter()?;
        let expr = self.conditional(newlines);
        self.depth -= 1;
        expr
    }

    fn conditional(&mut self, newlines: bool) -> Parse<Expr> {
        let condition = self.binary(newlines, 0)?;
        if !self.eat(b'?') {
            return Ok(condition);
        }
        let mut height = self.height;
        self.blanks(newlines);
        let then = self.expression(newlines)?;
        height = height.max(self.height);
        if !self.eat(b':') {
            return self.fail_expected("`:` and the other value of the conditional");
        }
        self.blanks(newlines);
        let otherwise = self.expression(newlines)?;
        self.grow(height.max(self.height))?;
        let span = condition.span.to(otherwise.span);
        Ok(Expr { span, kind: ExprKind::Conditional(Box::new([condition, then, otherwise])) })
    }

    /// The operator that comes next, how tightly it binds, and its length.
    fn operator(&self) -> Option<(BinaryOp, u8, usize)> {
        Some(match (self.peek(), self.peek_at(1)) {
            (b'|', b'|') => (BinaryOp::Or, 1, 2),
            (b'&', b'&') => (BinaryOp::And, 2, 2),
            (b'=', b'=') => (BinaryOp::Eq, 3, 2),
            (b'!', b'=') => (BinaryOp::Ne, 3, 2),
            (b'<', b'=') => (BinaryOp::Le, 4, 2),
            (b'>', b'=') => (BinaryOp::Ge, 4, 2),
            (b'<', _) => (BinaryOp::Lt, 4, 1),
            (b'>', _) => (BinaryOp::Gt, 4, 1),
            (b'+', _) => (BinaryOp::Add, 5, 1),
            (b'-', _) => (BinaryOp::Sub, 5, 1),
            (b'*', _) => (BinaryOp::Mul, 6, 1),
            (b'/', _) => (BinaryOp::Div, 6, 1),
            (b'%', _) => (BinaryOp::Mod, 6, 1),
            _ => return None,
        })
    }

    fn binary(&mut self, newlines: bool, weaker: u8) -> Parse<Expr> {
        let mut left = self.unary(newlines)?;
        let mut height = self.height;
        while let Some((op, strength, length)) = self.operator()
            && strength > weaker
        {
            self.at += length;
            self.blanks(newlines);
            let right = self.binary(newlines, strength)?;
            self.grow(height.max(self.height))?;
            height = self.height;
            let span = left.span.to(right.span);
            left = Expr { span, kind: ExprKind::Binary(op, Box::new([left, right])) };
        }
        self.height = height;
        Ok(left)
    }

    fn unary(&mut self, newlines: bool) -> Parse<Expr> {
        let op = match self.peek() {
            b'!' => UnaryOp::Not,
            b'-' => UnaryOp::Neg,
            _ => return self.postfix(newlines),
        };
        let mark = self.span(self.at, self.at + 1);
        self.at += 1;
        self.blanks(newlines);
        self.enter()?;
        let operand = self.unary(newlines);
        self.depth -= 1;
        let operand = operand?;
        self.grow(self.height)?;
        let span = mark.to(operand.span);
        Ok(Expr { span, kind: ExprKind::Unary(op, Box::new(operand)) })
    }

    fn postfix(&mut self, newlines: bool) -> Parse<Expr> {
        let base = self.primary(newlines)?;
        self.blanks(newlines);
        let mut span = base.span;
        let mut height = self.height;
        let mut steps = Vec::new();
        loop {
            let start = self.at;
            let step = match self.peek() {
                b'.' if self.peek_at(1) != b'.' => self.dot_step(newlines)?,
                b'[' => self.bracket_step()?,
                _ => break,
            };
            if matches!(step, Step::Index(_)) {
                height = height.max(self.height);
            }
            span = span.to(self.span(start, self.at));
            steps.push(step);
            self.blanks(newlines);
        }
        self.height = height;
        if steps.is_empty() {
            return Ok(base);
        }
        self.grow(height)?;
        Ok(Expr { span, kind: ExprKind::Traversal(Box::new(base), steps) })
    }

    fn dot_step(&mut self, newlines: bool) -> Parse<Step> {
        self.at += 1;
        self.blanks(newlines);
        let start = self.at;
        if self.eat(b'*') {
            return Ok(Step::AttrSplat(self.span(start, self.at)));
        }
        if self.digits() {
            // HCL reads the `0.1` of `a.0.1` as one number, and refuses it.
            if self.peek() == b'.' && self.peek_at(1).is_ascii_digit() {
                self.at += 1;
                self.digits();
                let span = self.span(start, self.at);
                return self.fail(span, "two indexes in a row are written `[0][1]`, not `.0.1`");
            }
            let span = self.span(start, self.at);
            return match self.text.get(start..self.at).and_then(|t| t.parse().ok()) {
                Some(index) => Ok(Step::Legacy(index, span)),
                None => self.fail(span, "this index is too large"),
            };
        }
        match self.identifier() {
            Some(name) => Ok(Step::Attr(Arc::from(name), self.span(start, self.at))),
            None => self.fail_expected("an attribute name, an index or `*` after `.`"),
        }
    }

    fn bracket_step(&mut self) -> Parse<Step> {
        let start = self.at;
        self.at += 1;
        self.blanks(true);
        if self.eat(b'*') {
            self.blanks(true);
            if !self.eat(b']') {
                return self.fail_expected("`]` after `[*`");
            }
            return Ok(Step::FullSplat(self.span(start, self.at)));
        }
        let index = self.expression(true)?;
        if !self.eat(b']') {
            return self.fail_expected("`]` after the index");
        }
        Ok(Step::Index(index))
    }

    /// Takes digits; whether there were any.
    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }

    fn primary(&mut self, newlines: bool) -> Parse<Expr> {
        self.height = 1;
        match self.peek() {
            b'"' => self.quoted(),
            b'<' if self.peek_at(1) == b'<' => self.heredoc(),
            b'(' => self.paren(),
            b'[' => self.tuple(),
            b'{' => self.object(),
            c if c.is_ascii_digit() => self.number(),
            _ if self.at_identifier() => self.name(newlines),
            _ => self.fail_expected("a value"),
        }
    }

    fn paren(&mut self) -> Parse<Expr> {
        let start = self.at;
        self.at += 1;
        self.blanks(true);
        let inner = self.expression(true)?;
        if !self.eat(b')') {
            return self.fail_expected("`)`");
        }
        self.grow(self.height)?;
        Ok(Expr { span: self.span(start, self.at), kind: ExprKind::Paren(Box::new(inner)) })
    }

    fn tuple(&mut self) -> Parse<Expr> {
        let start = self.at;
        self.at += 1;
        self.blanks(true);
        if self.at_for() {
            return self.for_expr(start, false);
        }
        let mut items = Vec::new();
        let mut height = 0;
        while !self.eat(b']') {
            items.push(self.expression(true)?);
            height = height.max(self.height);
            if self.eat(b',') {
                self.blanks(true);
            } else if self.peek() != b']' {
                return self.fail_expected("`,` or `]` after a list's element");
            }
        }
        self.grow(height)?;
        Ok(Expr { span: self.span(start, self.at), kind: ExprKind::Tuple(items) })
    }

    fn object(&mut self) -> Parse<Expr> {
        let start = self.at;
        self.at += 1;
        self.blanks(true);
        if self.at_for() {
            return self.for_expr(start, true);
        }
        let mut items = Vec::new();
        let mut height = 0;
        while !self.eat(b'}') {
            let key = self.expression(false)?;
            height = height.max(self.height);
            if !self.eat(b'=') && !self.eat(b':') {
                return self.fail_expected("`=` or `:` after an object's key");
            }
            // HCL wants the value on the key's line; reading on loses nothing.
            self.blanks(true);
            let value = self.expression(false)?;
            height = height.max(self.height);
            items.push(ObjectItem { key, value });
            if !self.eat(b',') && !matches!(self.peek(), b'\n' | b'}') {
                return self.fail_expected("a new line, `,` or `}` after an object's value");
            }
            self.blanks(true);
        }
        self.grow(height)?;
        Ok(Expr { span: self.span(start, self.at), kind: ExprKind::Object(items) })
    }

    fn number(&mut self) -> Parse<Expr> {
        let start = self.at;
        self.digits();
        if self.peek() == b'.' && self.peek_at(1).is_ascii_digit() {
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek_at(1), b'+' | b'-'));
            if self.peek_at(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits();
            }
        }
        let span = self.span(start, self.at);
        if self.at_identifier() {
            return self.fail_expected("the end of the number");
        }
        match self.text.get(start..self.at).and_then(Number::parse) {
            Some(number) => Ok(Expr { span, kind: ExprKind::Num(number) }),
            None => self.fail(span, "this number is too large to be read"),
        }
    }

    /// A keyword, a variable or a function call.
    fn name(&mut self, newlines: bool) -> Parse<Expr> {
        let start = self.at;
        let first = self.identifier().unwrap_or_default();
        while self.looking_at("::") {
            self.at += 2;
            if self.identifier().is_none() {
                return self.fail_expected("a name after `::`");
            }
        }
        let end = self.at;
        let span = self.span(start, end);
        self.blanks(newlines);
        if self.peek() == b'(' {
            let name = self.text.get(start..end).unwrap_or_default();
            return self.call(Arc::from(name), span);
        }
        if end > start + first.len() {
            return self.fail_expected("`(` after the name of a provider's function");
        }
        let kind = match first {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            _ => ExprKind::Var(Arc::from(first)),
        };
        Ok(Expr { span, kind })
    }

    fn call(&mut self, name: Arc<str>, name_span: Span) -> Parse<Expr> {
        self.at += 1;
        self.blanks(true);
        let mut args = Vec::new();
        let mut expand = false;
        let mut height = 0;
        while !self.eat(b')') {
            args.push(self.expression(true)?);
            height = height.max(self.height);
            if self.looking_at("...") {
                self.at += 3;
                expand = true;
                self.blanks(true);
                if self.peek() != b')' {
                    return self.fail_expected("`)` after `...`");
                }
            } else if self.eat(b',') {
                self.blanks(true);
            } else if self.peek() != b')' {
                return self.fail_expected(&format!("`,` or `)` after an argument of `{name}`"));
            }
        }
        self.grow(height)?;
        let span = name_span.to(self.span(self.at, self.at));
        Ok(Expr { span, kind: ExprKind::Call { name, name_span, args, expand } })
    }

    /// Whether `for` and a variable come next; `{ for = 1 }` is an object.
    fn at_for(&self) -> bool {
        if !self.at_keyword("for") {
            return false;
        }
        let rest = self.bytes.get(self.at + 3..).unwrap_or_default();
        let next = rest.iter().find(|b| !b.is_ascii_whitespace()).copied().unwrap_or(0);
        !matches!(next, b'=' | b':' | b',' | b'.' | b'[' | b']' | b'}' | b'(')
    }

    /// `k, v in collection`, without the `for`.
    pub(super) fn for_head(&mut self) -> Parse<(Option<Arc<str>>, Arc<str>, Expr)> {
        self.blanks(true);
        let Some(first) = self.identifier() else {
            return self.fail_expected("a variable after `for`");
        };
        let (mut key, mut value) = (None, Arc::from(first));
        self.blanks(true);
        if self.eat(b',') {
            self.blanks(true);
            let Some(second) = self.identifier() else {
                return self.fail_expected("a second variable of `for`");
            };
            key = Some(std::mem::replace(&mut value, Arc::from(second)));
            self.blanks(true);
        }
        if !self.at_keyword("in") {
            return self.fail_expected("`in` after the variables of `for`");
        }
        self.at += 2;
        self.blanks(true);
        let collection = self.expression(true)?;
        Ok((key, value, collection))
    }

    fn for_expr(&mut self, start: usize, object: bool) -> Parse<Expr> {
        self.at += 3;
        let (key_var, value_var, collection) = self.for_head()?;
        let mut height = self.height;
        if !self.eat(b':') {
            return self.fail_expected("`:` after what `for` goes through");
        }
        self.blanks(true);
        let mut value = self.expression(true)?;
        height = height.max(self.height);
        let mut key = None;
        if object {
            if !self.looking_at("=>") {
                return self.fail_expected("`=>` after the key of a `for` that makes an object");
            }
            self.at += 2;
            self.blanks(true);
            key = Some(std::mem::replace(&mut value, self.expression(true)?));
            height = height.max(self.height);
        }
        let group = object && self.looking_at("...");
        if group {
            self.at += 3;
            self.blanks(true);
        }
        let mut condition = None;
        if self.at_keyword("if") {
            self.at += 2;
            self.blanks(true);
            condition = Some(self.expression(true)?);
            height = height.max(self.height);
        }
        if !self.eat(if object { b'}' } else { b']' }) {
            let close = if object { "`}`" } else { "`]`" };
            return self.fail_expected(&format!("`if` or {close} at the end of `for`"));
        }
        self.grow(height)?;
        let kind = ForExpr { key_var, value_var, collection, key, value, group, condition };
        Ok(Expr { span: self.span(start, self.at), kind: ExprKind::For(Box::new(kind)) })
    }
}
