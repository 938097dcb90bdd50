//! A client and a server: two of ours in one memory, and one of ours with OpenSSL's.

mod certificates;
mod files;
mod openssl;
mod sessions;
mod support;
