//! The words of one line of a story: a verb, names, and settings such as `expiry=15s`. A setting nobody asked for
//! is an error: a misspelt one would otherwise be silently the default.

use baton::engine::plan::Channel;
use std::collections::BTreeMap;

/// One line, taken apart.
pub struct Words<'a> {
    plain: std::collections::VecDeque<&'a str>,
    settings: BTreeMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    pub fn of(line: &'a str) -> Words<'a> {
        let (settings, plain): (Vec<&str>, Vec<&str>) =
            line.split_whitespace().partition(|word| word.contains('='));
        let settings = settings.into_iter().filter_map(|word| word.split_once('=')).collect();
        Words { plain: plain.into(), settings }
    }

    /// The next word that is no setting.
    pub fn word(&mut self, what: &str) -> Result<&'a str, String> {
        self.plain.pop_front().ok_or_else(|| format!("{what} is missing"))
    }

    /// The rest, as one text.
    pub fn rest(&mut self) -> String {
        self.plain.drain(..).collect::<Vec<_>>().join(" ")
    }

    /// True if the word is there.
    pub fn flag(&mut self, flag: &str) -> bool {
        let before = self.plain.len();
        self.plain.retain(|word| *word != flag);
        self.plain.len() < before
    }

    /// A setting as it is written.
    pub fn setting(&mut self, name: &str) -> Option<&'a str> {
        self.settings.remove(name)
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        let Some(text) = self.setting(name) else { return Ok(default) };
        text.parse().map_err(|_| format!("{name} is {text}, want a whole number"))
    }

    /// A span of time in ms.
    pub fn span(&mut self, name: &str, default_ms: u64) -> Result<u64, String> {
        self.setting(name).map_or(Ok(default_ms), span_ms)
    }

    /// `es:3,de:1`: names with a number each.
    pub fn pairs<T: std::str::FromStr>(&mut self, name: &str) -> Result<Vec<(&'a str, T)>, String> {
        let Some(text) = self.setting(name) else { return Ok(Vec::new()) };
        text.split(',')
            .map(|pair| {
                let (key, number) = pair.split_once(':').ok_or(format!("{pair}: want name:number"))?;
                let number = number.parse().map_err(|_| format!("{pair}: want a whole number"))?;
                Ok((key, number))
            })
            .collect()
    }

    /// A setting that is one of these words.
    pub fn one_of<T: Copy>(&mut self, name: &str, known: &[(&str, T)]) -> Result<Option<T>, String> {
        let Some(text) = self.setting(name) else { return Ok(None) };
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        let words = || known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.map(Some).ok_or_else(|| format!("{name} is {text}, want one of: {}", words()))
    }

    /// A moment of the story, in seconds since it began.
    pub fn moment(&mut self, name: &str) -> Result<Option<u64>, String> {
        self.setting(name).map(seconds_ms).transpose()
    }

    /// Every setting that was not asked for yet, in the order of their names.
    pub fn other_settings(&mut self) -> Vec<(&'a str, &'a str)> {
        std::mem::take(&mut self.settings).into_iter().collect()
    }

    /// Nothing may be left over.
    pub fn end(self) -> Result<(), String> {
        match (self.plain.front(), self.settings.keys().next()) {
            (Some(word), _) => Err(format!("{word} is not understood")),
            (None, Some(setting)) => Err(format!("the setting {setting} is not understood")),
            (None, None) => Ok(()),
        }
    }
}

/// `1.5s`, `500ms`, `10m`, `2h`, in ms.
pub fn span_ms(text: &str) -> Result<u64, String> {
    let (number, unit_ms) = if let Some(number) = text.strip_suffix("ms") {
        return number.parse().map_err(|_| format!("{text}: want a whole number of ms"));
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60)
    } else if let Some(number) = text.strip_suffix('h') {
        (number, 3_600)
    } else {
        return Err(format!("{text}: want a span such as 500ms, 1.5s, 10m or 2h"));
    };
    seconds_ms(number).map(|ms| ms * unit_ms)
}

/// `3.5` seconds in ms.
pub fn seconds_ms(text: &str) -> Result<u64, String> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = format!("{fraction:0<3}");
    match (seconds.parse::<u64>(), fraction.parse::<u64>()) {
        (Ok(seconds), Ok(millis)) if fraction.len() == 3 => Ok(seconds * 1000 + millis),
        _ => Err(format!("{text}: want seconds with at most three decimals")),
    }
}

/// A channel by its word.
pub fn channel(word: &str) -> Result<Channel, String> {
    let known = Channel::ALL.into_iter().find(|channel| channel.word() == word);
    known.ok_or_else(|| format!("{word} is no channel"))
}
