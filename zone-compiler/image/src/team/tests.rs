use super::*;

#[test]
fn results_are_in_the_order_of_the_items() {
    for threads in [1, 2, 7] {
        let work = |sum: &mut u64, item: usize| {
            *sum += item as u64;
            Ok::<_, ()>(item * 3)
        };
        let (found, sums) = Team::of(threads).share_out(1000, || 0, work).unwrap();
        assert!(found.iter().copied().eq((0..1000).map(|item| item * 3)));
        assert_eq!(sums.iter().sum::<u64>(), 499_500);
        assert!((1..=threads).contains(&sums.len()));
    }
}

#[test]
fn nothing_is_done_of_nothing() {
    let work = |(): &mut (), _| Err::<(), _>("there is no item");
    let (found, states) = Team::of(3).share_out(0, || (), work).unwrap();
    assert_eq!((found.len(), states.len()), (0, 1));
}

#[test]
fn the_first_of_several_faults_counts() {
    for threads in [1, 2, 5] {
        for _ in 0..50 {
            // All that follow are faults as well, found by whoever is faster.
            let work = |(): &mut (), item| if item < 41 { Ok(()) } else { Err(item) };
            let fault = Team::of(threads).share_out(500, || (), work).unwrap_err();
            assert_eq!(fault, 41, "{threads} threads");
        }
    }
}

#[test]
#[should_panic(expected = "item 77")]
fn a_panic_of_any_thread_is_one_of_the_caller() {
    let work = |(): &mut (), item| {
        assert!(item != 77, "item {item}");
        Ok::<_, ()>(())
    };
    let _ = Team::of(4).share_out(500, || (), work);
}
