//! Compares what Portcullis makes of a case with what Terraform made of it.

use portcullis_core::{Assoc, Files, Kind, Level, MemoryFiles, Number, Resolution, Seq, Value};
use portcullis_syntax::{Node, NodeKind, Style};
use portcullis_terraform::{Project, Settings};

use crate::agreed::agreed;
use crate::answer::{Answer, Recorded, parse};

/// What Portcullis makes of a case.
pub(crate) fn resolve(case: &Recorded) -> (MemoryFiles, Resolution) {
    let mut files: Vec<(String, String)> =
        case.files.iter().map(|(f, t)| (format!("{}/{f}", case.folder), t.clone())).collect();
    files.push((
        "main.tf".to_owned(),
        format!(
            "{}output \"all\" {{\n  value = module.{}\n  sensitive = true\n}}\n",
            case.call, case.folder
        ),
    ));
    let files = MemoryFiles::new(files);
    let resolution = Project::new(&files, Settings::default()).resolve("");
    (files, resolution)
}

/// An output of the case.
fn output(resolution: &Resolution, name: &str) -> Option<Value> {
    resolution.outputs.as_ref()?.get("all")?.get(name).cloned()
}

/// What is compared of a resource: the one argument of Terraform's own type, of others all.
fn resource(resolution: &Resolution, address: &str) -> Option<Value> {
    let graph = resolution.graphs.first()?;
    let r = graph.get(graph.by_address(address)?)?;
    if &*r.kind != "terraform_data" {
        return Some(r.body.clone());
    }
    Some(r.body.get("input").cloned().unwrap_or_else(Value::null))
}

/// What differs, in words; none if nothing does.
pub(crate) fn differences(case: &Recorded) -> Vec<String> {
    let (files, resolution) = resolve(case);
    let problems: Vec<&str> = resolution
        .diagnostics
        .iter()
        .filter(|d| d.level == Level::Error)
        .map(|d| d.message.as_str())
        .collect();
    let mut out = Vec::new();
    let refused = || case.errors.iter().chain(&case.early);
    if refused().next().is_none() {
        out.extend(problems.iter().map(|p| format!("spurious: {p}")));
    }
    // Outputs are looked at one by one below; of the rest a problem must be reported.
    // What a provider's schema refuses is not known here.
    let elsewhere = ["ou", "so", "rb"];
    let others = case.errors.iter().filter(|n| !elsewhere.iter().any(|p| n.starts_with(p)));
    let others: Vec<&str> = others.map(String::as_str).collect();
    if problems.is_empty() && !others.is_empty() {
        out.push(format!("silent: terraform refuses {}, nothing is reported", others.join(", ")));
    }
    let all = resolution.outputs.as_ref().and_then(|o| o.get("all"));
    for name in refused() {
        let value = all.and_then(|a| a.get(name));
        let reported = resolution.diagnostics.iter().any(|d| {
            d.span.is_some_and(|span| {
                let source = files.sources().get(span.file);
                let before = source.text.get(..span.start as usize).unwrap_or("");
                let block = before.rfind("\noutput \"").map_or("", |at| &before[at..]);
                block.starts_with(&format!("\noutput \"{name}\""))
            })
        });
        // What no plan can hold is refused where it is kept: by the root's output.
        let kept_out = value.is_some_and(holds_infinity)
            && problems.iter().any(|p| p.contains("an infinite number"));
        if let Some(v) = value.filter(|v| v.is_wholly_known() && !reported && !kept_out) {
            let early = case.early.contains(name) && hangs_on_others(case, name);
            let when = if early { "early" } else { "silent" };
            out.push(format!("{when}: {name} is {v}, terraform refuses it"));
        }
    }
    let prefix = format!("module.{}.", case.folder);
    let known = |value: &Value, found: &[String], find: &dyn Fn(&Resolution) -> Option<Value>| {
        !found.is_empty()
            && found.iter().all(|d| d.contains(": overclaim: "))
            && agreed(case, value, find)
    };
    for (name, answer) in &case.outputs {
        match output(&resolution, name) {
            Some(value) => {
                let mut found = Vec::new();
                against(answer, &value, name, &mut found);
                if !known(&value, &found, &|r| output(r, name)) {
                    out.extend(found);
                }
            }
            None if all.is_some_and(|a| a.as_map().is_none()) => {
                out.push(format!("{name}: the module as a whole is not known"));
            }
            None => out.push(format!("{name}: missing")),
        }
    }
    for (address, answer) in &case.resources {
        let full = format!("{prefix}{address}");
        let Some(value) = resource(&resolution, &full) else {
            out.push(format!("{address}: missing"));
            continue;
        };
        let mut found = Vec::new();
        if address.contains("terraform_data.") {
            against(answer, &value, address, &mut found);
        } else {
            let want = answer.value.as_deref().map(parse);
            let unknown = answer.unknown.as_deref().map(parse);
            crate::loose::compare(&value, want.as_ref(), unknown.as_ref(), address, &mut found);
        }
        if !known(&value, &found, &|r| resource(r, &full)) {
            out.extend(found);
        }
    }
    if refused().next().is_none() {
        for r in &resolution.graphs[0].resources {
            if let Some(own) =
                r.address.strip_prefix(&prefix).filter(|a| !case.resources.contains_key(*a))
            {
                out.push(format!("{own}: terraform has no such resource"));
            }
        }
    }
    out
}

