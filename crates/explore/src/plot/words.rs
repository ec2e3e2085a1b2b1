//! Columns and numbers as a reader wants them.

/// The name of a column at an axis or in a legend.
pub(super) fn column_name(column: &str) -> String {
    match column {
        "adc_bits" => "ADC bits".to_owned(),
        "dac_bits" => "DAC bits".to_owned(),
        "adc_kind" => "ADC kind".to_owned(),
        "adc_model" => "ADC model".to_owned(),
        "adc_range" => "ADC range".to_owned(),
        "sigma_scale" => "Scale of the device variation".to_owned(),
        "latency_cycles" => "Latency (cycles)".to_owned(),
        "tops_per_w" => "Efficiency (TOPS/W)".to_owned(),
        "throughput_per_s" => "Throughput (1/s)".to_owned(),
        _ => with_unit(column.strip_prefix("axis_").unwrap_or(column)),
    }
}

fn with_unit(column: &str) -> String {
    let units = [("_j", " (J)"), ("_s", " (s)"), ("_m2", " (m²)")];
    let found = units.into_iter().find_map(|(end, unit)| Some((column.strip_suffix(end)?, unit)));
    let (stem, unit) = found.unwrap_or((column, ""));
    let word = |word: &str| match word {
        "adc" | "dac" | "adcs" | "dacs" => word.to_uppercase().replace('S', "s"),
        other => other.to_owned(),
    };
    let words: Vec<String> = stem.split(['_', '-']).map(word).collect();
    let mut letters = words.join(" ").chars().collect::<Vec<_>>();
    if let Some(first) = letters.first_mut() {
        *first = first.to_ascii_uppercase();
    }
    format!("{}{unit}", letters.into_iter().collect::<String>())
}

/// Three significant digits.
pub(super) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let power = libm::floor(libm::log10(value.abs())) as i32;
    if !(-3..5).contains(&power) {
        return format!("{value:.1e}");
    }
    let decimals = usize::try_from(2 - power).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The unit in which energies up to `most` are short, and how many of it a joule is.
pub(super) fn energy_unit(most: f64) -> (&'static str, f64) {
    match most {
        most if most < 1e-10 => ("pJ", 1e12),
        most if most < 1e-5 => ("nJ", 1e9),
        most if most < 1e-2 => ("µJ", 1e6),
        most if most < 1e1 => ("mJ", 1e3),
        _ => ("J", 1.0),
    }
}

/// A result column at an axis for values up to `most`, in two lines if it is long, and what values are multiplied with.
pub(super) fn axis_name(column: &str, most: f64) -> (Vec<String>, f64) {
    if column == "energy_j" {
        let (unit, per_joule) = energy_unit(most);
        return (vec!["Energy per".to_owned(), format!("inference ({unit})")], per_joule);
    }
    let seconds = [(1e-6, "ns", 1e9), (1e-3, "µs", 1e6), (1.0, "ms", 1e3), (f64::INFINITY, "s", 1.0)];
    let areas = [(1e-7, "µm²", 1e12), (f64::INFINITY, "mm²", 1e6)];
    let unit = |units: &[(f64, &'static str, f64)]| units.iter().find(|(end, _, _)| most < *end).map(|u| (u.1, u.2));
    let found = match column {
        _ if column.ends_with("per_s") => None,
        _ if column.ends_with("_s") => unit(&seconds),
        _ if column.ends_with("_m2") => unit(&areas),
        _ if column.ends_with("_j") => Some(energy_unit(most)),
        _ => None,
    };
    let name = column_name(column);
    let stem = name.split(" (").next().unwrap_or(&name).to_owned();
    match found {
        Some((unit, factor)) => (vec![format!("{stem} ({unit})")], factor),
        None => (vec![name], 1.0),
    }
}

/// Breaks a text at spaces into lines of at most `most` characters.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_units() {
        assert_eq!(column_name("adc_bits"), "ADC bits");
        assert_eq!(column_name("energy_adc_j"), "Energy ADC (J)");
        assert_eq!(column_name("axis_adcs_per_array"), "ADCs per array");
        assert_eq!(column_name("area_m2"), "Area (m²)");
        assert_eq!(column_name("array_rows"), "Array rows");
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (12.345, "12.3"),
            (999.6, "1000"),
            (0.00123, "0.00123"),
            (1.5e7, "1.5e7"),
            (20.0, "20"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(wrap("abcdefgh", 5), ["abcdefgh"]);
    }
}
