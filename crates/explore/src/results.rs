//! Rows of results and their CSV.

use serde::{Deserialize, Serialize};

/// Defines [`Row`] and the list of its columns from one list, so that they cannot differ.
macro_rules! row {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty,)*) => {
        /// The result of one point of an experiment; quantities in SI units.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Row {
            $($(#[doc = $doc])* pub $name: $type,)*
        }

        /// The columns of a CSV file of results, in their order.
        pub const COLUMNS: [&str; [$(stringify!($name)),*].len()] = [$(stringify!($name)),*];
    };
}

row! {
    /// Name of the network.
    network: String,
    /// Name of the data set.
    dataset: String,
    /// Name of the training method.
    training: String,
    /// Name of the mapping strategy.
    mapping: String,
    /// Name of the device.
    device: String,
    /// Factor on every standard deviation of the device.
    sigma_scale: f64,
    /// Word lines of an array.
    array_rows: u64,
    /// Bit lines of an array.
    array_cols: u64,
    /// Bits of a cell.
    cell_bits: u64,
    /// Bits of a weight.
    weight_bits: u64,
    /// Bits of an input.
    input_bits: u64,
    /// Bits of a digital-to-analog converter.
    dac_bits: u64,
    /// Kind of the analog-to-digital converters.
    adc_kind: String,
    /// Bits of an analog-to-digital converter.
    adc_bits: u64,
    /// How their ranges are chosen.
    adc_range: String,
    /// Name of the model of the analog-to-digital converter.
    adc_model: String,
    /// Name of the cost table.
    cost_table: String,
    /// Chip samples, all training seeds together.
    chips: u64,
    /// Test images a chip classified.
    images: u64,
    /// Seed of all random numbers.
    seed: u64,
    /// Accuracy of the network in software.
    software_accuracy: f64,
    /// Mean accuracy over chips.
    accuracy_mean: f64,
    /// Standard deviation of the accuracy over the chip samples of all training seeds.
    accuracy_sd: f64,
    /// Lower end of the 95 % interval of the mean accuracy.
    accuracy_ci95_low: f64,
    /// Upper end of the 95 % interval of the mean accuracy.
    accuracy_ci95_high: f64,
    /// 5th percentile of the accuracy over chips.
    accuracy_p5: f64,
    /// Energy of one inference.
    energy_j: f64,
    /// Of it: the cells.
    energy_array_j: f64,
    /// Of it: digital-to-analog converters.
    energy_dac_j: f64,
    /// Of it: analog-to-digital converters.
    energy_adc_j: f64,
    /// Of it: digital logic.
    energy_digital_j: f64,
    /// Of it: buffers.
    energy_buffer_j: f64,
    /// Of it: links between tiles.
    energy_link_j: f64,
    /// Of it: leakage.
    energy_leakage_j: f64,
    /// Clock cycles from the first input to the last output of one inference.
    latency_cycles: u64,
    /// The same in seconds.
    latency_s: f64,
    /// Inferences per second.
    throughput_per_s: f64,
    /// Area of what is occupied, m2; none if the cost table has none.
    area_m2: Option<f64>,
    /// Tera-operations per second and watt.
    tops_per_w: f64,
    /// Bound on the error that solving the wires leaves in any column sum, level spacings; 0 without wires.
    wire_error_bound: f64,
}

/// A CSV file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("results: {0}")]
pub struct ResultsError(String);

/// The rows as CSV with a header, also without rows. Equal rows give equal bytes; numbers keep every bit.
pub fn to_csv(rows: &[Row]) -> Result<String, ResultsError> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(failed)?;
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(failed)?;
    String::from_utf8(bytes).map_err(failed)
}

/// The rows of a CSV file with exactly the columns [`COLUMNS`], in any order.
pub fn from_csv(text: &str) -> Result<Vec<Row>, ResultsError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(failed)?;
    if let Some(missing) = COLUMNS.iter().find(|column| !header.iter().any(|name| name == **column)) {
        return Err(failed(format!("there is no column {missing}")));
    }
    reader.deserialize().map(|row| row.map_err(failed)).collect()
}

