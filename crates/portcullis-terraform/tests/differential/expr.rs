//! Random expressions, mostly well typed.

use crate::rng::Rng;
use crate::table::*;

/// A name that expressions may use, with the code of its type.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) ty: char,
}

/// Writes expressions.
pub(crate) struct Writer<'r> {
    pub(crate) rng: &'r mut Rng,
    pub(crate) names: Vec<Name>,
    /// Whether functions may be called and names used.
    pub(crate) constant: bool,
    counter: usize,
}

const BASIC: &[char] = &['s', 'n', 'b', 'l', 'L', 'S', 'm', 'o', 't'];

impl<'r> Writer<'r> {
    pub(crate) fn new(rng: &'r mut Rng) -> Self {
        Self { rng, names: Vec::new(), constant: false, counter: 0 }
    }

    pub(crate) fn any_type(&mut self) -> char {
        *self.rng.pick(BASIC)
    }

    fn quoted(&mut self, pool: &[&str]) -> String {
        format!("\"{}\"", self.rng.pick(pool))
    }

    /// A literal.
    pub(crate) fn literal(&mut self, ty: char, depth: usize) -> String {
        let inner = depth.saturating_sub(1);
        match ty {
            's' => self.quoted(STRINGS),
            'n' => (*self.rng.pick(NUMBERS)).to_owned(),
            'i' => (*self.rng.pick(INTS)).to_owned(),
            'b' => (*self.rng.pick(&["true", "false"])).to_owned(),
            'l' => self.list('s', 4, inner),
            'L' => self.list('n', 4, inner),
            'B' => self.list('b', 3, inner),
            'S' => format!("toset({})", self.list('s', 4, inner)),
            'x' => self.list('m', 3, inner),
            'm' => self.mapping('s', inner, &["a", "b", "c", "k 1", "é"]),
            'M' => self.mapping('l', inner, &["a", "b", "c"]),
            'o' => {
                let keys = ["a", "b", "c", "name", "n", "x"];
                let n = self.rng.below(4);
                let mut out = String::from("{");
                for i in 0..n {
                    let key = self.rng.pick(&keys);
                    let ty = self.any_type();
                    let value = self.expr(ty, inner);
                    out.push_str(&format!("{}{key} = {value}", if i > 0 { ", " } else { " " }));
                }
                out.push_str(" }");
                out
            }
            't' => {
                let n = self.rng.below(4);
                let items: Vec<String> = (0..n)
                    .map(|_| {
                        let ty = self.any_type();
                        if self.rng.chance(5) { "null".to_owned() } else { self.expr(ty, inner) }
                    })
                    .collect();
                format!("[{}]", items.join(", "))
            }
            'j' => self.quoted(JSONS),
            'y' => self.quoted(YAMLS),
            'c' => self.quoted(CIDRS),
            '6' => self.quoted(CIDRS6),
            'd' => self.quoted(DATES),
            'g' => self.quoted(DATE_FORMATS),
            'u' => self.quoted(DURATIONS),
            'f' => self.quoted(FORMATS),
            'r' => self.quoted(REGEXES),
            'e' => self.quoted(BASE64),
            'a' => self.quoted(CHARSETS),
            'z' => self.quoted(NAMESPACES),
            'v' => self.quoted(CSVS),
            'p' => format!("\"${{path.module}}/{}\"", self.rng.pick(PATHS)),
            'k' => "\"${path.module}/t.tftpl\"".to_owned(),
            _ => {
                let ty = self.any_type();
                if self.rng.chance(4) { "null".to_owned() } else { self.literal(ty, depth) }
            }
        }
    }

    fn list(&mut self, of: char, most: usize, depth: usize) -> String {
        let n = self.rng.below(most + 1);
        let items: Vec<String> = (0..n)
            .map(|_| {
                if self.rng.chance(3) {
                    "null".to_owned()
                } else if self.rng.chance(70) {
                    self.literal(of, depth)
                } else {
                    self.expr(of, depth)
                }
            })
            .collect();
        format!("[{}]", items.join(", "))
    }

