//! An independent cycle-stepped model of whole pipelines: it looks at every cycle, slowly and plainly, and has no code of the engine.

use chip::timing::model::{MvmTiming, StageTiming, UnitTiming};
use chip::timing::{BankActivity, StageActivity, TimingReport};

/// A converter bank in the stepped graph. Slices are counted over all windows.
#[derive(Default)]
struct Bank {
    /// Cycles left of the slice in the array; 0 when it only waits to be latched.
    array: Option<u64>,
    latched: u64,
    converter: Option<u64>,
    converted: u64,
    activity: BankActivity,
}

/// A stage in the stepped graph.
#[derive(Default)]
struct Stage {
    starts: u64,
    port: Option<u64>,
    arriving: Vec<u64>,
    ready: u64,
    banks: Vec<Bank>,
    /// Windows whose conversions have ended.
    converted: u64,
    coming: Vec<u64>,
    written: u64,
    returning: Vec<(u64, Vec<u64>)>,
    /// Pixels of each input given back.
    freed: Vec<u64>,
    activity: StageActivity,
}

impl Stage {
    /// Number of times up to now, which are removed.
    fn due(times: &mut Vec<u64>, now: u64) -> u64 {
        times.extract_if(.., |at| *at <= now).count() as u64
    }

    fn in_flight(&self) -> bool {
        let running = |left: Option<u64>| left.is_some_and(|left| left > 0);
        running(self.port)
            || !(self.arriving.is_empty() && self.coming.is_empty() && self.returning.is_empty())
            || self.banks.iter().any(|bank| running(bank.array) || running(bank.converter))
    }
}

/// A cycle-stepped model of a graph of stages of either kind, with several banks and several images.
struct Graph<'a> {
    timings: &'a [StageTiming],
    images: u64,
    now: u64,
    stages: Vec<Stage>,
}

/// Steps a pipeline to its end; `None` if it stands still before.
pub(crate) fn stepped_graph(timings: &[StageTiming], images: u64) -> Option<TimingReport> {
    let stages = timings.iter().map(|timing| {
        let banks = match &timing.unit {
            UnitTiming::Mvm(mvm) => mvm.banks.iter().map(|_| Bank::default()).collect(),
            UnitTiming::Interval(_) => Vec::new(),
        };
        let peak_occupancy = vec![0; timing.inputs.len()];
        let activity = StageActivity { name: timing.name.clone(), peak_occupancy, ..StageActivity::default() };
        Stage { banks, activity, freed: vec![0; timing.inputs.len()], ..Stage::default() }
    });
    let mut graph = Graph { timings, images, now: 0, stages: stages.collect() };
    let (mut image_done, mut drained) = (Vec::new(), 0);
    loop {
        let mut changed = true;
        while changed {
            changed = false;
            for at in 0..timings.len() {
                changed |= graph.transitions(at, &mut drained);
            }
        }
        let last = timings.len() - 1;
        while graph.stages[last].written
            >= (image_done.len() as u64 + 1) * timings[last].inputs[0].flow.need.len() as u64
        {
            image_done.push(graph.now);
            if image_done.len() as u64 == images {
                break;
            }
        }
        if (0..timings.len()).all(|at| graph.stages[at].written == graph.total(at)) {
            break;
        }
        if !graph.stages.iter().any(Stage::in_flight) {
            return None;
        }
        graph.pass_cycle();
    }
    graph.observe();
    Some(TimingReport {
        cycles: *image_done.last().unwrap(),
        drained,
        image_done,
        stages: graph
            .stages
            .into_iter()
            .map(|stage| {
                let banks = stage.banks.iter().map(|bank| bank.activity).collect();
                StageActivity { pixels: stage.written, banks, ..stage.activity }
            })
            .collect(),
    })
}

