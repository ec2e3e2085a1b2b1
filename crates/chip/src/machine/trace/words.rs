//! A line as words, numbers and quoted names.

use super::error::{Fault, shown};
use std::str::FromStr;

/// What is left of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { rest: line.trim_start() }
    }

    /// Whether nothing but a comment is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with('#')
    }

    /// The next word, up to white space; none at the end of the line or before a comment.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        if self.is_empty() {
            return None;
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        Some(word)
    }

    /// The next word, which must be there.
    pub(super) fn expect_word(&mut self, allowed: &str) -> Result<&'a str, Fault> {
        self.word().ok_or_else(|| Fault::new("the end of the line", allowed))
    }

    /// A word that is fixed.
    pub(super) fn keyword(&mut self, keyword: &str) -> Result<(), Fault> {
        let word = self.expect_word(&format!("`{keyword}`"))?;
        if word == keyword { Ok(()) } else { Err(Fault::new(format!("`{}`", shown(word)), format!("`{keyword}`"))) }
    }

    /// A whole number in decimal digits.
    pub(super) fn number<N: FromStr + Bounded>(&mut self, what: &str) -> Result<N, Fault> {
        let allowed = format!("{what}, a whole number from 0 to {}", N::MOST);
        number(self.expect_word(&allowed)?, &allowed)
    }

    /// A number behind its keyword.
    pub(super) fn field<N: FromStr + Bounded>(&mut self, keyword: &str) -> Result<N, Fault> {
        self.keyword(keyword)?;
        self.number(keyword)
    }

    /// A name: a JSON string.
    pub(super) fn name(&mut self) -> Result<String, Fault> {
        let allowed = "a name in double quotes, escaped as in JSON";
        let mut strings = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let name = match strings.next() {
            Some(Ok(name)) => name,
            _ => return Err(Fault::new(self.found(), allowed)),
        };
        let rest = self.rest.get(strings.byte_offset()..).unwrap_or("");
        if !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            return Err(Fault::new(self.found(), allowed));
        }
        self.rest = rest.trim_start();
        Ok(name)
    }

    /// Numbers with commas between them, or `none`.
    pub(super) fn list(&mut self, keyword: &str) -> Result<Vec<u32>, Fault> {
        self.keyword(keyword)?;
        let allowed = format!("{keyword}, `none` or numbers of cores from 0 to {} with commas between them", u32::MAX);
        match self.expect_word(&allowed)? {
            "none" => Ok(Vec::new()),
            word => word.split(',').map(|part| number(part, &allowed)).collect(),
        }
    }

    /// Requires the end of the line.
    pub(super) fn end(self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(Fault::new(self.found(), "the end of the line or a comment")) }
    }

    /// What stands next, for errors.
    fn found(&self) -> String {
        if self.rest.is_empty() { "the end of the line".to_owned() } else { format!("`{}`", shown(self.rest)) }
    }
}

/// A number type's largest value, for errors.
pub(super) trait Bounded {
    const MOST: u64;
}

impl Bounded for u32 {
    const MOST: u64 = u32::MAX as u64;
}

impl Bounded for u64 {
    const MOST: u64 = u64::MAX;
}

/// Digits only: neither signs nor spaces.
pub(super) fn number<N: FromStr>(word: &str, allowed: &str) -> Result<N, Fault> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { word.parse().ok() } else { None };
    value.ok_or_else(|| Fault::new(format!("`{}`", shown(word)), allowed))
}
