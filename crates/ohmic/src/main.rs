//! `ohmic`: the command line. Data go to standard output, progress and warnings to standard error; exit code 0 is done, 1 the answer is
//! no, 2 a usage or configuration error, 70 the same computation gave two results.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// A binary has no outside that could reach anything.
#![allow(unreachable_pub)]

#[macro_use]
mod say;

mod bar;
mod cli;
mod commands;
mod table;

use clap::Parser;
use cli::{Cli, Command};
use explore::ExploreError;
use explore::store::StoreError;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(match error {
                // The answer is no, as opposed to a question that cannot be asked.
                ExploreError::Disagreement(_) => 1,
                // Something is wrong with the program or the machine (EX_SOFTWARE of sysexits.h).
                ExploreError::Store(StoreError::Conflict { .. }) => 70,
                _ => 2,
            })
        }
    }
}

fn run(cli: &Cli) -> Result<(), ExploreError> {
    cli.threads.map_or(Ok(()), explore::threads::set_threads)?;
    match &cli.command {
        Command::Compare(arguments) => commands::compare::run(arguments, cli.format),
        Command::Recommend(arguments) => commands::recommend::run(arguments, cli.format),
        Command::Train(arguments) => commands::train::run(arguments, cli.format),
        Command::Infer(arguments) => commands::infer::run(arguments, cli.format),
        Command::Compile(arguments) => commands::compile::run(arguments, cli.format),
        Command::Simulate(arguments) => commands::simulate::run(arguments, cli.format),
        Command::Cycles(arguments) => commands::cycles::run(arguments, cli.format),
        Command::Trace(arguments) => commands::trace::run(arguments, cli.format),
        Command::Sweep(arguments) => commands::sweep::run(arguments, cli.format),
        Command::States(arguments) => commands::states::run(arguments, cli.format),
        Command::Conductances(arguments) => commands::conductances::run(arguments, cli.format),
        Command::ExportSpice(arguments) => commands::export_spice::run(arguments, cli.format),
        Command::List(arguments) => commands::list::run(arguments, cli.format),
        Command::Check(arguments) => commands::check::run(arguments, cli.format),
    }
}
