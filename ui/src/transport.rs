//! How the console reaches its server: requests go out, arrivals come in, nothing waits.
//!
//! The page implements [`Transport`] with `fetch` and a WebSocket, tests with prepared answers. An
//! implementation asks egui for a frame when something arrives; the console never polls on its own.

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create or command.
    Post,
    /// Replace.
    Put,
    /// Change parts.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// As HTTP spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request to the console's own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Comes back with the answer.
    pub token: u64,
    /// How.
    pub method: Method,
    /// Path below `/api/v1/`, with query.
    pub path: String,
    /// JSON, if any.
    pub body: Option<String>,
    /// A file as the body, if any.
    pub file: Option<std::sync::Arc<[u8]>>,
}

/// What arrived since the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// An answer.
    Answer {
        /// Of the request.
        token: u64,
        /// HTTP status.
        status: u16,
        /// The body as text.
        body: String,
    },
    /// The request never reached the server.
    Unreachable {
        /// Of the request.
        token: u64,
    },
    /// The live socket is open.
    LiveOpened,
    /// A message on the live socket.
    Live(String),
    /// The live socket closed; the transport tries again by itself until it is closed.
    LiveClosed,
}

/// The way to the server.
pub trait Transport {
    /// Sends a request; its answer arrives later.
    fn send(&mut self, request: Request);
    /// Opens the live socket and keeps it open; does nothing when it is.
    fn open_live(&mut self);
    /// Closes the live socket.
    fn close_live(&mut self);
    /// Everything that arrived since the last call, oldest first.
    fn arrivals(&mut self) -> Vec<Arrival>;
}
