//! An independent cycle-stepped model of whole pipelines: it looks at every cycle, slowly and plainly, and has no code of the engine.

use chip::timing::model::{MvmTiming, StageTiming, UnitTiming};
use chip::timing::{BankActivity, StageActivity, TimingReport};

/// A converter bank in the stepped chain. Slices are counted over all windows.
#[derive(Default)]
struct Bank {
    /// Cycles left of the slice in the array; 0 when it only waits to be latched.
    array: Option<u64>,
    latched: u64,
    converter: Option<u64>,
    converted: u64,
    activity: BankActivity,
}

/// A stage in the stepped chain.
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
    returning: Vec<(u64, u64)>,
    /// Input pixels given back.
    freed: u64,
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

/// A cycle-stepped model of a chain of stages of either kind, with several banks and several images.
struct Chain<'a> {
    timings: &'a [StageTiming],
    images: u64,
    now: u64,
    stages: Vec<Stage>,
}

/// Steps a pipeline to its end; `None` if it stands still before.
pub(crate) fn stepped_chain(timings: &[StageTiming], images: u64) -> Option<TimingReport> {
    let stages = timings.iter().map(|timing| {
        let banks = match &timing.unit {
            UnitTiming::Mvm(mvm) => mvm.banks.iter().map(|_| Bank::default()).collect(),
            UnitTiming::Interval(_) => Vec::new(),
        };
        let activity = StageActivity { name: timing.name.clone(), ..StageActivity::default() };
        Stage { banks, activity, ..Stage::default() }
    });
    let mut chain = Chain { timings, images, now: 0, stages: stages.collect() };
    let (mut image_done, mut drained) = (Vec::new(), 0);
    loop {
        let mut changed = true;
        while changed {
            changed = false;
            for at in 0..timings.len() {
                changed |= chain.transitions(at, &mut drained);
            }
        }
        let last = timings.len() - 1;
        while chain.stages[last].written >= (image_done.len() as u64 + 1) * timings[last].flow.need.len() as u64 {
            image_done.push(chain.now);
            if image_done.len() as u64 == images {
                break;
            }
        }
        if (0..timings.len()).all(|at| chain.stages[at].written == chain.total(at)) {
            break;
        }
        if !chain.stages.iter().any(Stage::in_flight) {
            return None;
        }
        chain.pass_cycle();
    }
    chain.observe();
    Some(TimingReport {
        cycles: *image_done.last().unwrap(),
        drained,
        image_done,
        stages: chain
            .stages
            .into_iter()
            .map(|stage| {
                let banks = stage.banks.iter().map(|bank| bank.activity).collect();
                StageActivity { pixels: stage.written, banks, ..stage.activity }
            })
            .collect(),
    })
}

impl Chain<'_> {
    fn total(&self, at: usize) -> u64 {
        self.images * self.timings[at].flow.need.len() as u64
    }

    /// Pixels of all images for a window of all images.
    fn global(&self, at: usize, list: &[u64], window: u64) -> u64 {
        let windows = list.len() as u64;
        window / windows * self.timings[at].flow.input_pixels + list[(window % windows) as usize]
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
            stage.freed = stage.freed.max(freed);
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
            let freed = self.global(at, &self.timings[at].flow.freed, self.stages[at].starts - 1);
            let stage = &mut self.stages[at];
            stage.freed = stage.freed.max(freed);
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
        at == 0 || self.stages[at - 1].written > self.global(at, &timing.flow.need, stage.starts)
    }

    fn has_room(&self, at: usize) -> bool {
        let capacity = self.timings.get(at + 1).and_then(|next| next.flow.capacity);
        capacity.is_none_or(|capacity| self.stages[at].starts < self.stages[at + 1].freed + capacity)
    }

    fn start(&mut self, at: usize) {
        let freed = self.global(at, &self.timings[at].flow.freed, self.stages[at].starts);
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
        for at in 1..self.stages.len() {
            let held = self.stages[at - 1].starts.saturating_sub(self.stages[at].freed);
            let peak = &mut self.stages[at].activity.peak_occupancy;
            *peak = (*peak).max(held);
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
