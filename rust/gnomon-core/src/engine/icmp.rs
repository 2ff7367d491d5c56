//! What ICMP says about a datagram that was sent, read from the error queue of its socket (Linux, IP_RECVERR).
//!
//! An unconnected socket is otherwise told nothing. Elsewhere than on Linux such attempts end as timeouts.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use mio::net::UdpSocket;
use nix::sys::socket::SockaddrStorage;

/// An ICMP "destination unreachable" for a datagram to `peer` with the message ID `id`.
pub struct Unreachable {
    pub peer: SocketAddr,
    pub id: u16,
    pub errno: i32,
}

/// An address as the kernel tells it; flow label and scope are left out.
pub fn socket_addr(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = storage.as_sockaddr_in() {
        return Some(SocketAddrV4::new(v4.ip(), v4.port()).into());
    }
    let v6 = storage.as_sockaddr_in6()?;
    Some(SocketAddrV6::new(v6.ip(), v6.port(), 0, 0).into())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd;

    use nix::cmsg_space;
    use nix::libc::{self, sock_extended_err};
    use nix::sys::socket::{recvmsg, ControlMessageOwned, MsgFlags, SockaddrStorage};

    use super::{socket_addr, UdpSocket, Unreachable};

    const V4_UNREACHABLE: u8 = 3;
    const V4_FRAGMENTATION_NEEDED: u8 = 4;
    const V6_UNREACHABLE: u8 = 1;

    /// True if the error says that the destination cannot be reached, and not that a packet was too big or looped.
    fn is_unreachable(error: &sock_extended_err) -> bool {
        match error.ee_origin {
            libc::SO_EE_ORIGIN_ICMP => {
                error.ee_type == V4_UNREACHABLE && error.ee_code != V4_FRAGMENTATION_NEEDED
            }
            libc::SO_EE_ORIGIN_ICMP6 => error.ee_type == V6_UNREACHABLE,
            _ => false,
        }
    }

    /// Empty the error queue of `socket` into `found`.
    ///
    /// The kernel gives back the datagram that ICMP quotes; without an ID in it nothing proves which query it was.
    pub fn drain(socket: &UdpSocket, found: &mut Vec<Unreachable>) {
        let mut quoted = [0u8; 64];
        let mut control = cmsg_space!(sock_extended_err, libc::sockaddr_in6);
        loop {
            let mut slices = [IoSliceMut::new(&mut quoted)];
            let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
            let Ok(message) = recvmsg::<SockaddrStorage>(
                socket.as_raw_fd(),
                &mut slices,
                Some(&mut control),
                flags,
            ) else {
                return;
            };
            let peer = message.address.as_ref().and_then(socket_addr);
            let errno = message
                .cmsgs()
                .ok()
                .into_iter()
                .flatten()
                .find_map(|part| match part {
                    ControlMessageOwned::Ipv4RecvErr(error, _)
                    | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                        is_unreachable(&error).then_some(error.ee_errno as i32)
                    }
                    _ => None,
                });
            let id = (message.bytes >= 2).then(|| u16::from_be_bytes([quoted[0], quoted[1]]));
            if let (Some(peer), Some(errno), Some(id)) = (peer, errno, id) {
                found.push(Unreachable { peer, id, errno });
            }
        }
    }
}

#[cfg(target_os = "linux")]
pub use linux::drain;

#[cfg(not(target_os = "linux"))]
pub fn drain(_socket: &UdpSocket, _found: &mut Vec<Unreachable>) {}
