//! Pages as lists of things to draw, written as PDF at the end, when the number of pages is known.
//!
//! Lengths are points (1/72 inch), from the top left corner. Text is set in Inter, without kerning, so that what is
//! measured here is what is drawn; characters the font lacks become a question mark.

use super::{Logo, LogoKind};
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Data, Document, SerializeSettings};
use skrifa::MetadataProvider as _;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Width and height of A4.
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);

/// White space left and right.
pub(super) const MARGIN: f32 = 48.0;

/// Width between the margins.
pub(super) const INNER: f32 = PAGE.0 - 2.0 * MARGIN;

/// Where the footer begins.
pub(super) const BOTTOM: f32 = PAGE.1 - 62.0;

/// A colour of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Text.
    Ink,
    /// Secondary text.
    Grey,
    /// Lines.
    Hair,
    /// Accent.
    Accent,
    /// Background of accented areas.
    Tint,
    /// Background of every other row.
    Zebra,
    /// Warnings.
    Amber,
    /// Text on the accent.
    White,
}

impl Tone {
    fn color(self) -> rgb::Color {
        let (r, g, b) = match self {
            Self::Ink => (0x17, 0x22, 0x2e),
            Self::Grey => (0x5f, 0x6e, 0x7c),
            Self::Hair => (0xd9, 0xe0, 0xe6),
            Self::Accent => (0x0b, 0x5f, 0x6b),
            Self::Tint => (0xe9, 0xf3, 0xf4),
            Self::Zebra => (0xf6, 0xf8, 0xf9),
            Self::Amber => (0xa8, 0x5b, 0x00),
            Self::White => (0xff, 0xff, 0xff),
        };
        rgb::Color::new(r, g, b)
    }
}

/// Weight of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) tone: Tone,
}

impl Style {
    pub(super) const fn new(size: f32, weight: Weight, tone: Tone) -> Self {
        Self { size, weight, tone }
    }
}

/// Which side of a text its position names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    Center,
}

#[derive(Clone, Debug)]
enum Op {
    Text { x: f32, y: f32, style: Style, text: String },
    Box { x: f32, y: f32, w: f32, h: f32, tone: Tone },
    Picture { x: f32, y: f32, w: f32, h: f32 },
}

/// Pages that are being drawn.
pub(super) struct Canvas {
    pages: Vec<Vec<Op>>,
    picture: Option<Image>,
    /// Where the next thing goes, from the top.
    pub(super) y: f32,
}

/// Why no PDF came out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// A font of the program cannot be read.
    #[error("a font inside the program is damaged; install it again")]
    Font,
    /// The library refused what was drawn.
    #[error("the PDF cannot be written: {0}")]
    Writing(String),
}

const REGULAR: &[u8] = include_bytes!("../../../../ui/fonts/inter-regular.otf");
const BOLD: &[u8] = include_bytes!("../../../../ui/fonts/inter-semibold.otf");

/// Glyphs and widths of a font, per em.
struct Metrics(BTreeMap<char, (u32, f32)>);

static METRICS: LazyLock<[Metrics; 2]> = LazyLock::new(|| [Metrics::of(REGULAR), Metrics::of(BOLD)]);

impl Metrics {
    fn of(bytes: &[u8]) -> Self {
        let Ok(font) = skrifa::FontRef::new(bytes) else { return Self(BTreeMap::new()) };
        let place = skrifa::instance::LocationRef::default();
        let size = skrifa::instance::Size::unscaled();
        let em = f32::from(font.metrics(size, place).units_per_em.max(1));
        let widths = font.glyph_metrics(size, place);
        let glyph = |(code, glyph): (u32, skrifa::GlyphId)| {
            Some((char::from_u32(code)?, (glyph.to_u32(), widths.advance_width(glyph)? / em)))
        };
        Self(font.charmap().mappings().filter_map(glyph).collect())
    }

    fn get(weight: Weight) -> &'static Self {
        let [regular, bold] = &*METRICS;
        match weight {
            Weight::Regular => regular,
            Weight::Bold => bold,
        }
    }

    fn glyph(&self, wanted: char) -> (u32, f32) {
        let known = self.0.get(&wanted).or_else(|| self.0.get(&'?'));
        known.copied().unwrap_or((0, 0.5))
    }
}

/// Width of a text.
pub(super) fn width(text: &str, style: Style) -> f32 {
    let metrics = Metrics::get(style.weight);
    text.chars().map(|wanted| metrics.glyph(wanted).1).sum::<f32>() * style.size
}

/// The text, or as much of it as fits, with an ellipsis.
pub(super) fn fitted(text: &str, style: Style, room: f32) -> String {
    if width(text, style) <= room {
        return text.to_owned();
    }
    let mut short: String = text.to_owned();
    while short.pop().is_some() {
        let candidate = format!("{}…", short.trim_end());
        if width(&candidate, style) <= room {
            return candidate;
        }
    }
    String::new()
}

/// The style in which the text fits, if a quarter smaller is enough; what does not fit so either is for [`fitted`].
pub(super) fn shrunk(text: &str, style: Style, room: f32) -> Style {
    // A tenth of a point less, so that rounding does not make it too long after all.
    let scale = (room - 0.1) / width(text, style).max(0.01);
    if (0.75..1.0).contains(&scale) { Style { size: style.size * scale, ..style } } else { style }
}

