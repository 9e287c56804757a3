//! A line that can be cut, refused and delayed.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Weather {
    /// Grows with every cut: older connections end.
    cuts: u64,
    /// Whether new connections are refused.
    refuses: bool,
    /// How long every piece waits.
    delay: Duration,
}

/// The line.
pub(super) struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
}

impl Proxy {
    /// Listens on a free port and leads to another.
    pub(super) async fn start(to: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (weather, seen) = watch::channel(Weather::default());
        drop(tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                let seen = seen.clone();
                if seen.borrow().refuses {
                    continue;
                }
                drop(tokio::spawn(async move {
                    let Ok(outer) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { return };
                    let ((from_inner, to_inner), (from_outer, to_outer)) = (inner.into_split(), outer.into_split());
                    tokio::join!(carry(from_inner, to_outer, seen.clone()), carry(from_outer, to_inner, seen));
                }));
            }
        }));
        Ok(Self { port, weather })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections in the middle of whatever they carry.
    pub(super) fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Ends all connections and refuses new ones.
    pub(super) fn refuse(&self) {
        self.weather.send_modify(|weather| {
            weather.cuts += 1;
            weather.refuses = true;
        });
    }

    /// Every piece waits so long.
    pub(super) fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }

    /// All is well again.
    pub(super) fn calm(&self) {
        self.weather.send_modify(|weather| (weather.refuses, weather.delay) = (false, Duration::ZERO));
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let born = weather.borrow().cuts;
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            _ = weather.wait_for(|weather| weather.cuts != born) => return,
        };
        let (Ok(count), delay) = (read, weather.borrow().delay) else { return };
        if count == 0 {
            return;
        }
        tokio::time::sleep(delay).await;
        let Some(bytes) = piece.get(..count) else { return };
        if weather.borrow().cuts != born || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
