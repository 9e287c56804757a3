//! Files that a person drops on the console or chooses: read in the browser's own time, handed to whoever waits for them.

use egui::{Context, Id};
use std::sync::Arc;

/// What a file is for; only one of them waits at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// The picture of the letterhead.
    Logo,
    /// A list of tenants.
    Tenants,
    /// Firmware of chargers.
    Firmware,
}

/// A file that was read.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Its name, without folders.
    pub(crate) name: String,
    /// All of it.
    pub(crate) bytes: Arc<[u8]>,
}

impl std::fmt::Debug for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.name, self.bytes.len())
    }
}

impl Use {
    const fn key(self) -> &'static str {
        match self {
            Self::Logo => "file-logo",
            Self::Tenants => "file-tenants",
            Self::Firmware => "file-firmware",
        }
    }

    /// What the browser offers to choose from.
    #[cfg(target_arch = "wasm32")]
    const fn accepts(self) -> &'static str {
        match self {
            Self::Logo => "image/png,image/jpeg",
            Self::Tenants => ".csv,.txt,text/csv,text/plain",
            Self::Firmware => "",
        }
    }
}

/// The file that was read since the last look, in Base64.
pub(crate) fn take(ctx: &Context, of: Use) -> Option<String> {
    take_whole(ctx, of).map(|file| base64(&file.bytes))
}

/// The file that was read since the last look.
pub(crate) fn take_whole(ctx: &Context, of: Use) -> Option<Read> {
    if let Some(file) = ctx.input(|input| input.raw.dropped_files.first().cloned()) {
        read(ctx.clone(), of, file);
    }
    ctx.data_mut(|data| data.remove_temp::<Read>(Id::unique(of.key())))
}

fn put(ctx: &Context, of: Use, name: String, bytes: Vec<u8>) {
    ctx.data_mut(|data| data.insert_temp(Id::unique(of.key()), Read { name, bytes: bytes.into() }));
    ctx.request_repaint();
}

/// Browsers read a dropped file in their own time.
#[cfg(target_arch = "wasm32")]
fn read(ctx: Context, of: Use, file: Arc<dyn egui::DroppedFile + Send + Sync>) {
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(bytes) = file.bytes_async().await {
            put(&ctx, of, name_of(file.path()), bytes);
        }
    });
}

#[cfg(not(target_arch = "wasm32"))]
fn read(ctx: Context, of: Use, file: Arc<dyn egui::DroppedFile + Send + Sync>) {
    if let Ok(bytes) = file.bytes() {
        put(&ctx, of, name_of(file.path()), bytes);
    }
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Opens the browser's own window to choose a file.
#[cfg(target_arch = "wasm32")]
pub(crate) fn choose(ctx: &Context, of: Use) {
    use wasm_bindgen::JsCast as _;
    let document = web_sys::window().and_then(|window| window.document());
    let Some(element) = document.and_then(|document| document.create_element("input").ok()) else { return };
    let Ok(input) = element.dyn_into::<web_sys::HtmlInputElement>() else { return };
    input.set_type("file");
    input.set_accept(of.accepts());
    let (chosen, ctx) = (input.clone(), ctx.clone());
    let read = wasm_bindgen::closure::Closure::once_into_js(move || {
        let Some(file) = chosen.files().and_then(|files| files.get(0)) else { return };
        wasm_bindgen_futures::spawn_local(async move {
            if let Ok(buffer) = wasm_bindgen_futures::JsFuture::from(file.array_buffer()).await {
                put(&ctx, of, file.name(), js_sys::Uint8Array::new(&buffer).to_vec());
            }
        });
    });
    input.set_onchange(Some(read.unchecked_ref()));
    input.click();
}

/// Natively the console only runs in tests, which drop files.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn choose(_ctx: &Context, _of: Use) {}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = usize::try_from(group >> shift & 63).ok().and_then(|at| LETTERS.get(at)).copied();
            text.push(if index <= chunk.len() { letter.map_or('=', char::from) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// The published examples of RFC 4648.
    #[test]
    fn base64_as_published() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
