//! Data on standard output. A reader that stops reading, as `head` does, ends the program quietly.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Writes text; leaves the program if nobody reads it any more.
pub fn write(text: Arguments<'_>) {
    if let Err(error) = std::io::stdout().lock().write_fmt(text) {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("error: standard output: {error}");
        std::process::exit(2);
    }
}

/// Like `println!`.
macro_rules! say {
    ($($text:tt)*) => {{
        $crate::say::write(format_args!($($text)*));
        $crate::say::write(format_args!("\n"));
    }};
}

/// Like `print!`.
macro_rules! say_raw {
    ($($text:tt)*) => { $crate::say::write(format_args!($($text)*)) };
}
