//! The live view in the terminal, on a thread of its own: drawing and reading keys both block.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};
use tokio::sync::mpsc;

use super::error::DemoError;
use super::figures::{AGENT_STATES, AgentState, agents_in, id, percent, spoken, total};
use super::watching::Picture;
use crate::proto::{FloorView, QueueFigures};

/// Time between two drawings, and the longest a key waits.
const REDRAW: Duration = Duration::from_millis(200);
/// Waiting contacts from which a queue is drawn in red.
const MANY_WAITING: u32 = 10;
const NOTES_SHOWN: usize = 4;
const DIM: Style = Style::new().fg(Color::DarkGray);
const TITLE: Style = Style::new().add_modifier(Modifier::BOLD);

/// The view while it is open.
pub struct Screen {
    thread: JoinHandle<io::Result<()>>,
    close: Arc<AtomicBool>,
}

impl Screen {
    /// Takes over the terminal. `quit` gets a message when the user has seen enough.
    pub fn open(picture: Picture, quit: mpsc::Sender<()>) -> Screen {
        let close = Arc::new(AtomicBool::new(false));
        let closing = Arc::clone(&close);
        let thread = std::thread::spawn(move || {
            let shown = show(&picture, &quit, &closing);
            ratatui::restore();
            // A view that cannot go on ends the demo, in good order.
            let _ = quit.blocking_send(());
            shown
        });
        Screen { thread, close }
    }

    /// Gives the terminal back.
    pub fn close(self) -> Result<(), DemoError> {
        self.close.store(true, Relaxed);
        self.thread.join().expect("drawing does not panic").map_err(DemoError::Terminal)
    }
}

fn show(picture: &Picture, quit: &mpsc::Sender<()>, close: &AtomicBool) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    while !close.load(Relaxed) {
        terminal.draw(|frame| draw(frame, picture))?;
        if event::poll(REDRAW)?
            && let Event::Key(key) = event::read()?
            && ends(&key)
        {
            // A second press while the first is being obeyed changes nothing.
            let _ = quit.try_send(());
        }
    }
    Ok(())
}

fn ends(key: &KeyEvent) -> bool {
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press && (control_c || key.code == KeyCode::Char('q'))
}

fn draw(frame: &mut Frame, picture: &Picture) {
    let empty = FloorView::default();
    let floor = picture.floor.borrow();
    let view = floor.as_ref().unwrap_or(&empty);
    let queues_height = view.queues.len() as u16 + 4;
    let [head, queues, agents, decisions, notes_area] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(queues_height),
        Constraint::Length(4),
        Constraint::Min(4),
        Constraint::Length(NOTES_SHOWN as u16 + 1),
    ])
    .areas(frame.area());
    draw_head(frame, head, picture, view);
    draw_queues(frame, queues, view);
    draw_agents(frame, agents, view);
    draw_decisions(frame, decisions, view);
    draw_notes(frame, notes_area, &picture.tally.newest_notes(NOTES_SHOWN));
}

