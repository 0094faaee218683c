//! An import that was cut off and is run again.

use super::*;

fn sample() -> String {
    let mut text = zone("");
    for number in 0..60 {
        text.push_str(&format!(
            "d{number} NS ns1.d{}\nd{number} NS ns{}.example.\nns1.d{number} A 192.0.2.{number}\n",
            59 - number,
            number % 5
        ));
    }
    text.push_str("d1 TXT rejected\n");
    text
}

/// Writes the first `records` of a file, a commit every `batch`, and stops dead.
async fn begin(test: &mut TestDatabase, options: &ImportOptions, records: u64, batch: u64) {
    let survey = Survey::of_file(options, &mut |_| {}).unwrap();
    let Begin::Write(mut writer) = Writer::begin(&mut test.database, options, survey)
        .await
        .unwrap()
    else {
        panic!("imported already");
    };
    let mut input = Input::open(options).unwrap();
    let mut key = Vec::new();
    for done in 1..=records {
        let record = input.next().unwrap().unwrap().unwrap();
        lower_key(&record.owner, &mut key);
        let role = classify(&writer.survey, &key, record.rtype);
        writer.take(role, &key, record);
        if done % batch == 0 {
            writer.flush(done).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_second_run_comes_to_the_same_registry() {
    for engine in engines() {
        let mut whole = test_database(engine).await;
        let expected = whole.import(&sample()).await.unwrap();
        let mut counts = row_counts(&mut whole.database).await;
        counts.retain(|(table, _)| table != "events");
        for (records, batch) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (50, 7),
            (99, 33),
            (184, 10),
            (184, 200),
        ] {
            let mut test = test_database(engine).await;
            let file = test.file("zone", &sample());
            let options = ImportOptions::new(&file, NOW);
            begin(&mut test, &options, records, batch).await;
            test.database = Database::open(&test.location).await.unwrap();
            let report = run(&mut test, &options).await.unwrap();
            assert_eq!(report.resumed_at, records / batch * batch);
            assert_eq!(test.published(), whole.published(), "{records} {batch}");
            let mut own = row_counts(&mut test.database).await;
            own.retain(|(table, _)| table != "events");
            assert_eq!(own, counts, "{records} {batch}");
            assert_eq!(
                (
                    report.domains,
                    report.delegations,
                    report.glue,
                    report.rejected
                ),
                (
                    expected.domains,
                    expected.delegations,
                    expected.glue,
                    expected.rejected
                )
            );
            assert!(report.rejects_file.unwrap().exists());
        }
    }
}

#[tokio::test]
async fn an_unfinished_zone_is_neither_compiled_nor_mixed_with_another_file() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let options = ImportOptions::new(test.file("first", &sample()), NOW);
        begin(&mut test, &options, 40, 10).await;
        let snapshot = zone_compiler::database::Snapshot::open(&test.location.as_source()).unwrap();
        let error = snapshot.sources().unwrap_err();
        assert!(error.to_string().contains("is unfinished"), "{error}");
        let error = test
            .import(&zone("other NS ns.example."))
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::Unfinished { .. }), "{error}");
        assert!(error.to_string().contains("first"), "{error}");
        // The way out when the first file is lost.
        let mut other = ImportOptions::new(test.file("zone", &zone("other NS ns1.d3")), NOW);
        other.restart = true;
        let report = run(&mut test, &other).await.unwrap();
        assert_eq!((report.domains, report.resumed_at), (1, 0));
        let mut fresh = test_database(engine).await;
        fresh.import(&zone("other NS ns1.d3")).await.unwrap();
        assert_eq!(test.published(), fresh.published());
    }
}
