//! `portcullis report verify`: derives a pack's figures again and says so, or says what differs.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use minisign_verify::{PublicKey, Signature};
use portcullis_evidence::pack::{self, Difference, MANIFEST, Verified};
use serde::Serialize;

use super::formats::Format;
use super::{own, packs};
use crate::fail::Fail;
use crate::output::broken;

/// Options of `portcullis report verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The evidence pack: a zip archive or a folder
    #[arg(value_name = "DIR|FILE.zip")]
    pack: PathBuf,
    /// The digest that was printed when the pack was made: with it, any changed byte is found
    #[arg(long, value_name = "sha256:HEX")]
    digest: Option<String>,
    /// A minisign signature of the archive or of its manifest.json
    #[arg(long, value_name = "FILE", requires = "public_key")]
    signature: Option<PathBuf>,
    /// The minisign key that signed: a file, or the key itself
    #[arg(long, value_name = "FILE|KEY", requires = "signature")]
    public_key: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = As::Text)]
    format: As,
    /// Threads [default: one a processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum As {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Where a pack comes from, as far as it was shown.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Origin {
    /// Whether the digest is the one that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<bool>,
    /// What was signed, by whose key, where a signature was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Result<String, String>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: &'static str,
    kind: &'static str,
    pack: String,
    consistent: bool,
    digest: &'a str,
    origin: Origin,
    made: Option<&'a portcullis_evidence::Made>,
    verified_by: &'static str,
    derived: &'a [String],
    figures: usize,
    differences: &'a [Difference],
    more_differences: usize,
    notes: &'a [String],
}

/// Runs the command and returns its exit code: 0 where everything derives again and its origin is
/// as asked for, 1 where something differs, 2 where the question was wrong.
pub(crate) fn run(options: &Verify, out: &mut dyn Write) -> Result<u8, Fail> {
    let wanted = options.digest.as_deref().map(digest).transpose()?;
    let key = options.public_key.as_deref().map(public_key).transpose()?;
    let signature = options.signature.as_deref().map(signature).transpose()?;
    if let Err(e) = options.pack.metadata() {
        return Err(Fail::new(format!("{}: {e}", options.pack.display())));
    }
    let version = env!("CARGO_PKG_VERSION");
    let renderings: Vec<pack::Rendering> =
        Format::NAMES.iter().filter_map(|(_, f)| f.rendering()).collect();
    let seen = packs::files(&options.pack).and_then(|files| {
        let mut verified = pack::verify(&*files, &renderings, version)?;
        pack::verify_catalogue(&*files, version, &mut verified, &own::again)?;
        let manifest = files.read(MANIFEST, u64::MAX - 1)?;
        Ok((verified, manifest, Some(files)))
    });
    let (verified, manifest, files) = match seen {
        Ok(seen) => seen,
        Err(why) => {
            let difference = Difference::whole("a pack that can be read", &why.to_string());
            let verified = Verified { differences: vec![difference], ..Verified::default() };
            (verified, Vec::new(), None)
        }
    };
    let archive = files.as_ref().and_then(|f| f.archive());
    let origin = Origin {
        digest: wanted.map(|wanted| wanted == verified.digest),
        signature: key
            .zip(signature)
            .map(|(key, signature)| signed(&key, &signature, archive, &manifest)),
    };
    match options.format {
        As::Json => json(options, &verified, &origin, out),
        As::Text => text(options, &verified, &origin, out),
    }
    .map_err(broken)?;
    let shown = origin.digest != Some(false) && !matches!(origin.signature, Some(Err(_)));
    Ok(if verified.is_consistent() && shown { 0 } else { 1 })
}

/// `sha256:` and 64 digits, the prefix left out at will.
fn digest(text: &str) -> Result<String, Fail> {
    let hex = text.trim().to_ascii_lowercase();
    let hex = hex.strip_prefix("sha256:").unwrap_or(&hex);
    match hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(format!("sha256:{hex}")),
        false => {
            Err(Fail::new(format!("--digest {text}: expected sha256: and 64 hexadecimal digits")))
        }
    }
}