fn draw_head(frame: &mut Frame, area: Rect, picture: &Picture, view: &FloorView) {
    let line = Line::from(vec![
        Span::styled(" baton demo  ", TITLE),
        Span::styled(picture.clock.reads(), Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD)),
        Span::raw(format!(
            "  speed {}×  {}  {}",
            picture.clock.speed(),
            picture.server(),
            engine_clock(view)
        )),
        Span::styled("   q ends", DIM),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

/// How far the engine is: its own time, which is not the simulated time of day, and its last event.
fn engine_clock(view: &FloorView) -> String {
    let Some(cursor) = &view.cursor else { return String::new() };
    let second = cursor.time.as_ref().map_or(0, |time| time.seconds);
    let time = jiff::Timestamp::from_second(second).map(|time| time.strftime("%F %T").to_string());
    format!("engine {} event {}", time.unwrap_or_default(), cursor.sequence)
}

fn draw_queues(frame: &mut Frame, area: Rect, view: &FloorView) {
    let header = [
        "queue",
        "waiting",
        "longest",
        "level",
        "answered",
        "abandoned",
        "mean wait",
        "ringing",
        "talking",
        "wrap-up",
        "parked",
        "later",
    ];
    let mut rows: Vec<Row> = view.queues.iter().map(|queue| queue_row(id(&queue.queue), queue)).collect();
    rows.push(queue_row("all", &total(&view.queues)).style(TITLE));
    let widths = [10, 8, 8, 6, 8, 9, 9, 8, 8, 8, 6, 6].map(Constraint::Length);
    let table =
        Table::new(rows, widths).header(Row::new(header).style(DIM)).block(Block::bordered().title("queues"));
    frame.render_widget(table, area);
}

fn queue_row<'a>(name: &'a str, queue: &QueueFigures) -> Row<'a> {
    let waiting = match queue.waiting {
        0 => DIM,
        1..MANY_WAITING => Style::new().fg(Color::Yellow),
        _ => Style::new().fg(Color::Red),
    };
    Row::new([
        Cell::from(name),
        Cell::from(queue.waiting.to_string()).style(waiting),
        Cell::from(spoken(queue.longest_wait.as_ref())).style(waiting),
        Cell::from(percent(queue.service_level_ppm)),
        Cell::from(queue.answered.to_string()),
        Cell::from(queue.abandoned.to_string()),
        Cell::from(spoken(queue.mean_wait.as_ref())),
        Cell::from(queue.offered.to_string()),
        Cell::from(queue.handling.to_string()),
        Cell::from(queue.wrapping_up.to_string()),
        Cell::from(queue.parked.to_string()),
        Cell::from(queue.scheduled.to_string()),
    ])
}

fn draw_agents(frame: &mut Frame, area: Rect, view: &FloorView) {
    let counts = AGENT_STATES.iter().flat_map(|&state| {
        let count = agents_in(view, state);
        [Span::styled(format!("{count} {}  ", state.word()), if count == 0 { DIM } else { colour(state) })]
    });
    let each = view
        .agents
        .iter()
        .map(|status| Span::styled(format!("{} ", id(&status.agent)), colour(AgentState::of(status))));
    let lines = vec![counts.collect::<Line>(), each.collect::<Line>()];
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("agents")), area);
}

fn colour(state: AgentState) -> Style {
    Style::new().fg(match state {
        AgentState::Idle => Color::Green,
        AgentState::Ringing => Color::Yellow,
        AgentState::Handling => Color::Cyan,
        AgentState::WrapUp => Color::Blue,
        AgentState::NotResponding | AgentState::Lost => Color::Red,
        AgentState::OnBreak | AgentState::SignedOut => Color::DarkGray,
    })
}

fn draw_decisions(frame: &mut Frame, area: Rect, view: &FloorView) {
    let lines: Vec<Line> = view
        .decisions
        .iter()
        .map(|decision| {
            Line::from(vec![
                Span::styled(format!("{:>7} ", decision.sequence), DIM),
                Span::raw(format!("#{:<6} ", id(&decision.interaction))),
                Span::styled(
                    decision.why.clone(),
                    if decision.agent.is_empty() { DIM } else { Style::new() },
                ),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("last decisions")), area);
}

fn draw_notes(frame: &mut Frame, area: Rect, notes: &[String]) {
    let newest = notes.iter().map(|note| Line::styled(format!(" {note}"), DIM));
    frame.render_widget(Paragraph::new(newest.collect::<Vec<_>>()), area);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use tokio::sync::watch;

    use super::*;
    use crate::demo::clock::Clock;
    use crate::demo::tally::Tally;

    fn drawn(view: Option<FloorView>, width: u16, height: u16) -> String {
        let picture = Picture {
            clock: Clock::starting_now(60, 36_000),
            tally: Arc::new(Tally::default()),
            pid: watch::channel(4711).1,
            floor: watch::channel(view).1,
        };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test screen opens");
        terminal.draw(|frame| draw(frame, &picture)).expect("a test screen takes everything");
        terminal.backend().to_string()
    }

    #[test]
    fn a_floor_is_drawn_with_its_queues() {
        let queue = QueueFigures {
            queue: "tenants/default/queues/ps".into(),
            waiting: 12,
            ..QueueFigures::default()
        };
        let screen = drawn(Some(FloorView { queues: vec![queue], ..FloorView::default() }), 110, 30);
        assert!(screen.contains("ps         12"), "{screen}");
        assert!(screen.contains("server process 4711"), "{screen}");
    }

    #[test]
    fn a_tiny_terminal_is_no_reason_to_fail() {
        drawn(None, 10, 3);
    }
}
