//! Embeds the console's files when it was built: from `MESHWATT_CONSOLE_DIR`, else `dist/console` of the workspace.
//!
//! A file `x.gz` or `x.br` beside a file `x` is embedded as its compressed form.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=MESHWATT_CONSOLE_DIR");
    let dir = env::var_os("MESHWATT_CONSOLE_DIR").map_or_else(|| PathBuf::from("../../dist/console"), PathBuf::from);
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut files = BTreeMap::new();
    if dir.is_dir() {
        collect(&dir, "", &mut files)?;
    }
    let mut table = String::from("&[\n");
    for (name, path) in &files {
        if name.ends_with(".gz") || name.ends_with(".br") {
            continue;
        }
        let tag = tag(&fs::read(path)?);
        let packed = |suffix: &str| {
            files
                .get(&format!("{name}{suffix}"))
                .map_or_else(|| "None".to_owned(), |path| format!("Some(include_bytes!({path:?}))"))
        };
        writeln!(
            table,
            "({name:?}, Asset {{ content_type: {:?}, bytes: include_bytes!({path:?}), gzip: {}, brotli: {}, tag: {tag:?} }}),",
            content_type(name),
            packed(".gz"),
            packed(".br"),
        )
        .map_err(io::Error::other)?;
    }
    table.push(']');
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("console.rs"), table)
}

fn collect(dir: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, entry.path().canonicalize()?);
        }
    }
    Ok(())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// FNV-1a: only has to differ when the file does.
fn tag(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}{:x}", bytes.len())
}
