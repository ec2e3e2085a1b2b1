//! The nearest known name to a misspelt one.

/// The candidate with the fewest edits from `name`; the first one of several. Comparison ignores case.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    candidates.into_iter().min_by_key(|candidate| distance(&name, &candidate.to_lowercase()))
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
pub(super) fn distance(a: &str, b: &str) -> usize {
    // Misspelt names are short; a bound keeps a hostile one from taking quadratic time.
    let a: Vec<char> = a.chars().take(256).collect();
    let b: Vec<char> = b.chars().take(256).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in
            [("", "", 0), ("", "abc", 3), ("bits", "bitz", 1), ("bist", "bits", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_name_wins_and_no_name_gives_none() {
        assert_eq!(nearest("modle", ["bits", "model", "range"]), Some("model"));
        assert_eq!(nearest("ISAAC", ["offset", "isaac"]), Some("isaac"));
        assert_eq!(nearest("x", []), None);
    }
}