/// Whether an item's text refers to anything whose value Terraform does not look at before it plans.
fn hangs_on_others(case: &Recorded, name: &str) -> bool {
    let texts = case.files.iter().map(|(_, text)| text).chain([&case.call]);
    let mut blocks = texts.flat_map(|text| text.split_inclusive("\n}\n"));
    let block = blocks.find(|block| block.contains(&format!("\"{name}\""))).unwrap_or("");
    ["var.", "local.", "module.", "terraform_data."].iter().any(|root| block.contains(root))
}

fn holds_infinity(v: &Value) -> bool {
    match &v.kind {
        Kind::Num(n) => n.is_infinite(),
        Kind::List(_, items) => items.iter().any(holds_infinity),
        Kind::Map(_, map) => map.iter().any(|e| holds_infinity(&e.value)),
        _ => false,
    }
}

fn against(answer: &Answer, value: &Value, place: &str, out: &mut Vec<String>) {
    let want = answer.value.as_deref().map(parse);
    let unknown = answer.unknown.as_deref().map(parse);
    let ty = answer.ty.as_deref().map(parse);
    compare(value, want.as_ref(), unknown.as_ref(), ty.as_ref(), place, out);
}

pub(crate) fn is_true(n: Option<&Node>) -> bool {
    n.is_some_and(|n| n.as_text() == Some("true"))
}

/// The element's or attribute's type in Terraform's JSON form of types.
fn inner<'n>(ty: Option<&'n Node>, at: Result<usize, &str>) -> Option<&'n Node> {
    let parts = ty?.as_seq()?;
    let inner = parts.get(1)?;
    match (parts.first()?.as_text()?, at) {
        ("list" | "set" | "map", _) => Some(inner),
        ("tuple", Ok(i)) => inner.as_seq()?.get(i),
        ("object", Err(name)) => inner.get(name),
        _ => None,
    }
}

