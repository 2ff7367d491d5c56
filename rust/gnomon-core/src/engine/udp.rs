//! UDP sockets with random source ports, replaced often (RFC 5452 section 9.2).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use mio::{Interest, Registry, Token};
use nix::sys::socket::{
    bind, recvmsg, setsockopt, socket, sockopt, AddressFamily, ControlMessageOwned, MsgFlags,
    SockFlag, SockType, SockaddrStorage,
};
use nix::sys::time::TimeSpec;
use nix::{cmsg_space, libc};
use slab::Slab;

use super::entropy::Entropy;
use super::icmp::socket_addr;
use super::Attempt;

/// Queries after which, and age at which, a socket is replaced.
const QUERIES_PER_SOCKET: u32 = 2_000;
const SOCKET_AGE_NS: u64 = 30_000_000_000;
/// Wanted; the kernel gives what its own limit allows.
const RECEIVE_BUFFER_OCTETS: usize = 1 << 20;

/// Which attempt an ID of a socket stands for.
pub struct Sent {
    pub flight: usize,
    pub serial: u64,
    /// The record of an attempt that timed out while its query goes on: what comes now is late.
    pub late: Option<Box<Attempt>>,
}

pub struct Socket {
    pub io: mio::net::UdpSocket,
    pub port: u16,
    /// The IDs of attempts that run, and of those that ended without an answer while their query went on.
    pub ids: HashMap<u16, Sent, BuildHasherDefault<IdHasher>>,
    /// All IDs since it was opened: none is used twice.
    pub used: UsedIds,
    pub in_flight: u32,
    opened_ns: u64,
    sent: u32,
    retired: bool,
}

/// IDs are our own random numbers: nobody else can choose them so that they collide.
#[derive(Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0 << 8 | u64::from(*octet);
        }
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// A set of message IDs.
pub struct UsedIds(Vec<u64>);

impl UsedIds {
    fn new() -> Self {
        Self(vec![0; 65_536 / 64])
    }

    fn insert(&mut self, id: u16) {
        if let Some(word) = self.0.get_mut(usize::from(id / 64)) {
            *word |= 1 << (id % 64);
        }
    }

    pub fn contains(&self, id: u16) -> bool {
        let word = self.0.get(usize::from(id / 64));
        word.is_some_and(|word| word >> (id % 64) & 1 == 1)
    }
}

/// A datagram that was read.
pub struct Datagram {
    pub length: usize,
    pub from: SocketAddr,
    /// When it reached this host, in Unix time, if the kernel was asked for that.
    pub came_at_ns: Option<i64>,
}

/// The sockets of one shard: up to `size` in rotation per family, and retired ones that still wait for answers.
pub struct Pool {
    pub sockets: Slab<Socket>,
    v4: Vec<Option<usize>>,
    v6: Vec<Option<usize>>,
    local: [Option<IpAddr>; 2],
    /// Attempts whose answer is waited for.
    pub in_flight: usize,
    /// Where the kernel puts the time of a datagram, if it is asked for that.
    stamps: Option<Vec<u8>>,
}

impl Pool {
    /// `local` are the addresses to send from, IPv4 and IPv6. With `has_stamps` the kernel notes when datagrams come.
    pub fn new(size: usize, local: [Option<IpAddr>; 2], has_stamps: bool) -> Self {
        Self {
            in_flight: 0,
            stamps: has_stamps.then(|| cmsg_space!(TimeSpec)),
            sockets: Slab::new(),
            v4: vec![None; size],
            v6: vec![None; size],
            local,
        }
    }

