//! Takes the pictures of the README from the running demo.
fn main() {}