fn compare(
    v: &Value,
    want: Option<&Node>,
    unknown: Option<&Node>,
    ty: Option<&Node>,
    place: &str,
    out: &mut Vec<String>,
) {
    if is_true(unknown) {
        if !matches!(v.kind, Kind::Unknown(_) | Kind::Choice(_)) {
            out.push(format!("{place}: overclaim: {v}, terraform does not know"));
        }
        return;
    }
    let null = Node {
        span: portcullis_core::Span::new(portcullis_core::FileId(0), 0, 0),
        tag: None,
        kind: NodeKind::Scalar("null".into(), Style::Plain),
    };
    let want = want.unwrap_or(&null);
    let make = ty.and_then(Node::as_seq).and_then(|s| s.first()).and_then(Node::as_text);
    let seq = |v: &Value| match &v.kind {
        Kind::List(Seq::List, _) => Some("list"),
        Kind::List(Seq::Set, _) => Some("set"),
        Kind::List(Seq::Tuple, _) => Some("tuple"),
        Kind::Map(Assoc::Map, _) => Some("map"),
        Kind::Map(Assoc::Object, _) => Some("object"),
        _ => None,
    };
    if let (Some(make), Some(own)) = (make, seq(v))
        && make != own
    {
        out.push(format!("{place}: type: a {own}, terraform has a {make}"));
    }
    match (&v.kind, &want.kind) {
        (Kind::Unknown(u), _) => {
            // What is not computed on purpose is no difference.
            if u.why.kind != portcullis_core::WhyKind::Unsupported {
                out.push(
                    format!("{place}: unknown: {}, terraform knows {want:?}", u.why.text)
                        .replace("Node ", ""),
                );
            }
        }
        (Kind::Choice(_), _) => out.push(format!("{place}: unknown: a choice")),
        (Kind::Null, _) if want.is_null() => {}
        (Kind::Bool(b), NodeKind::Scalar(t, Style::Plain)) if **t == *b.to_string() => {}
        (Kind::Num(n), NodeKind::Scalar(t, Style::Plain)) if near(n, t) => {}
        (Kind::Str(s), NodeKind::Scalar(t, Style::Quoted)) if s == t => {}
        (Kind::List(seq, items), NodeKind::Seq(wanted)) => {
            if items.len() != wanted.len() {
                out.push(format!(
                    "{place}: {} elements, terraform has {}: {v}",
                    items.len(),
                    wanted.len()
                ));
                return;
            }
            let _ = seq;
            for (i, (item, want)) in items.iter().zip(wanted).enumerate() {
                let unknown = unknown.and_then(Node::as_seq).and_then(|s| s.get(i));
                compare(item, Some(want), unknown, inner(ty, Ok(i)), &format!("{place}[{i}]"), out);
            }
        }
        (Kind::Map(_, map), NodeKind::Map(wanted)) => {
            for (key, want) in wanted {
                let unknown = unknown.and_then(|u| u.get(&key.text));
                match map.get(&key.text) {
                    Some(item) => compare(
                        item,
                        Some(want),
                        unknown,
                        inner(ty, Err(&key.text)),
                        &format!("{place}.{}", key.text),
                        out,
                    ),
                    None => out.push(format!("{place}.{}: missing", key.text)),
                }
            }
            let more = unknown.and_then(Node::as_map).unwrap_or_default();
            for e in map.iter() {
                if wanted.iter().any(|(k, _)| k.text == e.key) {
                    continue;
                }
                match more.iter().find(|(k, _)| k.text == e.key) {
                    Some((_, u)) => {
                        compare(&e.value, None, Some(u), None, &format!("{place}.{}", e.key), out)
                    }
                    None => out.push(format!("{place}.{}: terraform has no such member", e.key)),
                }
            }
        }
        _ => out.push(format!("{place}: {v}, terraform: {}", shown(want))),
    }
}

pub(crate) fn shown(n: &Node) -> String {
    match &n.kind {
        NodeKind::Scalar(t, Style::Plain) => t.to_string(),
        NodeKind::Scalar(t, _) => format!("{t:?}"),
        NodeKind::Seq(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        NodeKind::Map(m) => {
            let all: Vec<String> =
                m.iter().map(|(k, n)| format!("{}: {}", k.text, shown(n))).collect();
            format!("{{{}}}", all.join(", "))
        }
    }
}

/// Whole numbers exactly, others to 14 digits.
pub(crate) fn near(n: &Number, text: &str) -> bool {
    let Some(want) = Number::parse(text) else { return false };
    // A plan file holds whole numbers that fit 64 bits exactly, and a float as the number it is.
    let stored = || {
        let float = n.as_f64();
        Number::from_f64(float).as_ref() == Some(n) && *text == format!("{float:.0}")
    };
    if *n == want || (n.is_integer() && stored()) {
        return true;
    }
    let (a, b) = (n.as_f64(), want.as_f64());
    !(n.is_integer() && want.is_integer()) && (a - b).abs() <= 1e-14 * a.abs().max(b.abs())
}
