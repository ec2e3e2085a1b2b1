//! The same circuit for ngspice, so that an independent solver can check it.

use super::{CellMatrix, Sensing, Wires, WiresError};
use std::fmt::Write;

/// How the deck's cells conduct.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SpiceLaw<'a> {
    /// Resistors of the cells' conductances.
    Linear,
    /// Per cell, row-major, the coefficients `[k1, k2, k3]` in A/V, A/V^2 and A/V^3 of `I = k1 V + k2 V |V| + k3 V^3`, which is
    /// odd; the cells' conductances are not used.
    Cubic(&'a [[f64; 3]]),
}

/// An ngspice deck of the network: an operating point, printed as one line `column_J = CURRENT` per bit line (A).
///
/// Nodes are `w_ROW_COL` and `b_ROW_COL`; elements of 0 ohm are left out and their nodes are one. Run it with `ngspice -b DECK` and read the
/// output with [`parse_spice_currents`]. Lines of `title` after the first are dropped.
///
/// # Errors
/// Values that are not allowed, or numbers of coefficients or voltages that do not fit.
pub fn spice_deck(
    wires: &Wires,
    cells: &CellMatrix<'_>,
    law: SpiceLaw<'_>,
    voltages_v: &[f64],
    title: &str,
) -> Result<String, WiresError> {
    wires.checked()?;
    cells.checked()?;
    cells.check_voltages(voltages_v)?;
    let nodes = Nodes { wires, rows: cells.rows };
    let mut deck = Deck { text: format!("* {}\n", title.lines().next().unwrap_or_default()) };
    word_lines(&mut deck, &nodes, cells.cols, voltages_v);
    bit_lines(&mut deck, &nodes, cells.cols);
    match law {
        SpiceLaw::Linear => resistors(&mut deck, &nodes, cells),
        SpiceLaw::Cubic(coefficients) => cubics(&mut deck, &nodes, cells, coefficients)?,
    }
    control(&mut deck, &nodes, cells.cols);
    Ok(deck.text)
}

/// Reads the currents that ngspice printed for a deck of [`spice_deck`] with `cols` bit lines, A.
///
/// # Errors
/// The first column that is missing or not a finite number.
pub fn parse_spice_currents(output: &str, cols: usize) -> Result<Vec<f64>, String> {
    let mut currents: Vec<Option<f64>> = vec![None; cols];
    for line in output.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let Some(Ok(col)) = name.trim().strip_prefix("column_").map(str::parse::<usize>) else { continue };
        let current = value.trim().parse::<f64>().ok().filter(|current| current.is_finite());
        let current = current.ok_or_else(|| format!("`{line}` does not hold a finite current"))?;
        let slot =
            currents.get_mut(col).ok_or_else(|| format!("`{line}` names a column beyond the {cols} of the array"))?;
        *slot = Some(current);
    }
    let missing = |col: usize| format!("there is no current `column_{col} = ...`: did ngspice report an error?");
    currents.into_iter().enumerate().map(|(col, current)| current.ok_or_else(|| missing(col))).collect()
}

/// The text so far. Writing to a string cannot fail.
struct Deck {
    text: String,
}

impl Deck {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }
}

/// Names of nodes; those without resistance between them have one name.
struct Nodes<'a> {
    wires: &'a Wires,
    rows: usize,
}

impl Nodes<'_> {
    fn word(&self, row: usize, col: usize) -> String {
        if self.wires.word_terminal_ohm() == 0.0 {
            return format!("in_{row}");
        }
        format!("w_{row}_{}", if self.wires.word_line_ohm == 0.0 { 0 } else { col })
    }

    fn bit(&self, row: usize, col: usize) -> String {
        if self.wires.bit_terminal_ohm() == 0.0 {
            return format!("out_{col}");
        }
        format!("b_{}_{col}", if self.wires.bit_line_ohm == 0.0 { 0 } else { row })
    }

    /// Whether bit lines have a readout of their own before row 0; on lines without any resistance it would short the other one.
    fn top(&self) -> bool {
        self.wires.sensing == Sensing::BothEnds && self.wires.bit_terminal_ohm() > 0.0
    }
}

