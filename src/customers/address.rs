//! One way to reach or to recognise a customer, in the one spelling under which it is stored.
//! Two spellings of the same address must never make two customers, so only `parse` makes an `Address`.
//! Errors describe the shape of what came and never repeat it: an address is personal, errors get logged.

use serde::{Deserialize, Serialize};

/// Longest address of any kind, in characters.
const CHARS_MAX: usize = 320;
const PHONE_DIGITS_MIN: usize = 7;
const PHONE_DIGITS_MAX: usize = 15;

/// What kind of address it is. The codes are those of the API and of the store's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum AddressKind {
    /// E.164, for example `+972501234567`.
    Phone = 1,
    /// In lower case.
    Email = 2,
    /// The chat widget's visitor id.
    Cookie = 3,
    /// `network:name`.
    Handle = 4,
    /// Loyalty or account number.
    Loyalty = 5,
}

impl AddressKind {
    /// The kind with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Phone, Self::Email, Self::Cookie, Self::Handle, Self::Loyalty]
            .into_iter()
            .find(|kind| *kind as u8 == code)
    }
}

/// A normalised address. Parsing its own value again gives the same address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Address {
    kind: AddressKind,
    value: String,
}

/// Why a text is not an address of the kind that was claimed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("address has {chars} characters, 1 to {CHARS_MAX} are accepted")]
    Length { chars: usize },
    #[error("phone number contains {found:?}, a number such as +972501234567 is accepted")]
    PhoneCharacter { found: char },
    #[error(
        "phone number starts without + or 00 and no home country is set, a number such as +972501234567 is accepted"
    )]
    PhoneNotInternational,
    #[error(
        "phone number has {digits} digits after its +, {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} are accepted"
    )]
    PhoneDigits { digits: usize },
    #[error("email address has {found} times @, exactly one between two parts without spaces is accepted")]
    Email { found: usize },
    #[error("social handle is not of the form network:name")]
    Handle,
}

/// The country whose phone numbers may be written without its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home(phonenumber::country::Id);

impl Home {
    /// ISO 3166-1, two letters, such as `IL`.
    pub fn parse(text: &str) -> Result<Home, String> {
        let known = text.to_ascii_uppercase().parse().map(Home);
        known.map_err(|_| format!("got {text:?}, want the two letters of a country, such as IL"))
    }
}

impl Address {
    /// Reads an address as people and systems write it.
    pub fn parse(kind: AddressKind, text: &str) -> Result<Self, AddressError> {
        Self::parse_at(None, kind, text)
    }

    /// As the store wrote it. It was parsed when it came.
    pub(super) fn stored(kind: AddressKind, value: String) -> Self {
        Self { kind, value }
    }

    /// The same where phone numbers may be written as they are within a country.
    pub fn parse_at(home: Option<Home>, kind: AddressKind, text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let chars = text.chars().count();
        if chars == 0 || chars > CHARS_MAX {
            return Err(AddressError::Length { chars });
        }
        let value = match kind {
            AddressKind::Phone => phone(text, home)?,
            AddressKind::Email => email(text)?,
            AddressKind::Handle => handle(text)?,
            AddressKind::Cookie | AddressKind::Loyalty => text.to_owned(),
        };
        Ok(Self { kind, value })
    }

    pub fn kind(&self) -> AddressKind {
        self.kind
    }

    pub fn value(&self) -> &str {
        &self.value
    }
}

fn phone(text: &str, home: Option<Home>) -> Result<String, AddressError> {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/')).collect();
    let abroad = bare.strip_prefix('+').or(bare.strip_prefix("00"));
    let digits = abroad.unwrap_or(&bare);
    // A stray letter is the better hint than a missing prefix: it shows that this is no phone number at all.
    if let Some(found) = not_a_digit(digits) {
        return Err(AddressError::PhoneCharacter { found });
    }
    if abroad.is_none() && home.is_none() {
        return Err(AddressError::PhoneNotInternational);
    }
    let written = if abroad.is_some() { format!("+{digits}") } else { bare.clone() };
    let number = match phonenumber::parse(home.map(|home| home.0), &written) {
        Ok(number) => number.format().mode(phonenumber::Mode::E164).to_string(),
        // Of a country that is not in the table: it is somebody's number all the same.
        Err(_) if abroad.is_some() => written,
        Err(_) => return Err(AddressError::PhoneDigits { digits: digits.len() }),
    };
    match number.len() - 1 {
        PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX => Ok(number),
        digits => Err(AddressError::PhoneDigits { digits }),
    }
}

fn not_a_digit(text: &str) -> Option<char> {
    text.chars().find(|c| !c.is_ascii_digit())
}

fn email(text: &str) -> Result<String, AddressError> {
    let found = text.matches('@').count();
    match text.split_once('@') {
        Some((local, domain))
            if found == 1
                && !local.is_empty()
                && !domain.is_empty()
                && !text.contains(char::is_whitespace) =>
        {
            Ok(text.to_lowercase())
        }
        _ => Err(AddressError::Email { found }),
    }
}

