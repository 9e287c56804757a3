//! The ceiling as a process of its own: keeps every message durably, answers it, and does nothing else.

use crate::Failure;
use clap::Args;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Where it keeps the messages.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// An empty folder
    dir: PathBuf,
}

pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let failed = |what| move |source| Failure::System { what, source };
    std::fs::create_dir_all(&options.dir).map_err(failed("cannot write to the folder"))?;
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    let listener = listener.map_err(failed("cannot listen"))?;
    let address = listener.local_addr().map_err(failed("cannot listen"))?;
    let ready = serde_json::json!({ "ready": true, "ocpp": address });
    writeln!(std::io::stdout().lock(), "{ready}").map_err(failed("cannot write to stdout"))?;
    service::ceiling(listener, &options.dir).await.map_err(|error| Failure::NotMet(error.to_string()))
}
