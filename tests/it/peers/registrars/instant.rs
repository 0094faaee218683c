//! instant-epp, a client of EPP in Rust.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use instant_epp::client::Connector;
use instant_epp::common::NoExtension;
use instant_epp::contact::{self, Address, ContactCreate, ContactInfo, PostalInfo};
use instant_epp::domain::update::{DomainAdd, DomainChangeInfo, DomainRemove};
use instant_epp::domain::{
    DomainAuthInfo, DomainCheck, DomainCreate, DomainDelete, DomainInfo, DomainRenew,
    DomainTransfer, DomainUpdate, HostInfo, HostObj, InfoData, NameServers, ONE_YEAR, Status,
};
use instant_epp::extensions::rgp::RgpStatus;
use instant_epp::extensions::rgp::report::{self, RgpRestoreReport};
use instant_epp::extensions::rgp::request::{self, RgpRequestResponse, RgpRestoreRequest};
use instant_epp::host::HostCreate;
use instant_epp::login::Login;
use instant_epp::logout::Logout;
use instant_epp::poll::{Ack, Poll as NextMessage, PollData};
use instant_epp::request::{Command, Transaction};
use instant_epp::response::{Response, ResultCode};
use instant_epp::{EppClient, Error};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::epp::live::{Live, NAME, PASSWORD, client_config};
use crate::epp::recorder::Recorder;
use crate::support::PATIENCE;

const DOMAIN: &str = "instant.tld";
const AUTH: &str = "Zk3vQ8!nR5tW2yB7mX4cJ6hG9pL1sD";
const SERVERS: [&str; 2] = ["ns1.instant.example", "ns2.instant.example"];
/// What a session declares that restores domains. The client reads an extension only where
/// it has asked for one, so its other sessions declare none, and are told by RFC 9038.
const EXTENSIONS: [&str; 1] = ["urn:ietf:params:xml:ns:rgp-1.0"];

/// Connects a registrar.
struct Door {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    frames: PathBuf,
}

impl Connector for Door {
    type Connection = Recorded;

    fn connect<'s, 'f>(
        &'s self,
        _timeout: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<Recorded, Error>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let stream = TcpStream::connect(self.address).await?;
            let name = ServerName::try_from(NAME).unwrap();
            let connector = TlsConnector::from(Arc::clone(&self.config));
            let stream = connector.connect(name, stream).await?;
            let recorder = Recorder::to(Some(self.frames.clone()));
            Ok(Recorded { stream, recorder })
        })
    }
}

/// A stream whose octets are kept.
struct Recorded {
    stream: TlsStream<TcpStream>,
    recorder: Recorder,
}