    fn mapping(&mut self, of: char, depth: usize, keys: &[&str]) -> String {
        let mut out = String::from("{");
        for (i, key) in keys.iter().enumerate() {
            if self.rng.chance(50) {
                let value = if self.rng.chance(70) {
                    self.literal(of, depth)
                } else {
                    self.expr(of, depth)
                };
                let separator = if i > 0 && out.len() > 1 { ", " } else { " " };
                out.push_str(&format!("{separator}\"{key}\" = {value}"));
            }
        }
        out.push_str(" }");
        out
    }

    /// An expression of about this type.
    pub(crate) fn expr(&mut self, ty: char, depth: usize) -> String {
        if self.constant {
            return self.literal(ty, depth);
        }
        // Now and then of another type: what Terraform refuses must be refused.
        let ty = if self.rng.chance(2) { self.any_type() } else { ty };
        if depth == 0 {
            return if self.rng.chance(50) { self.name(ty) } else { self.literal(ty, 0) };
        }
        let d = depth - 1;
        match self.rng.below(20) {
            0..=2 => self.literal(ty, d),
            3..=5 => self.name(ty),
            6..=11 => self.call(ty, d),
            12 => {
                let (c, a, b) = (self.condition(d), self.expr(ty, d), self.expr(ty, d));
                format!("({c} ? {a} : {b})")
            }
            13 => {
                let (c, a) = (self.condition(d), self.expr(ty, d));
                if self.rng.chance(50) {
                    format!("({c} ? {a} : null)")
                } else {
                    format!("({c} ? null : {a})")
                }
            }
            14 | 15 => self.loops(ty, d),
            16 => self.operator(ty, d),
            17 => self.access(ty, d),
            18 => self.template(ty, d),
            _ => {
                let a = self.expr(ty, d);
                format!("({a})")
            }
        }
    }

    pub(crate) fn condition(&mut self, d: usize) -> String {
        match self.rng.below(8) {
            0 | 1 => self.name('b'),
            2 => {
                let ty = self.any_type();
                let (a, b) = (self.expr(ty, d), self.expr(ty, d));
                format!("{a} == {b}")
            }
            3 => {
                let ty = self.any_type();
                let a = self.name(ty);
                format!("{a} != null")
            }
            4 => {
                let (a, b) = (self.expr('n', d), self.expr('n', d));
                let op = *self.rng.pick(&["<", ">", "<=", ">="]);
                format!("{a} {op} {b}")
            }
            5 => (*self.rng.pick(&["true", "false"])).to_owned(),
            6 => {
                let a = self.expr('b', d);
                format!("!{a}")
            }
            _ => self.expr('b', d),
        }
    }

    pub(crate) fn name(&mut self, ty: char) -> String {
        let loose = self.rng.chance(12);
        let fitting: Vec<&Name> = self
            .names
            .iter()
            .filter(|n| n.ty == ty || ty == '?' || (n.ty == '?' && loose))
            .collect();
        match fitting.len() {
            0 => self.literal(ty, 1),
            n => fitting[self.rng.below(n)].text.clone(),
        }
    }

    fn call(&mut self, ty: char, d: usize) -> String {
        let fitting: Vec<&(&str, &str, char)> = FUNCTIONS
            .iter()
            .filter(|f| f.2 != '_' && (f.2 == ty || ty == '?' || (f.2 == '?' && ty == 't')))
            .collect();
        // Those that give the type asked for are preferred to those that may give any.
        let exact: Vec<&(&str, &str, char)> =
            fitting.iter().copied().filter(|f| f.2 == ty).collect();
        let list = if !exact.is_empty() && self.rng.chance(80) { exact } else { fitting };
        if list.is_empty() {
            return self.literal(ty, d);
        }
        let (name, args, _) = list[self.rng.below(list.len())];
        self.call_of(name, args, d)
    }

