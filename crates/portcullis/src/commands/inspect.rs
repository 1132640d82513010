//! `portcullis inspect`: the resolved resources as JSON, in the world of the given values.

use std::io::Write;

use portcullis_cloudformation as cfn;
use portcullis_core::{Files, Kind, Level, Resolution, Value, files};
use portcullis_terraform as terraform;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::cli::Inspect;
use crate::discover::{self, Kind as Content};
use crate::fail::Fail;
use crate::project::{Named, Target};
use crate::tree::Tree;
use crate::{output, project};

/// Runs the command.
pub(crate) fn run(options: &Inspect, out: &mut dyn Write) -> Result<u8, Fail> {
    let targets = project::open(std::slice::from_ref(&options.path))?;
    let disk = &targets.files;
    let values = project::read_values(disk, &options.values, "")?;
    let Some(Target { path, named }) = targets.targets.first() else { return Ok(2) };
    let tf = terraform::Project::new(disk, values.terraform);
    let templates = cfn::Project::new(disk, values.templates);
    let resolution = if *named == Named::Folder {
        tf.resolve(path)
    } else {
        match discover::classify_named(disk, path) {
            Content::Terraform => tf.resolve(files::parent(path)),
            Content::Plan => terraform::resolve_plan(
                disk,
                disk.read_plan(path).map_err(|e| Fail::new(e.to_string()))?,
            ),
            // A named file that looks like no template may be a broken one: say what is wrong.
            Content::Template(_) | Content::Companion => {
                let text = disk.read(path).map(|id| disk.sources().get(id).text.clone());
                if text.is_ok_and(|text| text.contains("ImportValue")) {
                    project::name_stacks(disk, &tf, &templates);
                }
                templates.inspect(path, options.nested)
            }
            Content::Broken(d) => Resolution { diagnostics: vec![d], ..Resolution::default() },
        }
    };
    let incomplete = resolution.diagnostics.iter().any(|d| d.level == Level::Error);
    let json = Inspected::new(&resolution, disk);
    serde_json::to_writer_pretty(&mut *out, &json).map_err(|e| output::broken(e.into()))?;
    writeln!(out).map_err(output::broken)?;
    Ok(if incomplete { 3 } else { 0 })
}

/// The public form of a resolution, as the contract of `inspect` has it.
#[derive(Serialize)]
struct Inspected<'a> {
    resources: Vec<Item<'a>>,
    outputs: Shown<'a>,
    errors: Vec<Problem>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a> {
    Resource {
        address: &'a str,
        #[serde(rename = "type")]
        kind: Option<&'a str>,
        attributes: Arguments<'a>,
    },
    Hidden {
        address: &'a str,
        condition: bool,
    },
}

#[derive(Serialize)]
struct Problem {
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
}

impl<'a> Inspected<'a> {
    fn new(resolution: &'a Resolution, files: &dyn Files) -> Self {
        let graph = resolution.graphs.first();
        let mut seen = rustc_hash::FxHashSet::default();
        let mut resources: Vec<Item<'a>> = graph
            .into_iter()
            .flat_map(|g| &g.resources)
            .filter(|r| !r.kind.starts_with("data.") && !r.kind.starts_with("provider."))
            // Declared twice: an error is reported, and the first one stands.
            .filter(|r| seen.insert(&*r.address))
            .map(|r| Item::Resource {
                address: &r.address,
                kind: match &r.declared_kind {
                    Some(declared) if r.flavour.is_terraform() => Some(&**declared),
                    _ => Some(&*r.kind).filter(|kind| !kind.is_empty()),
                },
                attributes: Arguments(&r.body),
            })
            .collect();
        let off = resolution.hidden.iter().filter(|h| h.because.starts_with("condition"));
        resources.extend(off.map(|h| Item::Hidden { address: &h.address, condition: false }));
        let errors = resolution
            .diagnostics
            .iter()
            .filter(|d| d.level == Level::Error)
            .map(|d| {
                let source = d.span.map(|s| (files.sources().get(s.file), s.start));
                let at = source.as_ref().map(|(f, start)| f.position(*start));
                Problem {
                    file: source.map(|(f, _)| f.path.to_string()).or_else(|| d.path.clone()),
                    line: at.map(|p| p.line),
                    column: at.map(|p| p.column),
                    message: d.message.clone(),
                }
            })
            .collect();
        Self { resources, outputs: Shown(resolution.outputs.as_ref()), errors }
    }
}

/// A resource's arguments as written: what its provider adds to them (`tags_all`) has no name in
/// the source, and is left out.
struct Arguments<'a>(&'a Value);

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let Some(map) = self.0.as_map() else { return Shown(Some(self.0)).serialize(s) };
        let mut out = s.serialize_map(None)?;
        for e in map.iter().filter(|e| e.key_span.is_some() || &*e.key != "tags_all") {
            out.serialize_entry(&*e.key, &Shown(Some(&e.value)))?;
        }
        out.end()
    }
}

/// A value as JSON: numbers with all their digits, and `{"$unknown": why}` for what is not known,
/// a choice among several included. Without a value, an empty object.
struct Shown<'a>(Option<&'a Value>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let Some(value) = self.0 else { return s.serialize_map(Some(0))?.end() };
        let unknown = |s: S, why: &str| {
            let mut map = s.serialize_map(Some(1))?;
            map.serialize_entry("$unknown", why)?;
            map.end()
        };
        match &value.kind {
            Kind::Null => s.serialize_unit(),
            Kind::Bool(b) => s.serialize_bool(*b),
            // JSON has no infinite numbers; Terraform refuses them where it writes a plan.
            Kind::Num(n) if n.is_infinite() => unknown(s, "an infinite number"),
            Kind::Num(n) => match RawValue::from_string(n.to_string()) {
                Ok(digits) => digits.serialize(s),
                Err(e) => Err(serde::ser::Error::custom(e)),
            },
            Kind::Str(text) => s.serialize_str(text),
            Kind::List(_, items) => {
                let mut list = s.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    list.serialize_element(&Shown(Some(item)))?;
                }
                list.end()
            }
            Kind::Map(_, entries) => {
                let mut map = s.serialize_map(Some(entries.len()))?;
                for e in entries.iter() {
                    map.serialize_entry(&*e.key, &Shown(Some(&e.value)))?;
                }
                map.end()
            }
            Kind::Unknown(u) => unknown(s, &u.why.text),
            Kind::Choice(c) => unknown(s, &format!("one of {} values", c.arms.len())),
        }
    }
}
