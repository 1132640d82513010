//! Random configurations: a module with variables, locals, a nested module, resources, outputs.

use crate::blocks::{Rows, rows_of};
use crate::expr::{Name, Writer};
use crate::rng::Rng;

/// A part of a configuration that can be taken out by itself.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// File within the case's folder; empty for arguments of the case's call in the root.
    pub(crate) file: &'static str,
    /// Unique in the case: whoever uses the item mentions it.
    pub(crate) name: String,
    /// The text, ending in a newline.
    pub(crate) text: String,
}

/// A configuration.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) items: Vec<Item>,
}

/// Files that every case has.
pub(crate) const COMPANIONS: &[(&str, &str)] = &[
    ("data.txt", "some data\nsecond line\n"),
    ("utf8.txt", "h\u{e9}llo \u{1f600}\n"),
    (
        "t.tftpl",
        "Hello ${name}!\n%{ for i, x in items ~}\n${i}: ${x}\n%{ endfor ~}\n%{ if length(items) > 1 }many%{ else }few%{ endif }\n",
    ),
];

/// Types of variables: constraint, code of what it holds, values that fit or nearly do.
const VARIABLES: &[(&str, char, &[&str])] = &[
    ("string", 's', &["\"x\"", "5", "true", "null", "\"\"", "1.50", "[]"]),
    ("number", 'n', &["1", "\"2\"", "\"0x1\"", "3.5", "null", "\"a\"", "1e3"]),
    ("bool", 'b', &["true", "\"false\"", "\"1\"", "null", "1", "\"yes\""]),
    (
        "list(string)",
        'l',
        &[
            "[]",
            "[\"a\", \"b\"]",
            "[1, true]",
            "null",
            "[null]",
            "[\"b\", \"a\", \"b\"]",
            "\"a\"",
            "{}",
        ],
    ),
    ("set(string)", 'S', &["[]", "[\"b\", \"a\", \"b\"]", "[1, \"1\"]", "null", "[\"x\", \"é\"]"]),
    ("list(number)", 'L', &["[]", "[1, \"2\"]", "[1.5, -3]", "[null]", "[\"a\"]"]),
    ("set(number)", '?', &["[3, 1, 20]", "[\"3\", 3]", "[]"]),
    ("map(string)", 'm', &["{}", "{ a = 1, b = \"x\" }", "{ b = true, a = null }", "null", "[]"]),
    ("map(number)", '?', &["{ a = 1 }", "{ a = \"2\", b = 3 }", "{}"]),
    ("any", '?', &["[]", "{}", "\"s\"", "[1, \"a\"]", "{ a = [] }", "null", "[[1], [\"a\"]]"]),
    (
        "list(any)",
        't',
        &[
            "[1, \"a\"]",
            "[true, false]",
            "[[], [1]]",
            "[{ a = 1 }, { b = 2 }]",
            "[]",
            "[null, 1]",
            "[[1], {}]",
        ],
    ),
    (
        "map(any)",
        '?',
        &[
            "{ a = 1, b = \"x\" }",
            "{ a = [1], b = [\"c\"] }",
            "{ a = { x = 1 }, b = { y = 2 } }",
            "{}",
        ],
    ),
    ("set(any)", '?', &["[1, 2, 1]", "[\"a\", 1]", "[]"]),
    ("tuple([string, number])", 't', &["[1, \"2\"]", "[\"a\", 3]", "[\"a\"]", "null"]),
    (
        "object({ a = string, b = number })",
        'o',
        &[
            "{ a = 1, b = \"2\" }",
            "{ a = \"x\", b = 1, c = 3 }",
            "{ a = \"x\" }",
            "{ a = null, b = null }",
        ],
    ),
    (
        "object({ a = optional(string, \"d\"), b = optional(number), c = optional(list(string), []) })",
        'o',
        &[
            "{}",
            "{ a = null, b = \"5\" }",
            "{ c = [1], a = \"z\" }",
            "{ b = \"x\" }",
            "null",
            "{ zz = 1 }",
        ],
    ),
    (
        "map(object({ name = string, n = optional(number, 7), tags = optional(map(string), {}) }))",
        '?',
        &[
            "{}",
            "{ a = { name = \"x\" } }",
            "{ b = { name = 1, n = null, tags = { t = 1 } }, a = { name = \"y\", n = 2 } }",
            "{ a = {} }",
        ],
    ),
    (
        "list(object({ a = string, inner = optional(object({ x = optional(bool, true), y = optional(string) }), {}) }))",
        't',
        &[
            "[]",
            "[{ a = 1 }]",
            "[{ a = \"p\", inner = { y = \"q\" } }, { a = \"r\", inner = null }]",
            "[{}]",
        ],
    ),
    (
        "object({ a = optional(any), b = optional(set(string)) })",
        'o',
        &["{}", "{ a = [1, \"x\"], b = [\"z\", \"y\"] }", "{ a = null }"],
    ),
    ("list(list(string))", 't', &["[]", "[[1], [\"a\", true]]", "[[], [\"x\"]]", "[\"a\"]"]),
    ("map(list(string))", '?', &["{ a = [1, 2], b = [] }", "{}", "{ a = \"x\" }"]),
    (
        "set(object({ a = string, b = optional(number, 1) }))",
        '?',
        &["[{ a = \"y\" }, { a = \"x\", b = 2 }, { a = \"y\", b = 1 }]", "[]"],
    ),
];

