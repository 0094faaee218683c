//! Result codes and their texts (RFC 5730 section 3).
//!
//! The text of a code is fixed; what is special about a case goes into `extValue`. The
//! registry's own codes are a part of these.

use std::fmt;

use super::super::registry::ResultCode;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $text:literal;)+) => {
        /// A result code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its number.
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)+ }
            }

            /// What `msg` says.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// Done.
    Done = 1000, "Command completed successfully";
    /// Begun, and still to be finished.
    DonePending = 1001, "Command completed successfully; action pending";
    /// No message waits.
    NoMessages = 1300, "Command completed successfully; no messages";
    /// Here is a message.
    Message = 1301, "Command completed successfully; ack to dequeue";
    /// Good-bye.
    Ending = 1500, "Command completed successfully; ending session";
    /// A verb that EPP does not have.
    UnknownCommand = 2000, "Unknown command";
    /// Not what the schemas allow.
    CommandSyntax = 2001, "Command syntax error";
    /// Not at this point.
    CommandUse = 2002, "Command use error";
    /// Something is missing.
    ParameterMissing = 2003, "Required parameter missing";
    /// A number outside its range.
    ParameterRange = 2004, "Parameter value range error";
    /// A value that is none.
    ParameterSyntax = 2005, "Parameter value syntax error";
    /// Another version of the protocol.
    UnimplementedVersion = 2100, "Unimplemented protocol version";
    /// A verb that is not offered.
    UnimplementedCommand = 2101, "Unimplemented command";
    /// An option that is not offered.
    UnimplementedOption = 2102, "Unimplemented option";
    /// An extension that is not offered.
    UnimplementedExtension = 2103, "Unimplemented extension";
    /// The account cannot pay.
    BillingFailure = 2104, "Billing failure";
    /// It cannot be renewed.
    NotRenewable = 2105, "Object is not eligible for renewal";
    /// It cannot be transferred.
    NotTransferable = 2106, "Object is not eligible for transfer";
    /// Who it is was not shown.
    Authentication = 2200, "Authentication error";
    /// It is not theirs to do.
    Authorization = 2201, "Authorization error";
    /// Wrong authorization information.
    InvalidAuthorization = 2202, "Invalid authorization information";
    /// Waiting for a transfer.
    PendingTransfer = 2300, "Object pending transfer";
    /// Not waiting for a transfer.
    NotPendingTransfer = 2301, "Object not pending transfer";
    /// There already.
    ObjectExists = 2302, "Object exists";
    /// Not there.
    ObjectDoesNotExist = 2303, "Object does not exist";
    /// A status forbids it.
    StatusProhibits = 2304, "Object status prohibits operation";
    /// Other objects depend on it.
    AssociationProhibits = 2305, "Object association prohibits operation";
    /// A value that policy forbids.
    ParameterPolicy = 2306, "Parameter value policy error";
    /// Objects that are not kept here.
    UnimplementedService = 2307, "Unimplemented object service";
    /// A whole that policy forbids.
    DataManagementPolicy = 2308, "Data management policy violation";
    /// Our own failure.
    Failed = 2400, "Command failed";
    /// Our own failure, or a peer that cannot be spoken to.
    FailedClosing = 2500, "Command failed; server closing connection";
    /// Too many wrong passwords.
    AuthenticationClosing = 2501, "Authentication error; server closing connection";
    /// Too many sessions.
    SessionLimit = 2502, "Session limit exceeded; server closing connection";
}

impl Code {
    /// Whether what was asked for was done or begun.
    pub fn is_success(self) -> bool {
        self.number() < 2000
    }

    /// Whether the connection is closed after it.
    pub fn ends_session(self) -> bool {
        matches!(self.number(), 1500 | 2500..)
    }

    /// The code of this number.
    pub fn parse(number: u16) -> Option<Self> {
        let mut codes = Self::ALL.iter().copied();
        codes.find(|code| code.number() == number)
    }
}

impl From<ResultCode> for Code {
    fn from(code: ResultCode) -> Self {
        Self::parse(code.number()).unwrap_or(Self::Failed)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_registry_is_one_of_epp() {
        for code in ResultCode::ALL {
            assert_eq!(Code::from(*code).number(), code.number());
        }
    }

    #[test]
    fn numbers_are_in_order_and_found_again() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.number()));
        for code in Code::ALL {
            assert_eq!(Code::parse(code.number()), Some(*code));
        }
        assert_eq!(Code::parse(1002), None);
        assert_eq!(Code::ALL.len(), 34);
    }
}
