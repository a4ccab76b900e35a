//! Rows by ids that are given out in ascending order, and whose rows go in about that order too: found by two
//! look-ups without hashing, in the order of the ids. A page goes when its last row has gone.

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;

/// Rows of one page.
const PAGE: usize = 128;

#[derive(Clone, Debug)]
struct Page<T> {
    rows: Box<[Option<T>]>,
    used: usize,
}

impl<T> Page<T> {
    fn new() -> Page<T> {
        Page { rows: (0..PAGE).map(|_| None).collect(), used: 0 }
    }
}

/// Rows by ascending ids.
#[derive(Clone, Debug)]
pub struct Table<K, T> {
    /// `None` where every row has gone.
    pages: VecDeque<Option<Page<T>>>,
    /// The number of the first page.
    first: usize,
    /// A page that is empty: the next one needed.
    spare: Option<Page<T>>,
    len: usize,
    key: PhantomData<K>,
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Table<K, T> {
        Table { pages: VecDeque::new(), first: 0, spare: None, len: 0, key: PhantomData }
    }
}

impl<K: Copy + Into<u64>, T> Table<K, T> {
    /// How many rows there are.
    #[cfg(any(test, feature = "server"))]
    pub fn len(&self) -> usize {
        self.len
    }

    /// One row.
    pub fn get(&self, id: &K) -> Option<&T> {
        let (page, row) = split(*id);
        self.pages.get(page.checked_sub(self.first)?)?.as_ref()?.rows[row].as_ref()
    }

    /// One row, to change it.
    pub fn get_mut(&mut self, id: &K) -> Option<&mut T> {
        let (page, row) = split(*id);
        self.pages.get_mut(page.checked_sub(self.first)?)?.as_mut()?.rows[row].as_mut()
    }

    /// Puts a row in; the one that was there before.
    pub fn insert(&mut self, id: K, value: T) -> Option<T> {
        self.put(id.into(), value)
    }

    fn put(&mut self, id: u64, value: T) -> Option<T> {
        let (page, row) = split(id);
        if self.pages.is_empty() {
            self.first = page;
        }
        while page < self.first {
            self.pages.push_front(None);
            self.first -= 1;
        }
        while page >= self.first + self.pages.len() {
            self.pages.push_back(None);
        }
        let spare = &mut self.spare;
        let page =
            self.pages[page - self.first].get_or_insert_with(|| spare.take().unwrap_or_else(Page::new));
        let old = page.rows[row].replace(value);
        if old.is_none() {
            page.used += 1;
            self.len += 1;
        }
        old
    }

    /// Takes a row out.
    pub fn remove(&mut self, id: &K) -> Option<T> {
        let (page, row) = split(*id);
        let slot = self.pages.get_mut(page.checked_sub(self.first)?)?;
        let held = slot.as_mut()?;
        let old = held.rows[row].take()?;
        held.used -= 1;
        self.len -= 1;
        if held.used == 0 {
            self.spare = slot.take();
            while let Some(None) = self.pages.front() {
                self.pages.pop_front();
                self.first += 1;
            }
        }
        Some(old)
    }

    /// The ids of all rows, in order.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.ids_from(0)
    }

    /// The same from the page on that an id is in.
    pub fn ids_from(&self, id: u64) -> impl Iterator<Item = u64> {
        let page = usize::try_from(id).unwrap_or(usize::MAX) / PAGE;
        let pages = self.pages.iter().enumerate().skip(page.saturating_sub(self.first));
        pages.filter_map(|(at, page)| Some((self.first + at, page.as_ref()?))).flat_map(|(number, page)| {
            let there = page.rows.iter().enumerate().filter(|(_, row)| row.is_some());
            there.map(move |(row, _)| (number * PAGE + row) as u64)
        })
    }
}

