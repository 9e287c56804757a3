//! A Mosquitto of one's own on this computer, and somebody who listens to it.

use super::{free_port, other, run};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time a broker takes to listen after its start, at most.
const START_MAX: Duration = Duration::from_secs(60);

/// Pause of a listener before it connects again.
const AGAIN: Duration = Duration::from_millis(100);

/// Messages a listener may have to take at once.
const QUEUE: usize = 100;

/// A Mosquitto that keeps what its listeners have not got when it ends in order.
#[derive(Debug)]
pub struct Mosquitto {
    config: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts one in an empty folder; everybody may publish and listen.
    ///
    /// # Errors
    /// When Mosquitto is not installed or does not start.
    pub fn start(dir: &Path) -> io::Result<Self> {
        let port = free_port()?;
        let config = dir.join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             max_queued_messages 0\nuser root\n",
            dir.display()
        );
        std::fs::write(&config, text)?;
        let mut broker = Self { config, port, child: None };
        broker.resume()?;
        Ok(broker)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Starts it again after [`Self::stop`], on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&mut self) -> io::Result<()> {
        let usual = Path::new("/usr/sbin/mosquitto");
        let mut command = Command::new(if usual.exists() { usual } else { Path::new("mosquitto") });
        command.arg("-c").arg(&self.config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| other(format!("Mosquitto is not installed: {error}")))?;
        self.child = Some(child);
        let deadline = Instant::now() + START_MAX;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > deadline {
                return Err(other("Mosquitto did not start"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        run(Command::new("kill").args(["-TERM", &child.id().to_string()]))?;
        child.wait()?;
        Ok(())
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "a Mosquitto of a test may still run");
        }
    }
}

/// Hears everything a broker gets, across its restarts.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    heard: Arc<Mutex<Vec<(String, String)>>>,
}

impl Listener {
    /// Begins; needs a tokio runtime, and ends with it. Returns once the broker knows of it.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn begin(port: u16) -> io::Result<Self> {
        let listener = Self::default();
        let heard = Arc::clone(&listener.heard);
        let mut options = MqttOptions::new("listener", "127.0.0.1", port);
        options.set_clean_session(false).set_keep_alive(Duration::from_secs(60));
        let (client, mut events) = AsyncClient::new(options, QUEUE);
        client.subscribe("#", QoS::AtLeastOnce).await.map_err(io::Error::other)?;
        let (told, mut subscribed) = tokio::sync::watch::channel(false);
        drop(tokio::spawn(async move {
            // Kept, or the events end.
            let _client = client;
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Incoming::Publish(message))) => {
                        let text = String::from_utf8_lossy(&message.payload).into_owned();
                        heard.lock().unwrap_or_else(PoisonError::into_inner).push((message.topic, text));
                    }
                    Ok(Event::Incoming(Incoming::SubAck(_))) => {
                        told.send_replace(true);
                    }
                    Ok(_other) => {}
                    Err(_away) => tokio::time::sleep(AGAIN).await,
                }
            }
        }));
        let waited = tokio::time::timeout(START_MAX, subscribed.wait_for(|done| *done)).await;
        match waited {
            Ok(Ok(_done)) => Ok(listener),
            Ok(Err(_)) | Err(_) => Err(other("Mosquitto does not take the listener")),
        }
    }

    /// Topic and payload of everything heard so far, in order.
    #[must_use]
    pub fn heard(&self) -> Vec<(String, String)> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
