//! Readings as compact bytes: differences of differences of time, differences of values, runs counted.
//!
//! A format byte, then tokens as LEB128 numbers. An odd token `2n + 1` repeats "same time step, same value" `n` times;
//! an even token `2z` is followed by one more number: `z` is the zigzag change of the time step, the second number the
//! zigzag change of the value. An hour of a charger that stands idle takes about ten bytes.

/// First byte of every chunk; another layout gets another number.
const FORMAT: u8 = 1;

/// One value: milliseconds since 1970 and the value.
pub(crate) type Point = (i64, i64);

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn put(bytes: &mut Vec<u8>, mut value: u128) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u128> {
    let first = *bytes.next()?;
    if first < 0x80 {
        return Some(u128::from(first));
    }
    let mut value = u128::from(first & 0x7f);
    let mut shift = 7_u32;
    loop {
        let byte = *bytes.next()?;
        // 66 bits are the most a token has: a zigzag number of 64 bits and the run bit.
        if shift > 63 {
            return None;
        }
        value |= u128::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}

/// Packs points in the order of time.
pub(crate) fn encode(points: impl IntoIterator<Item = Point>) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    let (mut at, mut step, mut value) = (0_i64, 0_i64, 0_i64);
    let mut run = 0_u128;
    for (next_at, next_value) in points {
        let next_step = next_at.wrapping_sub(at);
        if next_step == step && next_value == value {
            run += 1;
        } else {
            if run > 0 {
                put(&mut bytes, run * 2 + 1);
                run = 0;
            }
            put(&mut bytes, u128::from(zigzag(next_step.wrapping_sub(step))) * 2);
            put(&mut bytes, u128::from(zigzag(next_value.wrapping_sub(value))));
        }
        (at, step, value) = (next_at, next_step, next_value);
    }
    if run > 0 {
        put(&mut bytes, run * 2 + 1);
    }
    bytes
}

/// Most points a chunk can hold: an hour of milliseconds. Bounds what damaged bytes can ask for.
const POINTS_MAX: usize = 3_600_000;

/// Hands every point to `each`; `None` when the bytes are not a chunk.
pub(crate) fn decode(bytes: &[u8], mut each: impl FnMut(Point)) -> Option<()> {
    let mut bytes = bytes.iter();
    if *bytes.next()? != FORMAT {
        return None;
    }
    let (mut at, mut step, mut value) = (0_i64, 0_i64, 0_i64);
    let mut count = 0_usize;
    while bytes.len() > 0 {
        let token = take(&mut bytes)?;
        let repeat = if token & 1 == 1 {
            usize::try_from(token >> 1).ok()?
        } else {
            step = step.wrapping_add(unzigzag(u64::try_from(token >> 1).ok()?));
            value = value.wrapping_add(unzigzag(u64::try_from(take(&mut bytes)?).ok()?));
            1
        };
        count = count.checked_add(repeat).filter(|count| *count <= POINTS_MAX)?;
        for _ in 0..repeat {
            at = at.wrapping_add(step);
            each((at, value));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{Point, decode, encode};
    use proptest::prelude::*;

    fn decoded(bytes: &[u8]) -> Option<Vec<Point>> {
        let mut points = Vec::new();
        decode(bytes, |point| points.push(point))?;
        Some(points)
    }

    /// An idle hour must cost next to nothing, or forty chargers do not fit in 2 GB.
    #[test]
    fn an_idle_hour_takes_few_bytes() {
        let points: Vec<Point> = (0..720).map(|i| (1_700_000_000_000 + i * 5000, 0)).collect();
        let bytes = encode(points.iter().copied());
        assert!(bytes.len() < 20, "{} bytes", bytes.len());
        assert_eq!(decoded(&bytes), Some(points));
    }

    proptest! {
        /// Packing loses nothing, whatever the values are.
        #[test]
        fn what_is_packed_comes_back(points in proptest::collection::vec((any::<i64>(), any::<i64>()), 0..200)) {
            prop_assert_eq!(decoded(&encode(points.iter().copied())), Some(points));
        }

        /// Damaged bytes give an answer, never a panic or endless memory.
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(points) = decoded(&bytes) {
                prop_assert!(points.len() <= super::POINTS_MAX);
            }
        }
    }
}
