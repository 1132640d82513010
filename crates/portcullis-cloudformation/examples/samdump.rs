#![allow(dead_code, missing_docs)]
#[path = "../src/sam/mod.rs"]
mod sam;
use portcullis_core::FileId;
use portcullis_syntax::{Node, NodeKind, Style, json, yaml};
use serde_json::{Value, json as j};
fn val(n: &Node) -> Value {
    let v = match &n.kind {
        NodeKind::Scalar(t, Style::Plain) => match &**t {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => j!(true),
            "false" | "False" | "FALSE" => j!(false),
            t => serde_json::from_str::<serde_json::Number>(t)
                .map(Value::Number)
                .unwrap_or_else(|_| j!(t)),
        },
        NodeKind::Scalar(t, _) => j!(&**t),
        NodeKind::Seq(s) => Value::Array(s.iter().map(val).collect()),
        NodeKind::Map(m) => {
            Value::Object(m.iter().map(|(k, v)| (k.text.to_string(), val(v))).collect())
        }
    };
    match &n.tag {
        Some(t) => j!({"TAG": &**t, "v": v}),
        None => v,
    }
}
fn text(v: &Value) -> String {
    match v {
        Value::String(s) => s.clone(),
        v => v.to_string(),
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let src = std::fs::read_to_string(&args[1]).unwrap();
    let parsed = if src.trim_start().starts_with('{') {
        json::parse(FileId(0), &src)
    } else {
        yaml::parse(FileId(0), &src)
    };
    let doc = parsed.documents.into_iter().next().unwrap();
    let mut vars: Vec<(String, Node)> = vec![];
    if let Some(ps) = doc.get("Parameters").and_then(|p| p.as_map()) {
        for (k, p) in ps {
            if let Some(d) = p.get("Default") {
                let mut d = d.clone();
                if p.get("Type").and_then(|t| t.as_text()).is_some_and(|t| t.contains("List")) {
                    if let Some(t) = d.as_text() {
                        let items = t
                            .split(',')
                            .map(|x| Node {
                                span: d.span,
                                tag: None,
                                kind: NodeKind::Scalar(x.trim().into(), Style::Quoted),
                            })
                            .collect();
                        d.kind = NodeKind::Seq(items);
                    }
                } else if let NodeKind::Scalar(_, s) = &mut d.kind {
                    *s = Style::Quoted;
                }
                vars.push((k.text.to_string(), d))
            }
        }
    }
    for a in &args[2..] {
        if let Some((k, v)) = a.split_once('=') {
            vars.retain(|(n, _)| n != k);
            vars.push((
                k.into(),
                Node { span: doc.span, tag: None, kind: NodeKind::Scalar(v.into(), Style::Quoted) },
            ));
        }
    }
    let out = sam::transform(
        doc,
        &|n| vars.iter().find(|(k, _)| k == n).map(|(_, v)| v.clone()),
        FileId(0),
    );
    let vars: serde_json::Map<String, Value> =
        vars.iter().map(|(k, v)| (k.clone(), val(v))).collect();
    let _ = text;
    println!(
        "{}",
        j!({"template": val(&out.template), "vars": vars, "errors": out.diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>()})
    );
}