struct Maker<'r> {
    w: Writer<'r>,
    items: Vec<Item>,
    serial: usize,
    /// Whether there are resources with blocks.
    blocks: bool,
    rows: Vec<Rows>,
}

/// The configuration of a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut rng = Rng::new(seed);
    let mut m = Maker {
        w: Writer::new(&mut rng),
        items: Vec::new(),
        serial: 0,
        blocks: false,
        rows: Vec::new(),
    };
    for _ in 0..2 + m.w.rng.below(4) {
        m.variable();
    }
    if m.w.rng.chance(35) {
        m.unknown();
    }
    for _ in 0..1 + m.w.rng.below(3) {
        m.local();
    }
    if m.w.rng.chance(50) {
        m.nested();
    }
    for _ in 0..m.w.rng.below(3) {
        m.resource();
    }
    for _ in 0..4 + m.w.rng.below(4) {
        m.output();
    }
    Case { seed, items: m.items }
}

/// The configuration of a seed with resources that have nested and dynamic blocks.
pub(crate) fn case_with_blocks(seed: u64) -> Case {
    let mut rng = Rng::new(seed ^ 0x0B10_C000_0000);
    let mut m = Maker {
        w: Writer::new(&mut rng),
        items: Vec::new(),
        serial: 0,
        blocks: true,
        rows: Vec::new(),
    };
    for _ in 0..3 + m.w.rng.below(3) {
        m.variable();
    }
    if m.w.rng.chance(40) {
        m.unknown();
    }
    for _ in 0..m.w.rng.below(3) {
        m.local();
    }
    if m.w.rng.chance(50) {
        m.nested();
    }
    for _ in 0..2 + m.w.rng.below(3) {
        m.resource_with_blocks("main.tf");
    }
    m.output();
    Case { seed, items: m.items }
}

