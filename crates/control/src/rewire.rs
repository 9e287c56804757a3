//! Replacing the tree of circuits together with what hangs where, as an electrician draws it: all of it or nothing.

use crate::tree::Tree;
use crate::{Control, Made, OrderDone, OrderError, Output};
use domain::{Charger, CircuitTree, Meter, Record};

impl Control {
    pub(crate) fn rewire(
        &mut self,
        circuits: CircuitTree,
        chargers: Vec<Charger>,
        meters: Vec<Meter>,
        out: &mut Vec<Output>,
    ) -> OrderDone {
        self.check_places(&circuits, &chargers, &meters)?;
        let before = std::mem::replace(&mut self.circuits, circuits);
        // Circuits are looked up in the new tree; nothing else has changed yet.
        let refused = chargers.iter().find_map(|charger| self.check_charger(charger).err());
        if let Some(refused) = refused {
            self.circuits = before;
            return Err(refused);
        }
        self.tree = Tree::new(&self.site, &self.circuits, self.contract);
        self.peaks.clear();
        out.push(Output::Save(Record::Circuits(self.circuits.iter().cloned().collect())));
        for charger in chargers {
            let Some(live) = self.chargers.get_mut(&charger.id) else { continue };
            live.charger.circuit = charger.circuit;
            live.charger.wiring = charger.wiring;
            live.charger.policy.rotation = charger.policy.rotation;
            out.push(Output::Save(Record::Charger(live.charger.clone())));
        }
        for meter in meters {
            let Some(live) = self.meters.get_mut(&meter.id) else { continue };
            live.meter.circuit = meter.circuit;
            out.push(Output::Save(Record::Meter(live.meter.clone())));
        }
        out.extend(self.fit_fallbacks());
        Ok(Made::Nothing)
    }

    /// Everything that is moved exists, and everything, moved or not, has a circuit in the new tree.
    fn check_places(&self, circuits: &CircuitTree, chargers: &[Charger], meters: &[Meter]) -> Result<(), OrderError> {
        if let Some(stranger) = chargers.iter().find(|charger| !self.chargers.contains_key(&charger.id)) {
            return Err(OrderError::UnknownCharger(stranger.id.clone()));
        }
        if let Some(stranger) = meters.iter().find(|meter| !self.meters.contains_key(&meter.id)) {
            return Err(OrderError::UnknownMeter(stranger.id.clone()));
        }
        let moved = |id| chargers.iter().find(|charger| charger.id == id);
        let of_chargers = self.chargers.values().map(|live| {
            let charger = moved(live.charger.id.clone()).unwrap_or(&live.charger);
            (&charger.circuit, live.charger.name.as_str())
        });
        let moved = |id| meters.iter().find(|meter| meter.id == id);
        let of_meters = self.meters.values().map(|live| {
            let meter = moved(live.meter.id.clone()).unwrap_or(&live.meter);
            (&meter.circuit, live.meter.name.as_str())
        });
        match of_chargers.chain(of_meters).find(|(circuit, _)| circuits.get(circuit).is_none()) {
            Some((circuit, user)) => Err(OrderError::CircuitInUse { circuit: circuit.clone(), user: user.to_owned() }),
            None => Ok(()),
        }
    }
}
