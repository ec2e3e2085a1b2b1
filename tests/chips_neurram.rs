//! NeuRRAM (Wan et al., Nature 2022, Fig. 12 as digitised in the CiMLoop library): rates and energies of the chip file, and the fits that its constants
//! come from, repeated from the points without 7 bits alone. Points with 7 bits are predictions.

use crate::chips_published::{Product, hold, with};
use chip::config::Chip;
use tile::cost::AdcPrices;

/// Output bits, input bits, phases, TOPS: Wan et al., Nature 2022, Fig. 12 as digitised in the CiMLoop library.
pub(crate) const RATES: [(u32, u32, u32, f64); 10] = [
    (3, 1, 1, 2.122),
    (4, 2, 1, 1.793),
    (5, 3, 1, 1.165),
    (6, 4, 1, 0.744),
    (7, 5, 1, 0.452),
    (7, 5, 2, 0.525),
    (8, 6, 1, 0.261),
    (8, 6, 2, 0.418),
    (9, 7, 2, 0.344),
    (10, 8, 2, 0.264),
];

fn neurram(output_bits: u32, input_bits: u32, phases: u32) -> Chip {
    // An input of 1 bit has no sign.
    let (format, magnitude) = if input_bits == 1 { ("unsigned", 1) } else { ("sign-magnitude", input_bits - 1) };
    let set = [
        format!("tile.adc.bits={output_bits}"),
        format!("format.input_bits={input_bits}"),
        format!("tile.dac.format={format}"),
        format!("tile.dac.bits={}", magnitude.div_ceil(phases)),
    ];
    with("neurram_nature_2022", &set)
}

/// Whether a point may choose a constant.
fn calibrates(output_bits: u32, input_bits: u32) -> bool {
    output_bits != 7 && input_bits != 7
}

/// All ten within 9 %, in the mean within 4 %: what is asked for; the file does better. Those with 7 bits were left out when the pulse time was
/// calibrated.
#[test]
fn neurrams_rates() {
    let mut errors = Vec::new();
    for (output_bits, input_bits, phases, published) in RATES {
        let chip = neurram(output_bits, input_bits, phases);
        assert_eq!(chip.array_reads(chip.magnitude_bits()), phases);
        let tops = Product::of(&chip, "differential", 1).tops();
        let predicted = if calibrates(output_bits, input_bits) { "calibrated" } else { "predicted" };
        hold(
            &format!("NeuRRAM, {output_bits} and {input_bits} bits, {phases} phases, TOPS ({predicted})"),
            published,
            tops,
            0.03,
        );
        errors.push((tops / published - 1.0).abs());
    }
    let mean = errors.iter().sum::<f64>() / 10.0;
    println!("NeuRRAM, mean error {:.2} %", 100.0 * mean);
    assert!(mean < 0.012, "{mean}");
}

/// Energy in fJ per operation of word lines, neurons with their control, and input pulses; TOPS/W. Source as [`RATES`], two phases from 4 bits of
/// magnitude on. The same pulses on the same word lines at (3,1) and (4,2) are given as 8.99 and 8.27, and 3.45 and 3.96 fJ: 9 % and 15 %
/// apart, so that no model can be closer to both than [`DIGITISING`].
pub(crate) const ENERGIES: [(u32, u32, [f64; 3], f64); 8] = [
    (3, 1, [8.99, 10.62, 3.45], 43.08),
    (4, 2, [8.27, 12.39, 3.96], 40.33),
    (5, 3, [15.46, 20.12, 7.73], 23.09),
    (6, 4, [21.76, 29.11, 11.51], 15.95),
    (7, 5, [30.93, 44.21, 14.02], 11.33),
    (8, 6, [37.22, 52.48, 19.24], 9.12),
    (9, 7, [43.69, 61.83, 22.83], 7.75),
    (10, 8, [50.52, 75.86, 27.51], 6.44),
];

/// How well the figure is measured and read: half of what the two equal points differ by, for word lines and for pulses (relative). The neurons have no
/// equal points; they are held to the greater one.
const DIGITISING: [f64; 2] = [(8.99 - 8.27) / (8.99 + 8.27), (3.96 - 3.45) / (3.96 + 3.45)];

/// The split within the digitising error at every point, those with 7 bits, which are predictions, included.
#[test]
fn neurrams_energies() {
    let [of_lines, of_pulses] = DIGITISING.map(|error| error + 1e-4);
    for (output_bits, input_bits, [lines, neurons, pulses], tops_per_w) in ENERGIES {
        let phases = if input_bits > 4 { 2 } else { 1 };
        let product = Product::of(&neurram(output_bits, input_bits, phases), "differential", 1);
        let (energy, fj) = (product.energy, 1e15 / product.operations());
        let name = |part: &str| format!("NeuRRAM, {output_bits} and {input_bits} bits, {part}");
        hold(&name("fJ of word lines"), lines, energy.dac_j * fj, of_lines);
        hold(&name("fJ of neurons"), neurons, (energy.adc_j + energy.leakage_j) * fj, of_pulses);
        hold(&name("fJ of pulses"), pulses, energy.array_j * fj, of_pulses);
        hold(&name("TOPS/W"), tops_per_w, 1e3 / (energy.total_j() * fj), 0.06);
    }
}

/// `(x, y, published)`.
type Entry = (f64, f64, f64);

/// Array reads, bits of magnitude, and converted bits of a product.
type Bits = (f64, f64, f64);

