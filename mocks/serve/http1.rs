//! The loopback server: HTTP/1.1 over threads, on 127.0.0.1 only.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Method, Request, Response, Version};
use palisade_model::Time;

use super::Responder;
use crate::World;

/// Requests larger than this are not read: no read-only call comes near it.
const MOST_BYTES: usize = 8 << 20;

/// Serves one responder on the loopback interface.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    responder: Arc<Responder>,
}

impl Server {
    /// Takes `port` of 127.0.0.1 to serve a world; 0 takes a free one.
    pub fn bind(world: World, port: u16) -> io::Result<Server> {
        Server::of(Responder::new(world), port)
    }

    /// The same for a responder made by hand.
    pub fn of(responder: Responder, port: u16) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        Ok(Server {
            address: listener.local_addr()?,
            listener,
            responder: Arc::new(responder),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers for as long as the process lives: one thread for each connection.
    pub fn run(&self) {
        for stream in self.listener.incoming().flatten() {
            let responder = Arc::clone(&self.responder);
            thread::spawn(move || {
                // A client that goes away mid-sentence is no fault of the server.
                let _ = serve(&responder, stream);
            });
        }
    }

    /// The same in a thread of its own; the address it answers on.
    pub fn spawn(self) -> SocketAddr {
        let address = self.address;
        thread::spawn(move || self.run());
        address
    }
}

fn serve(responder: &Responder, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some((request, keep)) = read(&mut reader, &mut writer)? {
        let head_only = request.method() == Method::HEAD;
        let answer = responder.respond(request);
        write(&mut writer, &answer, head_only, keep)?;
        if !keep {
            break;
        }
    }
    Ok(())
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

/// The next request and whether the connection lives on; `None` when the client is done.
fn read(
    reader: &mut BufReader<TcpStream>,
    writer: &mut TcpStream,
) -> io::Result<Option<(Request<Vec<u8>>, bool)>> {
    let mut line = String::new();
    if reader.take(MOST_BYTES as u64).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut parts = line.split_whitespace();
    let (Some(method), Some(target), Some(version)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(bad("not a request line"));
    };
    let mut keep = version == "HTTP/1.1";
    let mut builder = Request::builder()
        .method(method)
        .uri(target)
        .version(Version::HTTP_11);
    let (mut length, mut chunked, mut expects) = (0, false, false);
    loop {
        let mut line = String::new();
        if reader.take(MOST_BYTES as u64).read_line(&mut line)? == 0 {
            return Err(bad("the headers end early"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("not a header"))?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "content-length" => length = value.parse().map_err(|_| bad("not a length"))?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "expect" => expects = value.eq_ignore_ascii_case("100-continue"),
            "connection" => keep = keep && !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
        builder = builder.header(name, value);
    }
    if expects {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = match chunked {
        true => chunks(reader)?,
        false => exactly(reader, length)?,
    };
    let request = builder.body(body).map_err(|_| bad("not a request"))?;
    Ok(Some((request, keep)))
}

fn exactly(reader: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    if length > MOST_BYTES {
        return Err(bad("too large"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

fn chunks(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| bad("not a chunk"))?;
        if body.len() + size > MOST_BYTES {
            return Err(bad("too large"));
        }
        body.extend(exactly(reader, size)?);
        let mut end = String::new();
        reader.read_line(&mut end)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn write(
    writer: &mut TcpStream,
    answer: &Response<Vec<u8>>,
    head_only: bool,
    keep: bool,
) -> io::Result<()> {
    let status = answer.status();
    let mut head = format!(
        "HTTP/1.1 {} {}\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or("Unknown")
    );
    head.push_str(&format!("date: {}\r\n", now()));
    let mut has_length = false;
    for (name, value) in answer.headers() {
        has_length |= name == http::header::CONTENT_LENGTH;
        head.push_str(name.as_str());
        head.push_str(": ");
        head.push_str(&String::from_utf8_lossy(value.as_bytes()));
        head.push_str("\r\n");
    }
    if !has_length {
        head.push_str(&format!("content-length: {}\r\n", answer.body().len()));
    }
    head.push_str(if keep {
        "connection: keep-alive\r\n\r\n"
    } else {
        "connection: close\r\n\r\n"
    });
    let mut bytes = head.into_bytes();
    if !head_only {
        bytes.extend_from_slice(answer.body());
    }
    writer.write_all(&bytes)?;
    writer.flush()
}

/// The time of day as HTTP writes it: clients compare it with their own clock.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    date(since.map_or(0, |since| since.as_secs()))
}

/// Source: RFC 9110, section 5.6.7, IMF-fixdate.
fn date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let stamp = Time(i64::try_from(seconds).unwrap_or_default()).to_string();
    let part = |from: usize, to: usize| stamp.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().unwrap_or(1);
    let weekday = DAYS[(seconds / 86_400 % 7) as usize];
    let month = MONTHS[(month + 11) % 12];
    format!(
        "{weekday}, {} {month} {} {} GMT",
        part(8, 10),
        part(0, 4),
        part(11, 19)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_writes_them() {
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
