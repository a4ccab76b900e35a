//! Questions of bank customers in their own words (BANKING77 of PolyAI, CC BY 4.0), read from where the recorded data lies:
//! each comes through to the card as it was written, and contacts about the same are counted.

use super::harness::{Server, call_with, phone};
use baton::proto::Channel;
use std::collections::BTreeMap;
use std::path::Path;

const MESSAGES: usize = 120;
const CUSTOMERS: usize = 3;

/// Text and category, from all over the file.
fn messages() -> Option<Vec<(String, String)>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/banking77/train.csv");
    if !path.exists() {
        println!("skipped: ../shared/data/banking77 is not there");
        return None;
    }
    let mut rows = csv::Reader::from_path(path).expect("it can be read");
    let all: Vec<(String, String)> = rows.deserialize().map(|row| row.expect("text and category")).collect();
    Some(all.into_iter().step_by(10).take(MESSAGES).collect())
}

#[tokio::test]
async fn what_customers_wrote_is_on_the_card_as_they_wrote_it_and_counted_by_what_it_is_about() {
    let Some(messages) = messages() else { return };
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut ana = server.sign_in("ana").await;
    let mut before: BTreeMap<(usize, String), u32> = BTreeMap::new();
    let mut written: Vec<Vec<String>> = vec![Vec::new(); CUSTOMERS];
    for (at, (text, category)) in messages.into_iter().enumerate() {
        let who = at % CUSTOMERS;
        let chat = call_with(&format!("c{at}"), |one| {
            one.channel = Channel::Chat.into();
            one.from = phone(&format!("+1415555010{who}"));
            one.message.clone_from(&text);
            one.intent.clone_from(&category);
        });
        let chat = server.submit(chat).await.expect("taken").interaction.expect("an interaction");
        let offer = ana.next_offer().await;
        let card = ana.whole_card(&offer).await;
        assert_eq!(card.message, text);
        let shown: Vec<&str> = card.history.iter().map(|one| one.text.as_str()).collect();
        let newest: Vec<&str> = written[who].iter().rev().take(20).map(String::as_str).collect();
        assert_eq!(shown, newest);
        let facts = server.facts_of(&chat.name).await;
        let same = before.entry((who, category)).or_default();
        assert_eq!(
            (facts.about_24h, facts.lifetime_contacts as usize),
            (*same, written[who].len()),
            "{text}"
        );
        *same += 1;
        written[who].push(text);
        let accepted = server.accept(&offer.name).await.expect("it is open");
        server.complete(&accepted.assignment).await.expect("it goes on");
    }
}
