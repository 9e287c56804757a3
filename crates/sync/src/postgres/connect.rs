//! Getting connected, step by step, so that what is wrong has a name.

use super::{Cloud, Writer, schema, write};
use crate::Trouble;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::types::Uuid;
use sqlx::{ConnectOptions as _, PgConnection};
use std::time::Duration;

/// Oldest server the tables were tried on.
const SERVER_MIN: i32 = 130_000;

/// Time for each step; a server across the world answers in a second.
const STEP_MAX: Duration = Duration::from_secs(10);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Not at all: only for a server on this computer.
    Off,
    /// Encrypted, whoever the server is.
    Encrypt,
    /// Encrypted, with a certificate of a known authority.
    VerifyCa,
    /// Encrypted, with a certificate of a known authority for this name.
    #[default]
    VerifyFull,
}

/// Where the database is; the password is kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Name or address; a path is the folder of a socket.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database.
    pub database: String,
    /// User.
    pub user: String,
    /// Protection.
    #[serde(default)]
    pub tls: Tls,
    /// File with the authority's certificate, PEM; empty for those this computer knows.
    #[serde(default)]
    pub ca_file: String,
}

/// What a test of the connection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Version of the server, such as `15.14`.
    pub server: String,
    /// Format of the tables; `None` when there are none yet.
    pub format: Option<i32>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
}

pub(crate) fn trouble(code: &'static str, sentence: impl Into<String>, detail: impl std::fmt::Display) -> Trouble {
    Trouble { code, sentence: sentence.into(), detail: detail.to_string() }
}

impl Settings {
    /// From `postgres://USER@HOST:PORT/DATABASE?sslmode=…`; a password in it is not taken.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn from_url(url: &str, ca_file: &str) -> Result<Self, Trouble> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
            trouble("incomplete", "The address of the cloud is postgres://USER@HOST:PORT/DATABASE", error)
        })?;
        let tls = match options.get_ssl_mode() {
            PgSslMode::Disable | PgSslMode::Allow => Tls::Off,
            PgSslMode::Require => Tls::Encrypt,
            PgSslMode::VerifyCa => Tls::VerifyCa,
            // Nobody asked for less than everything.
            PgSslMode::Prefer | PgSslMode::VerifyFull => Tls::VerifyFull,
        };
        Ok(Self {
            host: options.get_host().to_owned(),
            port: options.get_port(),
            database: options.get_database().unwrap_or_default().to_owned(),
            user: options.get_username().to_owned(),
            tls,
            ca_file: ca_file.to_owned(),
        })
    }

    fn options(&self, password: &str) -> PgConnectOptions {
        let mode = match self.tls {
            Tls::Off => PgSslMode::Disable,
            Tls::Encrypt => PgSslMode::Require,
            Tls::VerifyCa => PgSslMode::VerifyCa,
            Tls::VerifyFull => PgSslMode::VerifyFull,
        };
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .database(&self.database)
            .username(&self.user)
            .ssl_mode(mode)
            .application_name("meshwatt")
            .disable_statement_logging();
        if !password.is_empty() {
            options = options.password(password);
        }
        if !self.ca_file.is_empty() {
            options = options.ssl_root_cert(&self.ca_file);
        }
        options
    }

    /// Finds the name, then the port, then speaks to the server: the first that fails is what is wrong.
    pub(crate) async fn open(&self, password: &str) -> Result<PgConnection, Trouble> {
        if self.host.is_empty() || self.database.is_empty() || self.user.is_empty() {
            return Err(trouble("incomplete", "Enter host, database and user", ""));
        }
        if !self.host.starts_with('/') {
            self.reach().await?;
        }
        if !self.ca_file.is_empty()
            && let Err(error) = std::fs::metadata(&self.ca_file)
        {
            return Err(trouble("tls", format!("The certificate file {} cannot be read", self.ca_file), error));
        }
        let connected = tokio::time::timeout(STEP_MAX, self.options(password).connect()).await;
        match connected {
            Ok(Ok(conn)) => Ok(conn),
            Ok(Err(error)) => Err(self.refused(&error)),
            Err(_elapsed) => Err(self.no_postgres("")),
        }
    }

    fn no_postgres(&self, detail: impl std::fmt::Display) -> Trouble {
        trouble("port", format!("What answers on port {} of {} is no PostgreSQL server", self.port, self.host), detail)
    }

    async fn reach(&self) -> Result<(), Trouble> {
        let Self { host, port, .. } = self;
        let looked_up = tokio::time::timeout(STEP_MAX, tokio::net::lookup_host((host.as_str(), *port))).await;
        let addresses: Vec<_> = match looked_up {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => {
                return Err(trouble("name", format!("No computer is called {host}; check the name"), error));
            }
            Err(_elapsed) => {
                return Err(trouble("name", format!("The name {host} is not answered; check the line"), ""));
            }
        };
        match tokio::time::timeout(STEP_MAX, tokio::net::TcpStream::connect(addresses.as_slice())).await {
            Ok(Ok(_stream)) => Ok(()),
            Ok(Err(error)) => Err(trouble(
                "port",
                format!("{host} is there, but nothing listens on port {port}; check the port and that the server runs"),
                error,
            )),
            Err(_elapsed) => Err(trouble(
                "port",
                format!("{host} does not answer on port {port}; a firewall in between may drop it"),
                "",
            )),
        }
    }

    fn refused(&self, error: &sqlx::Error) -> Trouble {
        let Self { host, user, database, .. } = self;
        match error {
            sqlx::Error::Tls(source) if source.to_string().contains("does not support") => {
                trouble("tls", format!("{host} offers no TLS; switch it on there, or turn TLS off here"), source)
            }
            sqlx::Error::Tls(source) => tls(host, source),
            sqlx::Error::Io(source) if source.to_string().contains("certificate") => tls(host, source),
            // An answer too short to be one of PostgreSQL's; a server that ends says nothing at all.
            sqlx::Error::Io(source)
                if source.kind() == std::io::ErrorKind::UnexpectedEof
                    && !source.to_string().contains("got 0 bytes") =>
            {
                self.no_postgres(source)
            }
            sqlx::Error::Database(source) => match source.code().as_deref() {
                Some("28P01") => trouble("password", format!("{host} refuses the password of {user}"), source),
                Some("28000") if source.message().contains("does not exist") => {
                    trouble("password", format!("{host} knows no user {user}"), source)
                }
                Some("28000") => trouble(
                    "rights",
                    format!("{host} lets {user} not in from here, or not without TLS; see pg_hba.conf there"),
                    source,
                ),
                Some("3D000") => trouble("database", format!("{host} has no database {database}; create it"), source),
                Some("42501") => {
                    trouble("rights", format!("{user} may not connect to {database}; grant CONNECT"), source)
                }
                Some("53300") => trouble("busy", format!("{host} has no free connection; try later"), source),
                Some("57P03") => trouble("busy", format!("{host} is starting or stopping; try later"), source),
                _ => trouble("refused", format!("{host} refused the connection"), source),
            },
            sqlx::Error::Protocol(detail) => self.no_postgres(detail),
            other if other.to_string().contains("password") => {
                trouble("password", format!("{host} asks for a password of {user}, and none is kept; enter it"), other)
            }
            other => trouble("lost", format!("The connection to {host} broke"), other),
        }
    }
}

