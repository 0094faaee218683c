use proptest::prelude::*;

use super::super::namespace::{RGP, SEC_DNS};
use super::super::request::Request;
use super::super::services::Offer;
use super::super::xml;
use super::*;

const AT: Timestamp = Timestamp(1_520_850_000_000_000);

fn services() -> Services {
    Services::all(&Offer::default())
}

fn written(response: &Response, services: &Services) -> xml::Element {
    let text = response.write(services);
    let root = xml::read(text.as_bytes()).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    root.child("response").unwrap().clone()
}

#[test]
fn a_response_has_its_fixed_text_and_both_names() {
    for code in Code::ALL {
        let response = Response::new(*code, Some("ABC-1".into()), "M-7");
        let root = written(&response, &services());
        let result = root.child("result").unwrap();
        assert_eq!(result.attribute("code"), Some(code.number().to_string()));
        let message = result.child("msg").unwrap();
        assert_eq!(
            (&*message.text as &str, message.attribute("lang")),
            (code.text(), Some("en".into()))
        );
        let names = root.child("trID").unwrap();
        assert_eq!(&*names.child("clTRID").unwrap().text as &str, "ABC-1");
        assert_eq!(&*names.child("svTRID").unwrap().text as &str, "M-7");
    }
    let response = Response::new(Code::Done, None, "M-7");
    let names = written(&response, &services())
        .child("trID")
        .unwrap()
        .clone();
    assert!(names.child("clTRID").is_none(), "absent stays absent");
}

#[test]
fn a_fault_names_its_element_and_rule() {
    let frame = b"<epp xmlns='urn:ietf:params:xml:ns:epp-1.0'><command><delete>\n<domain:delete \
        xmlns:domain='urn:ietf:params:xml:ns:domain-1.0'><domain:name>-</domain:name>\
        </domain:delete></delete></command></epp>";
    let refused = Request::read(frame).unwrap_err();
    let response = Response::refused(*refused.fault, None, "R-1-1");
    let text = response.write(&services());
    let value = "<value><domain:name xmlns:domain=\"urn:ietf:params:xml:ns:domain-1.0\">-</domain:name></value>";
    assert!(text.contains(value), "{text}");
    assert!(
        text.contains("<reason lang=\"en\">name, line 2: "),
        "{text}"
    );
}

#[test]
fn what_was_not_declared_is_moved_and_nothing_is_lost() {
    let mut response = Response::new(Code::Done, None, "R-1-1");
    response.data = Some(Data::DomainRenewed {
        name: "a.tld".into(),
        expires_at: Some(AT),
    });
    response.extensions = vec![ExtensionReply::RgpInfo(vec!["addPeriod".into()])];
    let root = written(&response, &services());
    assert!(root.child("resData").is_some() && root.child("extension").is_some());
    let mut offer = Offer::default();
    offer.extensions.retain(|uri| uri == SEC_DNS);
    let text = response.write(&Services::all(&offer));
    assert!(
        text.contains("<resData>") && !text.contains("<extension>"),
        "{text}"
    );
    assert!(
        text.contains(&format!("<reason>{RGP} not in login services</reason>")),
        "{text}"
    );
    offer.objects.clear();
    let root = written(&response, &Services::all(&offer));
    assert!(root.child("resData").is_none());
    assert_eq!(root.child("result").unwrap().children.len(), 3);
}

#[test]
fn the_greeting_lists_what_is_offered() {
    let greeting = Greeting {
        server: "registry <1>".into(),
        at: AT,
        offer: Offer::default(),
    };
    let root = xml::read(greeting.write().as_bytes()).unwrap();
    let greeting = root.child("greeting").unwrap();
    assert_eq!(
        &*greeting.child("svID").unwrap().text as &str,
        "registry <1>"
    );
    let menu = greeting.child("svcMenu").unwrap();
    let uris = menu.child("svcExtension").unwrap();
    let uris: Vec<&str> = uris.children.iter().map(|uri| &**uri.text).collect();
    assert_eq!(uris, namespace::EXTENSIONS);
}

#[test]
fn an_action_that_was_finished_is_told() {
    let mut response = Response::new(Code::Message, None, "R-1-1");
    response.data = Some(Data::Finished(Finished {
        namespace: DOMAIN,
        name: "a.tld".into(),
        is_done: false,
        client_transaction: Some("ABC-1".into()),
        server_transaction: "M-3".into(),
        at: AT,
    }));
    let data = written(&response, &services())
        .child("resData")
        .unwrap()
        .children[0]
        .clone();
    assert!(data.is(DOMAIN, "panData"));
    let ids = data.child("paTRID").unwrap();
    assert!(ids.children.iter().all(|id| &*id.namespace == EPP));
    assert_eq!(
        data.child("name").unwrap().attribute("paResult").as_deref(),
        Some("0")
    );
}

#[test]
fn a_reason_is_cut_at_a_word_where_the_schema_has_no_room() {
    assert_eq!(brief("in use"), "in use");
    assert_eq!(brief(""), "-");
    assert_eq!(
        brief("more than one label below some.where"),
        "more than one label below…"
    );
    assert_eq!(brief(&"x".repeat(40)).chars().count(), 32);
}

proptest! {
    #[test]
    fn any_texts_make_a_response_that_is_read(
        texts in proptest::collection::vec(any::<String>(), 6),
    ) {
        let [client, server, value, reason, name, queue] = &texts[..] else {
            return Err(TestCaseError::fail("six"));
        };
        let mut response = Response::new(Code::ParameterPolicy, Some(client.clone()), server);
        response.details.push(Detail {
            namespace: DOMAIN.into(),
            element: "name".into(),
            value: value.clone(),
            reason: reason.clone(),
        });
        response.queue = Some(Queue {
            count: 1,
            id: name.clone(),
            queued_at: Some(AT),
            text: Some(queue.clone()),
        });
        let check = Check { name: name.clone(), reason: Some(reason.clone()) };
        response.data = Some(Data::HostCheck(vec![check]));
        for services in [services(), Services::all(&Offer { objects: Vec::new(), ..Offer::default() })] {
            let root = written(&response, &services);
            let shown = &root.child("trID").unwrap().child("clTRID").unwrap().text;
            let expected: String = client
                .chars()
                .map(|c| if xml::is_character(c) { c } else { '\u{fffd}' })
                .collect();
            prop_assert_eq!(&**shown, &expected);
        }
    }
}