impl Maker<'_> {
    fn fresh(&mut self, prefix: &str) -> String {
        self.serial += 1;
        format!("{prefix}{}q", self.serial)
    }

    fn push(&mut self, file: &'static str, name: &str, text: String) {
        self.items.push(Item { file, name: name.to_owned(), text });
    }

    fn name(&mut self, text: String, ty: char) {
        self.w.names.push(Name { text, ty });
    }

    fn variable(&mut self) {
        let name = self.fresh("va");
        let (constraint, ty, values) = *self.w.rng.pick(VARIABLES);
        let mut text = format!("variable \"{name}\" {{\n");
        if !(constraint == "any" && self.w.rng.chance(50)) {
            text.push_str(&format!("  type = {constraint}\n"));
        }
        let given = self.w.rng.chance(50);
        if !given || self.w.rng.chance(50) {
            // The last values of the list are the doubtful ones.
            let value = *self.w.rng.pick(values);
            text.push_str(&format!("  default = {value}\n"));
        }
        if self.w.rng.chance(12) {
            text.push_str("  nullable = false\n");
        }
        if self.w.rng.chance(8) {
            text.push_str("  sensitive = true\n");
        }
        text.push_str("}\n");
        self.push("main.tf", &name, text);
        if given {
            let value = *self.w.rng.pick(values);
            self.push("", &name, format!("  {name} = {value}\n"));
        }
        let whole = format!("var.{name}");
        if self.blocks {
            self.rows.extend(rows_of(constraint, &Name { text: whole.clone(), ty }));
        }
        if constraint.starts_with("map(object") {
            self.name(format!("[for k, v in {whole} : v.name]"), 't');
            self.name(format!("try({whole}[\"a\"].tags, {{}})"), 'm');
        }
        if constraint.starts_with("object") && constraint.contains("optional(string") {
            self.name(format!("{whole}.a"), 's');
            self.name(format!("{whole}.b"), 'n');
            self.name(format!("{whole}.c"), 'l');
        }
        self.name(whole.clone(), ty);
        self.name(whole, ty);
    }

    fn unknown(&mut self) {
        let name = self.fresh("un");
        let input = self.w.literal('?', 1);
        self.push(
            "main.tf",
            &name,
            format!("resource \"terraform_data\" \"{name}\" {{\n  input = {input}\n}}\n"),
        );
        self.name(format!("terraform_data.{name}.id"), 's');
        self.name(format!("terraform_data.{name}.output"), '?');
        self.name(format!("terraform_data.{name}.input"), '?');
    }

    fn local(&mut self) {
        let name = self.fresh("lo");
        let ty = self.w.any_type();
        let value = if self.w.rng.chance(10) { self.w.heredoc() } else { self.w.expr(ty, 2) };
        self.push("main.tf", &name, format!("locals {{\n  {name} = {value}\n}}\n"));
        self.name(format!("local.{name}"), ty);
        self.name(format!("local.{name}"), ty);
    }

    /// A called module, with or without repetition, and names that read its outputs.
    fn nested(&mut self) {
        let call = self.fresh("sub");
        let (constraint, ty, values) = *self.w.rng.pick(VARIABLES);
        let (input, plain) = (self.fresh("vi"), self.fresh("vp"));
        let doubtful = *self.w.rng.pick(values);
        let value = if self.w.rng.chance(60) { doubtful.to_owned() } else { self.w.expr(ty, 1) };
        self.push(
            "sub/main.tf",
            &input,
            format!("variable \"{input}\" {{\n  type = {constraint}\n}}\nvariable \"{plain}\" {{\n  default = \"none\"\n}}\n"),
        );
        let (repeat, each, read): (String, &str, Vec<String>) = match self.w.rng.below(4) {
            0 => {
                let n = *self.w.rng.pick(&["0", "1", "2", "\"2\"", "true ? 1 : 0"]);
                (
                    format!("  count = {n}\n"),
                    "count.index",
                    vec![
                        format!("module.{call}[0]"),
                        format!("module.{call}[*]"),
                        format!("one(module.{call}[*])"),
                    ],
                )
            }
            1 => {
                let set = *self.w.rng.pick(&[
                    "toset([\"b\", \"a\"])",
                    "{ b = 1, a = 2 }",
                    "{ for k in [\"x\", \"a\"] : k => upper(k) }",
                    "toset([])",
                ]);
                (
                    format!("  for_each = {set}\n"),
                    "each.value",
                    vec![format!("module.{call}[\"a\"]"), format!("values(module.{call})[*]")],
                )
            }
            _ => (
                String::new(),
                "\"p\"",
                vec![
                    format!("module.{call}"),
                    format!("module.{call}"),
                    format!("module.{call}[*]"),
                ],
            ),
        };
        self.push(
            "main.tf",
            &call,
            format!("module \"{call}\" {{\n  source = \"./sub\"\n{repeat}  {input} = {value}\n  {plain} = {each}\n}}\n"),
        );
        let outer = std::mem::take(&mut self.w.names);
        for _ in 0..2 {
            self.name(format!("var.{input}"), ty);
        }
        self.name(format!("var.{plain}"), 's');
        let mut made = Vec::new();
        for _ in 0..2 {
            let name = self.fresh("so");
            let of = if self.w.rng.chance(40) { ty } else { self.w.any_type() };
            let value =
                if self.w.rng.chance(30) { format!("var.{input}") } else { self.w.expr(of, 2) };
            self.push(
                "sub/main.tf",
                &name,
                format!("output \"{name}\" {{\n  value = {value}\n}}\n"),
            );
            made.push((name, of));
        }
        if self.blocks {
            let name = Name { text: format!("var.{input}"), ty };
            let outer =
                std::mem::replace(&mut self.rows, rows_of(constraint, &name).into_iter().collect());
            self.resource_with_blocks("sub/main.tf");
            self.rows = outer;
        }
        self.w.names = outer;
        for (name, of) in made {
            let from = self.w.rng.pick(&read).clone();
            let ty = if from.ends_with("[*]") { 't' } else { of };
            self.name(format!("{from}.{name}"), ty);
        }
    }

    fn resource(&mut self) {
        let name = self.fresh("rs");
        let repeat = match self.w.rng.below(4) {
            0 => {
                let n = *self.w.rng.pick(&[
                    "2",
                    "0",
                    "length([1, 2, 3])",
                    "\"1\"",
                    "-1",
                    "1.5",
                    "null",
                ]);
                format!("  count = {n}\n")
            }
            1 => {
                let of = *self.w.rng.pick(&['S', 'm', 'S', 'm', 'l', 'o']);
                format!("  for_each = {}\n", self.w.expr(of, 1))
            }
            _ => String::new(),
        };
        let before = self.w.names.len();
        if repeat.contains("for_each") {
            self.name("each.key".to_owned(), 's');
            self.name("each.value".to_owned(), '?');
        } else if repeat.contains("count") {
            self.name("count.index".to_owned(), 'n');
        }
        let ty = self.w.any_type();
        let value = if self.w.rng.chance(8) { self.w.heredoc() } else { self.w.expr(ty, 2) };
        self.w.names.truncate(before);
        self.push(
            "main.tf",
            &name,
            format!("resource \"terraform_data\" \"{name}\" {{\n{repeat}  input = {value}\n}}\n"),
        );
        let whole = format!("terraform_data.{name}");
        if repeat.contains("for_each") {
            self.name(format!("{{ for k, v in {whole} : k => v.input }}"), 'o');
            self.name(format!("keys({whole})"), '?');
        } else if repeat.contains("count") {
            self.name(format!("{whole}[*].input"), 't');
            self.name(format!("try({whole}[0].input, \"none\")"), '?');
        } else {
            self.name(format!("{whole}.input"), ty);
        }
    }

    fn resource_with_blocks(&mut self, file: &'static str) {
        let name = self.fresh("rb");
        let before = self.w.names.len();
        let repeat = match self.w.rng.below(4) {
            0 => {
                self.name("count.index".to_owned(), 'n');
                format!("  count = {}\n", self.w.rng.pick(&["2", "0", "1", "\"3\""]))
            }
            1 => {
                let of = *self.w.rng.pick(&['S', 'm', 'm', 'o']);
                let each = self.w.expr(of, 1);
                self.name("each.key".to_owned(), 's');
                self.name("each.value".to_owned(), if of == 'o' { '?' } else { 's' });
                format!("  for_each = {each}\n")
            }
            _ => String::new(),
        };
        let rows = self.rows.clone();
        let (kind, inside) = self.w.resource_with_blocks(&rows);
        self.w.names.truncate(before);
        self.push(file, &name, format!("resource \"{kind}\" \"{name}\" {{\n{repeat}{inside}}}\n"));
        if repeat.is_empty() && file == "main.tf" {
            self.name(format!("{kind}.{name}.id"), 's');
        }
    }

    fn output(&mut self) {
        let name = self.fresh("ou");
        let ty = if self.w.rng.chance(20) { '?' } else { self.w.any_type() };
        let value = match self.w.rng.below(20) {
            0 => self.w.heredoc(),
            // Every function has its turn.
            1..=7 => {
                let (f, args, _) = *self.w.rng.pick(crate::table::FUNCTIONS);
                if matches!(f, "abspath" | "pathexpand") {
                    self.w.expr(ty, 3)
                } else {
                    self.w.call_of(f, args, 1)
                }
            }
            _ => self.w.expr(ty, 3),
        };
        self.push("main.tf", &name, format!("output \"{name}\" {{\n  value = {value}\n}}\n"));
    }
}