/// The two coefficients that make the sum of squared relative errors of `a x + b y` least.
fn least_squares(points: &[Entry]) -> (f64, f64) {
    let sum = |of: fn(f64, f64) -> f64| points.iter().map(|&(x, y, value)| of(x / value, y / value)).sum::<f64>();
    let (xx, xy, yy, x, y) = (sum(|x, _| x * x), sum(|x, y| x * y), sum(|_, y| y * y), sum(|x, _| x), sum(|_, y| y));
    let determinant = xx * yy - xy * xy;
    ((x * yy - y * xy) / determinant, (y * xx - x * xy) / determinant)
}

fn bits(chip: &Chip) -> Bits {
    let converted: u32 = (0..chip.input_cycles(chip.magnitude_bits())).map(|slice| chip.conversion_bits(slice)).sum();
    (chip.array_reads(chip.magnitude_bits()).into(), chip.magnitude_bits().into(), converted.into())
}

fn close(what: &str, fitted: f64, shipped: f64) {
    println!("NeuRRAM, {what}: fitted {fitted:.6e}, shipped {shipped:.6e}");
    assert!((fitted / shipped - 1.0).abs() < 2e-5, "{what}: {fitted:e} is fitted, {shipped:e} shipped");
}

#[test]
fn energies_are_those_fitted_without_7_bits() {
    let points: Vec<_> = ENERGIES
        .iter()
        .filter(|(output_bits, input_bits, ..)| calibrates(*output_bits, *input_bits))
        .map(|&(output_bits, input_bits, split, _)| {
            (bits(&neurram(output_bits, input_bits, if input_bits > 4 { 2 } else { 1 })), split)
        })
        .collect();
    assert_eq!(points.len(), 6);
    let fit = |of: fn(Bits, [f64; 3]) -> Entry| {
        least_squares(&points.iter().map(|&(bits, split)| of(bits, split)).collect::<Vec<_>>())
    };
    // From fJ per operation to J per column or word line: a core has 256 of either.
    let chip = neurram(10, 8, 2);
    let each_j = 1e-15 * Product::of(&chip, "differential", 1).operations() / 256.0;
    let (digit, converted) = fit(|(_, magnitude, converted), [_, neurons, _]| (magnitude, converted, neurons));
    let AdcPrices::PerBit(prices) = &chip.tile.adc.prices else { panic!("a price per bit") };
    close("J of a neuron per bit of magnitude", digit * each_j, prices.digit_bit_energy_j);
    close("J of a neuron per converted bit", converted * each_j, prices.bit_energy_j);
    let (read, digit) = fit(|(reads, magnitude, _), [lines, ..]| (reads, magnitude, lines));
    for bits in 1..=4 {
        let fitted = (read + digit * f64::from(bits)) * each_j;
        let shipped = chip.costs.energy_j.dac_drive * chip.costs.dac_factor(bits).unwrap();
        close(&format!("J of a word line, {bits} bits"), fitted, shipped);
    }
    // A single constant between the extremes has the least largest error at their harmonic mean.
    let per_bit = points.iter().map(|((_, magnitude, _), [.., pulses])| pulses / magnitude);
    let (low, high) = per_bit.fold((f64::MAX, 0.0_f64), |(low, high), of| (low.min(of), high.max(of)));
    let cells = f64::from(chip.tile.array.rows * chip.tile.array.cols * 2);
    close("J of a cell", 2.0 / (1.0 / low + 1.0 / high) * each_j * 256.0 / cells, chip.costs.energy_j.cell_read);
}

/// The pulse time that makes the sum of squared relative errors of the rates without 7 bits least, before times become cycles.
#[test]
fn the_pulse_time_is_the_one_fitted_without_7_bits() {
    let (mut points, mut shipped) = (Vec::new(), 0.0);
    for (output_bits, input_bits, phases, tops) in RATES {
        let chip = neurram(output_bits, input_bits, phases);
        shipped = chip.tile.dac.pulse_time_s;
        let slices = 0..chip.input_cycles(chip.magnitude_bits());
        let pulses: f64 =
            slices.clone().map(|slice| f64::from((1_u32 << chip.slice_bits(chip.magnitude_bits(), slice)) - 1)).sum();
        let fixed_s =
            slices.map(|slice| chip.read_time_s(chip.magnitude_bits(), slice)).sum::<f64>() - pulses * shipped;
        let operations = Product::of(&chip, "differential", 1).operations() * chip.mesh.tiles() as f64;
        if calibrates(output_bits, input_bits) {
            points.push((operations / 1e12 / tops, fixed_s, pulses));
        }
    }
    assert_eq!(points.len(), 7);
    let error = |pulse_s: f64| -> f64 {
        points
            .iter()
            .map(|(published_s, fixed_s, pulses)| published_s / (fixed_s + pulses * pulse_s) - 1.0)
            .map(|e| e * e)
            .sum()
    };
    let (mut low, mut high) = (0.2e-6, 0.4e-6);
    for _ in 0..100 {
        let third = (high - low) / 3.0;
        if error(low + third) < error(high - third) { high -= third } else { low += third }
    }
    println!("NeuRRAM, pulse time: fitted {low:.6e} s, shipped {shipped:e} s");
    assert!((low - shipped).abs() <= 0.5e-10, "{low:e} s is fitted, {shipped:e} s shipped");
}
