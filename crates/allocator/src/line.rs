//! Division in line: who is ahead gets all its car uses, who stand in one row share equally, and nothing is left over
//! while somebody behind waits.

use crate::plan::{AMPERE, Candidate, Division, State, whole_amps_down};
use crate::room::Room;
use crate::{Bottleneck, Demand};
use domain::MilliAmps;
use std::ops::Range;

impl Division<'_> {
    /// Serves one priority after the other. Within one: those who keep their minimum get it first, then
    /// everybody in line all that its car is known to use, then what is still left up to the maximum.
    pub(crate) fn serve_in_line(&mut self) {
        for candidate in &mut self.candidates {
            if candidate.max < self.min {
                candidate.state = State::BelowMinimum;
            }
        }
        let mut active: u16 = 0;
        // Whom a pause would strand comes before every priority, with the minimum only.
        self.admit_where(&mut active, 0..self.candidates.len(), |demand| demand.guide.unpausable);
        let mut from = 0;
        while let Some(first) = self.candidates.get(from) {
            let priority = first.demand.priority;
            let count = self.candidates.iter().skip(from).take_while(|c| c.demand.priority == priority).count();
            let until = from + count;
            self.admit_where(&mut active, from..until, |demand| demand.guide.keeps);
            self.admit_where(&mut active, from..until, |demand| !demand.guide.floor.is_zero());
            self.keep_promises(from..until);
            let mut at = from;
            while at < until {
                let row = self.row(at, until);
                self.serve(row.clone(), from, &mut active);
                at = row.end;
            }
            // A car that was squeezed in may have freed amperes on phases it does not use.
            self.fill(from..until, |candidate| candidate.usable());
            self.fill(from..until, |candidate| candidate.max);
            from = until;
        }
        // What a charger of higher priority did not know how to use goes to nobody else at the end.
        self.fill(0..self.candidates.len(), |candidate| candidate.max);
        self.name_what_limits();
    }

    /// Raises those who have their minimum to what they were promised.
    pub(crate) fn keep_promises(&mut self, range: Range<usize>) {
        self.fill(range, |candidate| whole_amps_down(candidate.demand.guide.floor).min(candidate.max));
    }

    pub(crate) fn admit_where(&mut self, active: &mut u16, range: Range<usize>, wanted: impl Fn(&Demand) -> bool) {
        for index in range {
            let (min, max_active) = (self.min, self.snapshot.max_active);
            let Some(candidate) = self.candidates.get_mut(index) else { continue };
            if wanted(candidate.demand) {
                admit(&mut self.room, candidate, min, max_active, active);
            }
        }
    }

    /// The candidates from `at` on that stand in one row.
    fn row(&self, at: usize, until: usize) -> Range<usize> {
        let row = |index: usize| self.candidates.get(index).and_then(|candidate| candidate.demand.guide.row);
        let more = (at + 1..until).take_while(|next| row(at).is_some() && row(*next) == row(at)).count();
        at..at + 1 + more
    }

    /// Gives those of one row their minimum, first come first, and then what their cars use, an ampere each in turn.
    fn serve(&mut self, row: Range<usize>, first: usize, active: &mut u16) {
        for index in row.clone() {
            self.let_in(index, first, active);
        }
        let mut risen = true;
        while risen {
            risen = false;
            for candidate in self.candidates.get_mut(row.clone()).into_iter().flatten() {
                if candidate.limit.is_zero() {
                    continue;
                }
                let before = candidate.limit;
                let goal = if row.len() == 1 { candidate.usable() } else { candidate.usable().min(before + AMPERE) };
                raise(&mut self.room, candidate, goal);
                risen |= candidate.limit > before;
            }
        }
    }

    /// Gives the candidate its minimum if need be. Where the amperes that are left are fewer than that, those ahead
    /// of it lend what is missing, so that no ampere is stranded.
    fn let_in(&mut self, index: usize, first: usize, active: &mut u16) {
        let (min, max_active) = (self.min, self.snapshot.max_active);
        let Some(candidate) = self.candidates.get_mut(index) else { return };
        if admit(&mut self.room, candidate, min, max_active, active) {
            return;
        }
        if matches!(candidate.state, State::Waiting(Some(_)))
            && self.borrow(index, first)
            && let Some(candidate) = self.candidates.get_mut(index)
        {
            admit(&mut self.room, candidate, min, max_active, active);
        }
    }

    /// Lowers those ahead, the last of them first, until the minimum of `index` fits. Undone when it does not
    /// come to fit, or when more would be taken from them than is won.
    fn borrow(&mut self, index: usize, first: usize) -> bool {
        let Some(candidate) = self.candidates.get(index) else { return false };
        let (demand, path, min) = (candidate.demand, candidate.path.clone(), self.min);
        if self.room.left(&path, demand).is_none_or(|(_, left)| whole_amps_down(left).is_zero()) {
            return false;
        }
        let mut lent: Vec<(usize, MilliAmps)> = Vec::new();
        let mut lost = 0_u64;
        for donor_index in (first..self.candidates.len()).rev() {
            if donor_index == index {
                continue;
            }
            let missing = self.missing(index, donor_index);
            let Some(donor) = self.candidates.get_mut(donor_index) else { continue };
            let amount = missing.min(donor.limit.saturating_sub(donor.kept(min)));
            if amount.is_zero() || donor.demand.priority != demand.priority {
                continue;
            }
            donor.limit = donor.limit.saturating_sub(amount);
            self.room.give_back(&donor.path, donor.demand, amount);
            lost += u64::from(amount.0) * wires(donor.demand);
            lent.push((donor_index, amount));
        }
        let fits = self.room.left(&path, demand).is_some_and(|(_, left)| left >= min);
        if fits && lost < u64::from(min.0) * wires(demand) {
            return true;
        }
        for (donor_index, amount) in lent {
            let Some(donor) = self.candidates.get_mut(donor_index) else { continue };
            if self.room.take(&donor.path, donor.demand, amount).is_ok() {
                donor.limit += amount;
            }
        }
        false
    }

    /// What the minimum of `index` lacks at the places it shares with `donor`, in whole amperes.
    fn missing(&self, index: usize, donor: usize) -> MilliAmps {
        let (Some(candidate), Some(donor)) = (self.candidates.get(index), self.candidates.get(donor)) else {
            return MilliAmps::ZERO;
        };
        let shares = |place: &Bottleneck| self.room.places(&donor.path, donor.demand).any(|(other, _)| other == *place);
        let least = self
            .room
            .places(&candidate.path, candidate.demand)
            .filter(|(place, _)| shares(place))
            .map(|(_, left)| *left)
            .min();
        least.map_or(MilliAmps::ZERO, |left| self.min.saturating_sub(whole_amps_down(left)))
    }

    fn fill(&mut self, range: Range<usize>, goal: impl Fn(&Candidate<'_>) -> MilliAmps) {
        for index in range {
            let Some(candidate) = self.candidates.get_mut(index) else { continue };
            if !candidate.limit.is_zero() {
                let goal = goal(candidate);
                raise(&mut self.room, candidate, goal);
            }
        }
    }

    fn name_what_limits(&mut self) {
        for candidate in &mut self.candidates {
            if candidate.limit.is_zero() {
                continue;
            }
            candidate.state = match self.room.left(&candidate.path, candidate.demand) {
                Some((place, _)) if candidate.limit < candidate.max => State::Stopped(place),
                Some(_) | None => State::Full,
            };
        }
    }
}

