use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server that answers one request with these octets, having read `length` of its body.
async fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let _ = stream.write_all(&answer).await;
    });
    format!("http://{address}/")
}

fn get(url: &str) -> HttpRequest {
    let request = Request::builder().uri(url);
    request.body(HttpRequestBody::empty()).unwrap()
}

#[tokio::test]
async fn of_an_error_only_so_much_is_read() {
    let long = vec![b'x'; 2 * ERROR_BYTES_MAX];
    for (status, is_read) in [("200 OK", true), ("500 No", false)] {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
            long.len()
        );
        let url = server([head.as_bytes(), &long].concat()).await;
        let response = Client::new(None).unwrap().send(get(&url)).await.unwrap();
        let body = response.into_body().bytes().await;
        assert_eq!(body.is_ok_and(|body| body == long), is_read, "{status}");
    }
}

#[tokio::test]
async fn a_request_has_time_for_as_long_as_it_moves() {
    let limit = Duration::from_secs(20);
    let late = || {
        let moved = Moved::default();
        *moved.0.lock().unwrap() -= limit;
        moved
    };
    let moved = late();
    let moving = async {
        moved.note();
        tokio::task::yield_now().await;
        7
    };
    assert_eq!(moved.watch(limit, moving).await, Some(7));
    let stuck = std::future::pending::<()>();
    assert!(late().watch(limit, stuck).await.is_none());
}

#[tokio::test]
async fn each_piece_of_a_body_is_seen() {
    let moved = Moved::default();
    let payload: object_store::PutPayload = (0..3).map(|_| Bytes::from_static(b"x")).collect();
    let mut body = Watched {
        body: HttpRequestBody::from(payload),
        moved: moved.clone(),
    };
    for _ in 0..3 {
        *moved.0.lock().unwrap() -= Duration::from_secs(1);
        let before = moved.at();
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "x");
        assert!(moved.at() > before);
    }
    assert!(body.frame().await.is_none());
}
