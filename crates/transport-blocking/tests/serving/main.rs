//! The server role against our own client, and against bytes written by hand.

mod gateway;
mod logins;
mod others;
mod push;
mod requests;
mod stop;
mod support;
