//! The one window: a page of the local service, which signs it in with a ticket that works once.

use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

const LABEL: &str = "console";

/// Names the page, and so the window, after the site once the console shows live numbers.
const NAME_THE_PAGE: &str = r#"
(() => {
  const name = async () => {
    const live = document.querySelector('#mirror [data-id="tile-used"]');
    const answer = live && await fetch('/api/v1/site').catch(() => null);
    if (!answer?.ok) return setTimeout(name, 250);
    document.title = `${(await answer.json()).name} – Meshwatt`;
  };
  document.addEventListener('DOMContentLoaded', name);
})();
"#;

/// What closing the window does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The building goes on being managed; the tray opens the window again.
    Hides,
    /// The program ends.
    Quits,
}

/// Whether the window shows when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtFirst {
    /// In front of the person who started the program.
    Shown,
    /// Only in the tray, when the computer starts.
    Hidden,
}

/// Opens the console at `address`.
///
/// # Errors
/// The system has no window to give.
pub(crate) fn open(app: &AppHandle, address: Url, closing: Closing, at_first: AtFirst) -> tauri::Result<()> {
    let origin = address.origin();
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::External(address))
        .title("Meshwatt")
        .inner_size(1280.0, 820.0)
        .min_inner_size(640.0, 480.0)
        .visible(at_first == AtFirst::Shown)
        // Nothing but the local service is ever shown in here.
        .on_navigation(move |url| url.origin() == origin)
        .initialization_script(NAME_THE_PAGE)
        .on_document_title_changed(|window, title| retitle(&window, &title))
        .on_page_load(|_window, payload| {
            if matches!(payload.event(), PageLoadEvent::Finished) {
                tracing::info!("the console is loaded");
            }
        })
        .build()?;
    let handle = app.clone();
    let hidden = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            match closing {
                Closing::Hides => {
                    api.prevent_close();
                    report(hidden.hide());
                }
                Closing::Quits => handle.exit(0),
            }
        }
    });
    Ok(())
}

/// Brings the window to the front, from the tray or from a second start.
pub(crate) fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        report(window.show());
        report(window.unminimize());
        report(window.set_focus());
    }
}

/// The window bears the page's name.
fn retitle(window: &WebviewWindow, title: &str) {
    tracing::info!(title, "the page named itself");
    report(window.set_title(title));
}

fn report(outcome: tauri::Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!("the window did not follow: {error}");
    }
}
