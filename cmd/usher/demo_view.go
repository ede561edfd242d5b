package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/usher-audiences/usher"
)

// The terminal view stays readable at any rate: each audience has its own
// place with its latest entry and exit, and below it a feed that takes up a
// transition at most every feedPause.
const (
	refresh   = 200 * time.Millisecond
	feedPause = 400 * time.Millisecond
	barWidth  = 20
)

type terminalView struct {
	model   *demoModel
	program *tea.Program
}

func newTerminalView(con *console, t *tally, length time.Duration, url string, cancel context.CancelCauseFunc) *terminalView {
	m := &demoModel{tally: t, length: length, url: url, cancel: cancel, width: 100, height: 40, style: newStyle(con)}
	// Signals are the command's, not the view's.
	program := tea.NewProgram(m, tea.WithAltScreen(), tea.WithInput(con.in), tea.WithOutput(con.out), tea.WithoutSignalHandler())
	return &terminalView{model: m, program: program}
}

func (v *terminalView) transition(t usher.Transition) { v.program.Send(t) }

func (v *terminalView) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, v.program.Quit)
	defer stop()
	_, err := v.program.Run()
	return err
}

type demoModel struct {
	tally         *tally
	length        time.Duration
	url           string
	cancel        context.CancelCauseFunc
	width, height int
	feed          []usher.Transition // the newest last
	fed           time.Time
	style         style
}

type refreshMsg struct{}

func refreshLater() tea.Cmd {
	return tea.Tick(refresh, func(time.Time) tea.Msg { return refreshMsg{} })
}

// Init begins the refreshing.
func (m *demoModel) Init() tea.Cmd { return refreshLater() }

// Update takes in one message.
func (m *demoModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case refreshMsg:
		return m, refreshLater()
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case usher.Transition:
		m.take(msg)
	case tea.KeyMsg:
		switch msg.String() {
		case "ctrl+c":
			m.cancel(&interruption{os.Interrupt})
			return m, tea.Quit
		case "q", "esc":
			return m, tea.Quit
		}
	}
	return m, nil
}

func (m *demoModel) take(t usher.Transition) {
	if now := time.Now(); now.Sub(m.fed) >= feedPause {
		m.fed = now
		m.feed = append(m.feed, t)
	}
	if len(m.feed) > m.height {
		m.feed = m.feed[len(m.feed)-m.height:]
	}
}

// View draws the whole screen.
func (m *demoModel) View() string {
	lines := m.header()
	rows := m.tally.rows()
	most := 1
	for _, r := range rows {
		most = max(most, r.members)
	}
	for _, r := range rows {
		lines = append(lines, m.audience(r, most)...)
	}
	lines = append(lines, m.style.faint.Render("latest"))
	room := max(0, m.height-len(lines)-2)
	for _, t := range m.feed[max(0, len(m.feed)-room):] {
		lines = append(lines, m.feedLine(t))
	}
	for len(lines) < m.height-2 {
		lines = append(lines, "")
	}
	lines = append(lines, m.style.faint.Render("q ends   watch along: usher watch --nats "+m.url))
	cut := lipgloss.NewStyle().MaxWidth(m.width)
	for i := range lines {
		lines[i] = cut.Render(lines[i])
	}
	return strings.Join(lines[:min(len(lines), m.height)], "\n")
}

func (m *demoModel) header() []string {
	f := m.tally.figures()
	rate := 0.0
	if s := f.elapsed.Seconds(); s > 0 {
		rate = float64(f.events) / s
	}
	return []string{
		m.style.title.Render("usher demo") + fmt.Sprintf("  %v of %v   %.0f events/s   %s",
			f.elapsed.Truncate(time.Second), m.length, rate, count(f.transitions, "transition")),
		fmt.Sprintf("event to transition: p50 %s, p99 %s   time's own exits within %s",
			shortDuration(f.p50), shortDuration(f.p99), shortDuration(f.late99)),
		"",
	}
}

// audience draws one audience: its size, what it is, and who came and went.
func (m *demoModel) audience(r audienceRow, most int) []string {
	filled := r.members * barWidth / most
	bar := strings.Repeat("█", filled) + strings.Repeat("░", barWidth-filled)
	head := fmt.Sprintf("%s %s %3d   %d in, %d out", m.style.name.Render(fmt.Sprintf("%-*s", audienceWidth, r.key)),
		m.style.bar.Render(bar), r.members, r.entered, r.exited)
	lines := []string{head, "  " + m.style.faint.Render(r.description)}
	if r.entered > 0 {
		lines = append(lines, "  "+m.sentence(r.lastEntered))
	} else {
		lines = append(lines, "")
	}
	if r.exited > 0 {
		lines = append(lines, "  "+m.sentence(r.lastExited))
	} else {
		lines = append(lines, "")
	}
	return append(lines, "")
}

func (m *demoModel) feedLine(t usher.Transition) string {
	return fmt.Sprintf("  %s %-*s %s", t.At.Local().Format("15:04:05"), audienceWidth, t.Audience, m.sentence(t))
}

// sentence says who went which way, and why.
func (m *demoModel) sentence(t usher.Transition) string {
	verb, look := "▲ entered", m.style.entered
	if t.Type == usher.Exited {
		verb, look = "▼ left   ", m.style.exited
	}
	text := fmt.Sprintf("%s %-17s %-16s", look.Render(verb), t.Key, causeWords(t))
	if why := becauseBriefly(t); why != "" {
		text += m.style.faint.Render("  " + why)
	}
	return text
}

// style is how the view looks on the terminal it is on.
type style struct{ title, name, bar, entered, exited, faint lipgloss.Style }

func newStyle(con *console) style {
	r := lipgloss.NewRenderer(con.out)
	return style{
		title:   r.NewStyle().Bold(true),
		name:    r.NewStyle().Bold(true).Foreground(lipgloss.AdaptiveColor{Light: "25", Dark: "81"}),
		bar:     r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: "31", Dark: "38"}),
		entered: r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: "28", Dark: "78"}),
		exited:  r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: "130", Dark: "215"}),
		faint:   r.NewStyle().Faint(true),
	}
}