fn word_lines(deck: &mut Deck, nodes: &Nodes<'_>, cols: usize, voltages_v: &[f64]) {
    let (segment_ohm, terminal_ohm) = (nodes.wires.word_line_ohm, nodes.wires.word_terminal_ohm());
    for (row, voltage_v) in voltages_v.iter().enumerate() {
        deck.line(format_args!("Vin_{row} in_{row} 0 {voltage_v:e}"));
        if terminal_ohm > 0.0 && cols > 0 {
            deck.line(format_args!("Rin_{row} in_{row} {} {terminal_ohm:e}", nodes.word(row, 0)));
        }
        for col in (1..cols).filter(|_| segment_ohm > 0.0) {
            let (from, to) = (nodes.word(row, col - 1), nodes.word(row, col));
            deck.line(format_args!("Rw_{row}_{col} {from} {to} {segment_ohm:e}"));
        }
    }
}

fn bit_lines(deck: &mut Deck, nodes: &Nodes<'_>, cols: usize) {
    let (segment_ohm, terminal_ohm) = (nodes.wires.bit_line_ohm, nodes.wires.bit_terminal_ohm());
    for col in 0..cols {
        deck.line(format_args!("Vout_{col} out_{col} 0 0"));
        if terminal_ohm > 0.0 && nodes.rows > 0 {
            deck.line(format_args!("Rout_{col} {} out_{col} {terminal_ohm:e}", nodes.bit(nodes.rows - 1, col)));
        }
        if nodes.top() && nodes.rows > 0 {
            deck.line(format_args!("Vtop_{col} top_{col} 0 0"));
            deck.line(format_args!("Rtop_{col} {} top_{col} {terminal_ohm:e}", nodes.bit(0, col)));
        }
        for row in (1..nodes.rows).filter(|_| segment_ohm > 0.0) {
            let (from, to) = (nodes.bit(row - 1, col), nodes.bit(row, col));
            deck.line(format_args!("Rb_{row}_{col} {from} {to} {segment_ohm:e}"));
        }
    }
}

fn resistors(deck: &mut Deck, nodes: &Nodes<'_>, cells: &CellMatrix<'_>) {
    for (node, &conductance_s) in cells.conductance_s.iter().enumerate() {
        let (row, col) = (node / cells.cols, node % cells.cols);
        if conductance_s > 0.0 {
            let (word, bit) = (nodes.word(row, col), nodes.bit(row, col));
            deck.line(format_args!("Rc_{row}_{col} {word} {bit} {:e}", 1.0 / conductance_s));
        }
    }
}

fn cubics(
    deck: &mut Deck,
    nodes: &Nodes<'_>,
    cells: &CellMatrix<'_>,
    coefficients: &[[f64; 3]],
) -> Result<(), WiresError> {
    let (found, expected) = (coefficients.len(), cells.conductance_s.len());
    if found != expected {
        return Err(WiresError::Shape { what: "cells with coefficients", found, expected });
    }
    if let Some(node) = coefficients.iter().position(|law| law.iter().any(|k| !k.is_finite())) {
        let conductance_s = coefficients[node].into_iter().find(|k| !k.is_finite()).unwrap_or_default();
        return Err(WiresError::Conductance { row: node / cells.cols, col: node % cells.cols, conductance_s });
    }
    for (node, [k1, k2, k3]) in coefficients.iter().enumerate() {
        let (row, col) = (node / cells.cols, node % cells.cols);
        let (word, bit) = (nodes.word(row, col), nodes.bit(row, col));
        let v = format!("V({word},{bit})");
        // Nested products: ngspice's powers of negative numbers depend on its compatibility mode.
        deck.line(format_args!("Bc_{row}_{col} {word} {bit} I={v}*(({k1:e})+abs({v})*(({k2:e})+abs({v})*({k3:e})))"));
    }
    Ok(())
}

