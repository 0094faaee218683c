use super::*;

#[test]
fn times_are_read_behind_a_name_with_brackets() {
    let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 31 0 0 20 0 1 0 5 6 7";
    let time = parse_stat_times(stat).unwrap();
    assert_eq!(time.user, Duration::from_millis(2500));
    assert_eq!(time.system, Duration::from_millis(310));
    assert_eq!(parse_stat_times("7 (a) S 1"), None);
}

#[test]
fn counters_are_found_by_name() {
    let text = "Ip: A\nIp: 1\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\n\
                Udp: 10 20 30 40 50\nUdpLite: RcvbufErrors\nUdpLite: 9\n";
    assert_eq!(parse_snmp(text, "Udp:", "RcvbufErrors"), Some(50));
    assert_eq!(parse_snmp(text, "Udp:", "Nothing"), None);
}

#[test]
fn kilobytes_become_octets() {
    assert_eq!(
        parse_kilobytes("Rss:  9 kB\nPss:    12 kB\n", "Pss:"),
        Some(12_288)
    );
    assert_eq!(parse_kilobytes("Rss:  9 kB\n", "Pss:"), None);
}

#[test]
fn waiting_for_a_cpu_is_the_second_field() {
    let parsed = parse_waiting_time("2300 1500000 17\n");
    assert_eq!(parsed, Some(Duration::from_micros(1500)));
    assert_eq!(parse_waiting_time("2300"), None);
    // It only grows.
    let pid = std::process::id();
    assert!(waiting_time(pid) <= waiting_time(pid));
}

#[test]
fn this_process_has_memory_and_time() {
    let pid = std::process::id();
    assert!(memory_bytes(pid) > 100_000);
    assert!(memory_peak_bytes(pid).unwrap() > 100_000);
    let before = cpu_time(pid);
    let mut sum = 0u64;
    while cpu_time(pid) == before {
        sum = std::hint::black_box(sum + 1);
    }
    assert!(cpu_time(pid).user + cpu_time(pid).system > before.user + before.system);
}