/// As pairs of id and row, in the order of the ids.
impl<K: Copy + Into<u64>, T: Serialize> Serialize for Table<K, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pages =
            self.pages.iter().enumerate().filter_map(|(at, page)| Some((self.first + at, page.as_ref()?)));
        let rows = pages.flat_map(|(number, page)| {
            let there = page.rows.iter().enumerate().filter_map(|(row, held)| Some((row, held.as_ref()?)));
            there.map(move |(row, held)| ((number * PAGE + row) as u64, held))
        });
        use serde::ser::SerializeSeq;
        let mut all = serializer.serialize_seq(Some(self.len))?;
        rows.into_iter().try_for_each(|row| all.serialize_element(&row))?;
        all.end()
    }
}

impl<'de, K: Copy + Into<u64>, T: Deserialize<'de>> Deserialize<'de> for Table<K, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Table<K, T>, D::Error> {
        deserializer.deserialize_seq(Rows(PhantomData))
    }
}

/// Takes rows in as they are read: they may be too many to have them twice.
struct Rows<K, T>(PhantomData<(K, T)>);

impl<'de, K: Copy + Into<u64>, T: Deserialize<'de>> Visitor<'de> for Rows<K, T> {
    type Value = Table<K, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pairs of id and row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Table<K, T>, A::Error> {
        let mut table = Table::default();
        while let Some((id, row)) = rows.next_element()? {
            table.put(id, row);
        }
        Ok(table)
    }
}

impl<K: Copy + Into<u64>, T> Index<&K> for Table<K, T> {
    type Output = T;

    fn index(&self, id: &K) -> &T {
        self.get(id).expect("what an index names is there")
    }
}

fn split(id: impl Into<u64>) -> (usize, usize) {
    let id = usize::try_from(id.into()).expect("ids are counted, and far below the address space");
    (id / PAGE, id % PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_table_holds_what_a_map_holds() {
        let (mut table, mut map) = (Table::<u64, u64>::default(), BTreeMap::new());
        let mut chance = 7_u64;
        for step in 0..20_000_u64 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let id = (step + (chance >> 33) % 500).saturating_sub(400);
            match (chance >> 20) % 3 {
                0 => assert_eq!(table.insert(id, step), map.insert(id, step)),
                1 => assert_eq!(table.remove(&id), map.remove(&id)),
                _ => assert_eq!(table.get(&id), map.get(&id)),
            }
            assert_eq!(table.len(), map.len());
        }
        assert_eq!(table.ids().collect::<Vec<_>>(), map.keys().copied().collect::<Vec<_>>());
    }

    #[test]
    fn a_table_is_written_as_a_map_is_and_read_in_whatever_order() {
        let mut rows: Vec<(u64, String)> =
            [700, 3, 40_000, 4, 129].map(|id| (id, format!("row {id}"))).into();
        let mixed = postcard::to_stdvec(&rows).expect("encoded");
        let table: Table<u64, String> = postcard::from_bytes(&mixed).expect("as written");
        rows.sort();
        let map: BTreeMap<u64, String> = rows.into_iter().collect();
        assert_eq!(postcard::to_stdvec(&table), postcard::to_stdvec(&map));
        assert_eq!((table.len(), table.first), (5, 0));
    }

    #[test]
    fn a_page_goes_with_its_last_row() {
        let mut table = Table::<u64, u64>::default();
        (0..10_000).for_each(|id| assert_eq!(table.insert(id, id), None));
        (0..9_999).for_each(|id| assert_eq!(table.remove(&id), Some(id)));
        assert_eq!((table.pages.len(), table.first), (1, 9_999 / PAGE));
    }

    #[test]
    fn the_ids_from_one_on_begin_in_its_page_whatever_has_gone_before() {
        let mut table = Table::<u64, u64>::default();
        (500..1_500).for_each(|id| assert_eq!(table.insert(id, id), None));
        (500..900).for_each(|id| assert_eq!(table.remove(&id), Some(id)));
        for from in [0, 500, 899, 900, 1_000, 1_499, 1_500, u64::MAX] {
            let ids: Vec<u64> = table.ids_from(from).filter(|id| *id >= from).collect();
            let wanted: Vec<u64> = (from.max(900)..1_500).collect();
            assert_eq!(ids, wanted, "from {from}");
        }
    }
}
