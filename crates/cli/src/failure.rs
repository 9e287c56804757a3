//! Why a command failed, as one line and an exit code.

use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// The program does not start.
    #[error(transparent)]
    Start(#[from] service::StartError),
    /// A file cannot be read.
    #[error("cannot read {path}; check the name and your right to read it")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The site file is wrong.
    #[error("{path}")]
    Site {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: service::SiteFileError,
    },
    /// The scenario is wrong or could not be played.
    #[error("the scenario {path} cannot be played")]
    Scenario {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: scenario::ScenarioError,
    },
    /// The statements cannot be read or made.
    #[error("the statements cannot be made")]
    Books(#[source] Box<service::BooksError>),
    /// The closed statements cannot be shown to be what they were.
    #[error("the closed statements were altered, or cannot be checked")]
    Altered(#[source] Box<service::BooksError>),
    /// The cloud does not work.
    #[error("the cloud does not work")]
    Cloud(#[source] Box<service::CloudError>),
    /// The records cannot be written or read.
    #[error("the records cannot be used")]
    Store(#[source] Box<service::StoreError>),
    /// Copying or restoring the records does not work.
    #[error("the copy does not work")]
    Backup(#[source] Box<service::BackupError>),
    /// A file cannot be written.
    #[error("cannot write {path}; check the folder and your right to write there")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The demo building cannot be built.
    #[error("the demo building cannot be built; please report this")]
    Demo(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system refuses something.
    #[error("{what}")]
    System {
        /// What, and what to do.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A measurement or a scenario did not come out as it must.
    #[error("{0}")]
    NotMet(String),
}

impl Failure {
    /// 64 for wrong arguments, as `sysexits.h` has it; 1 for everything else.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::Start(_)
            | Self::Read { .. }
            | Self::Site { .. }
            | Self::Scenario { .. }
            | Self::Books(_)
            | Self::Altered(_)
            | Self::Cloud(_)
            | Self::Store(_)
            | Self::Backup(_)
            | Self::Write { .. }
            | Self::Demo(_)
            | Self::System { .. }
            | Self::NotMet(_) => 1,
        }
    }

    /// The error and its causes in one line.
    #[must_use]
    pub fn line(&self) -> String {
        chain(self)
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        line.push_str(": ");
        line.push_str(&source.to_string());
        cause = source.source();
    }
    line.replace('\n', " ")
}
