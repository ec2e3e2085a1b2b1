//! Figures for dark pages.

/// Colours of paper, ink, lesser ink and grid, and what they become. Colours of data stay: they are told apart on both.
const DARK: [(&str, &str); 4] =
    [("#FFFFFF", "#0D1117"), ("#000000", "#E6EDF3"), ("#5A5A5A", "#9DA7B3"), ("#DEDEDE", "#30363D")];

/// A figure of this module with light ink on dark paper.
#[must_use]
pub fn dark(svg: &str) -> String {
    let mut parts = svg.split('#');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let found = DARK.iter().find_map(|(light, dark)| Some((part.strip_prefix(&light[1..])?, dark)));
        match found {
            Some((rest, dark)) => text.extend([dark, rest]),
            None => text.extend(["#", part]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_and_ink_change_places() {
        let svg = r##"<rect fill="#FFFFFF"/><line stroke="#000000"/><path fill="#0072B2"/>#"##;
        assert_eq!(dark(svg), r##"<rect fill="#0D1117"/><line stroke="#E6EDF3"/><path fill="#0072B2"/>#"##);
    }
}
