//! Prints what a template resolves to: `inspect PATH --format json [--nested] [--worlds] [--var k=v]...`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use portcullis_cloudformation::{Project, Settings};
use portcullis_core::{Entry, FileError, FileId, Files, Kind, Resolution, SourceMap, Value};
use serde_json::{Map, Value as Json, json};

/// Files below the working directory.
#[derive(Default)]
struct Disk {
    root: PathBuf,
    sources: SourceMap,
    ids: Mutex<HashMap<String, FileId>>,
}

impl Files for Disk {
    fn sources(&self) -> &SourceMap {
        &self.sources
    }

    fn read(&self, path: &str) -> Result<FileId, FileError> {
        let mut ids = self.ids.lock().map_err(|e| FileError::Other(e.to_string()))?;
        if let Some(id) = ids.get(path) {
            return Ok(*id);
        }
        let bytes = self.read_bytes(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|e| FileError::NotUtf8(e.valid_up_to()))?;
        let id = self.sources.add(path, text);
        ids.insert(path.to_owned(), id);
        Ok(id)
    }

    fn read_bytes(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        if path.starts_with("..") || path.starts_with('/') {
            return Err(FileError::Outside);
        }
        std::fs::read(self.root.join(path)).map(Arc::from).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => FileError::NotFound,
            _ => FileError::Other(e.to_string()),
        })
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let entries = std::fs::read_dir(self.root.join(path)).map_err(|_| FileError::NotFound)?;
        let mut out: Vec<Entry> = entries
            .flatten()
            .map(|e| Entry {
                name: e.file_name().to_string_lossy().into_owned(),
                is_dir: e.path().is_dir(),
            })
            .collect();
        out.sort();
        Ok(out)
    }
}

fn to_json(value: &Value) -> Json {
    match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(b) => json!(b),
        Kind::Num(n) => n.to_string().parse().map_or_else(|_| json!(n.to_string()), Json::Number),
        Kind::Str(s) => json!(&**s),
        Kind::List(_, items) => items.iter().map(to_json).collect(),
        Kind::Map(_, m) => {
            Json::Object(m.iter().map(|e| (e.key.to_string(), to_json(&e.value))).collect())
        }
        Kind::Unknown(u) => json!({ "$unknown": &*u.why.text }),
        Kind::Choice(_) => json!({ "$unknown": "undecided" }),
    }
}

fn main() {
    let (mut path, mut nested, mut worlds) = (String::new(), false, false);
    let mut settings = Settings::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "inspect" => {}
            "--format" => drop(args.next()),
            "--nested" => nested = true,
            "--worlds" => worlds = true,
            "--var" => {
                let pair = args.next().unwrap_or_default();
                if let Some((name, value)) = pair.split_once('=') {
                    settings.parameters.push((name.to_owned(), value.to_owned()));
                }
            }
            _ => path = arg,
        }
    }
    let files = Disk { root: PathBuf::from("."), ..Disk::default() };
    let project = Project::new(&files, settings);
    let resolution = if worlds { project.resolve(&path) } else { project.inspect(&path, nested) };
    if worlds {
        list_worlds(&resolution);
        return;
    }
    let resources: Vec<Json> = resolution
        .graphs
        .iter()
        .flat_map(|g| &g.resources)
        .map(|r| json!({"address": &*r.address, "type": &*r.kind, "attributes": to_json(&r.body)}))
        .collect();
    let errors: Vec<Json> = resolution.diagnostics.iter().map(|d| json!(d.message)).collect();
    let outputs = resolution.outputs.as_ref().map_or(Json::Object(Map::new()), to_json);
    println!("{}", json!({"resources": resources, "outputs": outputs, "errors": errors}));
}

fn list_worlds(resolution: &Resolution) {
    for (i, graph) in resolution.graphs.iter().enumerate() {
        println!("world {i}: {} resources", graph.resources.len());
        for r in graph.resources.iter().filter(|r| r.judged) {
            println!("  {} {} {:?}", r.kind, r.address, r.conditional.as_deref());
        }
    }
    for hidden in &resolution.hidden {
        println!("hidden {} ({})", hidden.address, hidden.because);
    }
    for entry in &resolution.not_covered {
        println!("not covered {}", entry.name);
    }
    for d in &resolution.diagnostics {
        eprintln!("{:?} {:?} {}", d.level, d.span, d.message);
    }
}
