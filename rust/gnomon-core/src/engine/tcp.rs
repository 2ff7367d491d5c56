//! One query over one TCP connection (RFC 7766): connect, write, read one message, close.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use nix::libc;

use super::Status;

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
    /// A whole message has arrived; the connection stays usable.
    Message(Vec<u8>),
    Failed(Status, i32),
}

pub struct Connection {
    pub stream: TcpStream,
    pub flight: usize,
    pub serial: u64,
    connected: bool,
    /// Length prefix and query; `written` octets of it are gone.
    outgoing: Vec<u8>,
    written: usize,
    incoming: Vec<u8>,
}

impl Connection {
    /// Begin to connect.
    pub fn open(peer: SocketAddr, query: &[u8], flight: usize, serial: u64) -> io::Result<Self> {
        let stream = TcpStream::connect(peer)?;
        // One small write: waiting to fill a segment only costs time.
        let _ = stream.set_nodelay(true);
        let length =
            u16::try_from(query.len()).map_err(|_| io::Error::from_raw_os_error(libc::EMSGSIZE))?;
        let mut outgoing = Vec::with_capacity(query.len() + 2);
        outgoing.extend(length.to_be_bytes());
        outgoing.extend(query);
        Ok(Self {
            stream,
            flight,
            serial,
            connected: false,
            outgoing,
            written: 0,
            incoming: Vec::new(),
        })
    }

    /// Let events about this connection carry `token`.
    pub fn register(&mut self, token: Token, registry: &Registry) -> io::Result<()> {
        registry.register(
            &mut self.stream,
            token,
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    /// Go on as far as possible without waiting. `scratch` is where octets are read to.
    pub fn drive(&mut self, scratch: &mut [u8]) -> Progress {
        match self.step(scratch) {
            Ok(Some(message)) => Progress::Message(message),
            Ok(None) => Progress::Waiting,
            Err(error) => {
                let (status, os_error) = classify(&error, true);
                Progress::Failed(status, os_error)
            }
        }
    }

    fn step(&mut self, scratch: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
        if !self.connected {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.peer_addr() {
                Ok(_) => self.connected = true,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        while let Some(rest) = self
            .outgoing
            .get(self.written..)
            .filter(|rest| !rest.is_empty())
        {
            match self.stream.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        loop {
            if let Some(message) = self.complete_message() {
                return Ok(Some(message));
            }
            match self.stream.read(scratch) {
                // The peer has closed before a whole message.
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self
                    .incoming
                    .extend(scratch.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Cut the first message off what has come, if all of it is there.
    fn complete_message(&mut self) -> Option<Vec<u8>> {
        let prefix: [u8; 2] = self.incoming.get(..2)?.try_into().ok()?;
        let end = 2 + usize::from(u16::from_be_bytes(prefix));
        let message = self.incoming.get(2..end)?.to_vec();
        self.incoming.drain(..end);
        Some(message)
    }
}

/// What a failure of a connection says. Once `begun`, no route to the peer is news from the network; before, it is
/// this host that has none.
pub fn classify(error: &io::Error, begun: bool) -> (Status, i32) {
    let os_error = error.raw_os_error().unwrap_or(0);
    let status = match os_error {
        libc::ECONNREFUSED => Status::Refused,
        libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED => Status::Reset,
        libc::ETIMEDOUT => Status::Timeout,
        libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EHOSTDOWN | libc::ENOPROTOOPT if begun => {
            Status::IcmpUnreachable
        }
        0 => Status::Reset,
        _ => Status::LocalError,
    };
    (status, os_error)
}
