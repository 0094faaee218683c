//! One connection after its handshake: greeting, frames in, responses out (RFC 5730
//! section 2, RFC 5734 sections 2 to 4).
//!
//! Before a login there are hello and login, for a bounded time and number of frames. Each
//! frame is answered before the next is read, so a client that sends ahead waits. A whole
//! frame gains time; single octets gain none.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::server::TlsStream;

use super::super::code::Code;
use super::super::dispatch::{self, Registry};
use super::super::fault::Fault;
use super::super::frame::{self, Decoder};
use super::super::namespace::EPP;
use super::super::request::{Class, Command, Request};
use super::super::response::{Greeting, Response};
use super::super::services::Services;
use super::Shared;
use super::accounts::Seat;
use super::counters::{Open, Refusal};
use super::login::{self, Certificate, Outcome};
use super::sessions::{Listed, Sessions};
use crate::net::credentials::expires_at;
use crate::net::ending;
use crate::net::service::{Stop, stopped};
use crate::registry::access::Pin;
use crate::registry::{self, CommandError, Timestamp};

/// Octets read at once.
const READ_BYTES: usize = 4096;
/// Logins that are not authentic before the connection ends.
const FAILURES_MAX: u32 = 3;
/// Frames that a connection may send before it is logged in.
const FRAMES_BEFORE_LOGIN_MAX: u32 = 32;
/// Commands over the rate in a row before the session ends.
const EXCESS_MAX: u32 = 100;
/// Serves a connection to its end.
pub(super) async fn run(
    shared: &Shared,
    stream: TlsStream<TcpStream>,
    peer: SocketAddr,
    stop: Stop,
) -> io::Result<()> {
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(<[_]>::first).map(|der| Certificate {
        pin: Pin::of_certificate(der),
        ends_at: ends_at(der),
    });
    let client = login::Client {
        certificate,
        address: peer.ip(),
    };
    let limits = &shared.settings.limits;
    let listed = Sessions::open(&shared.sessions, peer, shared.now());
    let mut session = Session {
        shared,
        stream,
        stop,
        killed: listed.ended(),
        listed,
        client,
        decoder: Decoder::new(limits.frame_bytes_max),
        input: Vec::new(),
        is_in: None,
        services: Services::all(&shared.settings.offer),
        failures: 0,
        frames: 0,
        excess: 0,
        ends_at: Instant::now() + limits.login_timeout,
    };
    session.serve().await
}

/// The end of a certificate's time.
fn ends_at(der: &[u8]) -> Option<Timestamp> {
    let seconds = i64::try_from(expires_at(der)?).ok()?;
    Some(Timestamp(seconds.saturating_mul(1_000_000)))
}

/// A registrar that is logged in.
struct In<'s> {
    seat: Seat,
    _counted: Open<'s>,
}

struct Session<'s> {
    shared: &'s Shared,
    stream: TlsStream<TcpStream>,
    stop: Stop,
    /// Set when an operator ends it.
    killed: watch::Receiver<bool>,
    listed: Listed,
    client: login::Client,
    decoder: Decoder,
    /// What was read and is not in the decoder yet: at most one read.
    input: Vec<u8>,
    is_in: Option<In<'s>>,
    services: Services,
    failures: u32,
    frames: u32,
    excess: u32,
    /// Whatever is done until then.
    ends_at: Instant,
}

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Read,
    Close,
}

/// What is read next.
enum Input {
    Frame(Vec<u8>),
    /// Octets that cannot be followed.
    Broken(frame::LengthError),
    /// Nothing more, for whatever reason.
    End,
}

