package rules

// Definition is one audience as written: the parsed document, before it is
// compiled. It holds no pointers into a compiled form, so a second evaluator
// can be written against it alone.
//
// All durations are whole milliseconds. Operands are plain values: nil, bool,
// float64, string, []any and map[string]any.
type Definition struct {
	Audience     AudienceKey
	Name         string
	Description  string
	When         Condition
	Everyone     bool
	Status       Status
	HoldFor      Millis
	Linger       Millis
	Cooldown     Millis
	MaxEntries   *MaxEntries
	OnSessionEnd SessionEndAction
	Backfill     Millis // backfill: {replay: D}; 0 means none
	BackfillAt   Place  // where backfill was written
	Tests        []Test
	Place        Place
}

// AudienceKey names an audience: lower-case letters, digits and dashes. It is
// also the audience's subject token.
type AudienceKey string

// UserKey identifies whose session it is: the user id, or the anonymous id,
// as sent (not percent-encoded).
type UserKey string

// Millis is a duration in milliseconds.
type Millis int64

// Place is where in a file something was written. Lines and columns count
// from 1; a zero Line means unknown.
type Place struct {
	File         string
	Line, Column int
}

// Status says whether an audience is evaluated and where it is published.
type Status uint8

// The statuses of an audience.
const (
	Active Status = iota
	Paused
	Shadow
)

// SessionEndAction says what the end of a session does to a membership.
type SessionEndAction uint8

// What on_session_end may say.
const (
	KeepOnSessionEnd SessionEndAction = iota
	ExitOnSessionEnd
)

// MaxEntries bounds how often a key may enter an audience.
type MaxEntries struct {
	Count int
	Per   EntryPeriod
}

// EntryPeriod is what max_entries counts per.
type EntryPeriod uint8

// The periods of max_entries. A day is a UTC day of log time.
const (
	PerSession EntryPeriod = iota
	PerDay
	PerLifetime
)

// Condition is one node of a definition's when: a group or a leaf. The
// concrete types are [*Group], [*Not], [*AtLeast], [*Count], [*Aggregate],
// [*Sequence], [*Trait], [*SessionProperty], [*ContextProperty],
// [*Membership], [*Held], [*TimeOfDay] and [*Bucket].
type Condition interface {
	// At is where the condition was written.
	At() Place
}

// At makes an embedded Place satisfy [Condition].
func (p Place) At() Place { return p }

// GroupKind is how a [Group] joins its members.
type GroupKind uint8

// The kinds of group.
const (
	All GroupKind = iota
	Any
	None
)

// Group is all, any or none of its members.
type Group struct {
	Place
	Kind GroupKind
	Of   []Condition
}

// Not is true while its member is false.
type Not struct {
	Place
	Of Condition
}

// AtLeast is true while at least N of its members are.
type AtLeast struct {
	Place
	N  int
	Of []Condition
}

// CallType is a Segment-spec call.
type CallType uint8

// The call types.
const (
	Track CallType = iota
	Page
	Screen
	Identify
	GroupCall
	Alias
)

// Match selects events: those of one call type, with one of the names (any
// name when Names is empty), whose values satisfy every member of Where and,
// when it is not empty, the CEL expression.
type Match struct {
	Place
	Call  CallType
	Names []string
	Where []Comparison
	CEL   string
	CELAt Place // where the expression was written
}

// Comparison is one path and the operators it must all satisfy. In where a
// path starts at properties, unless it begins with "context." or "traits.";
// elsewhere the condition says what it starts at.
type Comparison struct {
	Place
	Path       string
	Operators  []Operator
	IgnoreCase bool
}

// Op is an operator of the language.
type Op string

