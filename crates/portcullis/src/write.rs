//! Files are replaced in one step: a process that is killed leaves the old one or the new one.

use std::io::Write;
use std::path::Path;

/// Replaces a file, or makes it and the folders it lies in. One that is there keeps its
/// permissions; a symbolic link is followed. What is no file (a pipe, `/dev/null`) is written to:
/// a file must not take its place.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    replace_by(path, |out| out.write_all(bytes))
}

/// The same with what `write` writes, which may be more than should be held in memory.
pub(crate) fn replace_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if std::fs::metadata(&real).is_ok_and(|about| !about.is_file()) {
        // A device or a pipe is written to; nothing is put in its place.
        let mut out = std::io::BufWriter::new(std::fs::File::create(&real)?);
        return write(&mut out).and_then(|()| out.flush());
    }
    let folder = match real.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let written = std::fs::File::create(&draft).and_then(|file| {
        let mut out = std::io::BufWriter::new(file);
        write(&mut out)?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        if let Ok(before) = std::fs::metadata(&real) {
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&draft, &real)).inspect_err(|_| {
        let _ = std::fs::remove_file(&draft);
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::FileTypeExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        let folder = std::env::temp_dir().join(format!("portcullis-write-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let pipe = folder.join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Bounded: were the pipe replaced, its reader would wait for ever.
        let reader =
            Command::new("timeout").arg("10").arg("cat").arg(&pipe).stdout(Stdio::piped()).spawn();
        let reader = reader.unwrap();
        replace(&pipe, b"bytes").unwrap();
        assert_eq!(reader.wait_with_output().unwrap().stdout, b"bytes");
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
