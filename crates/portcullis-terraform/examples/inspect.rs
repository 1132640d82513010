//! Prints what a Terraform folder resolves to: `inspect PATH [--root DIR] [--var-file F]... [--var k=v]...`.
//!
//! PATH is the boundary, DIR the root's folder in it. A harness for comparing the resolver with others; users have `portcullis inspect`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use portcullis_core::{Entry, FileError, FileId, Files, Kind, SourceMap, Value, files};
use portcullis_terraform::{Project, Settings};

/// The disk below a folder.
struct Disk {
    boundary: String,
    sources: SourceMap,
    ids: Mutex<Vec<(String, FileId)>>,
}

impl Disk {
    fn path(&self, path: &str) -> Result<PathBuf, FileError> {
        let inside = if path.starts_with('/') {
            path.strip_prefix(&self.boundary).ok_or(FileError::Outside)?.trim_start_matches('/')
        } else {
            path
        };
        if inside.starts_with("..") {
            return Err(FileError::Outside);
        }
        Ok(Path::new(&self.boundary).join(inside))
    }
}

fn refused(e: &std::io::Error) -> FileError {
    match e.kind() {
        std::io::ErrorKind::NotFound => FileError::NotFound,
        _ => FileError::Other(e.to_string()),
    }
}

impl Files for Disk {
    fn sources(&self) -> &SourceMap {
        &self.sources
    }

    fn read(&self, path: &str) -> Result<FileId, FileError> {
        let mut ids = self.ids.lock().map_err(|e| FileError::Other(e.to_string()))?;
        if let Some((_, id)) = ids.iter().find(|(p, _)| p == path) {
            return Ok(*id);
        }
        let bytes = self.read_bytes(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|e| FileError::NotUtf8(e.valid_up_to()))?;
        let id = self.sources.add(path, text);
        ids.push((path.to_owned(), id));
        Ok(id)
    }

    fn read_bytes(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        std::fs::read(self.path(path)?).map(Arc::from).map_err(|e| refused(&e))
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(self.path(path)?).map_err(|e| refused(&e))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            out.push(Entry { name, is_dir: entry.path().is_dir() });
        }
        out.sort();
        Ok(out)
    }

    fn boundary(&self) -> &str {
        &self.boundary
    }
}

/// JSON text by hand, since numbers must keep all their digits.
fn json(v: &Value) -> String {
    let quote = |t: &str| serde_json::Value::from(t).to_string();
    match &v.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Num(n) => n.to_string(),
        Kind::Str(s) => quote(s),
        Kind::List(_, items) => {
            format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(","))
        }
        Kind::Map(_, m) => {
            let entries = m.iter().map(|e| format!("{}:{}", quote(&e.key), json(&e.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Kind::Unknown(u) => format!("{{\"$unknown\":{}}}", quote(&u.why.text)),
        Kind::Choice(_) => format!("{{\"$unknown\":{}}}", quote(&v.to_string())),
    }
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "inspect");
    let mut path = ".".to_owned();
    let mut root = String::new();
    let mut var_files = Vec::new();
    let mut settings = Settings::default();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--format" => {
                args.next();
            }
            "--root" => root = args.next().unwrap_or_default(),
            "--var-file" => var_files.extend(args.next()),
            "--var" => {
                let given = args.next().unwrap_or_default();
                if let Some((k, v)) = given.split_once('=') {
                    settings.vars.push((k.to_owned(), v.to_owned()));
                }
            }
            _ => path = arg,
        }
    }
    for (k, v) in std::env::vars() {
        if let Some(name) = k.strip_prefix("TF_VAR_") {
            settings.env.push((name.to_owned(), v));
        }
    }
    let Ok(boundary) = std::fs::canonicalize(&path) else {
        eprintln!("{path}: no such folder");
        std::process::exit(2);
    };
    let disk = Disk {
        boundary: boundary.to_string_lossy().into_owned(),
        sources: SourceMap::default(),
        ids: Mutex::default(),
    };
    settings.var_files =
        var_files.iter().filter_map(|f| disk.read(&files::join("", f)).ok()).collect();
    let project = Project::new(&disk, settings);
    let resolution = project.resolve(&root);
    let resources: Vec<String> = resolution
        .graphs
        .iter()
        .flat_map(|g| &g.resources)
        .filter(|r| !r.kind.starts_with("data.") && !r.kind.starts_with("provider."))
        .map(|r| {
            let address = serde_json::Value::from(&*r.address);
            let kind = serde_json::Value::from(r.declared_kind.as_deref().unwrap_or(&r.kind));
            format!("{{\"address\":{address},\"type\":{kind},\"attributes\":{}}}", json(&r.body))
        })
        .collect();
    let errors: Vec<serde_json::Value> = resolution
        .diagnostics
        .iter()
        .map(|d| {
            let at = d.span.map(|s| {
                let source = disk.sources.get(s.file);
                (source.path.to_string(), source.position(s.start).line)
            });
            serde_json::json!({ "message": d.message, "at": at })
        })
        .collect();
    let outputs = resolution.outputs.as_ref().map_or_else(|| "null".to_owned(), json);
    println!(
        "{{\"resources\":[{}],\"outputs\":{outputs},\"errors\":{}}}",
        resources.join(","),
        serde_json::Value::from(errors)
    );
}
