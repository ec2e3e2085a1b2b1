//! `ohmic sweep submit`: shards for a scheduler that is there already.

use super::load_plan;
use crate::cli::sweep::{Engine, Submit as Arguments};
use crate::commands::{quoted, quoted_path};
use explore::ExploreError;
use explore::config::{Kind, to_toml};
use explore::output::write;
use explore::store::{Id, Store};
use explore::sweep::{Plan, Status, status};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Submissions in a row that bring nothing new, after which it is no use to go on.
const PATIENCE: u32 = 3;
/// Before a submission that follows a refused one; twice as long before the third.
const PAUSE: Duration = Duration::from_secs(2);

pub fn run(arguments: &Arguments) -> Result<(), ExploreError> {
    let plan = load_plan(&arguments.planned)?;
    plan.check()?;
    let job = Job::write(arguments, &plan)?;
    if arguments.dry_run {
        say!("# {}", job.script.display());
        say_raw!("{}", job.text);
        say!("# submitted by\n{}", job.command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
        return Ok(());
    }
    converge(&plan, &Store::open(&arguments.store), &job)
}

/// What is submitted.
struct Job {
    script: PathBuf,
    text: String,
    command: Vec<String>,
}

impl Job {
    /// Writes the resolved plan and the script that runs one shard of it.
    fn write(arguments: &Arguments, plan: &Plan) -> Result<Self, ExploreError> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|source| ExploreError::File { path: path.to_owned(), source })
        };
        let store = absolute(&arguments.store)?;
        for (flag, path) in [("--store", Some(store.as_path())), ("--data", plan.data())] {
            if let Some(path) = path.filter(|path| path.to_str().is_none()) {
                let what = "is no UTF-8, in which scripts are written";
                return Err(ExploreError::Request(format!("{flag} {}: the path {what}", path.display())));
            }
        }
        if arguments.machines.is_some() && arguments.engine == Engine::Slurm {
            let what = "--machines is for --engine parallel; Slurm takes SBATCH_PARTITION and the like";
            return Err(ExploreError::Request(what.to_owned()));
        }
        let directory = store.join("submit");
        let text = to_toml(Kind::Sweep, plan.sweep())?;
        let surroundings = surroundings(plan.data(), &absolute)?;
        // Queued tasks read the plan when it is their turn: another one, or the same with other words or elsewhere, has another name.
        let parts = [text.as_bytes(), surroundings.as_bytes()];
        let name = format!("{}-{}", plan.sweep().name, &Id::of("plan", &parts).to_string()[..8]);
        let file = |end: &str| directory.join(format!("{name}.{end}"));
        write(&directory, &format!("{name}.toml"), &text)?;
        let program =
            std::env::current_exe().map_err(|source| ExploreError::File { path: PathBuf::from("ohmic"), source })?;
        let threads = arguments.shard_threads;
        let run = format!(
            "{surroundings}exec {} sweep run {} --store {} --threads {threads}",
            quoted_path(&program),
            quoted_path(&file("toml")),
            quoted_path(&store)
        );
        let (text, command) = match arguments.engine {
            Engine::Slurm => slurm(arguments, &run, &file("sbatch"), &file("%a.log")),
            Engine::Parallel => parallel(arguments, &run, &file("sh"))?,
        };
        let script = file(if arguments.engine == Engine::Slurm { "sbatch" } else { "sh" });
        explore::output::write_bytes(&script, text.as_bytes())?;
        Ok(Self { script, text, command })
    }
}

/// What a task on another machine must know of this process: where it is, and where networks and data sets lie.
fn surroundings(
    data: Option<&Path>,
    absolute: &dyn Fn(&Path) -> Result<PathBuf, ExploreError>,
) -> Result<String, ExploreError> {
    let mut lines = format!("cd {}\n", quoted_path(&absolute(Path::new("."))?));
    for (name, named) in [(explore::datasets::DATA, data), (explore::model::MODELS, None)] {
        let of_environment = || std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(directory) = named.map(PathBuf::from).or_else(of_environment) {
            lines += &format!("export {name}={}\n", quoted_path(&absolute(&directory)?));
        }
    }
    Ok(lines)
}

