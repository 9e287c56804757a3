//! Builds the console: `ui` to wasm, its JavaScript glue, and the static files beside it.

use crate::process::{self, ChoreError, Result, at, cargo, program, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wasm_bindgen_cli_support::Bindgen;

/// Builds what changed and returns the directory to serve.
pub(crate) fn build() -> Result<PathBuf> {
    run(cargo(&["build", "--package", "ui", "--lib", "--profile", "wasm", "--target", "wasm32-unknown-unknown"]))?;
    let module = process::target_directory()?.join("wasm32-unknown-unknown/wasm/ui.wasm");
    let page = process::root().join("ui/web");
    let directory = process::root().join("dist/console");
    let product = directory.join("console_bg.wasm");
    if is_newer(&product, newest(&page)?.max(modified(&module)?)) {
        println!("The console is up to date: {}", directory.display());
        return Ok(directory);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(at(&directory))?;
    }
    copy_all(&page, &directory)?;
    // The wasm comes last: it is what tells that the directory is complete.
    Bindgen::new()
        .input_path(&module)
        .out_name("console")
        .web(true)
        .and_then(|bindgen| {
            bindgen.typescript(false).remove_name_section(true).remove_producers_section(true).generate(&directory)
        })
        .map_err(|error| {
            ChoreError::Other(format!(
                "the console's JavaScript cannot be made ({error:#}); \
                 wasm-bindgen-cli-support in crates/xtask must equal wasm-bindgen in Cargo.lock"
            ))
        })?;
    compress(&directory)?;
    Ok(directory)
}

/// Puts the compressed form beside the large files; the program carries both and serves what a browser takes.
fn compress(directory: &Path) -> Result {
    for name in ["console_bg.wasm", "console.js"] {
        let (path, packed) = (directory.join(name), directory.join(format!("{name}.gz")));
        run(program("gzip", &["--keep", "--best", "--no-name", &path.to_string_lossy()]))?;
        let size = |path: &Path| fs::metadata(path).map(|data| data.len()).map_err(at(path));
        println!("{name}: {} bytes, {} gzipped", size(&path)?, size(&packed)?);
    }
    Ok(())
}

fn is_newer(path: &Path, than: SystemTime) -> bool {
    modified(path).is_ok_and(|time| time >= than)
}

fn modified(path: &Path) -> Result<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).map_err(at(path))
}

/// When the newest file below a directory was written.
fn newest(directory: &Path) -> Result<SystemTime> {
    let mut newest = modified(directory)?;
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        newest = newest.max(if path.is_dir() { self::newest(&path)? } else { modified(&path)? });
    }
    Ok(newest)
}

fn copy_all(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to).map_err(at(to))?;
    for entry in fs::read_dir(from).map_err(at(from))? {
        let entry = entry.map_err(at(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_all(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(at(&path))?;
        }
    }
    Ok(())
}
