//! A card as people read it in a terminal: who, what was promised and how to honour it here, what was pinned, how often and
//! in what mood they come, and what happened, the newest first. What was left out is said.

use crate::proto::history_entry::Kind;
use crate::proto::{Card, Channel, Consent, Customer, HistoryEntry, Promise};
use jiff::Timestamp;
use std::fmt::Write;

/// Longer texts are cut here, in characters: the history has them whole.
const TEXT_CHARS_MAX: usize = 240;

/// The card, with a line break at its end.
pub fn text(card: &Card) -> String {
    let mut out = String::new();
    match &card.customer {
        Some(customer) => who(&mut out, customer),
        None => line(&mut out, "unknown customer"),
    }
    for relative in &card.household {
        line(&mut out, &format!("is asked about {}", short(relative)));
    }
    promises(&mut out, card);
    section(&mut out, "PINNED", &card.pinned);
    line(&mut out, "");
    line(
        &mut out,
        &format!("CONTACTS  {} in 24 h, {} in 7 days{}", card.contacts_24h, card.contacts_7d, mood(card)),
    );
    section(&mut out, "HISTORY", &card.history);
    if card.older_entries > 0 {
        line(&mut out, &format!("  and {} older", card.older_entries));
    }
    if card.partial {
        line(&mut out, "  the customer store did not answer in time: this is not all");
    }
    out
}

fn line(out: &mut String, text: &str) {
    // What customers wrote goes to a terminal, and must not steer it.
    let text = text.trim_end().replace(char::is_control, "\u{fffd}");
    writeln!(out, "{text}").expect("a string takes whatever is written");
}

fn who(out: &mut String, customer: &Customer) {
    let number = customer.name.rsplit('/').next().unwrap_or_default();
    let also: Vec<&str> = customer.linked.iter().filter_map(|name| name.rsplit('/').next()).collect();
    let also = if also.is_empty() { String::new() } else { format!(", also {}", also.join(", ")) };
    let name = if customer.display_name.is_empty() { "no name" } else { &customer.display_name };
    line(out, &format!("{name}  (customer {number}{also})"));
    let addresses: Vec<&str> = customer.addresses.iter().map(|address| address.value.as_str()).collect();
    line(out, &format!("  {}", addresses.join(", ")));
    let wants = wants(customer);
    if !wants.is_empty() {
        line(out, &format!("  {}", wants.join(", ")));
    }
}

fn wants(customer: &Customer) -> Vec<String> {
    let mut all = Vec::new();
    if !customer.tier.is_empty() {
        all.push(customer.tier.clone());
    }
    if customer.minor {
        all.push("a minor".to_owned());
    }
    if !customer.language.is_empty() {
        all.push(format!("speaks {}", customer.language));
    }
    if customer.preferred_channel != 0 {
        all.push(format!("prefers {}", channel(customer.preferred_channel)));
    }
    if let Some(number) = customer.contact_person.rsplit('/').next().filter(|number| !number.is_empty()) {
        all.push(format!("ask customer {number}"));
    }
    all.extend(customer.consents.iter().map(consent));
    all
}

fn consent(consent: &Consent) -> String {
    let on = if consent.channel == 0 { "contact" } else { channel(consent.channel) };
    let to = consent.address.as_ref().map_or(String::new(), |address| format!(" to {}", address.value));
    format!("{on}{to} {}", if consent.allowed { "allowed" } else { "NOT ALLOWED" })
}

fn short(customer: &Customer) -> String {
    let number = customer.name.rsplit('/').next().unwrap_or_default();
    let name = if customer.display_name.is_empty() { "no name" } else { &customer.display_name };
    let wants = wants(&Customer { contact_person: String::new(), ..customer.clone() });
    let wants = if wants.is_empty() { String::new() } else { format!(": {}", wants.join(", ")) };
    format!("{name} (customer {number}){wants}")
}

fn promises(out: &mut String, card: &Card) {
    if card.promises.is_empty() {
        return;
    }
    line(out, "");
    line(out, "PROMISES");
    card.promises.iter().for_each(|one| promise(out, one));
    if card.more_promises > 0 {
        line(out, &format!("  and {} more", card.more_promises));
    }
}

fn promise(out: &mut String, promise: &Promise) {
    let id = promise.name.rsplit("/").next().unwrap_or_default();
    line(out, &format!("  {}  [{id}]  {}", promise.summary, stands(promise)));
    let mut told = |label: &str, text: &str| {
        if !text.is_empty() {
            line(out, &format!("      {label}: {text}"));
        }
    };
    told("terms", &promise.terms);
    if promise.redeem_time.is_some() {
        return told("note", &promise.redeemed_note);
    }
    told("cannot be honoured", &promise.withdraw_reason);
    if promise.withdraw_time.is_none() {
        told("do", &promise.how);
    }
    told("or offer", &promise.alternative);
}