/// A case's files as they lie in a project, and for each line of them the item it belongs to.
pub(crate) struct Written {
    /// Path and text, within the case's folder.
    pub(crate) files: Vec<(String, String)>,
    /// The call's block in the root.
    pub(crate) call: String,
    /// File, first line (from 1), line behind the last, item's name. Lines of the root's block
    /// count from its own first line.
    pub(crate) lines: Vec<(&'static str, usize, usize, String)>,
}

impl Case {
    /// The folder and module name.
    pub(crate) fn folder(&self) -> String {
        format!("c{}", self.seed)
    }

    /// Names of outputs of the case itself.
    pub(crate) fn outputs(&self) -> Vec<&str> {
        self.items
            .iter()
            .filter(|i| i.text.starts_with("output") && i.file == "main.tf")
            .map(|i| i.name.as_str())
            .collect()
    }

    pub(crate) fn write(&self) -> Written {
        let mut texts: Vec<(&'static str, String)> =
            vec![("", String::new()), ("main.tf", String::new()), ("sub/main.tf", String::new())];
        let header = format!("module \"{0}\" {{\n  source = \"./{0}\"\n", self.folder());
        texts[0].1.push_str(&header);
        let mut lines = Vec::new();
        for item in &self.items {
            let Some((file, text)) = texts.iter_mut().find(|(f, _)| *f == item.file) else {
                continue;
            };
            let first = text.matches('\n').count() + 1;
            text.push_str(&item.text);
            lines.push((*file, first, text.matches('\n').count() + 1, item.name.clone()));
        }
        texts[0].1.push_str("}\n");
        let call = texts.remove(0).1;
        let mut files: Vec<(String, String)> = texts
            .into_iter()
            .filter(|(_, t)| !t.is_empty())
            .map(|(f, t)| (f.to_owned(), t))
            .collect();
        files.extend(COMPANIONS.iter().map(|(f, t)| ((*f).to_owned(), (*t).to_owned())));
        Written { files, call, lines }
    }

    /// Without an item and without whatever mentions it. Gives the names taken out.
    pub(crate) fn take_out(&mut self, name: &str) -> Vec<String> {
        let mut gone = vec![name.to_owned()];
        loop {
            let more: Vec<String> = self
                .items
                .iter()
                .filter(|i| {
                    !gone.contains(&i.name) && gone.iter().any(|g| i.text.contains(g.as_str()))
                })
                .map(|i| i.name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            gone.extend(more);
        }
        self.items.retain(|i| !gone.contains(&i.name));
        gone
    }
}