/// The text in lines that fit.
pub(super) fn wrapped(text: &str, style: Style, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_ascii_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer.filter(|longer| width(longer, style) <= room) {
            Some(longer) => {
                if let Some(line) = lines.last_mut() {
                    *line = longer;
                }
            }
            None => lines.push(fitted(word, style, room)),
        }
    }
    lines
}

pub(super) fn decode(logo: &Logo) -> Option<Image> {
    let data: Data = std::sync::Arc::clone(&logo.bytes).into();
    match logo.kind {
        LogoKind::Png => Image::from_png(data, true).ok(),
        LogoKind::Jpeg => Image::from_jpeg(data, true).ok(),
    }
}

impl Canvas {
    pub(super) fn new(logo: Option<&Logo>) -> Self {
        Self { pages: vec![Vec::new()], picture: logo.and_then(decode), y: MARGIN }
    }

    pub(super) fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    fn push(&mut self, op: Op) {
        if let Some(page) = self.pages.last_mut() {
            page.push(op);
        }
    }

    /// Writes a line of text with its base line at `y`.
    pub(super) fn text(&mut self, (x, y): (f32, f32), align: Align, style: Style, text: &str) {
        self.push(set(x, y, align, style, text));
    }

    /// Fills an area.
    pub(super) fn area(&mut self, (x, y): (f32, f32), (w, h): (f32, f32), tone: Tone) {
        self.push(Op::Box { x, y, w, h, tone });
    }

    /// A thin line across.
    pub(super) fn rule(&mut self, x: f32, y: f32, w: f32) {
        self.area((x, y), (w, 0.6), Tone::Hair);
    }

    /// The logo inside a box; gives the width it took.
    pub(super) fn logo(&mut self, (x, y): (f32, f32), (w_max, h_max): (f32, f32)) -> f32 {
        let Some((wide, high)) = self.picture.as_ref().map(Image::size) else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "pixels of a picture")]
        let (wide, high) = (wide.max(1) as f32, high.max(1) as f32);
        let scale = (w_max / wide).min(h_max / high);
        let (w, h) = (wide * scale, high * scale);
        self.push(Op::Picture { x, y: y + (h_max - h) / 2.0, w, h });
        w
    }

    /// Draws on every page, knowing its number and how many there are.
    pub(super) fn on_every_page(&mut self, draw: impl Fn(usize, usize) -> Vec<Written>) {
        let count = self.pages.len();
        for (index, page) in self.pages.iter_mut().enumerate() {
            page.extend(draw(index + 1, count).into_iter().map(|written| match written {
                Written::Text { at, align, style, text } => set(at.0, at.1, align, style, &text),
                Written::Rule { x, y, w } => Op::Box { x, y, w, h: 0.6, tone: Tone::Hair },
            }));
        }
    }

    /// The file.
    pub(super) fn finish(self, metadata: Metadata) -> Result<Vec<u8>, PdfError> {
        let font = |bytes: &'static [u8]| Font::new(bytes.into(), 0).ok_or(PdfError::Font);
        let fonts = (font(REGULAR)?, font(BOLD)?);
        let mut document = Document::new_with(SerializeSettings::default());
        document.set_metadata(metadata);
        for ops in &self.pages {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1)
                .ok_or_else(|| PdfError::Writing("the page has no size".to_owned()))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for op in ops {
                draw(&mut surface, op, &fonts, self.picture.as_ref());
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| PdfError::Writing(format!("{error:?}")))
    }
}

/// Something on every page.
pub(super) enum Written {
    Text { at: (f32, f32), align: Align, style: Style, text: String },
    Rule { x: f32, y: f32, w: f32 },
}

fn set(x: f32, y: f32, align: Align, style: Style, text: &str) -> Op {
    let shift = match align {
        Align::Left => 0.0,
        Align::Right => width(text, style),
        Align::Center => width(text, style) / 2.0,
    };
    Op::Text { x: x - shift, y, style, text: text.to_owned() }
}

fn fill(tone: Tone) -> Fill {
    Fill { paint: tone.color().into(), opacity: krilla::num::NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn draw(surface: &mut Surface<'_>, op: &Op, fonts: &(Font, Font), picture: Option<&Image>) {
    match op {
        Op::Text { x, y, style, text } => {
            let font = match style.weight {
                Weight::Regular => fonts.0.clone(),
                Weight::Bold => fonts.1.clone(),
            };
            let metrics = Metrics::get(style.weight);
            let glyphs: Vec<KrillaGlyph> = text
                .char_indices()
                .map(|(at, wanted)| {
                    let (glyph, advance) = metrics.glyph(wanted);
                    let range = at..at + wanted.len_utf8();
                    KrillaGlyph::new(GlyphId::new(glyph), advance, 0.0, 0.0, 0.0, range, None)
                })
                .collect();
            surface.set_fill(Some(fill(style.tone)));
            surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, font, text, style.size, false);
        }
        Op::Box { x, y, w, h, tone } => {
            let mut path = PathBuilder::new();
            if let Some(area) = Rect::from_xywh(*x, *y, w.max(0.01), h.max(0.01)) {
                path.push_rect(area);
            }
            if let Some(path) = path.finish() {
                surface.set_fill(Some(fill(*tone)));
                surface.draw_path(&path);
            }
        }
        Op::Picture { x, y, w, h } => {
            if let Some((picture, size)) = picture.zip(Size::from_wh(*w, *h)) {
                surface.push_transform(&Transform::from_translate(*x, *y));
                surface.draw_image(picture.clone(), size);
                surface.pop();
            }
        }
    }
}
