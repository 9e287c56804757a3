//! The card reader of this computer (PC/SC), looked at while somebody enrols a card.
//!
//! Only builds with the feature `pcsc` talk to one, since they need the system's library; all others say so. Readers that
//! type need nothing here: they are keyboards.

use api::{CardReaderItem, CardReaderState};
#[cfg(feature = "pcsc")]
use std::time::Duration;

/// How long one look waits for a card: short enough that the console's next question is never late.
#[cfg(feature = "pcsc")]
const WAIT: Duration = Duration::from_secs(2);

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// No card, for this reason.
    Nothing(CardReaderItem),
    /// A card with this number.
    #[cfg_attr(not(feature = "pcsc"), expect(dead_code, reason = "only a reader finds one"))]
    Card {
        /// The reader's name.
        reader: String,
        /// The number in hexadecimal digits.
        uid: String,
    },
}

fn nothing(state: CardReaderState, name: &str, detail: String) -> Seen {
    Seen::Nothing(CardReaderItem { state, name: name.to_owned(), detail })
}

/// Waits a little for a card. Blocks.
#[cfg(not(feature = "pcsc"))]
pub(crate) fn look() -> Seen {
    nothing(CardReaderState::NotBuilt, "", "this build reads no smart card readers; use one that types".to_owned())
}

/// Waits a little for a card. Blocks.
#[cfg(feature = "pcsc")]
pub(crate) fn look() -> Seen {
    look_for(WAIT)
}

#[cfg(feature = "pcsc")]
fn look_for(wait: Duration) -> Seen {
    use pcsc::{Context, Error, ReaderState, Scope, State};
    let context = match Context::establish(Scope::User) {
        Ok(context) => context,
        Err(error) => return nothing(CardReaderState::NoService, "", error.to_string()),
    };
    let readers = match context.list_readers_owned() {
        Ok(readers) => readers,
        Err(Error::NoReadersAvailable) => Vec::new(),
        Err(error) => return nothing(CardReaderState::NoService, "", error.to_string()),
    };
    let name = readers.first().map(|name| name.to_string_lossy().into_owned());
    // The last one is no reader: it tells that one was plugged in.
    let states = readers.into_iter().chain([pcsc::PNP_NOTIFICATION().to_owned()]);
    let mut states: Vec<ReaderState> = states.map(|name| ReaderState::new(name, State::UNAWARE)).collect();
    // The first question tells what is there now, the second waits for a change.
    for patience in [Duration::ZERO, wait] {
        match context.get_status_change(patience, &mut states) {
            Ok(()) | Err(Error::Timeout) => {}
            Err(error) => return nothing(CardReaderState::NoService, "", error.to_string()),
        }
        if let Some(found) = states.iter().find(|state| state.event_state().contains(State::PRESENT)) {
            return read(&context, found.name());
        }
        states.iter_mut().for_each(ReaderState::sync_current_state);
    }
    match name {
        Some(name) => nothing(CardReaderState::Empty, &name, String::new()),
        None => nothing(CardReaderState::NoReader, "", String::new()),
    }
}

#[cfg(feature = "pcsc")]
fn read(context: &pcsc::Context, reader: &std::ffi::CStr) -> Seen {
    /// Get the number of a contactless card (PC/SC part 3, 3.2.2.1.3).
    const GET_UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];
    let name = reader.to_string_lossy().into_owned();
    let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
    let card = context.connect(reader, pcsc::ShareMode::Shared, pcsc::Protocols::ANY);
    let answer = match &card {
        Ok(card) => card.transmit(&GET_UID, &mut buffer),
        Err(error) => Err(*error),
    };
    match answer.map_err(|error| error.to_string()).and_then(uid_of) {
        Ok(uid) => Seen::Card { reader: name, uid },
        Err(detail) => nothing(CardReaderState::Refused, &name, detail),
    }
}

/// The number in a card's answer: bytes, then the two that say how it went.
#[cfg(any(test, feature = "pcsc"))]
fn uid_of(answer: &[u8]) -> Result<String, String> {
    match answer.split_last_chunk::<2>() {
        Some((uid, [0x90, 0x00])) if (4..=10).contains(&uid.len()) => {
            Ok(uid.iter().map(|byte| format!("{byte:02X}")).collect())
        }
        Some((_, [first, second])) => {
            Err(format!("this card tells no number (answer {first:02X}{second:02X}); hold a contactless card to it"))
        }
        None => Err("the card gave no answer; hold it still for a second".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of all three lengths are read; cards with contacts, and half answers, are told apart from them.
    #[test]
    fn answers_of_cards() {
        assert_eq!(uid_of(&[0x04, 0xA1, 0xB2, 0xC3, 0x90, 0x00]).as_deref(), Ok("04A1B2C3"));
        assert_eq!(uid_of(&[4, 1, 2, 3, 4, 5, 6, 0x90, 0x00]).as_deref(), Ok("04010203040506"));
        for wrong in [&[0x6A, 0x81][..], &[0x90, 0x00], &[0x90], &[], &[1, 2, 3, 4, 0x63, 0x00]] {
            assert!(uid_of(wrong).is_err(), "{wrong:02X?}");
        }
    }
}
