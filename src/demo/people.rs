//! Names and numbers of customers, made up from their place in the population.

use crate::proto::{Address, address};

const FIRST: [&str; 20] = [
    "Noa", "Adam", "Maya", "Omar", "Tamar", "Yosef", "Lina", "David", "Sara", "Igor", "Rivka", "Samir",
    "Orly", "Peter", "Dana", "Moshe", "Amal", "Ruth", "Uri", "Elena",
];
const LAST: [&str; 23] = [
    "Levi", "Haddad", "Cohen", "Katz", "Mizrahi", "Ivanov", "Peretz", "Nasser", "Biton", "Friedman",
    "Khoury", "Azulay", "Shapiro", "Dahan", "Weiss", "Saleh", "Malka", "Golan", "Romano", "Barak", "Novak",
    "Amar", "Sasson",
];

/// The customer's telephone number, from a range that belongs to nobody. Chats and mail come with it too: the
/// forms of the site ask for it, and so a customer is the same on every channel.
pub fn address(customer: u32) -> Address {
    Address { kind: address::Kind::Phone as i32, value: format!("+1555010{customer:04}") }
}

/// The customer's name.
pub fn name(customer: u32) -> String {
    let index = customer as usize;
    format!("{} {}", FIRST[index % FIRST.len()], LAST[index % LAST.len()])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::constants::CUSTOMERS;

    #[test]
    fn every_customer_has_an_address_of_their_own() {
        let numbers: BTreeSet<String> = (1..=CUSTOMERS).map(|customer| address(customer).value).collect();
        assert_eq!(numbers.len(), CUSTOMERS as usize);
    }
}