impl Session<'_> {
    async fn serve(&mut self) -> io::Result<()> {
        let greeting = self.greeting();
        self.send(&greeting).await?;
        loop {
            let (xml, next) = match self.next_input().await? {
                Input::End => return self.end().await,
                Input::Broken(error) => (self.broken(error), Next::Close),
                Input::Frame(octets) => self.answer(&octets).await,
            };
            self.send(&xml).await?;
            if next == Next::Close {
                // Whoever counts sessions sees this one gone before the client does.
                self.is_in = None;
                return self.linger().await;
            }
        }
    }

    fn greeting(&self) -> String {
        let greeting = Greeting {
            server: self.shared.settings.name.clone(),
            at: self.shared.now(),
            offer: self.shared.settings.offer.clone(),
        };
        greeting.write()
    }

    async fn next_input(&mut self) -> io::Result<Input> {
        let idle = Instant::now() + self.shared.settings.limits.idle_timeout;
        let deadline = idle.min(self.ends_at);
        loop {
            if self.listed.is_ended() {
                return Ok(self.killed());
            }
            let mut rest = &self.input[..];
            let read = self.decoder.read(&mut rest);
            let used = self.input.len() - rest.len();
            self.input.drain(..used);
            match read {
                Ok(Some(frame)) => return Ok(Input::Frame(frame)),
                Ok(None) => {}
                Err(error) => return Ok(Input::Broken(error)),
            }
            self.input.reserve(READ_BYTES);
            let read = tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return Ok(Input::End),
                () = stopped(&mut self.killed) => return Ok(self.killed()),
                read = timeout_at(deadline, self.stream.read_buf(&mut self.input)) => read,
            };
            match read {
                Ok(Ok(0)) => return Ok(Input::End),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    let refusal = match (&self.is_in, deadline == self.ends_at) {
                        (None, _) => Refusal::NoLogin,
                        (Some(_), true) => Refusal::Age,
                        (Some(_), false) => Refusal::Idle,
                    };
                    self.shared.counters.refuse(refusal);
                    return Ok(Input::End);
                }
            }
        }
    }

    fn killed(&self) -> Input {
        self.shared.counters.refuse(Refusal::Killed);
        Input::End
    }

    fn broken(&self, error: frame::LengthError) -> String {
        self.shared.counters.refuse(Refusal::Length);
        let fault = Fault::new(Code::FailedClosing, (EPP, "epp"), "", error.to_string());
        self.refusal(fault, None)
    }

    fn refusal(&self, fault: Fault, client_transaction: Option<String>) -> String {
        let transaction = self.shared.transaction();
        Response::refused(fault, client_transaction, transaction).write(&self.services)
    }

    /// Answers a frame.
    async fn answer(&mut self, octets: &[u8]) -> (String, Next) {
        let begin = Instant::now();
        let read = Request::read(octets);
        let class = read
            .as_ref()
            .map_or(Class::Session, |request| request.command.class());
        let name = read
            .as_ref()
            .map_or("refused", |request| request.command.name());
        let answered = match self.refuse_excess(read.as_ref().ok()) {
            Some(refused) => refused,
            None => self.obey(read).await,
        };
        self.shared.counters.command(class, begin.elapsed());
        self.listed.said(name, self.shared.now());
        answered
    }

    /// More than may be said, by who is logged in or is not.
    fn refuse_excess(&mut self, request: Option<&Request>) -> Option<(String, Next)> {
        let client = request.and_then(|request| request.client_transaction.clone());
        let place = (EPP, "command");
        let Some(is_in) = &self.is_in else {
            self.frames += 1;
            if self.frames <= FRAMES_BEFORE_LOGIN_MAX {
                return None;
            }
            self.shared.counters.refuse(Refusal::NoLogin);
            let reason = format!("{FRAMES_BEFORE_LOGIN_MAX} frames and no login");
            let fault = Fault::new(Code::AuthenticationClosing, place, "", reason);
            return Some((self.refusal(fault, client), Next::Close));
        };
        let is_logout = request.is_some_and(|request| request.command == Command::Logout);
        let class = request.map_or(Class::Session, |request| request.command.class());
        let most = match is_in.seat.may_say(class, self.shared.now()) {
            Err(most) if !is_logout => most,
            _ => {
                self.excess = 0;
                return None;
            }
        };
        self.shared.counters.refuse(Refusal::Rate);
        self.excess += 1;
        let what = match class {
            Class::Transform => "commands that change something",
            Class::Session | Class::Query => "commands",
        };
        let reason = format!("more than {most} {what} a second; wait and say it again");
        let (code, next) = match self.excess > EXCESS_MAX {
            true => (Code::SessionLimit, Next::Close),
            false => (Code::Failed, Next::Read),
        };
        Some((
            self.refusal(Fault::new(code, place, "", reason), client),
            next,
        ))
    }

    async fn obey(
        &mut self,
        read: Result<Request, super::super::request::Refused>,
    ) -> (String, Next) {
        let registrar = self.is_in.as_ref().map(|is_in| &is_in.seat.registrar);
        let session = dispatch::Session {
            registrar,
            services: &self.services,
            lab: self.shared.settings.lab,
        };
        let request = match read {
            Ok(request) => request,
            Err(refused) => {
                let response = dispatch::refuse(&session, refused, &self.shared.transaction());
                return (response.write(&self.services), Next::Read);
            }
        };
        match &request.command {
            Command::Hello => (self.greeting(), Next::Read),
            Command::Login(login) if registrar.is_none() => {
                let client = request.client_transaction.clone();
                let outcome = login::log_in(self.shared, login, &self.client, client).await;
                self.logged_in(outcome)
            }
            _ => {
                let (at, name) = (self.shared.now(), self.shared.transaction());
                let answer = dispatch::answer(self.shared, &session, &request, at, &name);
                let response = Box::pin(answer).await;
                let next = match response.code {
                    Code::Ending => Next::Close,
                    _ => Next::Read,
                };
                (response.write(&self.services), next)
            }
        }
    }

    fn logged_in(&mut self, outcome: Outcome) -> (String, Next) {
        let (mut response, next) = match outcome {
            Outcome::In(response, seat, services) => {
                let limit = self.shared.settings.limits.session_timeout;
                self.ends_at = Instant::now() + limit;
                self.services = services;
                self.listed.logged_in(&seat.registrar, self.shared.now());
                let _counted = self.shared.counters.login();
                self.is_in = Some(In { seat, _counted });
                (response, Next::Read)
            }
            Outcome::Out(response) => (response, Next::Read),
            Outcome::Closed(response) => (response, Next::Close),
            Outcome::Unknown(response) => {
                self.failures += 1;
                match self.failures < FAILURES_MAX {
                    true => (response, Next::Read),
                    false => (response, Next::Close),
                }
            }
        };
        if next == Next::Close && response.code == Code::Authentication {
            response.code = Code::AuthenticationClosing;
        }
        (response.write(&self.services), next)
    }

    async fn send(&mut self, xml: &str) -> io::Result<()> {
        let frame = frame::encode(xml);
        let limit = self.shared.settings.limits.write_timeout;
        let written = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await
        };
        match timeout(limit, written).await {
            Ok(written) => written,
            Err(_) => {
                self.shared.counters.refuse(Refusal::WriteTime);
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }

    /// Says that nothing follows.
    async fn end(&mut self) -> io::Result<()> {
        ending::end(&mut self.stream, self.shared.settings.limits.write_timeout).await
    }

    /// Ends a connection whose client may be sending still.
    async fn linger(&mut self) -> io::Result<()> {
        self.end().await?;
        ending::linger(&mut self.stream, stopped(&mut self.stop)).await;
        Ok(())
    }
}

impl Registry for Shared {
    async fn execute(&self, request: registry::Request) -> Result<registry::Outcome, CommandError> {
        let outcome = Box::pin(self.store.execute(request)).await;
        let is_changed = outcome.as_ref().is_ok_and(|done| done.event().is_some());
        if is_changed {
            (self.settings.wake)();
        }
        outcome
    }
}
