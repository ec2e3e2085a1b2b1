use explore::{compare::compare, config, experiment::Experiment, progress::Silent};
fn main() {
    let overrides: Vec<String> = std::env::args().skip(1).collect();
    let e: Experiment = match config::load(config::Kind::Experiment, "digits", &overrides) {
        Ok(e) => e,
        Err(x) => {
            eprintln!("{x}");
            std::process::exit(2)
        }
    };
    let t = std::time::Instant::now();
    let c = compare(&e, &Silent).unwrap();
    for r in &c.rows {
        let w = &r.row;
        println!(
            "{:14} {:16} sw {:.3} hw {:.3} [{:.3},{:.3}] p5 {:.3} sd {:.3} E {:.2} nJ (arr {:.2} adc {:.2} dac {:.2} dig {:.2} buf {:.2} link {:.2} leak {:.2}) lat {} thr {:.0} area {:.3} mm2 {:.2} TOPS/W  m {:?} val {:?} off {:?} clip {:?}",
            w.mapping,
            w.training,
            w.software_accuracy,
            w.accuracy_mean,
            w.accuracy_ci95_low,
            w.accuracy_ci95_high,
            w.accuracy_p5,
            w.accuracy_sd,
            w.energy_j * 1e9,
            w.energy_array_j * 1e9,
            w.energy_adc_j * 1e9,
            w.energy_dac_j * 1e9,
            w.energy_digital_j * 1e9,
            w.energy_buffer_j * 1e9,
            w.energy_link_j * 1e9,
            w.energy_leakage_j * 1e9,
            w.latency_cycles,
            w.throughput_per_s,
            w.area_m2 * 1e6,
            w.tops_per_w,
            r.trained.iter().map(|t| t.share).collect::<Vec<_>>(),
            r.trained.iter().map(|t| (t.validation_accuracy * 1000.0).round() / 1000.0).collect::<Vec<_>>(),
            r.programs[0].mvm_stages().map(|(_, s)| s.offset).collect::<Vec<_>>(),
            r.programs[0].mvm_stages().map(|(_, s)| s.clipped_weights).collect::<Vec<_>>()
        );
        for c in &r.evaluations[0].converters {
            if c.clipped * 100 > c.conversions || true {
                if std::env::var("V").is_ok() {
                    println!("    {c:?}");
                }
            }
        }
    }
    for r in &c.ratios {
        println!("{} {} / {}: {:?}", r.mapping, r.method, r.baseline, r.ratio);
    }
    println!("{:?}", t.elapsed());
}