    /// A socket at random for `peer`, not `avoid` if there is a choice; opened or replaced as needed.
    pub fn pick(
        &mut self,
        peer: &SocketAddr,
        avoid: Option<usize>,
        now_ns: u64,
        entropy: &mut Entropy,
        registry: &Registry,
    ) -> io::Result<usize> {
        let [local_v4, local_v6] = self.local;
        let (rotation, local) = if peer.is_ipv4() {
            (&mut self.v4, local_v4)
        } else {
            (&mut self.v6, local_v6)
        };
        let size = rotation.len();
        let mut place = entropy.below(size);
        if avoid.is_some() && rotation.get(place).copied().flatten() == avoid {
            place = (place + 1) % size;
        }
        let current = rotation.get(place).copied().flatten();
        if let Some(socket) = current.and_then(|key| self.sockets.get(key)) {
            if socket.sent < QUERIES_PER_SOCKET && now_ns < socket.opened_ns + SOCKET_AGE_NS {
                return current.ok_or_else(|| io::ErrorKind::NotFound.into());
            }
        }
        let entry = self.sockets.vacant_entry();
        let fresh = entry.key();
        match open(peer.is_ipv4(), local, token(fresh), registry) {
            Ok((io, port)) => {
                #[cfg(target_os = "linux")]
                if self.stamps.is_some() {
                    // Where this fails, answers seem to come when they are read.
                    let _ = setsockopt(&io, sockopt::ReceiveTimestampns, &true);
                }
                entry.insert(Socket {
                    io,
                    port,
                    ids: HashMap::default(),
                    used: UsedIds::new(),
                    in_flight: 0,
                    opened_ns: now_ns,
                    sent: 0,
                    retired: false,
                });
                if let Some(slot) = rotation.get_mut(place) {
                    *slot = Some(fresh);
                }
                if let Some(old) = current {
                    if let Some(socket) = self.sockets.get_mut(old) {
                        socket.retired = true;
                    }
                    self.close_if_done(old);
                }
                Ok(fresh)
            }
            // No descriptor left: an older socket is better than none.
            Err(error) => rotation.iter().flatten().next().copied().ok_or(error),
        }
    }

    /// Choose an ID that this socket has not used.
    pub fn fresh_id(&self, socket: usize, entropy: &mut Entropy) -> u16 {
        let used = self.sockets.get(socket).map(|socket| &socket.used);
        loop {
            let id = entropy.u16();
            if !used.is_some_and(|used| used.contains(id)) {
                return id;
            }
        }
    }