impl AsyncRead for Recorded {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.recorder.heard(&buffer.filled()[before..]);
        read
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, octets);
        if let Poll::Ready(Ok(count)) = written {
            this.recorder.said(&octets[..count]);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// A registrar.
struct Registrar {
    client: EppClient<Door>,
    commands: u32,
}

impl Registrar {
    async fn log_in(live: &Live, who: &str, frames: &Path, extensions: &[&str]) -> Self {
        let door = Door {
            address: live.address,
            config: client_config(&live.folder, Some(who)),
            frames: frames.to_owned(),
        };
        let client = EppClient::new(door, who.to_owned(), PATIENCE)
            .await
            .unwrap();
        assert_eq!(client.greeting().unwrap().service_id, "Meridian");
        let mut registrar = Self {
            client,
            commands: 0,
        };
        let login = Login::new(who, PASSWORD, None, Some(extensions));
        registrar.say(&login).await;
        registrar
    }

    fn transaction(&mut self) -> String {
        self.commands += 1;
        format!("instant-{}", self.commands)
    }

    /// What is done at once.
    async fn say<C>(&mut self, command: &C) -> Response<C::Response, NoExtension>
    where
        C: Command + Transaction<NoExtension>,
    {
        let done = self.said(command).await;
        assert_eq!(code(&done), ResultCode::CommandCompletedSuccessfully);
        done
    }

    /// What is answered, if not refused.
    async fn said<C>(&mut self, command: &C) -> Response<C::Response, NoExtension>
    where
        C: Command + Transaction<NoExtension>,
    {
        let transaction = self.transaction();
        let answered = self.client.transact(command, &transaction).await;
        let answered = answered.unwrap_or_else(|error| panic!("{command:?}: {error:?}"));
        let echoed = answered.tr_ids.client_tr_id.as_deref();
        assert_eq!(echoed, Some(transaction.as_str()));
        answered
    }

    async fn info(&mut self, domain: &str) -> InfoData {
        let shown = self.say(&DomainInfo::new(domain, None)).await;
        shown.res_data.unwrap().into_inner()
    }

    /// The transfer that the next message is about, which is then taken from the queue.
    async fn hear_of_transfer(&mut self) -> String {
        let told = self.said(&NextMessage).await;
        assert_eq!(
            code(&told),
            ResultCode::CommandCompletedSuccessfullyAckToDequeue
        );
        let Some(PollData::DomainTransfer(transfer)) = told.res_data() else {
            panic!("{told:?}");
        };
        assert_eq!(
            (&*transfer.name, &*transfer.requester_id),
            (DOMAIN, "reg-b")
        );
        let message_id = &told.message_queue().unwrap().id;
        self.say(&Ack { message_id }).await;
        transfer.transfer_status.clone()
    }

    async fn log_out(mut self) {
        let ended = self.said(&Logout).await;
        assert_eq!(
            code(&ended),
            ResultCode::CommandCompletedSuccessfullyEndingSession
        );
        self.client.shutdown().await.unwrap();
    }
}

fn code<D, E>(response: &Response<D, E>) -> ResultCode {
    response.result.code
}

/// What a domain needs, and the domain.
async fn create(registrar: &mut Registrar) {
    registrar.client.hello().await.unwrap();
    let address = Address::new(
        &["1 Way"],
        "Town",
        None,
        Some("12345"),
        "NL".parse().unwrap(),
    );
    let kind = contact::InfoType::International;
    let postal = PostalInfo::new(kind, "A. Person", Some("Company"), address);
    let holder = ContactCreate::new("instant", "person@example.com", postal, None, "");
    registrar.say(&holder).await;
    let shown = registrar.say(&ContactInfo::new("instant", "")).await;
    assert_eq!(shown.res_data().unwrap().email, "person@example.com");
    for server in SERVERS {
        registrar.say(&HostCreate::new(server, None)).await;
    }
    let check = DomainCheck {
        domains: &[DOMAIN, "-bad-.tld"],
    };
    let checked = registrar.say(&check).await;
    let available = checked.res_data().unwrap().list.iter();
    let available: Vec<_> = available.map(|one| one.name.available).collect();
    assert_eq!(available, [true, false]);
    let servers = SERVERS.map(|name| HostInfo::Obj(HostObj { name: name.into() }));
    let create = DomainCreate::new(
        DOMAIN,
        ONE_YEAR,
        Some(&servers),
        Some("instant"),
        AUTH,
        None,
    );
    let created = registrar.say(&create).await;
    assert_eq!(created.res_data().unwrap().name, DOMAIN);
}

/// A name server within the domain, a status that comes and goes, other authorization.
async fn update(registrar: &mut Registrar) {
    let own = "ns1.instant.tld";
    let addresses = [IpAddr::from([208, 77, 190, 220])];
    registrar.say(&HostCreate::new(own, Some(&addresses))).await;
    let servers = [HostInfo::Obj(HostObj { name: own.into() })];
    let mut update = DomainUpdate::new(DOMAIN);
    update.add(DomainAdd {
        ns: Some(NameServers {
            ns: servers.as_slice().into(),
        }),
        contacts: None,
        statuses: Some(&[Status::ClientHold]),
    });
    registrar.say(&update).await;
    let shown = registrar.info(DOMAIN).await;
    assert_eq!(shown.ns.unwrap().ns.len(), 3);
    assert_eq!(shown.statuses.unwrap(), [Status::ClientHold]);
    let mut update = DomainUpdate::new(DOMAIN);
    update.remove(DomainRemove {
        ns: None,
        contacts: None,
        statuses: Some(&[Status::ClientHold]),
    });
    update.info(DomainChangeInfo {
        registrant: None,
        auth_info: Some(DomainAuthInfo::new(AUTH)),
    });
    registrar.say(&update).await;
    let shown = registrar.info(DOMAIN).await;
    assert_eq!(shown.statuses.unwrap(), [Status::Ok]);
    assert!(shown.auth_info.is_none(), "never returned");
}

/// From `a` to `b`, with a message to each.
async fn transfer(a: &mut Registrar, b: &mut Registrar) {
    let asked = b
        .said(&DomainTransfer::new(DOMAIN, Some(ONE_YEAR), AUTH))
        .await;
    assert_eq!(
        code(&asked),
        ResultCode::CommandCompletedSuccessfullyActionPending
    );
    assert_eq!(asked.res_data().unwrap().transfer_status, "pending");
    assert_eq!(a.hear_of_transfer().await, "pending");
    a.say(&DomainTransfer::approve(DOMAIN)).await;
    assert_eq!(b.hear_of_transfer().await, "clientApproved");
    assert_eq!(b.info(DOMAIN).await.client_id, "reg-b");
    let empty = b.said(&NextMessage).await;
    assert_eq!(
        code(&empty),
        ResultCode::CommandCompletedSuccessfullyNoMessages
    );
}

/// Renewed, deleted, and back again by a session that can restore.
async fn end(registrar: &mut Registrar, restorer: &mut Registrar) {
    let before = registrar.info(DOMAIN).await.expiring_at.unwrap();
    let renew = DomainRenew::new(DOMAIN, before.date_naive(), ONE_YEAR);
    let renewed = registrar.say(&renew).await;
    let after = renewed.res_data().unwrap().expiring_at;
    assert!(after.unwrap() > before);
    let deleted = registrar.said(&DomainDelete::new(DOMAIN)).await;
    assert_eq!(
        code(&deleted),
        ResultCode::CommandCompletedSuccessfullyActionPending
    );
    let gone = registrar.info(DOMAIN).await;
    assert!(gone.statuses.unwrap().contains(&Status::PendingDelete));

    let update = DomainUpdate::new(DOMAIN);
    let restore = request::Update {
        data: RgpRestoreRequest::default(),
    };
    let transaction = restorer.transaction();
    let restoring = restorer.client.transact((&update, &restore), &transaction);
    let restoring = restoring.await.unwrap();
    let Some(RgpRequestResponse::Update(told)) = restoring.extension() else {
        panic!("{restoring:?}");
    };
    assert_eq!(told.rgp_status, [RgpStatus::PendingRestore]);
    let now = registrar.info(DOMAIN).await.updated_at.unwrap();
    let statements = ["for nobody else", "all this is true"];
    let (as_it_was, mistake) = ("as it was", "by mistake");
    let report = RgpRestoreReport::new(
        as_it_was,
        as_it_was,
        now,
        now,
        mistake,
        &statements,
        "nothing",
    );
    let report = report::Update { data: report };
    let transaction = restorer.transaction();
    let reported = restorer.client.transact((&update, &report), &transaction);
    let reported = reported.await.unwrap();
    assert_eq!(code(&reported), ResultCode::CommandCompletedSuccessfully);
    let back = registrar.info(DOMAIN).await;
    assert!(!back.statuses.unwrap().contains(&Status::PendingDelete));
}

/// The whole of it; every frame goes into a folder.
pub(super) fn live(live: &Live, frames: &Path) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(async {
        let mut a = Registrar::log_in(live, "reg-a", frames, &[]).await;
        let mut b = Registrar::log_in(live, "reg-b", frames, &[]).await;
        let mut restorer = Registrar::log_in(live, "reg-b", frames, &EXTENSIONS).await;
        create(&mut a).await;
        update(&mut a).await;
        transfer(&mut a, &mut b).await;
        end(&mut b, &mut restorer).await;
        for registrar in [a, b, restorer] {
            registrar.log_out().await;
        }
    });
}