    pub(crate) fn call_of(&mut self, name: &str, codes: &str, d: usize) -> String {
        let mut args = Vec::new();
        let mut last = '?';
        for code in codes.chars() {
            if code == '*' {
                for _ in 0..self.rng.below(3) {
                    args.push(self.argument(last, d));
                }
            } else {
                args.push(self.argument(code, d));
                last = code;
            }
        }
        if name == "templatefile" {
            let (a, b) = (self.expr('s', 0), self.expr('l', 0));
            args[1] = format!("{{ name = {a}, items = {b} }}");
        }
        if codes.len() == 1 && "lt".contains(codes) && self.rng.chance(3) {
            return format!("{name}({}...)", args.join(", "));
        }
        format!("{name}({})", args.join(", "))
    }

    fn argument(&mut self, code: char, d: usize) -> String {
        if self.rng.chance(2) {
            return "null".to_owned();
        }
        match code {
            's' | 'n' | 'b' | 'l' | 'L' | 'S' | 'm' | 'o' | 't' | '?' => self.expr(code, d),
            'M' if self.rng.chance(50) => "{ a = [\"x\", \"y\"], b = [\"x\"] }".to_owned(),
            _ => self.literal(code, d),
        }
    }

    pub(crate) fn bound(&mut self) -> String {
        self.counter += 1;
        format!("v{}", self.counter)
    }

    /// Runs `f` with more names in scope.
    pub(crate) fn with<T>(&mut self, more: &[(&str, char)], f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.names.len();
        for (text, ty) in more {
            // Twice, so that it is used.
            for _ in 0..3 {
                self.names.push(Name { text: (*text).to_owned(), ty: *ty });
            }
        }
        let out = f(self);
        self.names.truncate(before);
        out
    }

    fn loops(&mut self, ty: char, d: usize) -> String {
        let source = *self.rng.pick(&['l', 'S', 'm', 'o', 't', 'L', 'l', 'm']);
        let collection = self.expr(source, d);
        let (k, v) = (self.bound(), self.bound());
        let element = match source {
            'l' | 'S' | 'm' => 's',
            'L' => 'n',
            _ => '?',
        };
        let key = if source == 'l' || source == 'L' || source == 't' { 'n' } else { 's' };
        let two = self.rng.chance(50);
        let head = if two { format!("{k}, {v}") } else { v.clone() };
        let names: Vec<(&str, char)> =
            if two { vec![(&k, key), (&v, element)] } else { vec![(&v, element)] };
        let (value, keyed, filter) = self.with(&names, |w| {
            let of = match ty {
                'l' | 'S' | 'm' => 's',
                'L' => 'n',
                _ => w.any_type(),
            };
            let keyed =
                if w.rng.chance(60) && two { format!("\"${{{k}}}\"") } else { w.expr('s', 0) };
            let filter =
                if w.rng.chance(30) { format!(" if {}", w.condition(0)) } else { String::new() };
            (w.expr(of, d), keyed, filter)
        });
        match ty {
            'm' | 'o' => {
                let group = if self.rng.chance(20) { "..." } else { "" };
                format!("{{ for {head} in {collection} : {keyed} => {value}{group}{filter} }}")
            }
            'S' => format!("toset([for {head} in {collection} : {value}{filter}])"),
            's' => format!("join(\"|\", [for {head} in {collection} : {value}{filter}])"),
            'n' => format!("length([for {head} in {collection} : {value}{filter}])"),
            'b' => {
                let wanted = self.expr('s', 0);
                format!("contains([for {head} in {collection} : {value}{filter}], {wanted})")
            }
            _ => format!("[for {head} in {collection} : {value}{filter}]"),
        }
    }

