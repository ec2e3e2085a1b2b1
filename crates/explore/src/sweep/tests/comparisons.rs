use super::*;

/// The rows of a plan with accuracies made up from its settings, so that nothing needs to run.
fn made_up(plan: &Plan, chips: usize) -> Vec<PointRows> {
    let mut points: Vec<PointRows> =
        (0..plan.len()).map(|point| PointRows { settings: plan.settings(point), rows: Vec::new() }).collect();
    for (number, planned) in plan.rows().iter().enumerate() {
        let (mapping, training) = plan.names(planned);
        let row = crate::results::Row { mapping: mapping.into(), training: training.into(), ..Default::default() };
        let accuracies = (0..chips).map(|chip| 0.01 * number as f64 + 0.001 * (chip % 3) as f64).collect();
        points[planned.point as usize].rows.push(RowResult { accuracies: vec![accuracies], row });
    }
    points
}

/// `compared`, `baseline`, and what the compared row has on the axes, for every difference.
fn compared(text: &str, set: &[&str]) -> (Vec<String>, Differences) {
    let plan = Plan::new(&sweep_with(&[text], set)).unwrap();
    let found = differences(&plan, &made_up(&plan, 20)).unwrap();
    let mut reader = csv::Reader::from_reader(found.csv.as_bytes());
    let columns = plan.sweep().axes.len() + 4;
    let lines = reader.records().map(|line| line.unwrap().iter().take(columns).collect::<Vec<_>>().join(" | "));
    (lines.collect(), found)
}

#[test]
fn rows_are_compared_with_those_that_differ_in_one_setting() {
    let sweep = sweep(&[ARRAY, ADC]);
    let (points, _) = run_alone(&sweep);
    let plan = Plan::new(&sweep).unwrap();
    let found = differences(&plan, &points).unwrap();
    // Two values of each of two axes and of the mapping strategy: half of the eight rows have the second of each.
    assert_eq!((found.count, found.csv.lines().count()), (12, 13));
    assert_eq!((found.with_interval, found.apart, found.apart_together), (0, 0, 0), "two chip samples show nothing");
    assert!(found.not_compared.is_empty());
    let mean = |size: u64, bits: u64, mapping: &str| {
        let all = rows(&points);
        let fits = |row: &&crate::results::Row| (row.array_rows, row.adc_bits, &*row.mapping) == (size, bits, mapping);
        all.iter().find(fits).unwrap().accuracy_mean
    };
    let line = found.csv.lines().find(|line| line.starts_with("64,5,isaac,conventional,axis_adc_bits,6,2,")).unwrap();
    let numbers: Vec<&str> = line.split(',').skip(7).collect();
    let value: f64 = numbers[0].parse().unwrap();
    assert!((value - (mean(64, 5, "isaac") - mean(64, 6, "isaac"))).abs() < 1e-12);
    assert_eq!(numbers[1..], [""; 4]);
    let (points, found) = (made_up(&plan, 20), differences(&plan, &made_up(&plan, 20)).unwrap());
    assert_eq!((points.len(), found.with_interval, found.with_interval_together), (4, 12, 12));
    assert_eq!((found.apart, found.apart_together), (12, 12));
    let line = found.csv.lines().find(|line| line.starts_with("64,5,isaac,")).unwrap();
    let numbers: Vec<f64> = line.split(',').skip(7).map(|number| number.parse().unwrap()).collect();
    assert!(
        numbers[1] <= numbers[0] && numbers[0] <= numbers[2] && numbers[3] <= numbers[0] && numbers[0] <= numbers[4]
    );
}

#[test]
fn rows_of_other_seeds_are_not_compared() {
    let sweep = sweep(&[&axis("seed", "seed", "[1, 2]")]);
    let found = differences(&Plan::new(&sweep).unwrap(), &run_alone(&sweep).0).unwrap();
    assert_eq!((found.count, found.not_compared), (2, vec!["axis_seed".to_owned()]), "the mapping strategies of each");
}

#[test]
fn axes_of_methods_and_what_depends_on_them_are_compared() {
    let (lines, found) = compared(METHODS_AND_SHARES, &[r#"experiment.mappings=["isaac"]"#]);
    let start = r#"["biased"]"#;
    assert_eq!(
        lines,
        [
            format!("{start} | [0.5] | isaac | biased | training | conventional"),
            format!("{start} | [1.0] | isaac | biased | axis_share | [0.5]"),
            format!("{start} | [1.0] | isaac | biased | training | conventional"),
        ]
    );
    assert!(found.not_compared.is_empty());
}

#[test]
fn what_comes_and_goes_with_an_axis_has_its_first_value() {
    let text = r#"
        [[axes]]
        name = "adc"
        keys = ["adc.kind"]
        values = ["sar", "ideal"]
        [[axes]]
        name = "bits"
        keys = ["adc.bits"]
        values = [6, 5]
        when = { adc = ["sar"] }
    "#;
    let (lines, _) = compared(text, &[r#"experiment.mappings=["isaac"]"#]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].ends_with("| 5 | isaac | conventional | axis_bits | 6"), "{lines:?}");
    assert!(lines[1].starts_with("ideal |  | isaac | conventional | axis_adc |"), "{lines:?}");
}

#[test]
fn zipped_axes_are_one_and_drawn_ones_are_named() {
    let zipped = r#"
        [[axes]]
        name = "rows"
        keys = ["array.rows"]
        values = [32, 64, 32]
        zip = "size"
        [[axes]]
        name = "cols"
        keys = ["array.cols"]
        values = [16, 32, 64]
        zip = "size"
    "#;
    let (lines, found) = compared(zipped, &[r#"experiment.mappings=["isaac"]"#]);
    assert_eq!(lines[0], "64 | 32 | isaac | conventional | axis_rows+cols | 32, 16");
    assert!(lines.len() == 2 && found.not_compared.is_empty());
    let drawn = r#"
        [samples]
        method = "latin-hypercube"
        points = 4
        [[axes]]
        name = "sigma"
        keys = ["sigma_scale"]
        range = { low = 0.0, high = 2.0 }
        sampled = true
    "#;
    let (lines, found) = compared(drawn, &[]);
    assert!(lines.len() == 4 && lines.iter().all(|line| line.ends_with("mapping | isaac")), "{lines:?}");
    assert_eq!(found.not_compared, ["axis_sigma"]);
}

#[test]
fn a_missing_first_row_moves_no_baseline() {
    let plan = Plan::new(&sweep(&[ARRAY, ADC])).unwrap();
    let all = made_up(&plan, 20);
    let mut some = all.clone();
    some[0].rows.clear();
    let (all, some) = (differences(&plan, &all).unwrap(), differences(&plan, &some).unwrap());
    // Each of the two rows had three partners (array, ADC, and the mapping strategy of the other, counted once).
    assert_eq!((all.count, some.count), (12, 7));
    let baselines = |found: &Differences| found.csv.lines().filter(|line| line.contains(",axis_adc_bits,6,")).count();
    assert_eq!((baselines(&all), baselines(&some)), (4, 2));
}
