//! Reads the elementary types of MQTT from the body of a packet.

use bytes::{Buf as _, Bytes};

use super::Fault;

const SHORT: Fault = Fault::malformed("the packet ends too early");

/// What is left of a packet's body.
#[derive(Debug)]
pub(crate) struct Reader {
    rest: Bytes,
}

impl Reader {
    pub(crate) const fn new(rest: Bytes) -> Self {
        Self { rest }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, bytes: usize) -> Result<Bytes, Fault> {
        if self.rest.len() < bytes {
            return Err(SHORT);
        }
        Ok(self.rest.split_to(bytes))
    }

    /// Everything that is left, as bytes of their own.
    pub(crate) fn rest_detached(&mut self) -> Bytes {
        detached(&std::mem::take(&mut self.rest))
    }

    pub(crate) fn one(&mut self) -> Result<u8, Fault> {
        self.take(1).map(|mut b| b.get_u8())
    }

    pub(crate) fn two(&mut self) -> Result<u16, Fault> {
        self.take(2).map(|mut b| b.get_u16())
    }

    pub(crate) fn four(&mut self) -> Result<u32, Fault> {
        self.take(4).map(|mut b| b.get_u32())
    }

    /// A variable byte integer; an encoding longer than needed is refused.
    pub(crate) fn variable(&mut self) -> Result<u32, Fault> {
        let mut value = 0_u32;
        for position in 0..4_u32 {
            let byte = self.one()?;
            value |= u32::from(byte & 0x7F) << (7 * position);
            if byte & 0x80 == 0 {
                if position > 0 && byte == 0 {
                    return Err(Fault::malformed("a variable byte integer is longer than it needs to be"));
                }
                return Ok(value);
            }
        }
        Err(Fault::malformed("a variable byte integer has more than four bytes"))
    }

    pub(crate) fn binary(&mut self) -> Result<Bytes, Fault> {
        let length = self.two()?;
        self.take(usize::from(length))
    }

    /// A string: valid UTF-8 without U+0000.
    pub(crate) fn string(&mut self) -> Result<String, Fault> {
        let bytes = self.binary()?;
        let text = std::str::from_utf8(&bytes).map_err(|_not_utf8| Fault::malformed("a string is not UTF-8"))?;
        if text.contains('\0') {
            return Err(Fault::malformed("a string holds the character U+0000"));
        }
        Ok(text.to_owned())
    }

    /// A packet identifier: two bytes, not zero.
    pub(crate) fn packet_id(&mut self) -> Result<u16, Fault> {
        match self.two()? {
            0 => Err(Fault::protocol("a packet identifier is zero")),
            id => Ok(id),
        }
    }

    pub(crate) fn finish(&self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(Fault::malformed("bytes are left over at the end of a packet")) }
    }
}

/// A copy that does not hold on to the buffer of the socket, for what is kept longer than the packet.
pub(crate) fn detached(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