/// Names are case-sensitive on some networks, so only the network is folded.
fn handle(text: &str) -> Result<String, AddressError> {
    match text.split_once(':') {
        Some((network, name)) if !network.trim().is_empty() && !name.trim().is_empty() => {
            Ok(format!("{}:{}", network.trim().to_lowercase(), name.trim()))
        }
        _ => Err(AddressError::Handle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: AddressKind, text: &str) -> String {
        Address::parse(kind, text).expect("the text is an address").value().to_owned()
    }

    fn error(kind: AddressKind, text: &str) -> AddressError {
        Address::parse(kind, text).expect_err("the text is no address")
    }

    #[test]
    fn spellings_of_one_phone_number_are_one_address() {
        for text in ["+972 50-123.45(67)", "00972501234567", " +972501234567 ", "(00972) 50 1234567"] {
            assert_eq!(value(AddressKind::Phone, text), "+972501234567", "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_they_are_written_in_their_country() {
        for (text, number) in [
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("tel:+1-201-555-0123", "+12015550123"),
            ("+49 30/1234567", "+49301234567"),
            ("+39 06 698 1234", "+39066981234"),
            ("+999 12345678", "+99912345678"),
        ] {
            assert_eq!(value(AddressKind::Phone, text), number, "{text}");
        }
        let home = Home::parse("il").expect("a country");
        for text in ["050-123-4567", "0501234567", "+972501234567", "00972 50 1234567"] {
            let parsed = Address::parse_at(Some(home), AddressKind::Phone, text).expect("a phone number");
            assert_eq!(parsed.value(), "+972501234567", "{text}");
        }
        let short = Address::parse_at(Some(home), AddressKind::Phone, "1");
        assert!(matches!(short, Err(AddressError::PhoneDigits { .. })), "{short:?}");
        assert_eq!(
            Home::parse("Israel"),
            Err("got \"Israel\", want the two letters of a country, such as IL".into())
        );
    }

    #[test]
    fn a_phone_number_says_what_is_wrong_with_it() {
        assert_eq!(error(AddressKind::Phone, "0501234567"), AddressError::PhoneNotInternational);
        assert_eq!(error(AddressKind::Phone, "+123456"), AddressError::PhoneDigits { digits: 6 });
        assert_eq!(error(AddressKind::Phone, "+1234567890123456"), AddressError::PhoneDigits { digits: 16 });
        assert_eq!(error(AddressKind::Phone, "+97250x234567"), AddressError::PhoneCharacter { found: 'x' });
        assert_eq!(error(AddressKind::Phone, "ana"), AddressError::PhoneCharacter { found: 'a' });
        assert_eq!(error(AddressKind::Phone, "++1234567"), AddressError::PhoneCharacter { found: '+' });
        assert_eq!(error(AddressKind::Phone, "-"), AddressError::PhoneNotInternational);
        assert_eq!(error(AddressKind::Phone, "  "), AddressError::Length { chars: 0 });
    }

    #[test]
    fn an_email_address_is_folded_and_has_one_at_sign() {
        assert_eq!(value(AddressKind::Email, "Ana@Example.ORG"), "ana@example.org");
        assert_eq!(error(AddressKind::Email, "ana.example.org"), AddressError::Email { found: 0 });
        assert_eq!(error(AddressKind::Email, "a@b@c"), AddressError::Email { found: 2 });
        assert_eq!(error(AddressKind::Email, "@example.org"), AddressError::Email { found: 1 });
        assert_eq!(error(AddressKind::Email, "a na@example.org"), AddressError::Email { found: 1 });
    }

    #[test]
    fn a_handle_names_its_network() {
        assert_eq!(value(AddressKind::Handle, "Mastodon:Ana"), "mastodon:Ana");
        assert_eq!(value(AddressKind::Handle, "mastodon : ana@host:8"), "mastodon:ana@host:8");
        for text in ["ana", ":ana", "mastodon:", " : "] {
            assert_eq!(error(AddressKind::Handle, text), AddressError::Handle, "{text}");
        }
    }

    #[test]
    fn cookies_and_loyalty_numbers_are_kept_as_they_are_up_to_320_characters() {
        assert_eq!(value(AddressKind::Cookie, "aB-9"), "aB-9");
        assert_eq!(value(AddressKind::Loyalty, &"é".repeat(320)), "é".repeat(320));
        assert_eq!(error(AddressKind::Loyalty, &"é".repeat(321)), AddressError::Length { chars: 321 });
        assert_eq!(error(AddressKind::Cookie, ""), AddressError::Length { chars: 0 });
    }

    #[test]
    fn a_normalised_address_parses_to_itself() {
        use AddressKind::{Email, Handle, Phone};
        for (kind, text) in [(Phone, "00 972 50 1234567"), (Email, "İ@X.org"), (Handle, "X: İ")] {
            let once = value(kind, text);
            assert_eq!(value(kind, &once), once);
        }
    }

    #[test]
    fn every_kind_has_its_code() {
        for code in 1..=5 {
            assert_eq!(AddressKind::from_code(code).map(|kind| kind as u8), Some(code));
        }
        assert_eq!(AddressKind::from_code(0), None);
        assert_eq!(AddressKind::from_code(6), None);
    }
}