fn public_key(text: &str) -> Result<PublicKey, Fail> {
    let fail = |e: &dyn std::fmt::Display| {
        Fail::new(format!("--public-key {text}: {e}; expected a minisign key or a file of one"))
    };
    match std::fs::read_to_string(text) {
        Ok(file) => PublicKey::decode(&file).map_err(|e| fail(&e)),
        Err(_) => PublicKey::from_base64(text.trim()).map_err(|e| fail(&e)),
    }
}

fn signature(path: &Path) -> Result<Signature, Fail> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Fail::new(format!("--signature {}: {e}", path.display())))?;
    Signature::decode(&text).map_err(|e| {
        Fail::new(format!(
            "--signature {}: {e}; expected what `minisign -S` writes (sigstore bundles cannot be \
             checked offline: check those with cosign, and give --digest)",
            path.display()
        ))
    })
}

/// What the key signed: the archive as a whole, or the manifest, whose digest stands for the rest.
fn signed(
    key: &PublicKey,
    signature: &Signature,
    archive: Option<&[u8]>,
    manifest: &[u8],
) -> Result<String, String> {
    let by = |what: &str| {
        let comment = signature.trusted_comment().trim();
        match comment.is_empty() {
            true => what.to_owned(),
            false => format!("{what}; the signer says: {}", comment.escape_debug()),
        }
    };
    let mut why = "there is nothing to check it against".to_owned();
    for (what, bytes) in [("the archive", archive), ("manifest.json", Some(manifest))] {
        let Some(bytes) = bytes.filter(|b| !b.is_empty()) else { continue };
        match key.verify(bytes, signature, false) {
            Ok(()) => return Ok(by(what)),
            Err(e) => why = e.to_string(),
        }
    }
    Err(why)
}

fn json(
    options: &Verify,
    verified: &Verified,
    origin: &Origin,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let answer = Answer {
        schema_version: "1",
        kind: "portcullis-verification",
        pack: options.pack.to_string_lossy().replace('\\', "/"),
        consistent: verified.is_consistent(),
        digest: &verified.digest,
        origin: origin.clone(),
        made: verified.made.as_ref(),
        verified_by: env!("CARGO_PKG_VERSION"),
        derived: &verified.derived,
        figures: verified.figures,
        differences: &verified.differences,
        more_differences: verified.more,
        notes: &verified.notes,
    };
    serde_json::to_writer_pretty(&mut *out, &answer)?;
    out.write_all(b"\n")
}

fn text(
    options: &Verify,
    verified: &Verified,
    origin: &Origin,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let pack = options.pack.display();
    let count = verified.differences.len() + verified.more;
    match count {
        0 => writeln!(out, "{pack}: internally consistent")?,
        1 => writeln!(out, "{pack}: 1 difference")?,
        n => writeln!(out, "{pack}: {n} differences")?,
    }
    for difference in &verified.differences {
        writeln!(out, "  {difference}")?;
    }
    if verified.more > 0 {
        writeln!(out, "  … and {} more", verified.more)?;
    }
    if !verified.digest.is_empty() {
        writeln!(out, "digest: {}", verified.digest)?;
    }
    if let Some(made) = &verified.made {
        writeln!(out, "made: {} ({}) by Portcullis {}", made.time, made.clock, made.tool_version)?;
        let files = verified.derived.join(", ");
        writeln!(out, "derived again: {} figures in {files}", verified.figures)?;
    }
    match origin.digest {
        Some(true) => writeln!(out, "origin: the digest is the one that was given")?,
        Some(false) => writeln!(
            out,
            "origin: NOT the pack that was asked for: expected {}",
            options.digest.as_deref().unwrap_or_default().trim()
        )?,
        None => {}
    }
    match &origin.signature {
        Some(Ok(what)) => writeln!(out, "origin: the key signed {what}")?,
        Some(Err(why)) => writeln!(out, "origin: NOT signed by this key: {why}")?,
        None => {}
    }
    if origin.digest.is_none() && origin.signature.is_none() {
        writeln!(
            out,
            "origin: not shown; give --digest or --signature to show that nothing was replaced"
        )?;
    }
    for note in &verified.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}
