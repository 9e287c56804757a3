//! Each page as a person uses it: what it says, in both languages, and what it sends when it is used.
//!
//! egui_kittest also fails a run when a field has no name or a letter has no glyph.

mod books;
mod chargers;
mod cloud;
mod hand;
mod overview;
mod people;
mod site;
