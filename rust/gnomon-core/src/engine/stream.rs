//! A connection to a server, plain or with TLS: framed messages, many under way at once (RFC 7766, RFC 7858).

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use nix::libc;
use rustls::{ClientConfig, ClientConnection};

use super::udp::IdHasher;
use super::{tls, Status, Transport};

/// Queries after which a connection is replaced: each needs an ID of its own.
const QUERIES_PER_CONNECTION: usize = 2_000;

/// Where a connection leads.
pub type Server = (SocketAddr, Transport);

pub fn token(key: usize) -> Token {
    Token(key * 2 + 2)
}

/// The connection that an event is about, if it is about one.
pub fn key(token: Token) -> Option<usize> {
    (token.0 > 0 && token.0.is_multiple_of(2)).then(|| token.0 / 2 - 1)
}

/// What became of a connection when it was last driven.
pub enum Progress {
    Waiting,
    /// TLS is set up: see `tls::describe`.
    Secured(Vec<u8>),
    /// A whole message has arrived; the connection stays usable.
    Message(Vec<u8>),
    Failed(Failure),
}

/// How a connection failed.
pub struct Failure {
    pub status: Status,
    /// errno, or for `Status::TlsFailed` the TLS alert.
    pub code: i32,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        classify(&error, true)
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        let code = match error {
            rustls::Error::AlertReceived(alert) => i32::from(u8::from(alert)),
            _ => 0,
        };
        Self {
            status: Status::TlsFailed,
            code,
        }
    }
}

pub struct Connection {
    pub io: TcpStream,
    pub server: Server,
    pub port: u16,
    /// What a session is to be like, until there is one: where nobody listens it would be made for nothing.
    wanted: Option<Arc<ClientConfig>>,
    tls: Option<Box<ClientConnection>>,
    pub connected: bool,
    secured: bool,
    /// Length prefixes and queries; `written` octets of it are gone.
    outgoing: Vec<u8>,
    written: usize,
    /// What has come; `taken` octets of it are gone.
    incoming: Vec<u8>,
    taken: usize,
    /// IDs used here: the flight and serial of the attempt that waits, None once it is over.
    pub ids: HashMap<u16, Option<(usize, u64)>, BuildHasherDefault<IdHasher>>,
    pub waiting: usize,
    /// Queries sent so far.
    pub sent: usize,
    /// Messages that answered one.
    pub answered: usize,
    /// Messages that did not.
    pub unasked: usize,
    /// For one query only.
    pub exclusive: bool,
    /// No new query goes over it.
    pub retired: bool,
}

impl Connection {
    /// Take over a socket that has begun to connect, for TLS with `wanted`.
    pub fn new(
        io: TcpStream,
        server: Server,
        wanted: Option<Arc<ClientConfig>>,
        exclusive: bool,
    ) -> Self {
        // Small writes: waiting to fill a segment only costs time.
        let _ = io.set_nodelay(true);
        let port = io.local_addr().map_or(0, |address| address.port());
        Self {
            io,
            server,
            port,
            wanted,
            tls: None,
            connected: false,
            secured: false,
            outgoing: Vec::new(),
            written: 0,
            incoming: Vec::new(),
            taken: 0,
            ids: HashMap::default(),
            waiting: 0,
            sent: 0,
            answered: 0,
            unasked: 0,
            exclusive,
            retired: false,
        }
    }

    /// Let events about this connection carry `token`.
    pub fn register(&mut self, token: Token, registry: &Registry) -> io::Result<()> {
        registry.register(&mut self.io, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Append a query; `drive` sends it.
    pub fn push(&mut self, id: u16, flight: usize, serial: u64, query: &[u8]) -> io::Result<()> {
        let length =
            u16::try_from(query.len()).map_err(|_| io::Error::from_raw_os_error(libc::EMSGSIZE))?;
        self.outgoing.extend(length.to_be_bytes());
        self.outgoing.extend(query);
        self.ids.insert(id, Some((flight, serial)));
        self.waiting += 1;
        self.sent += 1;
        self.retired |= self.sent >= QUERIES_PER_CONNECTION;
        Ok(())
    }

    /// The attempt with this ID is over.
    pub fn release(&mut self, id: u16) {
        if let Some(waits) = self.ids.get_mut(&id) {
            self.waiting -= usize::from(waits.take().is_some());
        }
    }

    /// The attempts that wait, in the order in which they were sent.
    pub fn waiting_flights(&self) -> Vec<usize> {
        let mut found: Vec<(u64, usize)> = self
            .ids
            .values()
            .flatten()
            .map(|(flight, serial)| (*serial, *flight))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, flight)| flight).collect()
    }

