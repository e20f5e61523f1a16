// SPDX-License-Identifier: MIT OR Apache-2.0
//! As much of an HTTP client as the tests of the server need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use crate::report::Failure;

/// Time in which anything comes.
const LIMIT: Duration = Duration::from_secs(120);

/// A connection to the server.
pub(crate) trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// Connects to a UNIX socket, or to ADDRESS:PORT.
pub(crate) fn connect(place: &str) -> Result<Box<dyn Connection>, Failure> {
    if place.starts_with('/') {
        let stream = UnixStream::connect(place)?;
        stream.set_read_timeout(Some(LIMIT))?;
        return Ok(Box::new(stream));
    }
    let stream = TcpStream::connect(place)?;
    stream.set_read_timeout(Some(LIMIT))?;
    Ok(Box::new(stream))
}

/// A response, its body not read yet.
pub(crate) struct Response {
    /// The status.
    pub status: u16,
    /// The lines of the head, in lower case.
    pub head: Vec<String>,
    body: BufReader<Box<dyn Connection>>,
}

/// Sends a request, and does not wait for a response; `head` is more lines of its head.
pub(crate) fn open(
    place: &str,
    method: &str,
    path: &str,
    head: &str,
    body: &[u8],
) -> Result<Box<dyn Connection>, Failure> {
    let mut connection = connect(place)?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{head}\r\n"
    );
    // A server that refuses a request closes before it has read all of it; the response says why.
    let _ = connection.write_all(&[head.as_bytes(), body].concat());
    Ok(connection)
}

/// The same, with its response.
pub(crate) fn send(
    place: &str,
    method: &str,
    path: &str,
    head: &str,
    body: &[u8],
) -> Result<Response, Failure> {
    let mut body = BufReader::new(open(place, method, path, head, body)?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if body.read_line(&mut line)? == 0 {
            return Err("no response".into());
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
    let status = lines
        .first()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    Ok(Response {
        status: status.ok_or("no status")?,
        head: lines,
        body,
    })
}

/// Sends an object.
pub(crate) fn post(place: &str, path: &str, object: &Value) -> Result<Response, Failure> {
    let json = "content-type: application/json\r\n";
    send(place, "POST", path, json, object.to_string().as_bytes())
}

/// Asks for a path.
pub(crate) fn get(place: &str, path: &str) -> Result<Response, Failure> {
    send(place, "GET", path, "", b"")
}

impl Response {
    /// The value of a line of the head.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.iter().filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// The next piece of a body in chunks; None after the last one.
    pub(crate) fn chunk(&mut self) -> Result<Option<String>, Failure> {
        let mut line = String::new();
        if self.body.read_line(&mut line)? == 0 {
            return Err("the response ended before its last chunk".into());
        }
        let length = usize::from_str_radix(line.trim_end(), 16)?;
        let mut bytes = vec![0; length + 2];
        self.body.read_exact(&mut bytes)?;
        bytes.truncate(length);
        Ok((length > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The whole body.
    pub(crate) fn text(mut self) -> Result<String, Failure> {
        let mut text = String::new();
        if self.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk()? {
                text += &chunk;
            }
        } else {
            self.body.read_to_string(&mut text)?;
        }
        Ok(text)
    }

    /// The object in the body.
    pub(crate) fn object(self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.text()?)?)
    }
}

/// The objects of a stream of events, and whether it ended as streams do.
pub(crate) fn events(text: &str) -> Result<(Vec<Value>, bool), Failure> {
    let data = text
        .split("\n\n")
        .filter_map(|event| event.split_once("data: "));
    let (mut objects, mut done) = (Vec::new(), false);
    for (_, data) in data {
        match data {
            "[DONE]" => done = true,
            object => objects.push(serde_json::from_str(object)?),
        }
    }
    Ok((objects, done))
}
