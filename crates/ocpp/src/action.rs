//! Actions: which request has which response.

/// Declares the table of actions of one OCPP version.
macro_rules! actions {
    ($($action:ident: $request:ident => $response:ident,)+) => {
        /// Every action of this version.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(
                #[doc = concat!("`", stringify!($action), "`")]
                $action,
            )+
        }

        impl Action {
            /// All actions in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$action),+];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$action => stringify!($action),)+
                }
            }

            /// The action of this name; letter case does not matter.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name().eq_ignore_ascii_case(name.trim()))
            }
        }

        $(
            impl super::super::Request for $request {
                const ACTION: Action = Action::$action;
                type Response = $response;
            }
        )+
    };
}
pub(crate) use actions;
