//! Independent models of one stage and of two pipelined units that look at every cycle: slow, plain, and without any code of the engine.

use std::collections::{HashSet, VecDeque};

use chip::timing::model::{Flow, MvmTiming};

/// A cycle-stepped model of one stage of crossbars with one bank, for a stream of MVMs whose inputs all stand ready: the cycle in which
/// each is done. All operations but the latencies take at least one cycle.
pub(crate) fn stepped_layer(mvms: usize, unit: &MvmTiming) -> Vec<u64> {
    let (slices, bank) = (unit.slices as usize, unit.banks[0]);
    let (depth, mut slots) = (unit.sample_hold_depth as usize, unit.input_registers);
    let (mut now, mut next_load, mut load_left) = (0, 0, None);
    let (mut arriving, mut ready) = (Vec::<(u64, usize)>::new(), HashSet::new());
    let (mut array, mut cursor) = (None::<(u64, usize, usize)>, (0, 0));
    let (mut latch, mut converting) = (VecDeque::new(), None::<(u64, usize, usize)>);
    let mut done = vec![None; mvms];
    while done.iter().any(Option::is_none) {
        let mut changed = true;
        while changed {
            changed = false;
            let before = arriving.len();
            ready.extend(arriving.iter().filter(|(at, _)| *at <= now).map(|(_, mvm)| *mvm));
            arriving.retain(|(at, _)| *at > now);
            changed |= arriving.len() < before;
            if load_left.is_none() && next_load < mvms && slots > 0 {
                (load_left, slots, changed) = (Some(unit.load), slots - 1, true);
            }
            // The slice keeps its place in the latch while it is converted.
            if let (None, Some((mvm, slice))) = (converting, latch.front().copied()) {
                (converting, changed) = (Some((bank.convert, mvm, slice)), true);
            }
            if array.is_none() && cursor.0 < mvms && ready.contains(&cursor.0) {
                (array, changed) = (Some((bank.read, cursor.0, cursor.1)), true);
                cursor = if cursor.1 + 1 < slices { (cursor.0, cursor.1 + 1) } else { (cursor.0 + 1, 0) };
            }
            if let Some((0, mvm, slice)) = array
                && latch.len() < depth
            {
                latch.push_back((mvm, slice));
                slots += u32::from(slice + 1 == slices);
                (array, changed) = (None, true);
            }
        }
        now += 1;
        load_left = load_left.map(|left| left - 1);
        if load_left == Some(0) {
            load_left = None;
            arriving.push((now + unit.load_latency, next_load));
            next_load += 1;
        }
        array = array.map(|(left, mvm, slice)| (left.saturating_sub(1), mvm, slice));
        converting = converting.map(|(left, mvm, slice)| (left - 1, mvm, slice));
        if let Some((0, mvm, slice)) = converting {
            latch.pop_front();
            converting = None;
            if slice + 1 == slices {
                done[mvm] = Some(now + unit.post);
            }
        }
    }
    done.into_iter().flatten().collect()
}

/// The same stage as a recurrence over MVMs and slices, without a notion of time passing.
pub(crate) fn recurrence(mvms: usize, unit: &MvmTiming) -> Vec<u64> {
    let (bank, depth, registers) = (unit.banks[0], unit.sample_hold_depth as usize, unit.input_registers as usize);
    let (mut load_end, mut register_free, mut done) = (Vec::new(), Vec::new(), Vec::new());
    let (mut converted, mut latched): (Vec<u64>, u64) = (Vec::new(), 0);
    for mvm in 0..mvms {
        let mut start = load_end.last().copied().unwrap_or(0);
        if mvm >= registers {
            start = start.max(register_free[mvm - registers]);
        }
        load_end.push(start + unit.load);
        let ready = start + unit.load + unit.load_latency;
        for _ in 0..unit.slices {
            let read = ready.max(latched) + bank.read;
            latched = if converted.len() >= depth { read.max(converted[converted.len() - depth]) } else { read };
            let start = converted.last().map_or(latched, |last| latched.max(*last));
            converted.push(start + bank.convert);
        }
        register_free.push(latched);
        done.push(converted[converted.len() - 1] + unit.post);
    }
    done
}

/// Two pipelined units with a buffer between them. All times in cycles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwoUnits {
    pub(crate) first_latency: u64,
    pub(crate) first_interval: u64,
    pub(crate) second_interval: u64,
    pub(crate) second_latency: u64,
    pub(crate) release: u64,
}

/// What the two units did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TwoOutcome {
    pub(crate) cycles: u64,
    pub(crate) stall: u64,
    pub(crate) peak: u64,
}

/// A cycle-stepped model of two pipelined units and one image; `None` if it does not end. The occupancy is taken at the end of a cycle.
pub(crate) fn stepped_two(units: &TwoUnits, flow: &Flow, capacity: u64) -> Option<TwoOutcome> {
    let (pixels, windows) = (flow.input_pixels, flow.need.len());
    let (mut started, mut next_first, mut written) = (0, 0, 0);
    let (mut window, mut next_second) = (0, 0);
    let (mut coming, mut returning, mut freed) = (VecDeque::new(), Vec::<(u64, u64)>::new(), 0);
    let (mut end, mut stall, mut peak) = (0, 0, 0);
    for now in 0..200_000 {
        let mut changed = true;
        while changed {
            changed = false;
            while coming.front().is_some_and(|at| *at <= now) {
                coming.pop_front();
                (written, changed) = (written + 1, true);
            }
            for (_, back) in returning.extract_if(.., |(at, _)| *at <= now) {
                (freed, changed) = (freed.max(back), true);
            }
            if window < windows && now >= next_second && written > flow.need[window] {
                end = now + units.second_latency;
                returning.push((now + units.release, flow.freed[window]));
                (next_second, window, changed) = (now + units.second_interval, window + 1, true);
            }
            if started < pixels && now >= next_first && started < freed + capacity {
                coming.push_back(now + units.first_latency);
                (next_first, started, changed) = (now + units.first_interval, started + 1, true);
            }
        }
        peak = peak.max(started.saturating_sub(freed));
        stall += u64::from(started < pixels && now >= next_first);
        if window == windows && now >= end {
            return Some(TwoOutcome { cycles: end, stall, peak });
        }
    }
    None
}
