//! The connections of one shard: few to each server, shared by its queries, closed when idle.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use mio::net::TcpStream;
use mio::Registry;
use nix::errno::Errno;
use nix::sys::socket::{bind, connect, socket, AddressFamily, SockFlag, SockType, SockaddrStorage};
use rustls::ClientConfig;
use slab::Slab;

use super::stream::{token, Connection, Server};
use super::{tls, Transport};

/// Connections to one server at once, those that only wait for their last answers included.
const CONNECTIONS_PER_SERVER: usize = 2;
/// Queries under way over one connection.
const QUERIES_AT_ONCE: usize = 64;
/// Servers remembered that close a connection after one answer.
const ONE_AT_A_TIME_MOST: usize = 65_536;

#[derive(Default)]
struct Home {
    open: Vec<usize>,
    /// The server has closed a connection with queries under way: each query gets its own.
    one_at_a_time: bool,
}

pub struct Streams {
    pub connections: Slab<Connection>,
    homes: HashMap<Server, Home>,
    most: usize,
    local: [Option<IpAddr>; 2],
    config: Option<Arc<ClientConfig>>,
}

/// How the next query to a server can go.
pub enum Way {
    Over(usize),
    Open {
        exclusive: bool,
    },
    /// When something under way there has ended.
    Wait,
    /// This host has as many connections as it may have.
    Full,
}

impl Streams {
    /// `local` are the addresses to send from, IPv4 and IPv6.
    pub fn new(most: usize, local: [Option<IpAddr>; 2]) -> Self {
        Self {
            connections: Slab::new(),
            homes: HashMap::new(),
            most,
            local,
            config: None,
        }
    }

    /// Find a way for a query; `may_share`: with others over one connection.
    pub fn way(&mut self, server: &Server, may_share: bool) -> Way {
        let (open, one_at_a_time) = match self.homes.get(server) {
            Some(home) => (home.open.as_slice(), home.one_at_a_time),
            None => (&[][..], false),
        };
        let exclusive = !may_share || one_at_a_time;
        let usable = open
            .iter()
            .filter_map(|key| Some((*key, self.connections.get(*key)?)))
            .filter(|(_, it)| !it.exclusive && !it.retired)
            .min_by_key(|(_, it)| it.waiting);
        if let Some((key, connection)) = usable {
            if !exclusive && connection.waiting < QUERIES_AT_ONCE {
                return Way::Over(key);
            }
            if open.len() >= CONNECTIONS_PER_SERVER && connection.waiting == 0 {
                self.close(key);
                return Way::Open { exclusive };
            }
        }
        if open.len() >= CONNECTIONS_PER_SERVER {
            Way::Wait
        } else if self.connections.len() >= self.most {
            Way::Full
        } else {
            Way::Open { exclusive }
        }
    }

    /// Begin to connect.
    pub fn open(
        &mut self,
        server: Server,
        exclusive: bool,
        registry: &Registry,
    ) -> io::Result<usize> {
        let (peer, transport) = server;
        let wanted = match (transport, &self.config) {
            (Transport::Udp | Transport::Tcp, _) => None,
            (Transport::Dot, Some(config)) => Some(config.clone()),
            (Transport::Dot, None) => {
                let config = tls::config().map_err(io::Error::other)?;
                Some(self.config.insert(config).clone())
            }
        };
        let [v4, v6] = self.local;
        let stream = begin(peer, if peer.is_ipv4() { v4 } else { v6 })?;
        let mut connection = Connection::new(stream, server, wanted, exclusive);
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        connection.register(token(key), registry)?;
        entry.insert(connection);
        self.homes.entry(server).or_default().open.push(key);
        Ok(key)
    }

    /// Close a connection; returns what it was.
    ///
    /// Nobody hears of it any more once that is dropped.
    pub fn close(&mut self, key: usize) -> Option<Connection> {
        let connection = self.connections.try_remove(key)?;
        if let Some(home) = self.homes.get_mut(&connection.server) {
            home.open.retain(|other| *other != key);
            if home.open.is_empty() && !home.one_at_a_time {
                self.homes.remove(&connection.server);
            }
        }
        Some(connection)
    }

    /// From now on each query to this server gets a connection of its own.
    pub fn one_at_a_time(&mut self, server: Server) {
        if self.homes.len() >= ONE_AT_A_TIME_MOST {
            self.homes.retain(|_, home| !home.open.is_empty());
        }
        self.homes.entry(server).or_default().one_at_a_time = true;
    }
}

/// A socket that has begun to connect.
fn begin(peer: SocketAddr, local: Option<IpAddr>) -> io::Result<TcpStream> {
    let family = if peer.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd: OwnedFd = socket(family, SockType::Stream, flags, None)?;
    if let Some(address) = local {
        bind(
            fd.as_raw_fd(),
            &SockaddrStorage::from(SocketAddr::new(address, 0)),
        )?;
    }
    match connect(fd.as_raw_fd(), &SockaddrStorage::from(peer)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(TcpStream::from_std(fd.into())),
        Err(error) => Err(error.into()),
    }
}
