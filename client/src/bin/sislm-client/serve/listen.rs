// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the server listens: addresses, UNIX sockets, and sockets that systemd has opened.

use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::{fs, io, net};

use anyhow::{bail, Context};
use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use super::access::{is_local, Peer};
use super::stream::Stream;
use crate::place::Place;

/// An open socket.
pub(super) enum Listener {
    /// Of TCP.
    Tcp(TcpListener),
    /// Of a file, which is removed at the end where the server has made it.
    Unix(UnixListener, Option<PathBuf>),
}

impl Listener {
    /// Those of systemd, else those of `places`, else the default one.
    pub(super) fn open_all(places: &[Place]) -> anyhow::Result<Vec<Self>> {
        let mut given = ListenFd::from_env();
        if given.len() == 0 {
            let default = [Place::default()];
            let places = if places.is_empty() { &default } else { places };
            return places.iter().map(Self::open).collect();
        }
        if !places.is_empty() {
            bail!("systemd has opened the sockets: leave --listen out");
        }
        (0..given.len())
            .map(|place| Self::given(&mut given, place))
            .collect()
    }

    fn given(all: &mut ListenFd, place: usize) -> anyhow::Result<Self> {
        let what = "a socket from systemd is not one that can be listened at";
        if let Ok(Some(socket)) = all.take_tcp_listener(place) {
            return Self::tcp(socket).context(what);
        }
        let socket = all.take_unix_listener(place).context(what)?.context(what)?;
        Self::unix(socket, None).context(what)
    }

    fn open(place: &Place) -> anyhow::Result<Self> {
        match place {
            Place::Tcp(address) => {
                let what =
                    || format!("cannot listen at {address}: choose another port with --listen");
                Self::tcp(net::TcpListener::bind(address).with_context(what)?).with_context(what)
            }
            Place::Unix(path) => {
                let what = || format!("cannot listen at {}", path.display());
                let socket = bind(path).with_context(what)?;
                Self::unix(socket, Some(path.clone())).with_context(what)
            }
        }
    }

    fn tcp(socket: net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket).map(Self::Tcp)
    }

    fn unix(socket: StdUnixListener, path: Option<PathBuf>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self::Unix(UnixListener::from_std(socket)?, path))
    }

    /// Whether others than this machine's programs reach it.
    pub(super) fn is_public(&self) -> bool {
        match self {
            Self::Tcp(socket) => !socket
                .local_addr()
                .is_ok_and(|address| is_local(address.ip())),
            Self::Unix(..) => false,
        }
    }

    /// What to say of it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tcp(socket) => match socket.local_addr() {
                Ok(address) => format!("http://{address}"),
                Err(_) => "a socket".into(),
            },
            Self::Unix(_, Some(path)) => format!("unix:{}", path.display()),
            Self::Unix(_, None) => "a UNIX socket of systemd".into(),
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                // Tokens are small, and are to come when they are there.
                stream.set_nodelay(true)?;
                Ok((Stream::tcp(stream), Peer::Tcp(address)))
            }
            Self::Unix(socket, _) => {
                let (stream, _) = socket.accept().await?;
                let peer = Peer::Unix(stream.peer_cred()?.uid());
                Ok((Stream::unix(stream), peer))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, Some(path)) = self {
            // Somebody else may have removed it.
            let _ = fs::remove_file(path);
        }
    }
}

/// Binds a socket's file. One that a server left behind is removed first.
fn bind(path: &Path) -> io::Result<StdUnixListener> {
    use std::os::unix::net::UnixStream;
    match StdUnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match UnixStream::connect(path) {
            Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path)?;
                StdUnixListener::bind(path)
            }
            _ => Err(error),
        },
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_left_behind_is_taken_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let place = Place::Unix(path.clone());
        drop(StdUnixListener::bind(&path).unwrap());
        let listener = Listener::open(&place).unwrap();
        assert!(!listener.is_public());
        assert!(Listener::open(&place).is_err());
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn all_addresses_are_public() {
        let is_public = |text: &str| Listener::open(&text.parse().unwrap()).unwrap().is_public();
        assert!(is_public("0.0.0.0:0"));
        assert!(!is_public("127.0.0.1:0"));
    }
}
