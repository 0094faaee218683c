//! Servers of a few lines that answer as the real ones do.

use std::net::TcpListener;

use super::*;

/// Answers each connection by `answer` until its end; the address.
fn serve(answer: fn(&mut BufReader<TcpStream>)) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            std::thread::spawn(move || answer(&mut stream));
        }
    });
    Target::new(address).unwrap()
}

fn plan(service: Service, server: Target) -> Plan {
    Plan {
        service,
        server,
        names: vec!["there.tld".to_owned(), "missing.tld".to_owned()],
        clients: 2,
        time: Duration::from_millis(200),
    }
}

#[test]
fn answers_are_told_apart() {
    let whois = serve(|stream| {
        let mut line = String::new();
        let _ = stream.read_line(&mut line);
        let text: &[u8] = match line.contains("there") {
            true => b"Domain Name: there.tld\r\n",
            false => b"No match for domain \"missing.tld\".\r\n",
        };
        let _ = stream.get_mut().write_all(text);
    });
    let report = run(&plan(Service::Whois, whois)).unwrap();
    assert!(report.found > 0 && report.missing > 0, "{report}");
    assert_eq!(report.other, 0, "{report}");
    let rdap = serve(|stream| {
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
            if line.ends_with("\r\n\r\n") {
                let status = if line.contains("there") { 200 } else { 404 };
                let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}");
                let _ = stream.get_mut().write_all(text.as_bytes());
                line.clear();
            }
        }
    });
    let report = run(&plan(Service::Rdap, rdap)).unwrap();
    assert!(report.found > 0 && report.missing > 0, "{report}");
    assert_eq!(report.other, 0, "{report}");
    assert!(report.median <= report.p99 && report.p99 <= report.p999);
}

#[test]
fn refusals_are_no_answers() {
    let rdap = serve(|stream| {
        let mut line = String::new();
        let _ = stream.read_line(&mut line);
        let refused = b"HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n";
        let _ = stream.get_mut().write_all(refused);
    });
    let report = run(&plan(Service::Rdap, rdap)).unwrap();
    assert_eq!((report.found, report.missing), (0, 0));
    assert!(report.other > 0);
}

#[test]
fn names_are_first_words_of_lines() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a.tld. NS\nname,registrar\nb.tld,reg-1,x\n\n").unwrap();
    assert_eq!(read_names(file.path()).unwrap(), ["a.tld", "b.tld"]);
    std::fs::write(file.path(), "name\n").unwrap();
    assert!(read_names(file.path()).is_err());
}