fn tls(host: &str, source: &dyn std::fmt::Display) -> Trouble {
    let detail = source.to_string();
    let sentence = if detail.contains("NotValidForName") || detail.contains("not valid for name") {
        format!("The certificate of {host} is for another name; use that name, or verify the authority only")
    } else if detail.contains("UnknownIssuer") {
        format!("The certificate of {host} is of an authority nobody here knows; choose its certificate file")
    } else if detail.contains("Expired") || detail.contains("expired") {
        format!("The certificate of {host} has expired; renew it there")
    } else {
        format!("No encrypted connection to {host} came about; check the certificate")
    };
    trouble("tls", sentence, detail)
}

/// Rights and version of an open connection.
async fn examine(conn: &mut PgConnection, settings: &Settings) -> Result<Tested, Trouble> {
    let lost = |error: sqlx::Error| trouble("lost", "The connection broke", error);
    let (number, server, may_create, encrypted): (i32, String, bool, bool) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
             has_database_privilege(current_database(), 'CREATE'),
             coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(lost)?;
    if number < SERVER_MIN {
        return Err(trouble("version", format!("The server is PostgreSQL {server}; 13 or newer is needed"), ""));
    }
    let format = schema::format(conn, &settings.user).await?;
    match format {
        None if !may_create => Err(trouble(
            "rights",
            format!(
                "{user} may not make tables in {database}; let an administrator run: GRANT CREATE ON DATABASE {database} TO {user}",
                user = settings.user,
                database = settings.database
            ),
            "",
        )),
        Some(_) | None => Ok(Tested { server, format, encrypted }),
    }
}

