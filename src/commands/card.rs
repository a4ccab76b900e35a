//! `baton card`: what an agent would see of a customer, as text.
//!
//! Exit code 2: the options make no sense; 69: there is no server, or it refuses.

use super::card_text;
use crate::client::{self, bearing, connect};
use crate::proto::customers_client::CustomersClient;
use crate::proto::{Address, GetCardRequest};
use clap::Args;
use std::io::{self, Write};
use std::process::ExitCode;

/// Show what an agent would see of a customer: promises first, then what was pinned, contacts and history
#[derive(Debug, Clone, Args)]
pub struct CardArgs {
    /// Number of the customer, or a phone number with + or 00, an email address, network:name, cookie:ID or loyalty:ID
    #[arg(value_name = "CUSTOMER")]
    customer: String,
    /// Where it is looked at: a channel or a place of the company's own, such as shop. Promises say what to do there
    #[arg(long, value_name = "PLACE", default_value = "voice")]
    place: String,
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7700")]
    addr: String,
    /// The tenant
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Token, where the server asks for one
    #[arg(long, value_name = "TOKEN", env = "BATON_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Asks, prints, and says what went wrong.
pub fn run(args: CardArgs) -> ExitCode {
    client::run("card", async {
        let channel = connect(&args.addr).await?;
        let request = bearing(request(&args.tenant, &args.customer, &args.place), args.token.as_deref())?;
        let card = CustomersClient::new(channel).get_card(request).await?.into_inner();
        Ok(write!(io::stdout().lock(), "{}", card_text::text(&card))?)
    })
}

fn request(tenant: &str, customer: &str, place: &str) -> GetCardRequest {
    let parent = format!("tenants/{tenant}");
    let place = place.to_owned();
    if customer.bytes().all(|byte| byte.is_ascii_digit()) && !customer.starts_with("00") {
        let name = format!("{parent}/customers/{customer}");
        return GetCardRequest { name, place, ..GetCardRequest::default() };
    }
    let (kind, value) = address(customer);
    let address = Some(Address { kind, value: value.to_owned() });
    GetCardRequest { parent, address, place, ..GetCardRequest::default() }
}

/// The kind of an address by how it looks.
fn address(text: &str) -> (i32, &str) {
    match text.split_once(':') {
        Some(("cookie", value)) => (3, value),
        Some(("loyalty", value)) => (5, value),
        _ if text.contains('@') && !text.contains(':') => (2, text),
        Some(_) => (4, text),
        None => (1, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_named_by_number_or_by_any_address() {
        let by_number = request("acme", "12", "shop");
        assert_eq!(
            (by_number.name.as_str(), by_number.place.as_str()),
            ("tenants/acme/customers/12", "shop")
        );
        for (text, kind, value) in [
            ("+972501234567", 1, "+972501234567"),
            ("00972501234567", 1, "00972501234567"),
            ("ana@example.org", 2, "ana@example.org"),
            ("cookie:aB-9", 3, "aB-9"),
            ("mastodon:ana@host", 4, "mastodon:ana@host"),
            ("loyalty:77", 5, "77"),
        ] {
            let by_address = request("acme", text, "voice").address.expect("an address");
            assert_eq!((by_address.kind, by_address.value.as_str()), (kind, value));
        }
    }
}
