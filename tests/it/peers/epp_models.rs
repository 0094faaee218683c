//! Frames of zones with other models of hosts and of DS and of warnings, held
//! against the schemas by xmllint.

use super::epp::validate;
use super::wanted;
use crate::epp::{attributes, keys, notes};

#[test]
fn frames_of_attributes_keys_and_warnings_validate() {
    if wanted(&["xmllint"]) {
        validate(&attributes::shown());
        validate(&keys::shown());
        validate(&notes::told());
    }
}