fn stands(promise: &Promise) -> String {
    let by = |name: &str| if name.is_empty() { String::new() } else { format!(" by {name}") };
    if let Some(time) = &promise.redeem_time {
        let place = &promise.redeemed_at;
        let place = if place.is_empty() { String::new() } else { format!(", {place}") };
        let what = if promise.redeemed_alternative { "alternative given" } else { "redeemed" };
        return format!("{what} {}{}{place}", when(time), by(&promise.redeemed_by));
    }
    let until = match &promise.expire_time {
        Some(time) if promise.expired => format!("ran out {}", when(time)),
        Some(time) => format!("open until {}", when(time)),
        None => "open".to_owned(),
    };
    let made = promise.make_time.as_ref().map(when).unwrap_or_default();
    format!("{until}, made {made}{}", by(&promise.made_by))
}

fn section(out: &mut String, title: &str, entries: &[HistoryEntry]) {
    if entries.is_empty() {
        return;
    }
    line(out, "");
    line(out, title);
    for entry in entries {
        let time = entry.time.as_ref().map(when).unwrap_or_default();
        let what = if entry.kind() == Kind::Contact { String::new() } else { format!("{} ", kind(entry)) };
        let matter = if entry.matter.is_empty() { String::new() } else { format!("  #{}", entry.matter) };
        line(out, &format!("  {time}  {what}{}{matter}", entry.summary));
        for text in cut(&entry.text).lines() {
            line(out, &format!("      {text}"));
        }
    }
}

fn kind(entry: &HistoryEntry) -> &'static str {
    match entry.kind() {
        Kind::Contact | Kind::Unspecified => "contact",
        Kind::Visit => "visit",
        Kind::Purchase => "purchase",
        Kind::Message if entry.outbound => "message from us",
        Kind::Message => "message",
        Kind::Note => "note",
        Kind::Feedback => "feedback",
    }
}

fn mood(card: &Card) -> String {
    let Some(mood) = card.sentiment else { return String::new() };
    let trend = match card.sentiment_trend {
        ..=-10 => ", falling",
        10.. => ", rising",
        _ => "",
    };
    format!("; mood {mood}{trend}")
}

fn channel(code: i32) -> &'static str {
    match Channel::try_from(code) {
        Ok(Channel::Voice) => "voice",
        Ok(Channel::Video) => "video",
        Ok(Channel::Chat) => "chat",
        Ok(Channel::Message) => "message",
        Ok(Channel::Email) => "email",
        Ok(Channel::Social) => "social",
        Ok(Channel::Task) => "task",
        _ => "contact",
    }
}

fn when(time: &prost_types::Timestamp) -> String {
    let shown = Timestamp::new(time.seconds, 0).map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
    shown.unwrap_or_default()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    }

    #[test]
    fn promises_come_first_with_what_to_do_here() {
        let lena = Customer {
            name: "tenants/t/customers/8".into(),
            display_name: "Lena".into(),
            minor: true,
            consents: vec![Consent { channel: 4, allowed: false, ..Consent::default() }],
            ..Customer::default()
        };
        let promise = Promise {
            name: "tenants/t/customers/8/promises/3".into(),
            summary: "free upgrade".into(),
            how: "code X".into(),
            made_by: "marketing".into(),
            make_time: at(0),
            expire_time: at(86_400),
            ..Promise::default()
        };
        let gone = Promise {
            summary: "the green sofa".into(),
            how: "hand it over".into(),
            withdraw_time: at(5),
            withdraw_reason: "sold by mistake".into(),
            alternative: "the blue one".into(),
            ..Promise::default()
        };
        let verified = HistoryEntry {
            kind: Kind::Note.into(),
            time: at(60),
            summary: "verified".into(),
            matter: "upgrade".into(),
            ..HistoryEntry::default()
        };
        let card = Card {
            customer: Some(Customer {
                name: "tenants/t/customers/7".into(),
                linked: vec!["tenants/t/customers/2".into()],
                display_name: "Ana Levi".into(),
                tier: "gold".into(),
                ..Customer::default()
            }),
            household: vec![lena],
            promises: vec![promise, gone],
            pinned: vec![verified],
            older_entries: 4,
            sentiment: Some(-40),
            sentiment_trend: -30,
            ..Card::default()
        };
        let wanted = "\
Ana Levi  (customer 7, also 2)

  gold
is asked about Lena (customer 8): a minor, message NOT ALLOWED

PROMISES
  free upgrade  [3]  open until 1970-01-02 00:00 UTC, made 1970-01-01 00:00 UTC by marketing
      do: code X
  the green sofa  []  open, made
      cannot be honoured: sold by mistake
      or offer: the blue one

PINNED
  1970-01-01 00:01 UTC  note verified  #upgrade

CONTACTS  0 in 24 h, 0 in 7 days; mood -40, falling
  and 4 older
";
        assert_eq!(text(&card), wanted);
    }
}