fn control(deck: &mut Deck, nodes: &Nodes<'_>, cols: usize) {
    // Tighter than ngspice's defaults, which stop Newton's method at 1e-3.
    deck.line(format_args!(".options reltol=1e-10 abstol=1e-18 vntol=1e-14 gmin=1e-18 itl1=500"));
    deck.line(format_args!(".control\nset numdgt=16\nop"));
    for col in 0..cols {
        let top = if nodes.top() { format!(" + i(vtop_{col})") } else { String::new() };
        deck.line(format_args!("let column_{col} = i(vout_{col}){top}\nprint column_{col}"));
    }
    deck.line(format_args!("quit\n.endc\n.end"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_of_one_cell_is_as_drawn() {
        let wires = Wires { word_line_ohm: 1.0, bit_line_ohm: 2.0, driver_ohm: 4.0, sense_ohm: 8.0, ..Wires::none() };
        let cells = CellMatrix { rows: 1, cols: 1, conductance_s: &[0.5] };
        let deck = spice_deck(&wires, &cells, SpiceLaw::Linear, &[0.25], "one\ncell").unwrap();
        let circuit: Vec<&str> = deck.lines().take_while(|line| !line.starts_with(".options")).collect();
        let expected = [
            "* one",
            "Vin_0 in_0 0 2.5e-1",
            "Rin_0 in_0 w_0_0 5e0",
            "Vout_0 out_0 0 0",
            "Rout_0 b_0_0 out_0 1e1",
            "Rc_0_0 w_0_0 b_0_0 2e0",
        ];
        assert_eq!(circuit, expected);
    }

    #[test]
    fn ideal_lines_are_one_node_and_have_one_readout() {
        let cells = CellMatrix { rows: 2, cols: 1, conductance_s: &[0.5, 0.0] };
        let wires = Wires { sensing: Sensing::BothEnds, ..Wires::none() };
        let deck = spice_deck(&wires, &cells, SpiceLaw::Linear, &[0.1, 0.2], "ideal").unwrap();
        assert!(
            deck.contains("Rc_0_0 in_0 out_0 2e0\n") && !deck.contains("Rc_1_0") && !deck.contains("Vtop"),
            "{deck}"
        );
        let deck =
            spice_deck(&Wires { sense_ohm: 3.0, ..wires }, &cells, SpiceLaw::Linear, &[0.1, 0.2], "sense").unwrap();
        assert!(deck.contains("Rtop_0 b_0_0 top_0 3e0\n") && deck.contains("Rout_0 b_0_0 out_0 3e0\n"), "{deck}");
        assert!(deck.contains("let column_0 = i(vout_0) + i(vtop_0)\n"), "{deck}");
    }

    #[test]
    fn currents_are_read_by_name() {
        let output = "Doing analysis\ncolumn_1 = -2.5e-06\nx = 1\ncolumn_0 = 1.0E-3\n";
        assert_eq!(parse_spice_currents(output, 2).unwrap(), [1e-3, -2.5e-6]);
        assert!(parse_spice_currents(output, 3).unwrap_err().contains("column_2"));
        assert!(parse_spice_currents(output, 1).unwrap_err().contains("beyond the 1"));
        assert!(parse_spice_currents("column_0 = nan", 1).unwrap_err().contains("finite"));
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let cells = CellMatrix { rows: 1, cols: 2, conductance_s: &[1e-6, 1e-6] };
        let error = spice_deck(&Wires::none(), &cells, SpiceLaw::Cubic(&[[1e-6, 0.0, 0.0]]), &[0.1], "t").unwrap_err();
        assert_eq!(error.to_string(), "1 cells with coefficients, but the array needs 2");
        assert!(spice_deck(&Wires::none(), &cells, SpiceLaw::Linear, &[0.1, 0.2], "t").is_err());
    }
}
