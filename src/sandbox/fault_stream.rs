//! Connections that a fault can cut: before the first byte of a response, or in the middle of its body.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

const OPEN: usize = usize::MAX;
const DEAD: usize = usize::MAX - 1;
const LATE: usize = usize::MAX - 2;

/// A handle on a connection, given to the handlers of its requests.
#[derive(Debug, Clone)]
pub(super) struct ConnectionHandle {
    state: Arc<AtomicUsize>,
    patience: Option<Duration>,
}

/// What a client inside this process gets of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// All of it.
    Whole,
    /// Part of the body.
    Truncated,
    /// Nothing: the connection is closed.
    Cut,
    /// Nothing, for as long as it waits.
    Late,
}

impl ConnectionHandle {
    fn open() -> ConnectionHandle {
        ConnectionHandle {
            state: Arc::new(AtomicUsize::new(OPEN)),
            patience: None,
        }
    }

    /// Stands for the connection of a client inside this process that waits so long for a response.
    pub(super) fn in_process(patience: Duration) -> ConnectionHandle {
        ConnectionHandle {
            patience: Some(patience),
            ..ConnectionHandle::open()
        }
    }

    /// Returns how long the client waits; `None` for a client at the other end of a socket, which does its own waiting.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// Returns what a client inside this process gets.
    pub(super) fn delivery(&self) -> Delivery {
        match self.state.load(Ordering::Acquire) {
            OPEN => Delivery::Whole,
            DEAD => Delivery::Cut,
            LATE => Delivery::Late,
            _ => Delivery::Truncated,
        }
    }

    /// Stops all output. The next attempt to respond closes the connection.
    pub(super) fn cut(&self) {
        self.state.store(DEAD, Ordering::Release);
    }

    /// Lets a client inside this process wait in vain.
    pub(super) fn ignore(&self) {
        self.state.store(LATE, Ordering::Release);
    }

    /// Lets the next response through up to this many bytes of its body; then the connection closes.
    pub(super) fn truncate_after(&self, body_bytes: usize) {
        self.state.store(body_bytes.min(LATE - 1), Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, FaultListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, FaultListener>) -> ConnectionHandle {
        stream.io().hook.clone()
    }
}

/// A listener whose connections have a [`ConnectionHandle`].
#[derive(Debug)]
pub(super) struct FaultListener(pub(super) TcpListener);

impl Listener for FaultListener {
    type Io = FaultStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (FaultStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Small responses must not wait for one another; a failure only makes them slower.
                    let _ = stream.set_nodelay(true);
                    let hook = ConnectionHandle::open();
                    return (
                        FaultStream {
                            stream,
                            hook,
                            remaining: None,
                        },
                        address,
                    );
                }
                Err(error) => {
                    tracing::debug!(%error, "the sandbox could not accept a connection");
                    // Most likely out of file descriptors: give other connections time to close.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct FaultStream {
    stream: TcpStream,
    hook: ConnectionHandle,
    /// How many bytes may still be written of a response that is cut short.
    remaining: Option<usize>,
}

impl AsyncRead for FaultStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FaultStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let body = match self.hook.state.load(Ordering::Acquire) {
            OPEN => return Pin::new(&mut self.stream).poll_write(cx, buf),
            DEAD => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            body => body,
        };
        // The server writes the head and the start of the body in one write (this type offers no vectored writes).
        let remaining = self.remaining.unwrap_or_else(|| head_length(buf) + body);
        if remaining == 0 {
            self.hook.cut();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let part = &buf[..buf.len().min(remaining)];
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
        self.remaining = Some(remaining - written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn head_length(answer: &[u8]) -> usize {
    answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map_or(answer.len(), |end| end + 4)
}