fn failed(error: impl std::fmt::Display) -> ResultsError {
    ResultsError(error.to_string())
}

/// The first column that says what came out; those before it say what was simulated.
pub const FIRST_RESULT: &str = "software_accuracy";

impl Row {
    /// The value of a column, as it would be written in CSV; `None` for an unknown column.
    pub fn field(&self, column: &str) -> Option<String> {
        let index = COLUMNS.iter().position(|name| *name == column)?;
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        writer.serialize(self).ok()?;
        let bytes = writer.into_inner().ok()?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let record = reader.records().next()?.ok()?;
        record.get(index).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row() -> Row {
        Row {
            network: "lenet, \"5\"".to_owned(),
            sigma_scale: 0.1 + 0.2,
            seed: u64::MAX,
            energy_j: 1.5e-9,
            latency_s: f64::MIN_POSITIVE,
            ..Row::default()
        }
    }

    #[test]
    fn the_header_is_fixed() {
        let header = "network,dataset,training,mapping,device,sigma_scale,array_rows,array_cols,cell_bits,weight_bits,\
                      input_bits,dac_bits,adc_kind,adc_bits,adc_range,adc_model,cost_table,chips,images,seed,software_accuracy,\
                      accuracy_mean,accuracy_sd,accuracy_ci95_low,accuracy_ci95_high,accuracy_p5,energy_j,\
                      energy_array_j,energy_dac_j,energy_adc_j,energy_digital_j,energy_buffer_j,energy_link_j,\
                      energy_leakage_j,latency_cycles,latency_s,throughput_per_s,area_m2,tops_per_w,wire_error_bound\n";
        assert_eq!(to_csv(&[]).unwrap(), header);
        assert!(to_csv(&[row()]).unwrap().starts_with(header));
        let mut with_names = csv::Writer::from_writer(Vec::new());
        with_names.serialize(row()).unwrap();
        assert!(with_names.into_inner().unwrap().starts_with(header.as_bytes()), "serde's order of the columns");
    }

    #[test]
    fn numbers_are_short_and_exact() {
        let text = to_csv(&[row()]).unwrap();
        assert!(text.contains("\n\"lenet, \"\"5\"\"\",,,,,0.30000000000000004,0,"), "{text}");
        assert!(text.contains(",1.5e-9,"), "{text}");
    }

    #[test]
    fn fields_by_name() {
        assert_eq!(row().field("network").as_deref(), Some("lenet, \"5\""));
        assert_eq!(row().field("energy_j").as_deref(), Some("1.5e-9"));
        assert_eq!(row().field("energy"), None);
    }

    #[test]
    fn bad_files_are_refused_with_their_line() {
        let good = to_csv(&[row()]).unwrap();
        let error = from_csv(&good.replace("18446744073709551615", "-1")).unwrap_err().to_string();
        assert!(error.contains("line: 2"), "{error}");
        for text in [&good.replacen("network", "net", 1), "", "a,b\n1\n"] {
            assert_eq!(from_csv(text).unwrap_err().to_string(), "results: there is no column network");
        }
        let more = good.replacen("network", "extra,network", 1).replacen('\n', "\nx", 1);
        assert!(from_csv(&more).is_err());
        assert_eq!(from_csv(&to_csv(&[]).unwrap()).unwrap(), []);
    }

    proptest! {
        #[test]
        fn rows_survive(network in "\\PC{0,12}", dataset in ".{0,8}", energy_j: f64, sigma_scale: f64, seed: u64) {
            prop_assume!(!energy_j.is_nan() && !sigma_scale.is_nan());
            let rows = vec![row(), Row { network, dataset, energy_j, sigma_scale, seed, ..row() }];
            let text = to_csv(&rows).unwrap();
            prop_assert_eq!(from_csv(&text).unwrap(), rows);
        }

        #[test]
        fn arbitrary_texts_do_not_panic(text in ".{0,64}") {
            let _ = from_csv(&text);
        }
    }
}
