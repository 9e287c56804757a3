//! Embeds the icons and the configuration of the shell.

fn main() {
    tauri_build::build();
}