    fn operator(&mut self, ty: char, d: usize) -> String {
        match ty {
            'n' | 'i' => {
                let (a, b) = (self.expr('n', d), self.expr('n', d));
                let op = *self.rng.pick(&["+", "-", "*", "/", "%"]);
                if self.rng.chance(15) { format!("(-{a})") } else { format!("({a} {op} {b})") }
            }
            'b' => {
                let (a, b) = (self.condition(d), self.condition(d));
                let op = *self.rng.pick(&["&&", "||"]);
                format!("({a} {op} {b})")
            }
            's' => {
                let (a, b) = (self.expr('s', d), self.expr('n', d));
                format!("\"${{{a}}}-${{{b}}}\"")
            }
            _ => self.call(ty, d),
        }
    }

    fn access(&mut self, ty: char, d: usize) -> String {
        match self.rng.below(7) {
            0 => {
                let (a, i) = (self.expr('t', d), self.rng.below(3));
                format!("{a}[{i}]")
            }
            1 => {
                let a = self.expr('o', d);
                let key = *self.rng.pick(&["a", "b", "name"]);
                format!("try({a}.{key}, {})", self.literal(ty, 0))
            }
            2 => {
                let (a, b) = (self.literal(ty, d), self.literal(ty, d));
                let i = self.rng.below(2);
                format!("[{a}, {b}][{i}]")
            }
            3 => {
                let a = self.literal(ty, d);
                format!("{{ a = {a} }}.a")
            }
            4 => {
                let (a, b) = (self.literal(ty, d), self.literal(ty, d));
                let rest = *self.rng.pick(&["[*].a", ".*.a", "[*][\"a\"]"]);
                let all = format!("[{{ a = {a} }}, {{ a = {b} }}]{rest}");
                if ty == 't' { all } else { format!("{all}[0]") }
            }
            5 => {
                let a = self.name(ty);
                if ty == 't' || ty == 'l' { format!("{a}[*]") } else { format!("one({a}[*])") }
            }
            _ => {
                let (a, k) = (self.expr('m', d), self.expr('s', 0));
                format!("{a}[{k}]")
            }
        }
    }

    fn template(&mut self, ty: char, d: usize) -> String {
        if ty != 's' {
            return format!("\"${{{}}}\"", self.expr(ty, d));
        }
        let (a, b, c) = (self.expr('s', d), self.condition(0), self.expr('l', 0));
        match self.rng.below(5) {
            0 => format!("\"x${{{a}}}y\""),
            1 => format!("\"%{{ if {b} }}yes ${{{a}}}%{{ else }}no%{{ endif }}!\""),
            2 => format!("\"%{{ for i, s in {c} ~}} ${{i}}=${{s}} %{{ endfor ~}} end\""),
            3 => format!("\"<%{{~ if {b} ~}} in %{{~ endif ~}}>\""),
            _ => {
                let n = self.expr('n', 0);
                format!("\"${{{n}}}${{{a}}}${{{b}}}\"")
            }
        }
    }

    /// A heredoc, which may stand only where a line ends.
    pub(crate) fn heredoc(&mut self) -> String {
        let (a, b, c) = (self.expr('s', 1), self.condition(0), self.expr('l', 0));
        match self.rng.below(4) {
            0 => format!(
                "<<-EOT\n    one ${{{a}}}\n      two\n    %{{ if {b} ~}}\n    three\n    %{{ endif ~}}\n  four\n  EOT"
            ),
            1 => format!(
                "<<EOT\nplain $${{x}} ${{{a}}}\n%{{ for s in {c} }}${{s}}\n%{{ endfor }}\nEOT"
            ),
            2 => format!("<<-EOT\n\t\ttabs ${{{a}}}\n\n\t  mixed \\n %%{{x}}\n  EOT"),
            _ => format!(
                "<<EOT\n%{{ if {b} }}${{{a}}}%{{ else }}${{~ {a} ~}}  x%{{ endif }}\n  %{{ for k, v in {c} ~}}\n  ${{k}}=${{v}}\n  %{{~ endfor }}\nEOT"
            ),
        }
    }
}
