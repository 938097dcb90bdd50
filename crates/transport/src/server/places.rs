//! Which connections a server has.

use core::fmt;
use std::collections::BTreeMap;

use super::Client;
use crate::deadline::Deadline;

/// The connections of a server, up to a number of them, and who has logged in by them. `T` is what a
/// transport has of one.
pub struct Places<T> {
    places: BTreeMap<u64, Open<T>>,
    /// How many connections there have been.
    count: u64,
    /// By when all are to be given back, once the server stops.
    stop: Option<Deadline>,
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

    /// Says who has logged in at a place. `false` where the server stops: it is too late.
    pub fn is_taken_by(&mut self, number: u64, client: &Client) -> bool {
        if self.stop.is_some() {
            return false;
        }
        if let Some(open) = self.places.get_mut(&number) {
            open.client = Some(client.clone());
        }
        true
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

    /// Has the server stop, by then at the latest. Called again, the earlier counts.
    pub fn stop(&mut self, by: Deadline) {
        self.stop = Some(by.or_earlier(self.stop.unwrap_or(Deadline::NEVER)));
    }

    /// Returns by when the server is to have stopped; `None` while it serves.
    pub const fn stops(&self) -> Option<Deadline> {
        self.stop
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
            stop: None,
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
    use std::time::Duration;

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

    #[test]
    fn of_several_stops_the_earliest_counts() {
        let mut places = Places::<()>::default();
        assert_eq!(places.stops(), None);
        let [hour, minute] = [3600, 60].map(|s| Deadline::after(Some(Duration::from_secs(s))));
        for (by, expected) in [
            (Deadline::NEVER, Deadline::NEVER),
            (hour, hour),
            (minute, minute),
            (hour, minute),
        ] {
            places.stop(by);
            assert_eq!(places.stops(), Some(expected));
        }
    }
}