/// Tries the connection and says what it found, or precisely what is wrong.
///
/// # Errors
/// With the code `incomplete`, `name`, `port`, `tls`, `password`, `database`, `rights`, `version`, `format`, or another.
pub async fn test(settings: &Settings, password: &str) -> Result<Tested, Trouble> {
    let mut conn = settings.open(password).await?;
    let tested = examine(&mut conn, settings).await?;
    if let Some(format) = tested.format {
        schema::check_format(Some(format))
            .or_else(|trouble| if format < schema::FORMAT { Ok(()) } else { Err(trouble) })?;
    }
    Ok(tested)
}

/// Makes or updates the tables. Gives the format before and after.
///
/// # Errors
/// As [`test()`].
pub async fn migrate(settings: &Settings, password: &str) -> Result<(Option<i32>, i32), Trouble> {
    let mut conn = settings.open(password).await?;
    let before = examine(&mut conn, settings).await?.format;
    let after = schema::migrate(&mut conn).await?;
    Ok((before, after))
}

impl Cloud {
    /// Connects to send: refuses tables of another format, and a site that another computer sends for.
    ///
    /// # Errors
    /// As [`test()`], and with the code `other_computer`, or `restored` when the records here are an older copy.
    pub async fn connect(settings: &Settings, password: &str, writer: &Writer) -> Result<Self, Trouble> {
        let mut cloud = Self::look(settings, password, &writer.site).await?;
        cloud.claim(writer).await?;
        Ok(cloud)
    }

    /// Connects to read only.
    ///
    /// # Errors
    /// As [`test()`].
    pub async fn look(settings: &Settings, password: &str, site: &str) -> Result<Self, Trouble> {
        let mut conn = settings.open(password).await?;
        let tested = examine(&mut conn, settings).await?;
        schema::check_format(tested.format)?;
        let site =
            Uuid::parse_str(site).map_err(|error| trouble("site", "The identity of the site is damaged", error))?;
        let tables = write::Tables::read(&mut conn).await?;
        Ok(Self { conn, site, tables })
    }

    /// Takes the site over from whichever computer sent for it before. Where this one sends already, its records are
    /// accepted although they are an older copy.
    ///
    /// # Errors
    /// As [`test()`].
    pub async fn take_over(settings: &Settings, password: &str, writer: &Writer) -> Result<(), Trouble> {
        let mut cloud = Self::look(settings, password, &writer.site).await?;
        sqlx::query(
            "INSERT INTO meshwatt.link (site_id, name, writer, writer_name) VALUES ($1, $2, $3, $4)
             ON CONFLICT (site_id) DO UPDATE SET writer = excluded.writer, writer_name = excluded.writer_name,
                 cursor = CASE WHEN link.writer = excluded.writer THEN 0 ELSE link.cursor END",
        )
        .bind(cloud.site)
        .bind(&writer.site_name)
        .bind(&writer.computer)
        .bind(&writer.computer_name)
        .execute(&mut cloud.conn)
        .await
        .map_err(|error| write::failed(&error))?;
        Ok(())
    }

    async fn claim(&mut self, writer: &Writer) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT INTO meshwatt.link (site_id, name, writer, writer_name) VALUES ($1, $2, $3, $4)
             ON CONFLICT (site_id) DO NOTHING",
        )
        .bind(self.site)
        .bind(&writer.site_name)
        .bind(&writer.computer)
        .bind(&writer.computer_name)
        .execute(&mut self.conn)
        .await
        .map_err(|error| write::failed(&error))?;
        let (computer, name, cursor): (String, String, i64) =
            sqlx::query_as("SELECT writer, writer_name, cursor FROM meshwatt.link WHERE site_id = $1")
                .bind(self.site)
                .fetch_one(&mut self.conn)
                .await
                .map_err(|error| write::failed(&error))?;
        if computer == writer.computer && cursor > writer.sent {
            return Err(trouble(
                "restored",
                "The cloud has newer records of this building: here is an older copy of them. Bring the newer ones back \
                 (meshwatt cloud pull into an empty folder), or send from this computer all the same; then what has the \
                 same number is replaced there (meshwatt cloud takeover)",
                "",
            ));
        }
        if computer == writer.computer {
            self.tables.writer = computer;
            return Ok(());
        }
        Err(trouble(
            "other_computer",
            format!(
                "The computer {name} sends for this building already; stop it, then take the building over here \
                 (meshwatt cloud takeover)"
            ),
            "",
        ))
    }
}
