//! Values of contacts (RFC 5733 section 2): lines of an address, country, telephone,
//! e-mail.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ValueError, text_value};

/// Country codes of ISO 3166-1, each of two letters.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH \
    BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW \
    CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI \
    GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO \
    JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH \
    MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA \
    PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL \
    SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US \
    UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

macro_rules! contact_text {
    ($(#[doc = $doc:literal])+ $type:ident: $check:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Reads and checks it.
            pub fn parse(text: &str) -> Result<Self, ValueError> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(reason) => Err(ValueError::syntax(text, reason)),
                }
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_value!($type);
    };
}

contact_text! {
    /// A line of a postal address: 1 to 255 characters, not only blanks.
    Line: |text| {
        let is_line = (1..=255).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && !text.trim().is_empty();
        is_line.then_some(()).ok_or("a line of 1 to 255 characters")
    }
}

contact_text! {
    /// A postal code.
    PostalCode: |text| {
        let is_code = (1..=16).contains(&text.chars().count())
            && !text.chars().any(char::is_control);
        is_code.then_some(()).ok_or("a postal code of 1 to 16 characters")
    }
}

contact_text! {
    /// A country.
    CountryCode: |text| {
        let is_code = COUNTRIES.split_ascii_whitespace().any(|code| code == text);
        is_code.then_some(()).ok_or("a country code of ISO 3166-1 in capitals")
    }
}

contact_text! {
    /// A telephone number, as `+49.1234567` (RFC 5733 section 2.5).
    PhoneNumber: |text| {
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let parts = text.strip_prefix('+').and_then(|rest| rest.split_once('.'));
        let is_number = parts.is_some_and(|(country, rest)| digits(country, 3) && digits(rest, 14));
        is_number.then_some(()).ok_or("write a telephone number as +49.1234567")
    }
}

contact_text! {
    /// An extension of a telephone number.
    PhoneExtension: |text| {
        let is_extension = (1..=10).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit());
        is_extension.then_some(()).ok_or("an extension of 1 to 10 digits")
    }
}

contact_text! {
    /// An e-mail address: a local part, and a domain name with a dot in it.
    Email: |text| {
        let fault = Err("an e-mail address");
        let Some((local, domain)) = text.rsplit_once('@') else {
            return fault;
        };
        // RFC 5322 section 3.4.1, as far as mail is really sent: dot-atoms, and UTF-8
        // in them (RFC 6532). Quoted local parts are refused.
        let is_atom = |atom: &str| {
            let odd = |c: char| c.is_control() || c.is_whitespace() || "()<>[]:;@\\,\"".contains(c);
            !atom.is_empty() && !atom.chars().any(odd)
        };
        let is_local = local.len() <= 64 && local.split('.').all(is_atom);
        let ascii = is_domain(domain);
        if !is_local || text.len() > 254 || !ascii {
            return fault;
        }
        Ok(())
    }
}

/// A domain name of at least two labels, internationalized ones among them.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |c: char| c == '-' || c.is_alphanumeric();
        (1..=63).contains(&label.len())
            && label.chars().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests;
