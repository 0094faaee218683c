//! A parent that answers as it should, and parents that do not.

use std::net::UdpSocket as StdSocket;

use super::*;
use crate::registry::Timestamp;
use crate::registry::command::keys::KeyInfo;
use crate::registry::signing::{KeyRole, SigningPolicy};
use crate::registry::types::DnskeyData;

fn dnskey(octet: u8) -> DnskeyData {
    let mut rdata = vec![1, 1, 3, 13];
    rdata.extend([octet; 64]);
    DnskeyData::from_rdata(&rdata).unwrap()
}

fn zone(servers: &str) -> ZoneKeys {
    let key = |id: i64| {
        let dnskey = dnskey(u8::try_from(id).unwrap());
        KeyInfo {
            id: KeyId(id),
            role: KeyRole::Csk,
            key_tag: dnskey.key_tag(),
            dnskey,
            store: "database".to_owned(),
            created_at: Timestamp(0),
        }
    };
    ZoneKeys {
        refreshed_at: None,
        apex: "tld".parse().unwrap(),
        policy: SigningPolicy {
            parent_servers: servers.to_owned(),
            ..SigningPolicy::default()
        },
        revision: 1,
        resigned_at: Timestamp(0),
        keys: vec![key(1), key(2)],
        timeline: Timeline::default(),
    }
}

/// A server that answers one query with these DS records and flags.
fn parent(ds: &[Vec<u8>], flags: [u8; 2]) -> SocketAddr {
    let socket = StdSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let address = socket.local_addr().unwrap();
    let ds = ds.to_vec();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        let (length, peer) = socket.recv_from(&mut buffer).unwrap();
        // Somebody else's answer first: it is passed over.
        socket.send_to(b"\0\0nonsense", peer).unwrap();
        let mut answer = buffer[..length].to_vec();
        answer[2..4].copy_from_slice(&flags);
        answer[7] = u8::try_from(ds.len()).unwrap();
        for rdata in ds {
            answer.extend([0xc0, 12, 0, 43, 0, 1, 0, 0, 0, 60]);
            answer.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
            answer.extend(rdata);
        }
        socket.send_to(&answer, peer).unwrap();
    });
    address
}

const AUTHORITATIVE: [u8; 2] = [0x84, 0];

fn ds_of(octet: u8) -> Vec<u8> {
    let apex = Name::parse_absolute("tld").unwrap();
    ds_rdata(&apex, dnskey(octet).rdata(), DigestType::Sha256)
}

#[tokio::test]
async fn a_record_is_there_when_every_server_has_it() {
    let first = parent(&[ds_of(2), ds_of(9)], AUTHORITATIVE);
    let second = parent(&[ds_of(2)], AUTHORITATIVE);
    let found = ask(&zone(&format!("{first} {second}"))).await.unwrap();
    assert_eq!(found, [KeyId(2)]);
    let first = parent(&[ds_of(2)], AUTHORITATIVE);
    let second = parent(&[ds_of(1), ds_of(2)], AUTHORITATIVE);
    let error = ask(&zone(&format!("{first} {second}"))).await.unwrap_err();
    assert!(matches!(error, ParentError::Disagree), "{error}");
}

#[tokio::test]
async fn a_longer_ttl_than_the_policy_knows_confirms_nothing() {
    let server = parent(&[ds_of(2)], AUTHORITATIVE);
    let mut keys = zone(&server.to_string());
    keys.policy.ds_ttl = 59;
    let error = ask(&keys).await.unwrap_err().to_string();
    assert!(error.contains("--ds-ttl 60"), "{error}");
}

#[tokio::test]
async fn a_server_of_another_zone_decides_nothing() {
    for (flags, expected) in [([0x80, 0], "authoritative"), ([0x84, 5], "code 5")] {
        let server = parent(&[], flags);
        let error = ask(&zone(&server.to_string()))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = ask(&zone("ns1.example")).await.unwrap_err().to_string();
    assert!(error.contains("192.0.2.1:53"), "{error}");
}
