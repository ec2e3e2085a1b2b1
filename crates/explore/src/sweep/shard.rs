//! Which part of a sweep a process begins with. All processes end with whatever the store still lacks.

use std::str::FromStr;

use crate::error::ExploreError;

/// Shard `index` of `count`; without a count one of an unknown number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    index: u64,
    count: Option<u64>,
}

/// Environment variables that number the processes of a job: index, where it begins, and how many there are.
const VARIABLES: [(&str, Option<&str>, Option<&str>); 5] = [
    ("SLURM_ARRAY_TASK_ID", Some("SLURM_ARRAY_TASK_MIN"), Some("SLURM_ARRAY_TASK_COUNT")),
    ("OMPI_COMM_WORLD_RANK", None, Some("OMPI_COMM_WORLD_SIZE")),
    ("JOB_COMPLETION_INDEX", None, None),
    ("HQ_TASK_ID", None, None),
    ("PARALLEL_SEQ", None, None),
];

impl Default for Shard {
    fn default() -> Self {
        Self { index: 0, count: Some(1) }
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((index, count)) if index < count => Ok(Self { index, count: Some(count) }),
            _ => Err("K/N is wanted, with K from 0 to N - 1".to_owned()),
        }
    }
}

impl Shard {
    /// The shard that a job scheduler's environment names; the only one where there is none.
    ///
    /// # Errors
    /// If a variable does not hold a number.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ExploreError> {
        let number = |name: &str| -> Result<Option<u64>, ExploreError> {
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else { return Ok(None) };
            let refuse = |_| ExploreError::Request(format!("{name} = {text:?} is not allowed: a number from 0"));
            text.parse().map(Some).map_err(refuse)
        };
        let maybe = |name: Option<&str>| name.map_or(Ok(None), number);
        for (index, first, count) in VARIABLES {
            let Some(index) = number(index)? else { continue };
            let step = if first.is_some() { number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1) } else { 1 };
            let index = index.saturating_sub(maybe(first)?.unwrap_or(0)) / step;
            return Ok(match maybe(count)?.filter(|&count| count > 0) {
                Some(count) => Self { index: index % count, count: Some(count) },
                None => Self { index, count: None },
            });
        }
        Ok(Self::default())
    }

    /// The numbers below `rows` in the order in which this shard looks at them: its own, then those of the next shard from their end, and so on.
    pub(super) fn order(self, rows: usize) -> Vec<usize> {
        match self.count {
            Some(count) => {
                let own = |shard: u64| (shard..rows as u64).step_by(count as usize).map(|row| row as usize);
                // Shards behind the last row have none.
                let mut others: Vec<u64> = (0..count.min(rows as u64)).filter(|&shard| shard != self.index).collect();
                others.sort_by_key(|shard| (shard + count - self.index) % count);
                let from_end = |shard| own(shard).collect::<Vec<_>>().into_iter().rev();
                own(self.index).chain(others.into_iter().flat_map(from_end)).collect()
            }
            // Places that lie far apart for any number of shards: multiples of the golden ratio.
            None => {
                let share = libm::fmod(self.index as f64 * 0.618_033_988_749_894_9, 1.0);
                let start = ((share * rows as f64) as usize).min(rows);
                (start..rows).chain(0..start).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Result<Shard, ExploreError> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Shard::from_environment(find)
    }

    #[test]
    fn every_shard_sees_every_row_once() {
        for rows in [0, 1, 5, 23] {
            for count in [1, 2, 7, 40] {
                let mut firsts = Vec::new();
                for index in 0..count {
                    let order = Shard { index, count: Some(count) }.order(rows);
                    let mut sorted = order.clone();
                    sorted.sort_unstable();
                    assert!(sorted.into_iter().eq(0..rows), "{index}/{count} of {rows}: {order:?}");
                    firsts.extend(order.into_iter().take(rows.saturating_sub(index as usize).div_ceil(count as usize)));
                }
                firsts.sort_unstable();
                assert!(firsts.into_iter().eq(0..rows), "own rows of {count} shards");
            }
            let mut order = Shard { index: 3, count: None }.order(rows);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..rows));
        }
    }

    #[test]
    fn shards_are_read() {
        assert_eq!("2/7".parse(), Ok(Shard { index: 2, count: Some(7) }));
        for bad in ["7/7", "1", "a/b", "-1/2", "1/0", ""] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        let slurm = [("SLURM_ARRAY_TASK_ID", "5"), ("SLURM_ARRAY_TASK_MIN", "3"), ("SLURM_ARRAY_TASK_COUNT", "4")];
        assert_eq!(environment(&slurm).unwrap(), Shard { index: 2, count: Some(4) });
        // --array=3-9:2 has the tasks 3, 5, 7 and 9.
        let stepped = [slurm[0], slurm[1], slurm[2], ("SLURM_ARRAY_TASK_STEP", "2")];
        assert_eq!(environment(&stepped).unwrap(), Shard { index: 1, count: Some(4) });
        assert_eq!(environment(&[("SLURM_ARRAY_TASK_ID", "")]).unwrap(), Shard::default());
        let mpi = [("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "2")];
        assert_eq!(environment(&mpi).unwrap(), Shard { index: 1, count: Some(2) });
        for name in ["JOB_COMPLETION_INDEX", "HQ_TASK_ID", "PARALLEL_SEQ"] {
            assert_eq!(environment(&[(name, "4")]).unwrap(), Shard { index: 4, count: None });
        }
        assert_eq!(environment(&[]).unwrap(), Shard::default());
        let error = environment(&[("HQ_TASK_ID", "x")]).unwrap_err().to_string();
        assert!(error.contains("HQ_TASK_ID = \"x\" is not allowed"), "{error}");
    }
}
