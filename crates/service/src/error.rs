//! Why the program cannot start, each in one line that says what to do.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why [`crate::start`] failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error("{address} is taken by another program; stop it or choose another port with --{option}")]
    PortTaken {
        /// Command-line option that changes it.
        option: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; choose an address of this computer with --{option}")]
    Listen {
        /// Command-line option that changes it.
        option: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The data folder cannot be written.
    #[error("cannot write to {path}; give this user the right to write there or choose another folder with --data-dir")]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another Meshwatt uses the data folder.
    #[error("{path} is in use by another Meshwatt; stop that one or choose another folder with --data-dir")]
    DataDirInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The database cannot be opened or read.
    #[error("cannot open the database in {path}; check the disk or restore a backup")]
    Store {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The initial site breaks a rule.
    #[error("the site description cannot be used; correct the file given with --site")]
    Site(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The embedded broker did not start.
    #[error("the MQTT broker did not start; please report this")]
    Broker(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The certificates for TLS cannot be made or used.
    #[error("TLS cannot be switched on")]
    Certificates(#[source] crate::tls::CertificateError),
    /// Random numbers are not available.
    #[error("the system gives no random numbers; check the operating system")]
    Random,
}

/// The error and everything that caused it, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
