//! What reads several maps.

use super::super::writer::int;
use super::{Growing, Map};

impl Growing {
    pub(super) fn sum(&mut self, a: &Map, b: &Map) -> Map {
        let (names, op) = ([a.name.as_str(), &b.name], if self.draw.once_in(4) { "Sum" } else { "Add" });
        self.node(op, &names, vec![], a.size, |channel, y, x| a.value(channel, y, x) + b.value(channel, y, x))
    }

    /// The sum with, or the channels beside those of, one or two other maps that fit.
    pub(super) fn joined(&mut self, map: &Map) -> Option<Map> {
        let others: Vec<Map> = self.maps.iter().filter(|other| other.size[1..] == map.size[1..]).cloned().collect();
        let mut pick = || others[self.draw.within(0, others.len() - 1)].clone();
        let (other, third) = (pick(), pick());
        if other.size == map.size && self.draw.once_in(2) {
            return Some(self.sum(&other, map));
        }
        let parts = if self.draw.once_in(3) { vec![other, map.clone(), third] } else { vec![map.clone(), other] };
        let channels = parts.iter().map(|part| part.size[0]).sum();
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let axis = match (self.draw.once_in(2), self.flat) {
            (true, _) => 1,
            (false, true) => -2,
            (false, false) => -3,
        };
        let mut all: Vec<(&Map, usize)> = Vec::new();
        parts.iter().for_each(|part| all.extend((0..part.size[0]).map(|channel| (part, channel))));
        let size = [channels, map.size[1], map.size[2]];
        Some(self.node("Concat", &names, vec![int("axis", axis)], size, |channel, y, x| {
            let (part, own) = all[channel];
            part.value(own, y, x)
        }))
    }

    /// One or two convolutions and a shortcut, straight or projected, that are added.
    pub(super) fn residual(&mut self, map: &Map) -> Option<Map> {
        let projected = self.draw.once_in(2);
        let (wide, stride) =
            if projected { (self.draw.within(1, 6), self.draw.within(1, 2)) } else { (map.size[0], 1) };
        let mut main = map.clone();
        if self.draw.once_in(2) {
            let narrow = self.draw.within(1, 6);
            main = self.same(&main, 3, 1, narrow);
            main = self.normalised(&main);
            main = self.activation(&main);
        }
        main = self.same(&main, 3, stride, wide);
        if self.draw.once_in(2) {
            main = self.normalised(&main);
        }
        let shortcut = if projected { self.same(map, 1, stride, wide) } else { map.clone() };
        let sum = if self.draw.once_in(2) { self.sum(&main, &shortcut) } else { self.sum(&shortcut, &main) };
        Some(if self.draw.once_in(3) { sum } else { self.relu(&sum) })
    }
}