    /// Go on as far as possible without waiting. `scratch` is where octets are read to.
    pub fn drive(&mut self, scratch: &mut [u8]) -> Progress {
        match self.connect().and_then(|connected| {
            if !connected {
                Ok(Progress::Waiting)
            } else if self.tls.is_some() {
                self.step_tls(scratch)
            } else {
                self.step_plain(scratch)
            }
        }) {
            Ok(progress) => progress,
            Err(failure) => Progress::Failed(failure),
        }
    }

    /// True once the connection stands.
    fn connect(&mut self) -> Result<bool, Failure> {
        if !self.connected {
            if let Some(error) = self.io.take_error()? {
                return Err(error.into());
            }
            match self.io.peer_addr() {
                Ok(_) => self.connected = true,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            if let Some(config) = self.wanted.take() {
                self.tls = Some(tls::session(&config, self.server.0.ip())?);
            }
        }
        Ok(true)
    }

    fn step_plain(&mut self, scratch: &mut [u8]) -> Result<Progress, Failure> {
        while let Some(rest) = self
            .outgoing
            .get(self.written..)
            .filter(|it| !it.is_empty())
        {
            match self.io.write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.written == self.outgoing.len() {
            self.outgoing.clear();
            self.written = 0;
        }
        loop {
            if let Some(message) = self.complete_message() {
                return Ok(Progress::Message(message));
            }
            match self.io.read(scratch) {
                // The peer has closed before a whole message.
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => self.keep(scratch.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Progress::Waiting)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn step_tls(&mut self, scratch: &mut [u8]) -> Result<Progress, Failure> {
        loop {
            if let Some(message) = self.complete_message() {
                return Ok(Progress::Message(message));
            }
            let Some(session) = self.tls.as_mut() else {
                return Ok(Progress::Waiting);
            };
            // A record for each message: there are servers that read one message and forget the rest of its record.
            let mut rest = self.outgoing.as_slice();
            while let Some((prefix, after)) = rest.split_first_chunk::<2>() {
                let end = usize::from(u16::from_be_bytes(*prefix)).min(after.len());
                let (message, following) = rest.split_at(prefix.len() + end);
                session.writer().write_all(message)?;
                rest = following;
            }
            self.outgoing.clear();
            while session.wants_write() {
                match session.write_tls(&mut self.io) {
                    Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if !self.secured && !session.is_handshaking() {
                self.secured = true;
                return Ok(Progress::Secured(tls::describe(session)));
            }
            match session.read_tls(&mut self.io) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(_) => {
                    if let Err(error) = session.process_new_packets() {
                        // The alert that says why; whether it arrives does not matter any more.
                        let _ = session.write_tls(&mut self.io);
                        return Err(error.into());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Progress::Waiting)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            let mut ended = false;
            while let Some(session) = self.tls.as_mut() {
                match session.reader().read(scratch) {
                    Ok(0) => {
                        ended = true;
                        break;
                    }
                    Ok(count) => self.keep(scratch.get(..count).unwrap_or_default()),
                    Err(_) => break,
                }
            }
            if ended {
                // The peer has said that it ends; what came before may still hold a message.
                return match self.complete_message() {
                    Some(message) => Ok(Progress::Message(message)),
                    None => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                };
            }
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        self.incoming.drain(..self.taken);
        self.taken = 0;
        self.incoming.extend(octets);
    }

    /// The first message of what has come, if all of it is there.
    fn complete_message(&mut self) -> Option<Vec<u8>> {
        let rest = self.incoming.get(self.taken..)?;
        let prefix: [u8; 2] = rest.get(..2)?.try_into().ok()?;
        let end = 2 + usize::from(u16::from_be_bytes(prefix));
        let message = rest.get(2..end)?.to_vec();
        self.taken += end;
        Some(message)
    }
}

/// What a failure of a connection says. Once `begun`, no route to the peer is news from the network; before, it is
/// this host that has none.
pub fn classify(error: &io::Error, begun: bool) -> Failure {
    let code = error.raw_os_error().unwrap_or(0);
    let status = match code {
        libc::ECONNREFUSED => Status::Refused,
        libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED => Status::Reset,
        libc::ETIMEDOUT => Status::Timeout,
        libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EHOSTDOWN | libc::ENOPROTOOPT if begun => {
            Status::IcmpUnreachable
        }
        0 => Status::Reset,
        _ => Status::LocalError,
    };
    Failure { status, code }
}
