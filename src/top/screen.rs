//! Drawing on the terminal, on the thread that reads the keys.

use super::TopError;
use super::tables::{Table, tables};
use crate::proto::FloorView;
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table as Drawn};
use std::time::Duration;
use tokio::sync::watch;

/// Time between two drawings, and the longest a key waits.
const REDRAW: Duration = Duration::from_millis(200);
const DIM: Style = Style::new().fg(Color::DarkGray);
const TITLE: Style = Style::new().add_modifier(Modifier::BOLD);

/// The view while it is open.
pub struct Screen {
    /// What is shown.
    pub views: watch::Receiver<Option<FloorView>>,
    pub address: String,
}

impl Screen {
    /// Draws until `q` or Ctrl-C, or until no more views come. Blocks.
    pub fn show(self) -> Result<(), TopError> {
        let mut terminal = ratatui::try_init()?;
        let shown = self.run(&mut terminal);
        ratatui::restore();
        shown
    }

    fn run(&self, terminal: &mut ratatui::DefaultTerminal) -> Result<(), TopError> {
        // The sender goes when the stream ends.
        while self.views.has_changed().is_ok() {
            terminal.draw(|frame| self.draw(frame))?;
            if event::poll(REDRAW)?
                && let Event::Key(key) = event::read()?
                && key.kind == KeyEventKind::Press
            {
                let control_c =
                    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                if control_c || key.code == KeyCode::Char('q') {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn draw(&self, frame: &mut Frame) {
        let nothing = FloorView::default();
        let borrowed = self.views.borrow();
        let view = borrowed.as_ref().unwrap_or(&nothing);
        let tables = tables(view);
        let heights = tables.iter().enumerate().map(|(at, table)| match at + 1 == tables.len() {
            true => Constraint::Min(3),
            false => {
                Constraint::Length(u16::try_from(table.rows.len()).unwrap_or(u16::MAX).saturating_add(3))
            }
        });
        let heights: Vec<Constraint> = std::iter::once(Constraint::Length(1)).chain(heights).collect();
        let areas = Layout::vertical(heights).split(frame.area());
        let event = view.cursor.as_ref().map_or(0, |cursor| cursor.sequence);
        let head = Line::from(vec![
            Span::styled(" baton top  ", TITLE),
            Span::raw(format!("{}  event {event}", self.address)),
            Span::styled("   q ends", DIM),
        ]);
        frame.render_widget(Paragraph::new(head), areas[0]);
        for (table, area) in tables.iter().zip(areas.iter().skip(1)) {
            frame.render_widget(drawn(table), *area);
        }
    }
}

fn drawn(table: &Table) -> Drawn<'_> {
    let widths: Vec<usize> = table.widths();
    let columns = widths.iter().enumerate().map(|(column, width)| {
        let width = u16::try_from(*width).unwrap_or(u16::MAX);
        if table.text_last && column + 1 == widths.len() {
            Constraint::Min(width.min(20))
        } else {
            Constraint::Length(width)
        }
    });
    let cell = |(column, text): (usize, &String)| {
        let line = Line::raw(text.clone());
        Cell::from(if table.is_left(column) { line } else { line.right_aligned() })
    };
    let rows = table.rows.iter().map(|row| Row::new(row.iter().enumerate().map(cell)));
    let header = table.header.iter().enumerate().map(|(column, word)| {
        let line = Line::raw(*word);
        Cell::from(if table.is_left(column) { line } else { line.right_aligned() })
    });
    Drawn::new(rows, columns)
        .header(Row::new(header).style(DIM))
        .column_spacing(2)
        .block(Block::bordered().title(table.title.clone()))
}
