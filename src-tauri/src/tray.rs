//! The tray: opens the window, starts with the computer, quits.

use crate::window;
use tauri::menu::{CheckMenuItemBuilder, MenuBuilder, MenuEvent, MenuItemBuilder};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};
use tauri_plugin_autostart::ManagerExt as _;

/// Identity of the only tray icon.
pub(crate) const ID: &str = "meshwatt";

const OPEN: &str = "open";
const START_AT_LOGIN: &str = "start_at_login";
const QUIT: &str = "quit";

/// Makes the tray icon with its menu.
pub(crate) fn make(app: &AppHandle) -> tauri::Result<()> {
    let at_login = app.autolaunch().is_enabled().unwrap_or(false);
    let open = MenuItemBuilder::with_id(OPEN, "Open Meshwatt").build(app)?;
    let start =
        CheckMenuItemBuilder::with_id(START_AT_LOGIN, "Start with this computer").checked(at_login).build(app)?;
    let quit = MenuItemBuilder::with_id(QUIT, "Quit").build(app)?;
    let menu = MenuBuilder::new(app).items(&[&open, &start]).separator().item(&quit).build()?;
    let mut builder = TrayIconBuilder::with_id(ID)
        .menu(&menu)
        .tooltip("Meshwatt")
        .show_menu_on_left_click(false)
        .on_menu_event(chosen)
        .on_tray_icon_event(clicked);
    if let Some(icon) = app.default_window_icon() {
        builder = builder.icon(icon.clone());
    }
    builder.build(app).map(|_icon| ())
}

fn chosen(app: &AppHandle<Wry>, event: MenuEvent) {
    match event.id().as_ref() {
        OPEN => window::show(app),
        START_AT_LOGIN => toggle_start_at_login(app),
        QUIT => app.exit(0),
        other => tracing::warn!("the tray has no entry {other}"),
    }
}

fn toggle_start_at_login(app: &AppHandle) {
    let starter = app.autolaunch();
    let outcome = match starter.is_enabled() {
        Ok(true) => starter.disable(),
        Ok(false) => starter.enable(),
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        tracing::warn!("start with this computer cannot be changed: {error}");
    }
}

fn clicked(icon: &TrayIcon<Wry>, event: TrayIconEvent) {
    if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
        window::show(icon.app_handle());
    }
}
