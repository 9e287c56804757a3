//! Why a connection was refused, as data and as sentences that say what to change.

use crate::Language;
use serde::{Deserialize, Serialize};

/// A reason and its two sentences; `{}` stands for what it is about.
macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident: $english:literal, $portuguese:literal;)+) => {
        /// Why a connection, or something a connected device did, was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum RefusalCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl RefusalCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            const fn texts(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => ($english, $portuguese),)+
                }
            }
        }
    };
}

refusals! {
    /// Another method than GET.
    NotGet: "Chargers open a WebSocket here; this was something else", "Aqui os carregadores abrem um WebSocket; isto foi outra coisa";
    /// A browser or program that opens no WebSocket.
    NotWebSocket: "This address is for chargers, which open a WebSocket; the console has its own address", "Este endereço é para carregadores, que abrem um WebSocket; a consola tem o seu próprio endereço";
    /// An old WebSocket.
    WebSocketVersion: "The charger speaks an old WebSocket; update its firmware", "O carregador fala um WebSocket antigo; atualize o firmware";
    /// Wrong path: no identity in it.
    NoIdentity: "The path carries no charger identity; let the address end with /ocpp/ and the charger's identity", "O caminho não traz a identidade do carregador; o endereço tem de terminar em /ocpp/ e a identidade do carregador";
    /// An identity that cannot be used.
    BadIdentity: "The charger's identity cannot be used: {}; change it in the charger", "A identidade do carregador não serve: {}; altere-a no carregador";
    /// Another version of OCPP.
    Subprotocol: "The charger speaks {} only; set it to OCPP 1.6 JSON", "O carregador fala apenas {}; configure-o para OCPP 1.6 JSON";
    /// A request that is too long.
    RequestTooLong: "The request is too long for a charger's", "O pedido é demasiado longo para um carregador";
    /// No place left.
    TooManyConnections: "Too many connections are open; look for a device that connects again and again", "Há demasiadas ligações abertas; procure um dispositivo que se liga repetidamente";
    /// Wrong password.
    WrongPassword: "The password is wrong; make a new one in the console and type it into the charger", "A palavra-passe está errada; crie uma nova na consola e escreva-a no carregador";
    /// No password.
    PasswordMissing: "The charger sends no password; type the one from the console into the charger", "O carregador não envia palavra-passe; escreva no carregador a da consola";
    /// No TLS.
    TlsMissing: "The charger connects without TLS; set its address to the one that begins with wss", "O carregador liga-se sem TLS; use no carregador o endereço que começa por wss";
    /// Neither TLS nor password.
    TlsAndPasswordMissing: "The charger connects without TLS and without a password; set its address to the one that begins with wss and type the password from the console", "O carregador liga-se sem TLS e sem palavra-passe; use o endereço que começa por wss e escreva a palavra-passe da consola";
    /// No certificate.
    CertificateMissing: "The charger shows no certificate of this building; let it ask for one, or lower its security profile in the console", "O carregador não mostra um certificado deste edifício; peça-lhe que o solicite, ou baixe o perfil de segurança na consola";
    /// The certificate of another charger.
    CertificateOfAnother: "The certificate was made for charger {}; check which identity is set in this one", "O certificado foi feito para o carregador {}; verifique a identidade configurada neste";
    /// Nobody without proof is let in.
    OpenNowhere: "Chargers without a password are not let in here; give the charger a password in the console and type it in", "Aqui não entram carregadores sem palavra-passe; crie uma na consola e escreva-a no carregador";
    /// Without proof from outside the local network.
    OpenLocalOnly: "Chargers without a password are let in from the local network only; give the charger a password in the console and type it in", "Sem palavra-passe só entram carregadores da rede local; crie uma na consola e escreva-a no carregador";
    /// The records do not answer.
    CannotJudge: "The password cannot be checked now; check the disk of this computer", "A palavra-passe não pode ser verificada agora; verifique o disco deste computador";
    /// TLS on the port without.
    TlsOnPlainPort: "The device speaks TLS on the port without it; use the port for TLS, or an address that begins with ws or mqtt", "O dispositivo fala TLS na porta sem TLS; use a porta com TLS, ou um endereço que comece por ws ou mqtt";
    /// No TLS on the port with.
    PlainOnTlsPort: "The device speaks no TLS here; use an address that begins with wss or mqtts, or the port without TLS", "O dispositivo não fala TLS aqui; use um endereço que comece por wss ou mqtts, ou a porta sem TLS";
    /// The device does not trust our certificate.
    TlsNotTrusted: "The device does not trust our certificate; install the certificate of this building's authority in it, and type the address exactly as it stands here", "O dispositivo não confia no nosso certificado; instale nele o certificado da autoridade deste edifício e escreva o endereço exatamente como aqui está";
    /// The device's clock.
    TlsClock: "The device says that our certificate is not valid today; set its clock", "O dispositivo diz que o nosso certificado não é válido hoje; acerte-lhe o relógio";
    /// No elliptic curves.
    TlsNoEcdsa: "The device cannot use certificates with elliptic curves; update its firmware, or use the port without TLS and a password within the local network", "O dispositivo não aceita certificados com curvas elípticas; atualize o firmware, ou use a porta sem TLS com palavra-passe na rede local";
    /// Old TLS.
    TlsTooOld: "The device's TLS is too old; 1.2 with ECDHE or 1.3 is needed ({}): update its firmware, or use the port without TLS and a password within the local network", "O TLS do dispositivo é demasiado antigo; é preciso 1.2 com ECDHE ou 1.3 ({}): atualize o firmware, ou use a porta sem TLS com palavra-passe na rede local";
    /// The device hung up.
    TlsAborted: "The device ended the TLS handshake without a word; it most likely does not trust our certificate: install the certificate of this building's authority in it", "O dispositivo interrompeu o TLS sem dizer porquê; provavelmente não confia no nosso certificado: instale nele o certificado da autoridade deste edifício";
    /// Connected and said nothing.
    TlsSilent: "The device connected and said nothing; check its network", "O dispositivo ligou-se e não disse nada; verifique a rede dele";
    /// Took too long.
    TlsSlow: "The device did not finish the TLS handshake in time; check its network", "O dispositivo não concluiu o TLS a tempo; verifique a rede dele";
    /// Revoked.
    CertificateRevoked: "The device's certificate was revoked; let it ask for a new one", "O certificado do dispositivo foi revogado; peça-lhe que solicite um novo";
    /// Ended.
    CertificateEnded: "The device's certificate has ended; let it ask for a new one", "O certificado do dispositivo terminou; peça-lhe que solicite um novo";
    /// Not in our list.
    CertificateUnknown: "The device's certificate is not in our list; let it ask for a new one", "O certificado do dispositivo não está na nossa lista; peça-lhe que solicite um novo";
    /// Made by somebody else.
    CertificateForeign: "The device's certificate was not made by this building's authority; let it ask for one here", "O certificado do dispositivo não foi feito pela autoridade deste edifício; peça-lhe que solicite um aqui";
    /// Anything else with the certificate.
    CertificateBad: "The device's certificate cannot be used ({}); let it ask for a new one", "O certificado do dispositivo não serve ({}); peça-lhe que solicite um novo";
    /// Anything else with TLS.
    TlsOther: "The TLS handshake failed ({}); look into the device's log or update its firmware", "O TLS falhou ({}); veja o registo do dispositivo ou atualize o firmware";
    /// Our own name.
    MqttReservedName: "The user name is our own; give the device a name of its own", "O nome de utilizador é o nosso; dê um nome próprio ao dispositivo";
    /// A name that cannot be used.
    MqttBadName: "The user name cannot be used: {}; change it in the device", "O nome de utilizador não serve: {}; altere-o no dispositivo";
    /// Wrong password.
    MqttWrongPassword: "The password is wrong; set the one the device was approved with, or make a new one in the console", "A palavra-passe está errada; use a da aprovação, ou crie uma nova na consola";
    /// No password.
    MqttPasswordMissing: "A password is missing; set the one the device was approved with, or make a new one in the console", "Falta a palavra-passe; use a da aprovação, ou crie uma nova na consola";
    /// Two devices with one name.
    MqttNameTaken: "Another device with this name already waits; remove that one or change the name", "Outro dispositivo com este nome já está à espera; remova-o ou mude o nome";
    /// Anything else at the login.
    MqttLogin: "The MQTT login was refused: {}", "O início de sessão MQTT foi recusado: {}";
    /// A foreign topic.
    ForeignPublish: "It published on the topic {}, which is not its own; set its topic to its user name", "Publicou no tópico {}, que não é o seu; configure o tópico igual ao nome de utilizador";
    /// A foreign topic.
    ForeignSubscribe: "It subscribed to the topic {}, which is not its own; set its topic to its user name", "Subscreveu o tópico {}, que não é o seu; configure o tópico igual ao nome de utilizador";
}

impl RefusalCode {
    /// The sentence for people; `about` fills the gap of those that have one.
    #[must_use]
    pub fn sentence(self, language: Language, about: &str) -> String {
        let (english, portuguese) = self.texts();
        match language {
            Language::English => english,
            Language::Portuguese => portuguese,
        }
        .replace("{}", about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both languages have the same gaps, and no sentence ends with a period.
    #[test]
    fn sentences_are_alike() {
        for code in RefusalCode::ALL {
            let (english, portuguese) = code.texts();
            assert_eq!(english.matches("{}").count(), portuguese.matches("{}").count(), "{code:?}");
            assert!(!english.ends_with('.') && !portuguese.ends_with('.'), "{code:?}");
            assert!(code.sentence(Language::Portuguese, "x") != code.sentence(Language::English, "x"), "{code:?}");
        }
    }
}
