//! An import that was cut off and is run again.

use super::super::write::Writer;
use super::*;
use crate::registry::progress::{Meter, Phase};

/// Writes `batches` transactions of `rows` rows each, and stops dead.
async fn cut_off(test: &mut TestDatabase, options: &CsvOptions, batches: u32, rows: u32) {
    let mut rejects = Rejects::new(options.rejects_path()).unwrap();
    let scan = Scan::of_files(options, &mut rejects, &mut |_| {}).unwrap();
    let Begin::Write(begun) = begin(&mut test.database, options, &scan).await.unwrap() else {
        panic!("imported already");
    };
    let mut sink = |_: &_| {};
    let mut meter = Meter::start(&mut sink, Phase::Write, None);
    let mut writer = Writer::new(&mut test.database, options, &scan, &begun);
    for _ in 0..batches {
        assert!(writer.batch(rows, &mut meter).await.unwrap());
    }
}

#[tokio::test]
async fn a_second_run_comes_to_the_same_registry() {
    let lines: Vec<_> = BAD.iter().map(|(file, line, _)| (*file, *line)).collect();
    for engine in engines() {
        let mut whole = test_database(engine).await;
        let folder = with_lines(&whole, &lines);
        let expected = run(&mut whole, &CsvOptions::new(&folder, NOW))
            .await
            .unwrap();
        let files = export(&mut whole, "exported").await;
        for (batches, rows) in [(0, 1), (1, 1), (5, 1), (3, 7), (40, 1), (1, 44)] {
            let mut test = test_database(engine).await;
            let options = CsvOptions::new(with_lines(&test, &lines), NOW);
            cut_off(&mut test, &options, batches, rows).await;
            test.database = Database::open(&test.location).await.unwrap();
            let folder = test.folder.path().join("early");
            let early = export_csv(&mut test.database, &folder, &mut |_| {}).await;
            let early = early.unwrap_err().to_string();
            assert!(early.contains("unfinished"), "{early}");
            let report = run(&mut test, &options).await.unwrap();
            assert_eq!(report.resumed_at, u64::from(batches * rows));
            assert_eq!(
                (&report.rows, report.rejected),
                (&expected.rows, expected.rejected)
            );
            assert_eq!(
                export(&mut test, "exported").await,
                files,
                "{batches} {rows}"
            );
            assert_eq!(test.published(), whole.published());
        }
    }
}

#[tokio::test]
async fn finished_files_are_known_again_and_changed_ones_are_refused() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let options = CsvOptions::new(write_files(&test, "files", &FILES), NOW);
        let first = run(&mut test, &options).await.unwrap();
        let before = row_counts(&mut test.database).await;
        let again = run(&mut test, &options).await.unwrap();
        assert!(again.already && again.event == first.event);
        assert_eq!(row_counts(&mut test.database).await, before);

        let mut test = test_database(engine).await;
        let options = CsvOptions::new(write_files(&test, "files", &FILES), NOW);
        cut_off(&mut test, &options, 20, 1).await;
        let domains = options.folder.join("domains.csv");
        let text = std::fs::read_to_string(&domains).unwrap();
        std::fs::write(&domains, text.replace("bare.tld", "bore.tld")).unwrap();
        let error = run(&mut test, &options).await.unwrap_err();
        assert!(matches!(error, RegistryError::Unfinished { .. }), "{error}");
        let restart = CsvOptions {
            restart: true,
            ..options
        };
        let report = run(&mut test, &restart).await.unwrap();
        assert_eq!(report.resumed_at, 0);
        let files = export(&mut test, "exported").await;
        assert!(files["domains.csv"].contains("bore.tld"));
        let mut fresh = test_database(engine).await;
        let options = CsvOptions::new(&restart.folder, NOW);
        run(&mut fresh, &options).await.unwrap();
        assert_eq!(export(&mut fresh, "exported").await, files);
    }
}
