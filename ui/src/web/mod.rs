//! All that knows a browser: start, transport, clocks, preferences, the mirror.

mod clock;
mod mirror;
mod transport;

use crate::{Console, Platform};
use api::Language;
use egui::Theme;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

/// Where the language is kept between visits.
const LANGUAGE_KEY: &str = "meshwatt.language";
/// Where the theme is kept between visits.
const THEME_KEY: &str = "meshwatt.theme";

struct Page(Console);

impl eframe::App for Page {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.0.logic(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.0.ui(ui);
    }
}

/// Starts the console on a canvas; the mirror's elements go into `mirror`.
///
/// # Errors
/// When the browser has no WebGL.
#[expect(unreachable_pub, reason = "called from boot.js, which Rust does not see")]
#[wasm_bindgen]
pub async fn start(canvas: web_sys::HtmlCanvasElement, mirror: web_sys::HtmlElement) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let runner = eframe::WebRunner::new();
    let host = window.location().host().unwrap_or_default();
    let ticket = take_ticket(&window);
    let (language, theme) = preferences(&window);
    let frame = canvas.clone();
    let started = runner.start(
        canvas,
        eframe::WebOptions::default(),
        Box::new(move |cc| {
            mirror::install(&cc.egui_ctx, frame, mirror);
            Ok(Box::new(Page(Console::new(Platform {
                transport: Box::new(transport::Browser::new(cc.egui_ctx.clone())),
                zone: clock::zone(),
                host,
                ticket,
                language,
                theme,
                remember: Box::new(remember),
            }))))
        }),
    );
    started.await?;
    // The runner lives as long as the page.
    std::mem::forget(runner);
    Ok(())
}

/// The shell's one-time ticket, taken out of the address so that it is neither shown nor kept.
fn take_ticket(window: &web_sys::Window) -> Option<String> {
    let search = window.location().search().ok()?;
    let ticket = web_sys::UrlSearchParams::new_with_str(&search).ok()?.get("ticket")?;
    let path = window.location().pathname().ok()?;
    if let Ok(history) = window.history() {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&path)).ok();
    }
    Some(ticket)
}

fn preferences(window: &web_sys::Window) -> (Language, Option<Theme>) {
    let storage = window.local_storage().ok().flatten();
    let read = |key| storage.as_ref().and_then(|storage| storage.get_item(key).ok().flatten());
    let spoken = window.navigator().language().unwrap_or_default();
    let language = match read(LANGUAGE_KEY).as_deref() {
        Some("pt") => Language::Portuguese,
        Some("en") => Language::English,
        Some(_) | None if spoken.starts_with("pt") => Language::Portuguese,
        Some(_) | None => Language::English,
    };
    let theme = match read(THEME_KEY).as_deref() {
        Some("dark") => Some(Theme::Dark),
        Some("light") => Some(Theme::Light),
        Some(_) | None => None,
    };
    announce(language);
    (language, theme)
}

fn remember(language: Language, theme: Theme) {
    announce(language);
    let storage = web_sys::window().and_then(|window| window.local_storage().ok().flatten());
    let Some(storage) = storage else { return };
    let code = language_code(language);
    let theme = match theme {
        Theme::Dark => "dark",
        Theme::Light => "light",
    };
    storage.set_item(LANGUAGE_KEY, code).ok();
    storage.set_item(THEME_KEY, theme).ok();
}

const fn language_code(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Portuguese => "pt",
    }
}

/// Tells screen readers which language the page speaks.
fn announce(language: Language) {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(root) = document.and_then(|document| document.document_element()) {
        let code = match language {
            Language::English => "en",
            Language::Portuguese => "pt-PT",
        };
        root.set_attribute("lang", code).ok();
        if let Ok(root) = root.dyn_into::<web_sys::HtmlElement>() {
            root.set_attribute("data-language", language_code(language)).ok();
        }
    }
}