// The operators.
const (
	OpEq          Op = "eq"
	OpNeq         Op = "neq"
	OpGt          Op = "gt"
	OpGte         Op = "gte"
	OpLt          Op = "lt"
	OpLte         Op = "lte"
	OpBetween     Op = "between"
	OpIn          Op = "in"
	OpNotIn       Op = "not_in"
	OpContains    Op = "contains"
	OpNotContains Op = "not_contains"
	OpStartsWith  Op = "starts_with"
	OpEndsWith    Op = "ends_with"
	OpMatches     Op = "matches"
	OpExists      Op = "exists"
	OpBefore      Op = "before"
	OpAfter       Op = "after"
	OpWithinLast  Op = "within_last"
	OpMoreThanAgo Op = "more_than_ago"
	OpIncludes    Op = "includes"
	OpIncludesAny Op = "includes_any"
	OpIncludesAll Op = "includes_all"
)

// Operator is one operator with its operand. For within_last and
// more_than_ago, and for every operator but exists on a duration-valued
// session property, the operand is a [Millis]; between, in and their like
// have an []any of such values. A non-empty Ref ("step.property")
// stands for the value that an earlier step of the sequence had.
type Operator struct {
	Place
	Op      Op
	Operand any
	Ref     string
}

// Window says which occurrences count. Exactly one of these holds: Lifetime;
// Session with Last 0; Last > 0 without Session; Session and Last > 0 both.
type Window struct {
	Session  bool
	Last     Millis
	Lifetime bool
}

// Count is true while the number of matching occurrences in the window
// satisfies the operators.
type Count struct {
	Place
	Match  Match
	Count  []Operator
	Within Window
	Since  *Match
}

// AggregateKind is what an [Aggregate] computes.
type AggregateKind string

// The aggregates.
const (
	Sum      AggregateKind = "sum"
	Avg      AggregateKind = "avg"
	Min      AggregateKind = "min"
	Max      AggregateKind = "max"
	Distinct AggregateKind = "distinct"
	First    AggregateKind = "first"
	Last     AggregateKind = "last"
)

// Aggregate is true while the aggregate of a property over the matching
// occurrences satisfies the operators.
type Aggregate struct {
	Place
	Kind       AggregateKind
	Property   string
	Match      Match
	Within     Window
	Since      *Match
	Operators  []Operator
	IgnoreCase bool
}

// Sequence is true from its completion on, for as long as it says.
type Sequence struct {
	Place
	Steps  []Step
	Within Window // Session, Lifetime, or Last: first to last step
	Lasts  Millis // 0: see SPEC.md
}

// Step is one step of a sequence. Absent with For is legal in the last place
// only.
type Step struct {
	Place
	As     string
	Match  Match
	Within Millis // since the previous step; 0 is unbounded
	Absent bool
	For    Millis
}

// Trait compares a trait of the user.
type Trait struct{ Comparison }

// SessionProperty compares a property of the open session.
type SessionProperty struct{ Comparison }

// ContextProperty compares a path of the latest event's context.
type ContextProperty struct{ Comparison }

// Membership refers to another audience.
type Membership struct {
	Place
	Audience  AudienceKey
	NotMember bool
}

// Held is true while its member has been true without a break for at least
// For.
type Held struct {
	Place
	Of  Condition
	For Millis
}

// TimeOfDay is true at the given hours and weekdays, in a time zone.
type TimeOfDay struct {
	Place
	Hour     []Operator
	Weekdays []string // mon tue wed thu fri sat sun; empty is every day
	Zone     string   // IANA name; empty is UTC
}

// Bucket is true for a share of all keys, chosen by hash.
type Bucket struct {
	Place
	Percent float64
	Salt    string
}

// Test is one block under tests.
type Test struct {
	Place
	Name     string
	Start    int64 // Unix milliseconds of 0s
	Traits   map[string]any
	Timeline []TestInput
	Expect   []TestExpectation
}

// TestInput is one line of a test's timeline: an event, or a trait update,
// whose Call is "traits" and whose traits are Event["traits"].
type TestInput struct {
	Place
	At    Millis
	Call  string         // track page screen identify ..., or "traits"
	Name  string         // event or page name
	Event map[string]any // the remaining fields: properties, context, traits, timestamp ...
}

// TestExpectation is one transition a test expects.
type TestExpectation struct {
	Place
	At      Millis
	Entered bool // else exited
}
