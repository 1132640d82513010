//! `portcullis inspect`: the resolved resources as JSON, in the world of the given values.

use std::io::Write;

use portcullis_cloudformation as cfn;
use portcullis_core::{Files, Kind, Level, Resolution, Value, files};
use portcullis_terraform as terraform;
use serde_json::{Map, Value as Json, json};

use crate::cli::Inspect;
use crate::discover::{self, Named};
use crate::fail::Fail;
use crate::{output, project};

/// Runs the command.
pub(crate) fn run(options: &Inspect, out: &mut dyn Write) -> Result<u8, Fail> {
    let targets = project::open(std::slice::from_ref(&options.path))?;
    let disk = &targets.files;
    let values = project::read_values(disk, &options.values)?;
    let Some((path, is_dir)) = targets.targets.first() else { return Ok(2) };
    let tf = terraform::Project::new(disk, values.terraform);
    let templates = cfn::Project::new(disk, values.templates);
    let mut resolution = if *is_dir {
        tf.resolve(path)
    } else {
        match discover::classify_named(disk, path) {
            Named::Terraform => tf.resolve(files::parent(path)),
            Named::Plan => terraform::resolve_plan(
                disk,
                disk.read(path).map_err(|e| Fail::new(e.to_string()))?,
            ),
            // A named file that looks like no template may be a broken one: say what is wrong.
            Named::Template | Named::Companion => templates.inspect(path, options.nested),
            Named::Broken(d) => Resolution { diagnostics: vec![d], ..Resolution::default() },
        }
    };
    let incomplete = resolution.diagnostics.iter().any(|d| d.level == Level::Error);
    let json = to_json(&mut resolution, disk);
    serde_json::to_writer_pretty(&mut *out, &json).map_err(|e| output::broken(e.into()))?;
    writeln!(out).map_err(output::broken)?;
    Ok(if incomplete { 3 } else { 0 })
}

fn to_json(resolution: &mut Resolution, files: &dyn Files) -> Json {
    let graph = resolution.graphs.first();
    let mut resources: Vec<Json> = graph
        .into_iter()
        .flat_map(|g| &g.resources)
        .filter(|r| !r.kind.starts_with("data.") && !r.kind.starts_with("provider."))
        .map(|r| {
            json!({
                "address": &*r.address,
                "type": r.declared_kind.as_deref().filter(|_| r.flavour.is_terraform()).unwrap_or(&r.kind),
                "attributes": value(&r.body),
            })
        })
        .collect();
    resources.extend(
        resolution
            .hidden
            .iter()
            .filter(|h| h.because.starts_with("condition"))
            .map(|h| json!({ "address": h.address, "condition": false })),
    );
    let errors: Vec<Json> = resolution
        .diagnostics
        .iter()
        .filter(|d| d.level == Level::Error)
        .map(|d| {
            let place = d.span.map(|s| (files.sources().get(s.file), s));
            let at = place.as_ref().map(|(f, s)| f.position(s.start));
            json!({
                "file": place.as_ref().map(|(f, _)| f.path.to_string()).or(d.path.clone()),
                "line": at.map(|p| p.line),
                "column": at.map(|p| p.column),
                "message": d.message,
            })
        })
        .collect();
    let outputs = resolution.outputs.as_ref().map_or(json!({}), value);
    json!({ "resources": resources, "outputs": outputs, "errors": errors })
}

/// A value as JSON; what is not known, a choice included, is `{"$unknown": why}`.
fn value(v: &Value) -> Json {
    match &v.kind {
        Kind::Null => Json::Null,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Num(n) => serde_json::from_str(&n.to_string()).unwrap_or(Json::Null),
        Kind::Str(s) => Json::String(s.to_string()),
        Kind::List(_, items) => Json::Array(items.iter().map(value).collect()),
        Kind::Map(_, map) => Json::Object(
            map.iter().map(|e| (e.key.to_string(), value(&e.value))).collect::<Map<_, _>>(),
        ),
        Kind::Unknown(u) => json!({ "$unknown": &*u.why.text }),
        Kind::Choice(c) => json!({ "$unknown": format!("one of {} values", c.arms.len()) }),
    }
}