impl Graph<'_> {
    fn total(&self, at: usize) -> u64 {
        self.images * self.timings[at].inputs[0].flow.need.len() as u64
    }

    /// Pixels of all images of an input for a window of all images.
    fn global(input_pixels: u64, list: &[u64], window: u64) -> u64 {
        let windows = list.len() as u64;
        window / windows * input_pixels + list[(window % windows) as usize]
    }

    /// What a window of a stage gives back of each input.
    fn frees(&self, at: usize, window: u64) -> Vec<u64> {
        let flows = self.timings[at].inputs.iter().map(|input| &input.flow);
        flows.map(|flow| Self::global(flow.input_pixels, &flow.freed, window)).collect()
    }

    /// The stages and inputs that read what a stage writes.
    fn readers(&self, at: usize) -> impl Iterator<Item = (usize, usize)> {
        let inputs = move |(reader, timing): (usize, &'_ StageTiming)| {
            let read = timing.inputs.iter().enumerate().filter(move |(_, input)| input.source == at + 1);
            read.map(move |(input, _)| (reader, input)).collect::<Vec<_>>()
        };
        self.timings.iter().enumerate().flat_map(inputs)
    }

    /// Everything of one stage that can happen now without time passing; whether anything did.
    fn transitions(&mut self, at: usize, drained: &mut u64) -> bool {
        let now = self.now;
        let stage = &mut self.stages[at];
        let written = Stage::due(&mut stage.coming, now);
        stage.written += written;
        if written > 0 {
            *drained = now;
        }
        let mut changed = written > 0;
        for (_, freed) in stage.returning.extract_if(.., |(at, _)| *at <= now) {
            give_back(&mut stage.freed, &freed);
            changed = true;
        }
        match &self.timings[at].unit {
            UnitTiming::Mvm(mvm) => changed |= self.mvm_transitions(at, mvm),
            UnitTiming::Interval(_) if stage.port == Some(0) => (stage.port, changed) = (None, true),
            UnitTiming::Interval(_) => {}
        }
        if self.could_start(at) && self.has_room(at) {
            self.start(at);
            changed = true;
        }
        changed
    }

    fn mvm_transitions(&mut self, at: usize, mvm: &MvmTiming) -> bool {
        let mut changed = false;
        if self.stages[at].port == Some(0) {
            let freed = self.frees(at, self.stages[at].starts - 1);
            let stage = &mut self.stages[at];
            give_back(&mut stage.freed, &freed);
            stage.arriving.push(self.now + mvm.load_latency);
            stage.activity.loads += 1;
            (stage.port, changed) = (None, true);
        }
        let stage = &mut self.stages[at];
        let arrived = Stage::due(&mut stage.arriving, self.now);
        stage.ready += arrived;
        changed |= arrived > 0;
        let slices = u64::from(mvm.slices);
        for (bank, timing) in stage.banks.iter_mut().zip(&mvm.banks) {
            if bank.converter == Some(0) {
                bank.converted += 1;
                bank.activity.conversions += 1;
                (bank.converter, changed) = (None, true);
            }
            if bank.converter.is_none() && bank.latched > bank.converted {
                (bank.converter, changed) = (Some(timing.convert), true);
            }
            if bank.array == Some(0) && bank.latched - bank.converted < u64::from(mvm.sample_hold_depth) {
                bank.latched += 1;
                bank.activity.reads += 1;
                (bank.array, changed) = (None, true);
            }
            if bank.array.is_none() && bank.latched < stage.ready * slices {
                (bank.array, changed) = (Some(timing.read), true);
            }
        }
        while stage.banks.iter().all(|bank| bank.converted / slices > stage.converted) {
            stage.converted += 1;
            stage.coming.push(self.now + mvm.post);
            changed = true;
        }
        changed
    }

    /// Whether the next window of a stage waits for nothing but room.
    fn could_start(&self, at: usize) -> bool {
        let (stage, timing) = (&self.stages[at], &self.timings[at]);
        if stage.port.is_some() || stage.starts == self.total(at) {
            return false;
        }
        if let UnitTiming::Mvm(mvm) = &timing.unit {
            let slowest = stage.banks.iter().map(|bank| bank.latched / u64::from(mvm.slices)).min().unwrap();
            if stage.starts >= slowest + u64::from(mvm.input_registers) {
                return false;
            }
        }
        timing.inputs.iter().all(|input| {
            let need = Self::global(input.flow.input_pixels, &input.flow.need, stage.starts);
            input.source == 0 || self.stages[input.source - 1].written > need
        })
    }

    fn has_room(&self, at: usize) -> bool {
        self.readers(at).all(|(reader, input)| {
            let capacity = self.timings[reader].inputs[input].flow.capacity;
            capacity.is_none_or(|capacity| self.stages[at].starts < self.stages[reader].freed[input] + capacity)
        })
    }

    fn start(&mut self, at: usize) {
        let freed = self.frees(at, self.stages[at].starts);
        let (now, stage) = (self.now, &mut self.stages[at]);
        stage.starts += 1;
        match &self.timings[at].unit {
            UnitTiming::Mvm(mvm) => stage.port = Some(mvm.load),
            UnitTiming::Interval(unit) => {
                stage.port = Some(unit.interval);
                stage.activity.loads += 1;
                stage.coming.push(now + unit.latency);
                stage.returning.push((now + unit.release, freed));
            }
        }
    }

    /// Looks at the occupancy once nothing more happens in a cycle.
    fn observe(&mut self) {
        for at in 0..self.stages.len() {
            for (input, timing) in self.timings[at].inputs.iter().enumerate().filter(|(_, input)| input.source > 0) {
                let held = self.stages[timing.source - 1].starts.saturating_sub(self.stages[at].freed[input]);
                let peak = &mut self.stages[at].activity.peak_occupancy[input];
                *peak = (*peak).max(held);
            }
        }
    }

    /// Lets one cycle pass.
    fn pass_cycle(&mut self) {
        self.observe();
        for at in 0..self.stages.len() {
            let stalled = self.could_start(at);
            let loads = matches!(self.timings[at].unit, UnitTiming::Mvm(_));
            let stage = &mut self.stages[at];
            stage.activity.stall += u64::from(stalled);
            stage.activity.load_busy += u64::from(loads && tick(&mut stage.port));
            if !loads {
                tick(&mut stage.port);
            }
            for bank in &mut stage.banks {
                bank.activity.array_wait += u64::from(bank.array == Some(0));
                bank.activity.array_busy += u64::from(tick(&mut bank.array));
                bank.activity.converter_busy += u64::from(tick(&mut bank.converter));
            }
        }
        self.now += 1;
    }
}

/// Gives pixels of every input back.
fn give_back(freed: &mut [u64], more: &[u64]) {
    freed.iter_mut().zip(more).for_each(|(freed, more)| *freed = (*freed).max(*more));
}

/// Counts an operation down by a cycle; whether it was at work in it.
fn tick(left: &mut Option<u64>) -> bool {
    match left {
        Some(cycles) if *cycles > 0 => {
            *cycles -= 1;
            true
        }
        _ => false,
    }
}
