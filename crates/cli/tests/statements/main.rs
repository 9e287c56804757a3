//! Statements as a manager and a mail server meet them: the commands on a folder with a closed month, and e-mail through a
//! server that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod books;
mod mail;
mod verify;
