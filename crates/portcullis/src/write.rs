//! Files are replaced in one step: a process that is killed leaves the old one or the new one.

use std::io::Write;
use std::path::Path;

/// Replaces a file, or makes it and the folders it lies in. One that is there keeps its
/// permissions; a symbolic link is followed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = match real.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let written = std::fs::File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        if let Ok(before) = std::fs::metadata(&real) {
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&draft, &real)).inspect_err(|_| {
        let _ = std::fs::remove_file(&draft);
    })
}
