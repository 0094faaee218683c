use super::*;

fn figures(server: &str, rates: &[f64]) -> Figures {
    let round = |rate: &f64| Round {
        rate: *rate,
        user_microseconds: 5.0,
        system_microseconds: 2.0,
        lost: 1,
        p50: 10.0,
        p99: 20.0,
    };
    Figures {
        server: server.to_owned(),
        load_seconds: 1.5,
        memory_bytes: 3 << 20,
        rounds: rates.iter().map(round).collect(),
    }
}

#[test]
fn a_median_is_the_middle_or_the_mean_of_the_two() {
    assert_eq!(
        median(&figures("a", &[30.0, 10.0, 20.0]), |round| round.rate),
        20.0
    );
    assert_eq!(
        median(&figures("a", &[40.0, 10.0, 20.0, 30.0]), |round| round.rate),
        25.0
    );
    assert_eq!(median(&figures("a", &[]), |round| round.rate), 0.0);
}

#[test]
fn the_last_column_says_how_much_faster_the_first_server_is() {
    let text = format(&[
        figures("one", &[300.0, 100.0, 200.0]),
        figures("two", &[100.0]),
    ]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].contains("100..300") && lines[1].ends_with("1.00x"),
        "{}",
        lines[1]
    );
    assert!(lines[2].ends_with("2.00x"), "{}", lines[2]);
    assert!(lines.iter().all(|line| line.len() == lines[0].len()));
}
