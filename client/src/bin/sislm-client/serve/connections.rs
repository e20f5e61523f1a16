// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections: accepted until the server stops, each within its limits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{watch, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::access::Peer;
use super::listen::Listener;
use super::stream::Stream;

/// Connections at once; others wait to be accepted.
const MOST: usize = 1024;
/// Time for the head of a request, from the first or last byte on.
const HEAD: Duration = Duration::from_secs(30);
/// Most headers of a request.
const HEADERS: usize = 64;
/// Bytes that are buffered of a connection, and so of a head.
const BUFFER: usize = 64 << 10;
/// Time after an error of accept, such as for want of descriptors.
const AGAIN: Duration = Duration::from_millis(100);
/// Time for connections to end once their turns are cancelled.
const LAST: Duration = Duration::from_secs(5);

/// Serves `router` at all listeners until `stop` says so. What is being answered then has `grace`; `cancel` ends the rest.
pub(super) async fn serve(
    listeners: Vec<Listener>,
    router: Router,
    stop: watch::Receiver<bool>,
    grace: Duration,
    cancel: impl FnOnce() + Send + 'static,
) {
    let graceful = Arc::new(GracefulShutdown::new());
    let doors = listeners.into_iter().map(|listener| Door {
        listener,
        router: router.clone(),
        places: Arc::new(Semaphore::new(MOST)),
        graceful: graceful.clone(),
    });
    let accepting: Vec<_> = doors
        .map(|door| tokio::spawn(door.accept(stop.clone())))
        .collect();
    for task in accepting {
        // A listener that ended has nobody left to tell.
        let _ = task.await;
    }
    // The doors are closed: nobody else has it.
    let Some(graceful) = Arc::into_inner(graceful) else {
        return;
    };
    let mut ended = Box::pin(graceful.shutdown());
    if timeout(grace, &mut ended).await.is_err() {
        // It waits for steps in flight.
        let _ = tokio::task::spawn_blocking(cancel).await;
        let _ = timeout(LAST, ended).await;
    }
}

/// A listener and what its connections get.
struct Door {
    listener: Listener,
    router: Router,
    places: Arc<Semaphore>,
    graceful: Arc<GracefulShutdown>,
}

impl Door {
    /// Accepts connections until the server stops.
    async fn accept(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let accepted = tokio::select! {
                accepted = self.next() => accepted,
                _ = stop.changed() => continue,
            };
            match accepted {
                Ok((place, stream, peer)) => self.connect(place, stream, peer),
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    /// The next connection, once there is a place for it.
    async fn next(&self) -> io::Result<(OwnedSemaphorePermit, Stream, Peer)> {
        let place = self
            .places
            .clone()
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (stream, peer) = self.listener.accept().await?;
        Ok((place, stream, peer))
    }

    fn connect(&self, place: OwnedSemaphorePermit, stream: Stream, peer: Peer) {
        let service = TowerToHyperService::new(self.router.clone().layer(Extension(peer)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_headers(HEADERS)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            // What a client did wrong, or that it went away.
            let _ = connection.await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;
    use tokio::sync::Notify;

    use super::*;
    use crate::place::Place;

    /// Asks a server for `path`, stops it once it has begun to answer, and gives what came; whether it was cancelled.
    async fn stopped(path: &str, grace: Duration) -> (String, bool) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let begun = Arc::new(Notify::new());
        let slow = |time| {
            let begun = begun.clone();
            move || async move {
                begun.notify_one();
                sleep(time).await;
                "whole"
            }
        };
        let router = Router::new()
            .route("/short", get(slow(Duration::from_millis(100))))
            .route("/endless", get(slow(Duration::from_secs(3600))));
        let listeners = Listener::open_all(&[Place::Unix(socket.clone())]).unwrap();
        let (stopper, stop) = watch::channel(false);
        let cancelled = Arc::new(AtomicBool::new(false));
        let cancel = {
            let cancelled = cancelled.clone();
            move || cancelled.store(true, Ordering::SeqCst)
        };
        let server = tokio::spawn(serve(listeners, router, stop, grace, cancel));
        let asked = tokio::spawn(ask(socket.clone(), path.to_owned()));
        begun.notified().await;
        stopper.send_replace(true);
        if grace < Duration::from_secs(1) {
            server.await.unwrap();
            return (String::new(), cancelled.load(Ordering::SeqCst));
        }
        let answer = asked.await.unwrap();
        server.await.unwrap();
        assert!(!Path::new(&socket).exists());
        (answer, cancelled.load(Ordering::SeqCst))
    }

    async fn ask(socket: std::path::PathBuf, path: String) -> String {
        let mut stream = UnixStream::connect(socket).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // The server closes it when it has answered.
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn what_is_being_answered_is_answered_to_its_end() {
        let (answer, cancelled) = stopped("/short", Duration::from_secs(60)).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("whole"),
            "{answer}"
        );
        assert!(!cancelled);
    }

    #[tokio::test]
    async fn what_takes_longer_than_the_grace_is_cancelled() {
        let (_, cancelled) = stopped("/endless", Duration::from_millis(10)).await;
        assert!(cancelled);
    }
}
