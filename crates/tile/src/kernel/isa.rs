//! Instruction sets the kernel is compiled for.

/// An instruction set. The results are the same bits on all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// What every machine of the target has, all accesses checked.
    Portable,
    /// AVX2 with FMA, eight numbers at a time.
    Avx2,
    /// AVX-512, sixteen numbers at a time.
    Avx512,
}

/// Every instruction set with its name, the slowest first.
pub const ISAS: &[(Isa, &str)] = &[(Isa::Portable, "portable"), (Isa::Avx2, "avx2"), (Isa::Avx512, "avx512")];

impl Isa {
    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Those that this machine has.
    pub fn available() -> impl Iterator<Item = Self> {
        ISAS.iter().map(|&(isa, _)| isa).filter(|isa| isa.is_available())
    }

    /// The fastest that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::available().last().unwrap_or(Self::Portable)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ISAS.iter().find(|&&(isa, _)| isa == self).map_or("portable", |&(_, name)| name)
    }
}
