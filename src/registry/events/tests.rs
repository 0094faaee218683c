use super::super::database::Event;
use super::super::testing::{engines, test_database};
use super::*;

#[tokio::test]
async fn events_are_read_by_number() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        assert_eq!(last_event(&mut test.database).await.unwrap(), 1);
        for time in [20, 30, 40] {
            let mut write = test.database.write().await.unwrap();
            let event = Event {
                time: Timestamp(time),
                kind: "test",
                actor: "test",
                zone_id: None,
                object: None,
                cause: None,
                detail: None,
            };
            write.append(event);
            write.commit().await.unwrap();
        }
        assert_eq!(last_event(&mut test.database).await.unwrap(), 4);
        let mut times = async |after, last, rows_max| {
            let times = event_times(&mut test.database, after, last, rows_max).await;
            times.unwrap().iter().map(|time| time.0).collect::<Vec<_>>()
        };
        assert_eq!(times(1, 3, 10).await, [20, 30]);
        assert_eq!(times(1, 4, 2).await, [20, 30], "bounded");
        assert_eq!(times(4, u64::MAX, 10).await, [0; 0]);
    }
}