impl Candidate<'_> {
    /// What it keeps when others lack their minimum.
    fn kept(&self, min: MilliAmps) -> MilliAmps {
        whole_amps_down(self.demand.guide.floor).max(min)
    }

    /// What its car is known to use, in whole amperes and no less than chargers can be commanded.
    fn usable(&self) -> MilliAmps {
        whole_amps_down(self.demand.guide.usable).min(self.max)
    }
}

/// Gives a candidate its minimum if it fits and one more may be active.
fn admit(
    room: &mut Room,
    candidate: &mut Candidate<'_>,
    min: MilliAmps,
    max_active: Option<u16>,
    active: &mut u16,
) -> bool {
    if !candidate.limit.is_zero() {
        return true;
    }
    if candidate.max < min {
        candidate.state = State::BelowMinimum;
        return false;
    }
    if let Some(max) = max_active.filter(|max| *active >= *max) {
        candidate.state = State::WaitingForTurn(max);
        return false;
    }
    if !candidate.path.exists() {
        candidate.state = State::Waiting(None);
        return false;
    }
    match room.take(&candidate.path, candidate.demand, min) {
        Ok(()) => {
            candidate.limit = min;
            candidate.state = State::Rising;
            *active = active.saturating_add(1);
            true
        }
        Err(place) => {
            candidate.state = State::Waiting(Some(place));
            false
        }
    }
}

/// Raises a candidate to `goal` as far as there is room.
fn raise(room: &mut Room, candidate: &mut Candidate<'_>, goal: MilliAmps) {
    let Some((_, left)) = room.left(&candidate.path, candidate.demand) else { return };
    let step = goal.saturating_sub(candidate.limit).min(whole_amps_down(left));
    if !step.is_zero() && room.take(&candidate.path, candidate.demand, step).is_ok() {
        candidate.limit += step;
    }
}

fn wires(demand: &Demand) -> u64 {
    u64::try_from(demand.wiring.wires().len()).unwrap_or(1)
}
