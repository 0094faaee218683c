use super::*;

#[test]
fn sessions_are_listed_while_they_are_open_and_ended_by_number() {
    let sessions = Arc::<Sessions>::default();
    let peer = SocketAddr::from(([192, 0, 2, 1], 1234));
    let first = Sessions::open(&sessions, peer, Timestamp(1));
    let second = Sessions::open(&sessions, peer, Timestamp(2));
    second.logged_in(&Handle::parse("reg-a").unwrap(), Timestamp(3));
    second.said("domain-check", Timestamp(4));
    let list = sessions.list();
    let numbers: Vec<_> = list.iter().map(|seen| (seen.id, seen.commands)).collect();
    assert_eq!(numbers, [(1, 0), (2, 1)]);
    assert_eq!(list[1].registrar.as_ref().unwrap().as_str(), "reg-a");
    assert_eq!(list[1].last_command, Some("domain-check"));
    assert_eq!(sessions.end(2).unwrap().peer, peer);
    assert!(second.is_ended() && !first.is_ended());
    assert_eq!(sessions.end(3), None);
    drop(second);
    assert_eq!(sessions.end(2), None);
    assert_eq!(sessions.list().len(), 1);
    // A number is used once.
    assert_eq!(Sessions::open(&sessions, peer, Timestamp(5)).id, 3);
}
