//! Tests of the module above.

use super::*;

#[test]
fn each_channel_has_its_own_numbers() {
    assert!(reaches(Channel::Viber, "9779812345678"));
    assert!(!reaches(Channel::Viber, "+9779812345678"));
    assert!(!reaches(Channel::ViberTemplate, "9812345678"));
    assert!(reaches(Channel::Sms, "+4915112345678"));
    assert!(!reaches(Channel::Sms, "4915112345678"));
    assert!(reaches(Channel::Whatsapp, "9779812345678"));
    assert!(!reaches(Channel::Whatsapp, "+9779812345678"));
}
