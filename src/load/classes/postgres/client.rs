//! The only place of PostgreSQL's protocol: connecting, queries whose answers are texts, and COPY.

use crate::http::{tls_config, tls_text};
use crate::spec::Connection;
use crate::{Error, Result};
use futures_util::{Stream, StreamExt};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, SimpleQueryMessage};
use tokio_rustls::client::TlsStream as RustlsStream;
use tokio_rustls::TlsConnector;

/// The longest wait for a connection.
const MOST_CONNECT: Duration = Duration::from_secs(15);
/// What each session begins with: texts have one form, and nothing is written.
const SETUP: &str = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; \
                     SET bytea_output = 'hex'; SET extra_float_digits = 1; SET default_transaction_read_only = on; SET statement_timeout = 0";

/// A session with a server. Dropped while the server works for it, it has that cancelled: who only goes away is noticed when the server writes
/// the next row.
pub struct Server {
    client: Client,
    tls: Tls,
    is_busy: AtomicBool,
}

/// The texts of a row; `None` for null.
pub type TextRow = Vec<Option<String>>;

impl Server {
    /// Connects, as the options of a connection say. Without TLS only where they say so, or the server is on this machine.
    pub async fn connect(connection: &Connection) -> Result<Server> {
        let (config, host) = config_of(connection)?;
        let mut tls = tls_config(connection)?;
        tls.alpn_protocols = vec![b"postgresql".to_vec()];
        let tls = Tls(Arc::new(tls));
        let (client, driver) = config.connect(tls.clone()).await.map_err(|err| failed(&format!("cannot connect to {host}"), &err))?;
        // It ends with the client.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        client.batch_execute(SETUP).await.map_err(|err| failed("the session cannot be set up", &err))?;
        Ok(Server { client, tls, is_busy: AtomicBool::new(false) })
    }

    /// Returns the rows of a query.
    pub async fn rows(&self, sql: &str) -> Result<Vec<TextRow>> {
        self.is_busy.store(true, Ordering::Relaxed);
        let messages = self.client.simple_query(sql).await;
        self.is_busy.store(false, Ordering::Relaxed);
        let messages = messages.map_err(|err| failed("a query failed", &err))?;
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|idx| row.get(idx).map(str::to_string)).collect()),
            _ => None,
        };
        Ok(messages.iter().filter_map(row).collect())
    }

    /// Returns the pieces of what a query gives, as COPY writes it. After the last one, [`Server::is_done`] is due.
    pub async fn copy(&self, query: &str) -> Result<impl Stream<Item = Result<Vec<u8>>>> {
        self.is_busy.store(true, Ordering::Relaxed);
        let copied = self.client.copy_out(format!("COPY ({query}) TO STDOUT").as_str()).await;
        let copied = copied.map_err(|err| failed("a table cannot be read", &err))?;
        Ok(Box::pin(copied.map(|piece| piece.map(|bytes| bytes.to_vec()).map_err(|err| failed("the connection broke", &err)))))
    }

    /// Notes that the server has nothing left to do.
    pub fn is_done(&self) {
        self.is_busy.store(false, Ordering::Relaxed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where the network threads end, too, nobody is left to ask the server.
        let (true, Ok(threads)) = (self.is_busy.load(Ordering::Relaxed), Handle::try_current()) else { return };
        let (asking, tls) = (self.client.cancel_token(), self.tls.clone());
        threads.spawn(async move {
            let _ = tokio::time::timeout(MOST_CONNECT, asking.cancel_query(tls)).await;
        });
    }
}

/// Returns how to connect, and where that is, for messages.
fn config_of(connection: &Connection) -> Result<(Config, String)> {
    let option = |name: &str| connection.option(name).map_or("", |value| value.expose().trim());
    let (host, port) = (option("host"), option("port"));
    let wrong_port = |_| Error::config("option 'port' is not a number of a port");
    let port: u16 = port.parse().map_err(wrong_port)?;
    let mut config = Config::new();
    config.port(port).user(option("user")).dbname(option("database")).application_name("unify").connect_timeout(MOST_CONNECT);
    if let Some(password) = connection.option("password").filter(|password| !password.expose().is_empty()) {
        config.password(password.expose());
    }
    let is_socket = host.starts_with('/');
    match is_socket {
        true => config.host_path(host),
        false => config.host(host),
    };
    let is_here = is_socket || matches!(host, "localhost" | "127.0.0.1" | "::1");
    config.ssl_mode(match option("sslmode") {
        "disable" => SslMode::Disable,
        "require" => SslMode::Require,
        "auto" if is_here => SslMode::Disable,
        "auto" => SslMode::Require,
        _ => return Err(Error::config("option 'sslmode' is not one of auto, require, disable")),
    });
    Ok((config, if is_socket { format!("{host}/.s.PGSQL.{port}") } else { format!("{host}:{port}") }))
}

/// Returns the error for what the server or the network said.
fn failed(what: &str, err: &tokio_postgres::Error) -> Error {
    let Some(told) = err.as_db_error() else {
        let mut text = err.to_string();
        let mut source = std::error::Error::source(err);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        return match tls_text(&text) {
            Some(words) => Error::api(format!("{what}: {words} ({text})")),
            None => Error::api(format!("{what}: {text}")),
        };
    };
    let remedy = match told.code().code() {
        "28P01" | "28000" => "; check options 'user', 'password' and 'sslmode'",
        "3D000" => "; check option 'database'",
        "42501" => "; grant SELECT on it",
        _ => "",
    };
    Error::api(format!("{what}: the server says: {} ({}){remedy}", told.message(), told.code().code()))
}

/// Makes connections over TLS.
#[derive(Clone)]
struct Tls(Arc<rustls::ClientConfig>);

struct NamedTls {
    tls: TlsConnector,
    name: rustls::pki_types::ServerName<'static>,
}

/// A connection over TLS.
struct Secured<S>(RustlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Secured<S>;
    type TlsConnect = NamedTls;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> std::result::Result<NamedTls, Self::Error> {
        // A socket of this machine has no name, and no TLS.
        let host = if host.is_empty() { "localhost" } else { host };
        let name = rustls::pki_types::ServerName::try_from(host.to_string())?;
        Ok(NamedTls { tls: TlsConnector::from(Arc::clone(&self.0)), name })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for NamedTls {
    type Stream = Secured<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { self.tls.connect(self.name, stream).await.map(Secured) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Secured<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(ctx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(ctx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(ctx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(ctx)
    }
}
