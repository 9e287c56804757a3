//! Where to type our address, by maker of the charger. Hints from general knowledge; the maker's manual has the last word.

use crate::text::Text;

/// Where a maker puts the settings of OCPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In an app on the phone.
    App(&'static str),
    /// On the charger's own web page.
    WebPage,
    /// On a web portal of the maker.
    Portal(&'static str),
    /// In a program on a computer.
    Program(&'static str),
}

/// How the charger's identity gets into the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The charger adds it; the address ends with `/ocpp/`.
    Added,
    /// It has a field of its own.
    OwnField,
}

/// A maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brand {
    /// Name and models.
    pub(crate) name: &'static str,
    /// Where its settings are.
    pub(crate) place: Place,
    /// Under which words, as they stand there.
    pub(crate) menu: &'static str,
    /// How the identity gets into the address.
    pub(crate) identity: Identity,
}

const fn brand(name: &'static str, place: Place, menu: &'static str, identity: Identity) -> Brand {
    Brand { name, place, menu, identity }
}

/// The makers, by name.
pub(crate) const BRANDS: &[Brand] = &[
    brand("ABB Terra AC", Place::App("TerraConfig"), "OCPP server", Identity::Added),
    brand("Alfen Eve", Place::Program("ACE Service Installer"), "Backoffice", Identity::Added),
    brand("Autel MaxiCharger", Place::App("Autel Config"), "OCPP", Identity::OwnField),
    brand("Circontrol eHome, eNext", Place::WebPage, "OCPP", Identity::OwnField),
    brand("Easee", Place::Portal("Easee Portal"), "OCPP", Identity::Added),
    brand("EVBox Elvi, Livo", Place::App("EVBox Install"), "OCPP", Identity::OwnField),
    brand("Fronius Wattpilot", Place::App("Solar.wattpilot"), "Internet, OCPP", Identity::Added),
    brand("go-e Charger", Place::App("go-e"), "OCPP", Identity::Added),
    brand("Grizzl-E", Place::WebPage, "OCPP", Identity::Added),
    brand("Growatt THOR", Place::App("ShinePhone"), "Server URL", Identity::OwnField),
    brand("Huawei SCharger", Place::App("FusionSolar"), "OCPP", Identity::OwnField),
    brand("KEBA KeContact P30, P40", Place::WebPage, "OCPP", Identity::OwnField),
    brand("Mennekes Amtron", Place::WebPage, "OCPP", Identity::OwnField),
    brand("Phoenix Contact CHARX", Place::WebPage, "OCPP", Identity::OwnField),
    brand("Schneider EVlink", Place::App("eSetup"), "OCPP", Identity::OwnField),
    brand("Teltonika TeltoCharge", Place::App("Teltonika Energy"), "OCPP", Identity::OwnField),
    brand("V2C Trydan", Place::App("V2C Cloud"), "OCPP", Identity::OwnField),
    brand("Vestel EVC04, Webasto Unite", Place::WebPage, "OCPP Settings", Identity::OwnField),
    brand("Wallbox Pulsar, Copper", Place::App("Wallbox"), "OCPP", Identity::OwnField),
    brand("Zaptec Go, Pro", Place::Portal("Zaptec Portal"), "OCPP", Identity::Added),
];

impl Place {
    /// The sentence, and the name of the tool where it has one.
    pub(crate) const fn sentence(self) -> (Text, &'static str) {
        match self {
            Self::App(name) => (Text::HintApp, name),
            Self::WebPage => (Text::HintWebPage, ""),
            Self::Portal(name) => (Text::HintPortal, name),
            Self::Program(name) => (Text::HintProgram, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// People look for their charger by name: the list is in order, without doubles.
    #[test]
    fn in_order() {
        let names: Vec<String> = BRANDS.iter().map(|brand| brand.name.to_lowercase()).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        assert!(BRANDS.len() >= 15);
    }
}
