//! What came of a command, in the numbers of EPP (RFC 5730 section 3).
//!
//! The registry decides by them and every front end shows them, so that the same
//! mistake has the same answer everywhere. Nothing here speaks EPP.

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal;)+) => {
        /// A result code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ResultCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ResultCode {
            /// Its number in RFC 5730.
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)+ }
            }

            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

codes! {
    /// Done.
    Done = 1000;
    /// Taken, and still to be finished.
    DonePending = 1001;
    /// Done: no message waits.
    DoneNoMessages = 1300;
    /// Done: here is a message, to be acknowledged.
    DoneMessage = 1301;
    /// A verb that there is, but not here.
    UnimplementedCommand = 2101;
    /// A value that there is, but not here.
    UnimplementedOption = 2102;
    /// Cannot be said at this point.
    UseError = 2002;
    /// Something that policy asks for is not there.
    ParameterMissing = 2003;
    /// A number outside its range.
    ParameterRange = 2004;
    /// A name, address or value that is none.
    ParameterSyntax = 2005;
    /// The account cannot pay.
    BillingFailure = 2104;
    /// It cannot be renewed.
    NotRenewable = 2105;
    /// It cannot be transferred.
    NotTransferable = 2106;
    /// Not authorized.
    AuthorizationError = 2201;
    /// Wrong authorization information.
    InvalidAuthorization = 2202;
    /// The object is waiting for a transfer.
    PendingTransfer = 2300;
    /// The object is not waiting for a transfer.
    NotPendingTransfer = 2301;
    /// There already.
    ObjectExists = 2302;
    /// Not there.
    ObjectDoesNotExist = 2303;
    /// A status of the object forbids it.
    StatusProhibits = 2304;
    /// Other objects depend on it.
    AssociationProhibits = 2305;
    /// A value that policy forbids.
    ParameterPolicy = 2306;
    /// Not kept here.
    UnimplementedService = 2307;
    /// The whole that would result is against policy.
    DataManagementPolicy = 2308;
    /// The store did not take it.
    CommandFailed = 2400;
}

impl Serialize for ResultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}
