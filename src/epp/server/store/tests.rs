//! What a registrar hands in waits until the name servers were asked that it gives to a domain.

use std::pin::Pin;

use super::*;
use crate::registry::testing::{NOW, engines, test_database};
use crate::registry::{Actor, Command};

/// Says of every server of a create what it is told to say.
struct Said(Option<&'static str>);

impl AskServers for Said {
    fn before<'a>(
        &'a self,
        request: &'a Request,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Request>, CommandError>> + Send + 'a>> {
        Box::pin(async {
            let command = serde_json::to_value(&request.command).unwrap();
            let Some(create) = command.pointer("/domain/create") else {
                return Ok(None);
            };
            let hosts = create["hosts"].as_array().unwrap().iter();
            let servers: Vec<_> = hosts
                .map(|host| serde_json::json!({ "host": host, "fault": self.0 }))
                .collect();
            let said = serde_json::json!({ "domain": { "servers": {
                "name": create["name"], "servers": servers } } });
            Ok(Some(Request {
                actor: Actor::system("name-servers"),
                command: serde_json::from_value(said).unwrap(),
                ..request.clone()
            }))
        })
    }
}

fn request(actor: Actor, command: &str) -> Request {
    let command: Command = serde_json::from_str(command).unwrap();
    Request {
        actor,
        at: NOW,
        lab: true,
        command,
    }
}

#[tokio::test]
async fn name_servers_are_asked_before_a_registrar_is_heard() {
    const STAGE: [&str; 5] = [
        r#"{"zone":{"create":{"apex":"tld","mname":"ns1.nic.example","rname":"h.nic.example","records":["tld. 60 NS ns1.nic.example."]}}}"#,
        r#"{"zone":{"policy":{"apex":"tld","change":{"server-check":"require"}}}}"#,
        r#"{"registrar":{"create":{"handle":"reg-a","name":"A"}}}"#,
        r#"{"host":{"create":{"name":"ns1.ext.example","registrar":"reg-a"}}}"#,
        r#"{"host":{"create":{"name":"ns2.ext.example","registrar":"reg-a"}}}"#,
    ];
    for engine in engines() {
        let mut test = test_database(engine).await;
        for command in STAGE {
            let request = request(Actor::operator("test"), command);
            Box::pin(test.database.execute(&request)).await.unwrap();
        }
        let mut codes = Vec::new();
        for (name, fault) in [("a.tld", Some("answers with code 5")), ("b.tld", None)] {
            let store = Store::new(test.location.clone(), Arc::new(Said(fault)));
            let held = store.try_to_write().await.unwrap();
            let command = format!(
                r#"{{"domain":{{"create":{{"name":"{name}","hosts":["ns1.ext.example","ns2.ext.example"]}}}}}}"#
            );
            let request = request(Actor::registrar("reg-a".parse().unwrap()), &command);
            let code = match Box::pin(store.execute(request)).await {
                Ok(outcome) => outcome.code(),
                Err(CommandError::Rejected(rejection)) => {
                    assert_eq!(rejection.reason, "answers with code 5");
                    rejection.code
                }
                Err(error) => panic!("{error}"),
            };
            codes.push(code.number());
            drop(store);
            held.await.unwrap().unwrap();
        }
        assert_eq!(codes, [2306, 1000], "{engine:?}");
    }
}
