//! Which connections a server has.

use core::fmt;
use std::collections::BTreeMap;

use super::Client;

/// The connections of a server, up to a number of them, and who has logged in by them. `T` is what a
/// transport has of one.
pub struct Places<T> {
    places: BTreeMap<u64, Open<T>>,
    /// How many connections there have been.
    count: u64,
}

struct Open<T> {
    connection: T,
    client: Option<Client>,
}

impl<T> Places<T> {
    /// Takes a place for a connection, and returns its number, from 1; `None` where `most` are taken.
    pub fn take(&mut self, connection: T, most: usize) -> Option<u64> {
        if self.places.len() >= most {
            return None;
        }
        self.count += 1;
        let client = None;
        self.places.insert(self.count, Open { connection, client });
        Some(self.count)
    }

    /// Says who has logged in at a place.
    pub fn is_taken_by(&mut self, number: u64, client: &Client) {
        if let Some(open) = self.places.get_mut(&number) {
            open.client = Some(client.clone());
        }
    }

    /// Says that nobody is logged in at a place any more.
    pub fn is_left(&mut self, number: u64) {
        if let Some(open) = self.places.get_mut(&number) {
            open.client = None;
        }
    }

    /// Gives a place back.
    pub fn give_back(&mut self, number: u64) {
        self.places.remove(&number);
    }

    /// Returns how many are taken.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether none is taken.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the clients that are logged in, in the order of their handles.
    pub fn clients(&self) -> Vec<Client> {
        let clients = self.places.values().map(|open| open.client.clone());
        clients.flatten().collect()
    }
}

impl<T: Clone> Places<T> {
    /// Returns all of them, with who is logged in.
    pub fn all(&self) -> Vec<(T, Option<Client>)> {
        let all = self.places.values();
        all.map(|open| (open.connection.clone(), open.client.clone()))
            .collect()
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self {
            places: BTreeMap::new(),
            count: 0,
        }
    }
}

impl<T> fmt::Debug for Places<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("taken", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_out_again_and_its_number_is_not() {
        let mut places = Places::default();
        assert_eq!(places.take("one", 2), Some(1));
        assert_eq!(places.take("two", 2), Some(2));
        assert_eq!(places.take("three", 2), None);
        places.give_back(1);
        assert_eq!(places.take("four", 2), Some(3));
        let all: Vec<_> = places.all().into_iter().map(|(name, _)| name).collect();
        assert_eq!(all, ["two", "four"]);
        assert!(places.clients().is_empty());
    }
}
