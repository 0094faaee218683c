//! BIRD's side of the conversation, as BIRD 2.0 has it (doc/reply_codes of its sources).

use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use super::*;

/// Answers each connection with the next of these replies, after a greeting; gives what it
/// was told.
fn bird(replies: &'static [&'static str]) -> (Bird, JoinHandle<Vec<String>>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bird.ctl");
    let listener = UnixListener::bind(&socket).unwrap();
    let told = std::thread::spawn(move || {
        let mut told = Vec::new();
        for reply in replies {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"0001 BIRD 2.0.12 ready.\n").unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            told.push(line);
            stream.write_all(reply.as_bytes()).unwrap();
        }
        told
    });
    let protocol = "meridian".to_owned();
    (Bird { socket, protocol }, told, folder)
}

#[test]
fn it_is_enabled_and_disabled_by_name() {
    let replies = &[
        "0011-meridian: enabled\n0000 \n",
        "0010-meridian: already enabled\n0000 \n",
        "0009-meridian: disabled\n0000 \n",
    ];
    let (bird, told, _folder) = bird(replies);
    bird.set(Route::Announced).unwrap();
    bird.set(Route::Announced).unwrap();
    bird.set(Route::Withdrawn).unwrap();
    let told = told.join().unwrap();
    assert_eq!(
        told,
        [
            "enable \"meridian\"\n",
            "enable \"meridian\"\n",
            "disable \"meridian\"\n"
        ]
    );
}

#[test]
fn its_state_is_read() {
    let replies = &[
        "2002-Name       Proto      Table      State  Since         Info\n\
         1002-meridian   Static     master4    up     10:11:12.131  \n\
         0000 \n",
        "2002-Name       Proto      Table      State  Since         Info\n\
         1002-meridian   Static     master4    down   10:11:12.131  \n\
         0000 \n",
    ];
    let (bird, _told, _folder) = bird(replies);
    assert_eq!(bird.route().unwrap(), Route::Announced);
    assert_eq!(bird.route().unwrap(), Route::Withdrawn);
}

#[test]
fn a_refusal_and_a_silence_are_said() {
    let (bird, _told, folder) = bird(&["8003 No protocols match\n", "", "9001 syntax error\n"]);
    let error = bird.set(Route::Announced).unwrap_err().to_string();
    assert!(error.contains("No protocols match"), "{error}");
    let error = bird.route().unwrap_err().to_string();
    assert!(error.contains("is BIRD running"), "{error}");
    let error = bird.set(Route::Withdrawn).unwrap_err().to_string();
    assert!(error.contains("syntax error"), "{error}");
    drop(folder);
    let error = bird.set(Route::Withdrawn).unwrap_err().to_string();
    assert!(error.contains("bird.ctl"), "{error}");
}
