//! How many sockets are open, together and from one address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The places for connections.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    taken: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    max: usize,
    per_ip_max: usize,
}

/// One place, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    taken: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    ip: IpAddr,
}

impl Seats {
    pub(crate) fn new(max: usize, per_ip_max: usize) -> Self {
        Self { taken: Arc::default(), max, per_ip_max }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// The limit that is reached, as a sentence.
    pub(crate) fn take(&self, ip: IpAddr) -> Result<Seat, String> {
        let ip = ip.to_canonical();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.max {
            return Err(format!("all {} MQTT connections are in use", self.max));
        }
        let of_ip = taken.entry(ip).or_insert(0);
        if *of_ip >= self.per_ip_max {
            return Err(format!("all {} MQTT connections from {ip} are in use", self.per_ip_max));
        }
        *of_ip += 1;
        Ok(Seat { taken: Arc::clone(&self.taken), ip })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_ip) = taken.get_mut(&self.ip) {
            *of_ip = of_ip.saturating_sub(1);
            if *of_ip == 0 {
                taken.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both limits hold, a seat comes back, and an IPv4 address counts the same in its IPv6 clothes.
    #[test]
    fn seats_are_limited_and_come_back() {
        let seats = Seats::new(3, 2);
        let home: IpAddr = "10.0.0.1".parse().unwrap();
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        let other: IpAddr = "10.0.0.2".parse().unwrap();
        let first = seats.take(home).unwrap();
        let _second = seats.take(mapped).unwrap();
        assert!(seats.take(home).is_err());
        let _third = seats.take(other).unwrap();
        assert!(seats.take(other).is_err());
        drop(first);
        assert!(seats.take(home).is_ok());
    }
}
