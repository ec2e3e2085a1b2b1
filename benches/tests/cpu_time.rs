//! Does the clock run only while the process does? In a process of its own, since the clock counts the threads of other tests.

use benches::cpu_time::CpuTime;
use criterion::measurement::Measurement;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn sleeping_takes_no_cpu_time_and_counting_does() {
    let start = CpuTime.start();
    sleep(Duration::from_millis(200));
    let asleep = CpuTime.end(start);
    let start = CpuTime.start();
    // Opaque to the optimiser, so that the loop remains.
    let sum: u64 = (0..3_000_000).map(std::hint::black_box).sum();
    let awake = CpuTime.end(start);
    assert!(asleep < Duration::from_millis(150), "{asleep:?}");
    assert!(awake > Duration::ZERO && sum > 0);
    assert_eq!(CpuTime.to_f64(&CpuTime.add(&Duration::from_nanos(1), &Duration::from_nanos(2))), 3.0);
}
