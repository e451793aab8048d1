//! The formats of recipient numbers, which differ by channel (vendor's documents).

/// A messaging channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Viber: Nepal's numbers with the country code, digits only.
    Viber,
    /// SMS to any country: E.164, with its `+`.
    Sms,
    /// `WhatsApp`: the country code and the number, digits only.
    Whatsapp,
}

/// The maximum number of digits of a telephone number (E.164).
const MAX_DIGITS: usize = 15;

impl Channel {
    /// Its name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Viber => "Viber",
            Channel::Sms => "SMS",
            Channel::Whatsapp => "WhatsApp",
        }
    }

    /// The format of its numbers, for messages.
    fn form(self) -> &'static str {
        match self {
            Channel::Viber => "digits that start with 977, as in 9779812345678",
            Channel::Sms => "+ and digits, as in +4915112345678; blanks, dashes and parentheses do not count",
            Channel::Whatsapp => "country code and number in digits, as in 9779812345678",
        }
    }

    /// Returns the number in the form that is sent. In numbers of SMS the platform ignores blanks, dashes and
    /// parentheses (vendor's documents, international SMS 1.0.4). The error is a sentence without a full stop.
    pub fn number(self, written: &str) -> Result<String, String> {
        let number = match self {
            Channel::Sms => written.replace([' ', '-', '(', ')'], ""),
            Channel::Viber | Channel::Whatsapp => written.to_owned(),
        };
        self.check(&number).map(|()| number)
    }

    fn check(self, number: &str) -> Result<(), String> {
        let digits = |text: &str, least: usize| {
            (least..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let fits = match self {
            Channel::Viber => number.starts_with("977") && digits(number, 11),
            Channel::Sms => number
                .strip_prefix('+')
                .is_some_and(|rest| digits(rest, 8) && !rest.starts_with('0')),
            Channel::Whatsapp => digits(number, 8) && !number.starts_with('0'),
        };
        if fits {
            return Ok(());
        }
        Err(format!(
            "`{number}` is not a valid number for {}: {}",
            self.name(),
            self.form()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_accepts_only_its_phone_number_format() {
        let takes = |channel: Channel, number: &str| channel.number(number).is_ok();
        assert!(takes(Channel::Viber, "9779812345678"));
        for number in [
            "",
            "9812345678",
            "+9779812345678",
            "977 9812345678",
            "4915112345678",
            "9771",
        ] {
            assert!(!takes(Channel::Viber, number), "{number}");
        }
        assert!(takes(Channel::Sms, "+4915112345678"));
        for number in [
            "4915112345678",
            "+49 (0)",
            "+0015112345678",
            "+",
            "+4915112345678901",
        ] {
            assert!(!takes(Channel::Sms, number), "{number}");
        }
        assert!(takes(Channel::Whatsapp, "9779812345678"));
        for number in ["+9779812345678", "00977981234", "12", "٩٧٧٩٨١٢٣٤٥"] {
            assert!(!takes(Channel::Whatsapp, number), "{number}");
        }
    }

    #[test]
    fn an_invalid_number_is_reported_with_the_expected_format() {
        assert_eq!(
            Channel::Sms.number("+977-980 (000) 0000").unwrap(),
            "+9779800000000"
        );
        let reason = Channel::Sms.number("9779812345678").unwrap_err();
        assert_eq!(
            reason,
            "`9779812345678` is not a valid number for SMS: + and digits, as in +4915112345678; blanks, dashes and \
             parentheses do not count"
        );
    }
}