/// One long-lived process per task: a task of its own for every point would take as long to start as to run. Slurm's own requeueing waits for two
/// minutes; what is missing in the end is submitted again instead.
fn slurm(arguments: &Arguments, run: &str, script: &Path, log: &Path) -> (String, Vec<String>) {
    let text = format!(
        "#!/usr/bin/env bash\n#SBATCH --job-name=ohmic-sweep\n#SBATCH --cpus-per-task={}\n#SBATCH --no-requeue\n\
         #SBATCH --open-mode=append\n{run}\n",
        arguments.shard_threads
    );
    let last = arguments.shards - 1;
    let command = ["sbatch".to_owned(), "--wait".to_owned(), format!("--array=0-{last}")];
    // Slurm replaces what follows a `%` but for the file name's own.
    let directory = log.parent().unwrap_or(log).display().to_string().replace('%', "%%");
    let name = log.file_name().unwrap_or_default().display();
    let places = [format!("--output={directory}/{name}"), script.display().to_string()];
    (text, command.into_iter().chain(places).collect())
}

fn parallel(arguments: &Arguments, run: &str, script: &Path) -> Result<(String, Vec<String>), ExploreError> {
    let text = format!("#!/usr/bin/env bash\n{run} --shard \"$1/{}\"\n", arguments.shards);
    let mut command = vec!["parallel".to_owned(), "--will-cite".to_owned(), "--jobs".to_owned()];
    command.push(arguments.shards.to_string());
    if let Some(machines) = &arguments.machines {
        let path =
            std::path::absolute(machines).map_err(|source| ExploreError::File { path: machines.clone(), source })?;
        command.extend(["--sshloginfile".to_owned(), path.display().to_string()]);
    }
    // Parallel reads its command as a shell does.
    command.extend(["bash".to_owned(), quoted_path(script), "{}".to_owned(), ":::".to_owned()]);
    command.extend((0..arguments.shards).map(|shard| shard.to_string()));
    Ok((text, command))
}

/// Submits until every row is there or has failed: tasks and machines that die cost no more than what they were about to compute.
fn converge(plan: &Plan, store: &Store, job: &Job) -> Result<(), ExploreError> {
    let mut last = status(plan, store, true)?;
    let (mut submissions, mut in_vain) = (0_u32, 0);
    while last.present + last.failed < last.rows && in_vain < PATIENCE {
        submissions += 1;
        eprintln!("submission {submissions}: {} of {} rows are missing", last.rows - last.present, last.rows);
        let accepted = submit(job)?;
        let now = status(plan, store, true)?;
        in_vain = if now.present + now.failed > last.present + last.failed { 0 } else { in_vain + 1 };
        last = now;
        if !accepted && in_vain > 0 && in_vain < PATIENCE {
            // A controller that does not answer may do so later.
            std::thread::sleep(PAUSE * in_vain);
        }
    }
    report(&last, submissions, &job.script)
}

/// Submits once, and waits; whether all went well. That some tasks have failed is seen by what is missing.
fn submit(job: &Job) -> Result<bool, ExploreError> {
    let [program, arguments @ ..] = job.command.as_slice() else { return Ok(true) };
    match Command::new(program).args(arguments).status() {
        Ok(status) if status.success() => Ok(true),
        Ok(status) => {
            eprintln!("warning: {program} ended with {status}");
            Ok(false)
        }
        Err(source) => Err(ExploreError::File { path: PathBuf::from(program), source }),
    }
}

fn report(last: &Status, submissions: u32, script: &Path) -> Result<(), ExploreError> {
    last.errors.iter().for_each(|error| eprintln!("failed: {error}"));
    if last.is_complete() {
        eprintln!("complete after {submissions} submissions");
        return Ok(());
    }
    let missing = last.rows - last.present;
    // GNU parallel passes on what its tasks say; Slurm writes it down.
    let logs = match script.extension() {
        Some(end) if end == "sbatch" => {
            format!("; logs of tasks that have begun are in {}", script.parent().unwrap_or(script).display())
        }
        _ => String::new(),
    };
    let failed = last.failed;
    Err(ExploreError::Disagreement(format!(
        "{missing} rows are missing after {submissions} submissions, {failed} of them failed{logs}"
    )))
}