    /// Send a datagram; returns the local port.
    ///
    /// With IP_RECVERR a call may fail with the ICMP error of an earlier datagram to somebody else, once for each.
    pub fn send(&self, socket: usize, octets: &[u8], to: SocketAddr) -> io::Result<u16> {
        let socket = self.sockets.get(socket).ok_or(io::ErrorKind::NotFound)?;
        let mut tries = 3;
        loop {
            match socket.io.send_to(octets, to) {
                Ok(_) => return Ok(socket.port),
                Err(error) if tries > 0 && error.kind() != io::ErrorKind::WouldBlock => tries -= 1,
                // No local failure has this name.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return Err(io::Error::from_raw_os_error(libc::EAGAIN));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Read a datagram.
    pub fn receive(&mut self, socket: usize, scratch: &mut [u8]) -> io::Result<Datagram> {
        let socket = self.sockets.get(socket).ok_or(io::ErrorKind::NotFound)?;
        let Some(stamps) = &mut self.stamps else {
            let (length, from) = socket.io.recv_from(scratch)?;
            return Ok(Datagram {
                length,
                from,
                came_at_ns: None,
            });
        };
        let mut slices = [IoSliceMut::new(scratch)];
        let message = recvmsg::<SockaddrStorage>(
            socket.io.as_raw_fd(),
            &mut slices,
            Some(stamps),
            MsgFlags::empty(),
        )?;
        let came_at_ns = message.cmsgs().ok().and_then(|mut parts| {
            parts.find_map(|part| match part {
                #[cfg(target_os = "linux")]
                ControlMessageOwned::ScmTimestampns(at) => {
                    Some(at.tv_sec() * 1_000_000_000 + at.tv_nsec())
                }
                _ => None,
            })
        });
        let from = message.address.as_ref().and_then(socket_addr);
        Ok(Datagram {
            length: message.bytes,
            from: from.ok_or(io::ErrorKind::NotFound)?,
            came_at_ns,
        })
    }

    /// True if something that comes to this socket may be an answer, even a late one.
    pub fn is_waited_for(&self, socket: usize) -> bool {
        let socket = self.sockets.get(socket);
        socket.is_some_and(|socket| !socket.ids.is_empty())
    }

    /// Remember that `id` was sent.
    pub fn record(&mut self, socket: usize, id: u16, flight: usize, serial: u64) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.ids.insert(
                id,
                Sent {
                    flight,
                    serial,
                    late: None,
                },
            );
            socket.used.insert(id);
            socket.in_flight += 1;
            socket.sent += 1;
            self.in_flight += 1;
        }
    }

    /// The attempt with `id` is over. With `late`, its ID stays known and a late answer can be told apart.
    pub fn release(&mut self, socket: usize, id: u16, late: Option<Box<Attempt>>) {
        if let Some(state) = self.sockets.get_mut(socket) {
            state.in_flight -= 1;
            self.in_flight -= 1;
            match (late, state.ids.get_mut(&id)) {
                (Some(late), Some(sent)) => sent.late = Some(late),
                _ => {
                    state.ids.remove(&id);
                }
            }
        }
        self.close_if_done(socket);
    }

    fn close_if_done(&mut self, key: usize) {
        if self
            .sockets
            .get(key)
            .is_some_and(|socket| socket.retired && socket.in_flight == 0)
        {
            self.sockets.remove(key);
        }
    }
}

/// Tokens of UDP sockets are odd, those of TCP connections even and above 0.
fn token(key: usize) -> Token {
    Token(key * 2 + 1)
}

/// The socket that an event is about, if it is about a UDP socket.
pub fn key(token: Token) -> Option<usize> {
    (token.0 % 2 == 1).then_some(token.0 / 2)
}

/// An unconnected socket with a random port; the kernel draws it from its ephemeral range.
fn open(
    v4: bool,
    local: Option<IpAddr>,
    token: Token,
    registry: &Registry,
) -> io::Result<(mio::net::UdpSocket, u16)> {
    let family = if v4 {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let fd: OwnedFd = socket(
        family,
        SockType::Datagram,
        SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    let any: IpAddr = if v4 {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let local = SocketAddr::new(local.unwrap_or(any), 0);
    if !v4 {
        setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
    }
    // Larger buffers and word of ICMP are welcome, not needed.
    let _ = setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER_OCTETS);
    #[cfg(target_os = "linux")]
    let _ = if v4 {
        setsockopt(&fd, sockopt::Ipv4RecvErr, &true)
    } else {
        setsockopt(&fd, sockopt::Ipv6RecvErr, &true)
    };
    bind(fd.as_raw_fd(), &SockaddrStorage::from(local))?;
    let mut io = mio::net::UdpSocket::from_std(fd.into());
    let port = io.local_addr()?.port();
    registry.register(&mut io, token, Interest::READABLE)?;
    Ok((io, port))
}

/// Fails if no socket can be opened at all, or not with a wanted address.
pub fn probe(local: [Option<IpAddr>; 2], registry: &Registry) -> io::Result<()> {
    let [local_v4, local_v6] = local;
    let try_open = |v4, local| {
        let (mut io, _) = open(v4, local, Token(usize::MAX), registry)?;
        registry.deregister(&mut io)
    };
    let (v4, v6) = (try_open(true, local_v4), try_open(false, local_v6));
    match (v4, v6) {
        (Err(error), _) if local_v4.is_some() => Err(error),
        (_, Err(error)) if local_v6.is_some() => Err(error),
        (Err(error), Err(_)) => Err(error),
        _ => Ok(()),
    }
}
