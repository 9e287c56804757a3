//! The console: what a building manager sees. egui, compiled to wasm for browsers and the desktop
//! window, and natively for tests.
//!
//! Start at [`Console`]: it owns the model and the pages, talks through a [`Transport`], and has two
//! methods like every egui application, `logic` and `ui`. Pages read the model and send commands; the
//! model answers arrivals and commands with requests; nothing here waits or polls, so an idle console
//! draws no frames.
//!
//! - `model`, `history`, `remote`, `route`, `command`, `view`: what is known and what can be done; pure.
//! - `graph`: readings to pixel columns, columns to a plan, a plan to paint.
//! - `pages`, `widgets`, `icons`, `tokens`, `text`: what it looks like, in two languages.
//! - `mirror`: the AccessKit tree as real elements over the canvas; `web` is all that knows a browser.
//!
//! Must not know: Tauri, sockets of other crates, SQL, the service.

mod books;
mod command;
mod console;
mod file;
#[cfg(not(target_arch = "wasm32"))]
pub mod fixtures;
mod format;
mod graph;
mod history;
mod icons;
mod keeping;
pub mod mirror;
mod model;
mod pages;
mod records;
mod remote;
mod route;
mod text;
mod time;
mod toast;
mod tokens;
mod transport;
mod view;
mod widgets;

#[cfg(target_arch = "wasm32")]
mod web;

pub use self::console::{Console, Platform};
pub use self::time::ZoneOffset;
pub use self::transport::{Arrival, Method, Request, Transport};
