//! `fetch` and a WebSocket to the page's own origin.

use crate::transport::{Arrival, Request, Transport};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Arrivals kept while no frame is drawn (the page is hidden). Live messages beyond that replace the oldest
/// ones: the graph asks again for what it missed.
const QUEUE_MAX: usize = 1200;
/// Wait before the live socket is opened again, in ms; doubles up to the second.
const RETRY_MS: (i32, i32) = (500, 8000);

/// The way to the server from a browser.
pub(super) struct Browser {
    shared: Rc<Shared>,
}

struct Shared {
    ctx: egui::Context,
    queue: RefCell<VecDeque<Arrival>>,
    socket: RefCell<Option<Socket>>,
    wanted: Cell<bool>,
    retry_ms: Cell<i32>,
}

/// A socket with the closures it calls.
struct Socket {
    socket: web_sys::WebSocket,
    _message: Closure<dyn FnMut(web_sys::MessageEvent)>,
    _open: Closure<dyn FnMut()>,
    _close: Closure<dyn FnMut()>,
}

impl Browser {
    pub(super) fn new(ctx: egui::Context) -> Self {
        let shared = Shared {
            ctx,
            queue: RefCell::default(),
            socket: RefCell::default(),
            wanted: Cell::new(false),
            retry_ms: Cell::new(RETRY_MS.0),
        };
        Self { shared: Rc::new(shared) }
    }
}

impl Transport for Browser {
    fn send(&mut self, request: Request) {
        let shared = Rc::clone(&self.shared);
        wasm_bindgen_futures::spawn_local(async move {
            let token = request.token;
            let arrival = match fetch(request).await {
                Ok((status, body)) => Arrival::Answer { token, status, body },
                Err(_network) => Arrival::Unreachable { token },
            };
            shared.arrived(arrival);
        });
    }

    fn open_live(&mut self) {
        self.shared.wanted.set(true);
        if self.shared.socket.borrow().is_none() {
            Shared::open(&self.shared);
        }
    }

    fn close_live(&mut self) {
        self.shared.wanted.set(false);
        if let Some(open) = self.shared.socket.borrow_mut().take() {
            open.detach();
        }
    }

    fn arrivals(&mut self) -> Vec<Arrival> {
        self.shared.queue.borrow_mut().drain(..).collect()
    }
}

impl Socket {
    /// Closes without calling back.
    fn detach(&self) {
        self.socket.set_onmessage(None);
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.close().ok();
    }
}

impl Shared {
    fn arrived(&self, arrival: Arrival) {
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= QUEUE_MAX {
            let oldest = queue.iter().position(|arrival| matches!(arrival, Arrival::Live(_)));
            if let Some(oldest) = oldest {
                queue.remove(oldest);
            }
        }
        queue.push_back(arrival);
        drop(queue);
        self.ctx.request_repaint();
    }

    fn open(this: &Rc<Self>) {
        let Some(url) = live_url() else { return };
        let Ok(socket) = web_sys::WebSocket::new(&url) else { return this.closed_soon(this) };
        let shared = Rc::clone(this);
        let message = Closure::new(move |event: web_sys::MessageEvent| {
            if let Some(text) = event.data().as_string() {
                shared.retry_ms.set(RETRY_MS.0);
                shared.arrived(Arrival::Live(text));
            }
        });
        let shared = Rc::clone(this);
        let open = Closure::new(move || shared.arrived(Arrival::LiveOpened));
        let shared = Rc::clone(this);
        let close = Closure::new(move || {
            shared.arrived(Arrival::LiveClosed);
            shared.closed_soon(&shared);
        });
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        let socket = Socket { socket, _message: message, _open: open, _close: close };
        *this.socket.borrow_mut() = Some(socket);
    }

    /// Opens again after a while, as long as the socket is wanted.
    fn closed_soon(&self, this: &Rc<Self>) {
        let wait = self.retry_ms.get();
        self.retry_ms.set((wait * 2).min(RETRY_MS.1));
        let shared = Rc::clone(this);
        let again = Closure::once_into_js(move || {
            if shared.wanted.get() {
                Self::open(&shared);
            }
        });
        if let Some(window) = web_sys::window() {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(again.unchecked_ref(), wait).ok();
        }
    }
}

fn live_url() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/api/v1/live", location.host().ok()?))
}

async fn fetch(request: Request) -> Result<(u16, String), JsValue> {
    let init = web_sys::RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_credentials(web_sys::RequestCredentials::SameOrigin);
    let headers = web_sys::Headers::new()?;
    if let Some(body) = &request.body {
        headers.set("content-type", "application/json")?;
        init.set_body(&JsValue::from_str(body));
    }
    if let Some(file) = &request.file {
        headers.set("content-type", "application/octet-stream")?;
        init.set_body(&js_sys::Uint8Array::from(&**file));
    }
    init.set_headers(&headers);
    let url = format!("/api/v1/{}", request.path);
    let window = web_sys::window().ok_or("no window")?;
    let response: web_sys::Response = JsFuture::from(window.fetch_with_str_and_init(&url, &init)).await?.dyn_into()?;
    let body = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    Ok((response.status(), body))
}
