//! Icons as strokes on a grid of 24, so that they are sharp at every size and follow the text's colour.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke};

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Overview.
    Graph,
    /// Chargers.
    Plug,
    /// Cards.
    Card,
    /// Sessions.
    List,
    /// Circuits.
    Tree,
    /// Settings.
    Sliders,
    /// Demo.
    Flask,
    /// Priority up.
    Up,
    /// Priority down.
    Down,
    /// Drag here.
    Grip,
    /// Pause.
    Pause,
    /// Resume.
    Play,
    /// Stop.
    Stop,
    /// More about it.
    Right,
    /// Back.
    Left,
    /// Close.
    Cross,
    /// All is well.
    Check,
    /// Attention.
    Alert,
    /// Add.
    Plus,
    /// Sign out.
    Leave,
    /// The product.
    Bolt,
    /// A meter.
    Gauge,
    /// Waiting.
    Clock,
    /// As a table.
    Table,
    /// Light theme.
    Sun,
    /// Dark theme.
    Moon,
    /// Link.
    Link,
    /// What leaves the building.
    Cloud,
}

/// A stroke: points on the grid, or a circle.
enum Part {
    Line(&'static [(f32, f32)]),
    Closed(&'static [(f32, f32)]),
    Ring(f32, f32, f32),
    Dot(f32, f32, f32),
}

use Part::{Closed, Dot, Line, Ring};

impl Icon {
    #[expect(clippy::too_many_lines, reason = "a table of strokes, one entry per icon")]
    const fn parts(self) -> &'static [Part] {
        match self {
            Self::Graph => &[
                Line(&[(3.5, 4.0), (3.5, 20.0), (20.5, 20.0)]),
                Line(&[(7.0, 15.0), (11.0, 10.5), (14.5, 13.0), (20.0, 6.5)]),
            ],
            Self::Plug => &[
                Line(&[(9.0, 2.5), (9.0, 7.0)]),
                Line(&[(15.0, 2.5), (15.0, 7.0)]),
                Closed(&[(6.0, 7.0), (18.0, 7.0), (18.0, 11.0), (15.5, 15.0), (8.5, 15.0), (6.0, 11.0)]),
                Line(&[(12.0, 15.0), (12.0, 21.5)]),
            ],
            Self::Tree => &[
                Closed(&[(9.0, 2.5), (15.0, 2.5), (15.0, 7.5), (9.0, 7.5)]),
                Line(&[(12.0, 7.5), (12.0, 12.0)]),
                Line(&[(5.5, 16.0), (5.5, 12.0), (18.5, 12.0), (18.5, 16.0)]),
                Closed(&[(2.5, 16.0), (8.5, 16.0), (8.5, 21.0), (2.5, 21.0)]),
                Closed(&[(15.5, 16.0), (21.5, 16.0), (21.5, 21.0), (15.5, 21.0)]),
            ],
            Self::Card => &[
                Closed(&[(3.0, 5.5), (21.0, 5.5), (21.0, 18.5), (3.0, 18.5)]),
                Line(&[(3.0, 10.0), (21.0, 10.0)]),
                Line(&[(6.5, 14.5), (10.5, 14.5)]),
            ],
            Self::List => &[
                Line(&[(9.0, 6.0), (20.5, 6.0)]),
                Line(&[(9.0, 12.0), (20.5, 12.0)]),
                Line(&[(9.0, 18.0), (20.5, 18.0)]),
                Dot(4.5, 6.0, 1.3),
                Dot(4.5, 12.0, 1.3),
                Dot(4.5, 18.0, 1.3),
            ],
            Self::Sliders => &[
                Line(&[(3.0, 7.0), (12.0, 7.0)]),
                Line(&[(17.0, 7.0), (21.0, 7.0)]),
                Ring(14.5, 7.0, 2.5),
                Line(&[(3.0, 17.0), (7.0, 17.0)]),
                Line(&[(12.0, 17.0), (21.0, 17.0)]),
                Ring(9.5, 17.0, 2.5),
            ],
            Self::Flask => &[
                Line(&[(8.5, 3.0), (15.5, 3.0)]),
                Closed(&[
                    (10.0, 3.0),
                    (14.0, 3.0),
                    (14.0, 9.0),
                    (19.5, 19.0),
                    (18.5, 21.0),
                    (5.5, 21.0),
                    (4.5, 19.0),
                    (10.0, 9.0),
                ]),
                Line(&[(7.2, 15.0), (16.8, 15.0)]),
            ],
            Self::Cloud => &[Closed(&[
                (6.5, 19.0),
                (17.5, 19.0),
                (20.4, 17.6),
                (21.5, 15.0),
                (20.5, 12.3),
                (18.0, 11.2),
                (17.3, 8.0),
                (14.8, 5.7),
                (11.5, 5.0),
                (8.5, 6.3),
                (6.7, 9.2),
                (6.4, 10.6),
                (4.1, 11.6),
                (2.8, 13.6),
                (2.9, 16.1),
                (4.3, 18.2),
            ])],
            Self::Up => &[Line(&[(6.0, 14.5), (12.0, 8.5), (18.0, 14.5)])],
            Self::Down => &[Line(&[(6.0, 9.5), (12.0, 15.5), (18.0, 9.5)])],
            Self::Grip => &[
                Dot(9.0, 6.0, 1.5),
                Dot(15.0, 6.0, 1.5),
                Dot(9.0, 12.0, 1.5),
                Dot(15.0, 12.0, 1.5),
                Dot(9.0, 18.0, 1.5),
                Dot(15.0, 18.0, 1.5),
            ],
            Self::Pause => &[Line(&[(8.5, 5.5), (8.5, 18.5)]), Line(&[(15.5, 5.5), (15.5, 18.5)])],
            Self::Play => &[Closed(&[(7.5, 5.0), (18.5, 12.0), (7.5, 19.0)])],
            Self::Stop => &[Closed(&[(6.5, 6.5), (17.5, 6.5), (17.5, 17.5), (6.5, 17.5)])],
            Self::Right => &[Line(&[(9.5, 6.0), (15.5, 12.0), (9.5, 18.0)])],
            Self::Left => &[Line(&[(14.5, 6.0), (8.5, 12.0), (14.5, 18.0)])],
            Self::Cross => &[Line(&[(6.5, 6.5), (17.5, 17.5)]), Line(&[(17.5, 6.5), (6.5, 17.5)])],
            Self::Check => &[Line(&[(5.0, 12.5), (10.0, 17.5), (19.0, 7.0)])],
            Self::Alert => &[
                Closed(&[(12.0, 3.5), (21.5, 20.0), (2.5, 20.0)]),
                Line(&[(12.0, 9.5), (12.0, 14.0)]),
                Dot(12.0, 16.9, 1.2),
            ],
            Self::Plus => &[Line(&[(12.0, 5.0), (12.0, 19.0)]), Line(&[(5.0, 12.0), (19.0, 12.0)])],
            Self::Leave => &[
                Line(&[(13.0, 4.0), (5.0, 4.0), (5.0, 20.0), (13.0, 20.0)]),
                Line(&[(10.0, 12.0), (20.5, 12.0)]),
                Line(&[(16.5, 8.0), (20.5, 12.0), (16.5, 16.0)]),
            ],
            Self::Bolt => {
                &[Closed(&[(13.0, 2.5), (5.0, 13.5), (11.0, 13.5), (10.5, 21.5), (19.0, 10.0), (12.6, 10.0)])]
            }
            Self::Gauge => &[
                Line(&[
                    (4.0, 17.5),
                    (3.2, 13.0),
                    (4.6, 9.0),
                    (8.0, 6.0),
                    (12.0, 5.2),
                    (16.0, 6.0),
                    (19.4, 9.0),
                    (20.8, 13.0),
                    (20.0, 17.5),
                ]),
                Line(&[(12.0, 14.5), (16.0, 9.8)]),
                Dot(12.0, 14.5, 1.6),
            ],
            Self::Clock => &[Ring(12.0, 12.0, 8.7), Line(&[(12.0, 7.0), (12.0, 12.2), (15.5, 14.2)])],
            Self::Table => &[
                Closed(&[(3.5, 4.5), (20.5, 4.5), (20.5, 19.5), (3.5, 19.5)]),
                Line(&[(3.5, 9.5), (20.5, 9.5)]),
                Line(&[(3.5, 14.5), (20.5, 14.5)]),
                Line(&[(10.0, 4.5), (10.0, 19.5)]),
            ],
            Self::Sun => &[
                Ring(12.0, 12.0, 4.2),
                Line(&[(12.0, 2.5), (12.0, 4.5)]),
                Line(&[(12.0, 19.5), (12.0, 21.5)]),
                Line(&[(2.5, 12.0), (4.5, 12.0)]),
                Line(&[(19.5, 12.0), (21.5, 12.0)]),
                Line(&[(5.3, 5.3), (6.7, 6.7)]),
                Line(&[(17.3, 17.3), (18.7, 18.7)]),
                Line(&[(5.3, 18.7), (6.7, 17.3)]),
                Line(&[(17.3, 6.7), (18.7, 5.3)]),
            ],
            Self::Moon => &[Closed(&[
                (20.0, 14.2),
                (16.5, 15.2),
                (12.6, 13.9),
                (10.2, 11.0),
                (9.6, 7.2),
                (10.6, 4.0),
                (6.6, 6.0),
                (4.2, 9.6),
                (4.2, 13.6),
                (6.4, 17.4),
                (10.0, 19.8),
                (14.0, 20.0),
                (17.6, 18.0),
            ])],
            Self::Link => &[
                Line(&[(10.0, 14.0), (14.0, 10.0)]),
                Line(&[(11.0, 7.0), (13.5, 4.5), (16.5, 3.8), (19.0, 5.0), (20.2, 7.5), (19.5, 10.5), (17.0, 13.0)]),
                Line(&[(13.0, 17.0), (10.5, 19.5), (7.5, 20.2), (5.0, 19.0), (3.8, 16.5), (4.5, 13.5), (7.0, 11.0)]),
            ],
        }
    }

    /// Paints it inside `rect`.
    pub(crate) fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let scale = rect.width().min(rect.height()) / 24.0;
        let origin = rect.center() - egui::Vec2::splat(12.0 * scale);
        let at = |point: &(f32, f32)| -> Pos2 { origin + egui::vec2(point.0, point.1) * scale };
        let stroke = Stroke::new((1.9 * scale).max(1.2), color);
        for part in self.parts() {
            painter.add(match part {
                Line(points) => Shape::line(points.iter().map(at).collect(), stroke),
                Closed(points) => Shape::closed_line(points.iter().map(at).collect(), stroke),
                Ring(x, y, radius) => Shape::circle_stroke(at(&(*x, *y)), radius * scale, stroke),
                Dot(x, y, radius) => Shape::circle_filled(at(&(*x, *y)), radius * scale, color),
            });
        }
    }
}
