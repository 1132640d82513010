//! Resources with nested and dynamic blocks, for a provider that has the types below: Terraform is
//! attached to one by `TF_REATTACH_PROVIDERS`. The types are shaped like AWS's and much smaller.

use crate::expr::{Name, Writer};

/// Name, code of its type (see `table.rs`), whether it is required.
type Attr = (&'static str, char, bool);

/// A type of nested block.
pub(crate) struct Nested {
    name: &'static str,
    attrs: &'static [Attr],
    blocks: &'static [Nested],
}

/// A type of resource.
struct Kind {
    name: &'static str,
    attrs: &'static [Attr],
    blocks: &'static [Nested],
}

const fn flat(name: &'static str, attrs: &'static [Attr]) -> Nested {
    Nested { name, attrs, blocks: &[] }
}

const RULE: &[Attr] = &[
    ("description", 's', false),
    ("from_port", 'n', true),
    ("to_port", 'n', true),
    ("protocol", 's', true),
    ("cidr_blocks", 'l', false),
    ("security_groups", 'S', false),
    ("self", 'b', false),
];

const KINDS: &[Kind] = &[
    Kind {
        name: "aws_security_group",
        attrs: &[("name", 's', false), ("description", 's', false), ("tags", 'm', false)],
        blocks: &[flat("ingress", RULE), flat("egress", RULE)],
    },
    Kind {
        name: "aws_s3_bucket",
        attrs: &[("bucket", 's', false), ("force_destroy", 'b', false), ("tags", 'm', false)],
        blocks: &[
            flat("versioning", &[("enabled", 'b', false), ("mfa_delete", 'b', false)]),
            flat("logging", &[("target_bucket", 's', true), ("target_prefix", 's', false)]),
            Nested {
                name: "lifecycle_rule",
                attrs: &[("id", 's', false), ("enabled", 'b', true), ("tags", 'm', false)],
                blocks: &[
                    flat("expiration", &[("days", 'n', false)]),
                    flat("transition", &[("days", 'n', false), ("storage_class", 's', true)]),
                ],
            },
            Nested {
                name: "server_side_encryption_configuration",
                attrs: &[],
                blocks: &[Nested {
                    name: "rule",
                    attrs: &[("bucket_key_enabled", 'b', false)],
                    blocks: &[flat(
                        "apply_server_side_encryption_by_default",
                        &[("sse_algorithm", 's', true), ("kms_master_key_id", 's', false)],
                    )],
                }],
            },
        ],
    },
    Kind {
        name: "aws_lb_listener",
        attrs: &[("load_balancer_arn", 's', true), ("port", 'n', false), ("protocol", 's', false)],
        blocks: &[Nested {
            name: "default_action",
            attrs: &[("type", 's', true), ("order", 'n', false)],
            blocks: &[
                flat("redirect", &[("port", 's', false), ("status_code", 's', true)]),
                Nested {
                    name: "forward",
                    attrs: &[],
                    blocks: &[flat("target_group", &[("arn", 's', true), ("weight", 'n', false)])],
                },
            ],
        }],
    },
    Kind {
        name: "aws_autoscaling_group",
        attrs: &[
            ("min_size", 'n', true),
            ("max_size", 'n', true),
            ("vpc_zone_identifier", 'S', false),
        ],
        blocks: &[flat(
            "tag",
            &[("key", 's', true), ("value", 's', true), ("propagate_at_launch", 'b', true)],
        )],
    },
    Kind {
        name: "aws_lambda_function",
        attrs: &[
            ("function_name", 's', true),
            ("role", 's', true),
            ("timeout", 'n', false),
            ("layers", 'l', false),
        ],
        blocks: &[
            flat("environment", &[("variables", 'm', false)]),
            flat("vpc_config", &[("subnet_ids", 'S', true), ("security_group_ids", 'S', true)]),
        ],
    },
];

impl Writer<'_> {
    /// A resource's header type and the inside of its block. `rows` are names of maps and lists of
    /// objects, with the attributes that their elements have.
    pub(crate) fn resource_with_blocks(&mut self, rows: &[Rows]) -> (&'static str, String) {
        let kind = &KINDS[self.rng.below(KINDS.len())];
        let mut out = String::new();
        self.inside(kind.attrs, kind.blocks, rows, 1, &mut out);
        (kind.name, out)
    }

    fn inside(
        &mut self,
        attrs: &[Attr],
        blocks: &[Nested],
        rows: &[Rows],
        level: usize,
        out: &mut String,
    ) {
        let pad = "  ".repeat(level);
        for (name, ty, required) in attrs {
            if *required || self.rng.chance(40) {
                let depth = self.rng.below(3);
                let value = if !required && self.rng.chance(5) {
                    "null".to_owned()
                } else {
                    self.expr(*ty, depth)
                };
                out.push_str(&format!("{pad}{name} = {value}\n"));
            }
        }
        for block in blocks {
            for _ in 0..[0, 0, 1, 1, 2][self.rng.below(5)] {
                if self.rng.chance(60) {
                    self.dynamic(block, rows, level, out);
                } else {
                    out.push_str(&format!("{pad}{} {{\n", block.name));
                    self.inside(block.attrs, block.blocks, rows, level + 1, out);
                    out.push_str(&format!("{pad}}}\n"));
                }
            }
        }
    }

    fn dynamic(&mut self, block: &Nested, rows: &[Rows], level: usize, out: &mut String) {
        let pad = "  ".repeat(level);
        let iterator = if self.rng.chance(30) { self.bound() } else { block.name.to_owned() };
        let mut names: Vec<(String, char)> = Vec::new();
        let each = if !rows.is_empty() && self.rng.chance(40) {
            let rows = &rows[self.rng.below(rows.len())];
            names.extend(rows.attrs.iter().map(|(a, ty)| (format!("{iterator}.value.{a}"), *ty)));
            rows.name.clone()
        } else {
            let of = *self.rng.pick(&['l', 'S', 'm', 'l', 'm', 'L']);
            names.push((format!("{iterator}.value"), if of == 'L' { 'n' } else { 's' }));
            match self.rng.below(8) {
                0 => {
                    let (c, some) = (self.condition(0), self.expr(of, 0));
                    format!("{c} ? {some} : {}", if of == 'm' { "{}" } else { "[]" })
                }
                1 => {
                    let one = self.name('s');
                    format!("{one}[*]")
                }
                _ => self.expr(of, 1),
            }
        };
        names.push((format!("{iterator}.key"), '?'));
        out.push_str(&format!("{pad}dynamic \"{}\" {{\n{pad}  for_each = {each}\n", block.name));
        if iterator != block.name {
            out.push_str(&format!("{pad}  iterator = {iterator}\n"));
        }
        out.push_str(&format!("{pad}  content {{\n"));
        let names: Vec<(&str, char)> = names.iter().map(|(n, ty)| (n.as_str(), *ty)).collect();
        self.with(&names, |w| w.inside(block.attrs, block.blocks, rows, level + 2, out));
        out.push_str(&format!("{pad}  }}\n{pad}}}\n"));
    }
}

/// A map or list of objects.
#[derive(Clone)]
pub(crate) struct Rows {
    pub(crate) name: String,
    /// Attributes of an element, with the codes of their types.
    pub(crate) attrs: Vec<(&'static str, char)>,
}

/// The rows that a variable of this constraint holds.
pub(crate) fn rows_of(constraint: &str, variable: &Name) -> Option<Rows> {
    let attrs: &[(&str, char)] = if constraint.starts_with("map(object({ name") {
        &[("name", 's'), ("n", 'n'), ("tags", 'm')]
    } else if constraint.starts_with("list(object({ a") {
        &[("a", 's'), ("inner.x", 'b'), ("inner.y", 's')]
    } else if constraint.starts_with("set(object({ a") {
        &[("a", 's'), ("b", 'n')]
    } else {
        return None;
    };
    Some(Rows { name: variable.text.clone(), attrs: attrs.to_vec() })
}
