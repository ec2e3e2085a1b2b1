//! Counts of what the hardware did. Engines count, prices come later.

use serde::{Deserialize, Serialize};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident,)+; $($(#[$rare_doc:meta])* $rare:ident,)+) => {
        /// How often each action happened.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct ActionCounts { $($(#[$doc])* pub $name: u64,)+ $($(#[$rare_doc])* pub $rare: u64,)+ }

        impl ActionCounts {
            /// Name and count of every action, in a fixed order.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)+ $((stringify!($rare), self.$rare),)+]
            }

            /// These counts `times` over.
            #[must_use]
            pub fn times(&self, times: u64) -> Self {
                Self { $($name: self.$name * times,)+ $($rare: self.$rare * times,)+ }
            }

            /// The share of one of `parts` equal parts.
            #[must_use]
            pub fn divided_by(&self, parts: u64) -> Self {
                Self { $($name: self.$name / parts.max(1),)+ $($rare: self.$rare / parts.max(1),)+ }
            }
        }

        impl std::ops::AddAssign for ActionCounts {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
                $(self.$rare += other.$rare;)+
            }
        }

        /// Energy of one action of each kind, J. A missing price is an error, never a silent zero: of actions that every network takes at once, of others if
        /// they happen.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct ActionEnergies {
            $($(#[$doc])* pub $name: f64,)+
            $($(#[$rare_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $rare: Option<f64>,)+
        }

        impl ActionEnergies {
            /// Name and energy of every action, in the order of [`ActionCounts::entries`]; none where the price is missing.
            #[must_use]
            pub fn entries(&self) -> Vec<(&'static str, Option<f64>)> {
                vec![$((stringify!($name), Some(self.$name)),)+ $((stringify!($rare), self.$rare),)+]
            }
        }
    };
}

actions! {
    /// Cell read for one input slice.
    cell_read,
    /// Word line driven for one input slice (one DAC conversion of one bit).
    dac_drive,
    /// Column sampled and held.
    sample_hold,
    /// Conversion of one column (priced by the ADC model; in the table of a cost file it is what the rest of the converter costs).
    adc_conversion,
    /// Code shifted and added to a column's accumulator.
    shift_add,
    /// Accumulator scaled by a converter step that is not a power of two.
    slice_scale,
    /// Accumulators of slices and row partitions added, or codes in the vector unit (residual additions, average pooling).
    merge_add,
    /// Input code added to the sum of inputs, which biased encodings need.
    input_sum_add,
    /// Digital offset times the sum of inputs taken off an output.
    offset_subtract,
    /// Output requantised and clamped (bias, scale, ReLU).
    requantise,
    /// Two codes compared (max pooling).
    compare,
    /// Input register written and read, bit per word line and array.
    input_register_bit,
    /// Output register written and read, one value.
    output_register_word,
    /// Word read from a tile buffer.
    buffer_read,
    /// Word written to a tile buffer.
    buffer_write,
    /// Bit moved over a tile's bus.
    bus_bit,
    /// Flit moved over one hop of the mesh.
    flit_hop,
    /// Bit moved over the port to the off-chip memory.
    memory_bit,
    /// Cell programmed, all pulses and verifying reads included.
    cell_write,
    ;
    /// Code looked up in a table (sigmoid and the like).
    lookup,
}
