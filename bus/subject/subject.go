package subject

import (
	"strconv"
	"strings"
)

// Kind is the last token of a log subject: what sort of message it is.
type Kind string

// The kinds of log message.
const (
	KindEvents Kind = "events" // a behavioural event
	KindTraits Kind = "traits" // a trait update
	KindTick   Kind = "tick"   // time has passed
	KindRules  Kind = "rules"  // another revision of the definitions
)

// Patterns to subscribe to, and those a stream or a permission names.
const (
	EventsAll      = "events.*"
	TraitsAll      = "traits.*"
	TransitionsAll = "transitions.>"
	AudiencesAll   = "audiences.>"
	ShadowAll      = "shadow.>"
	RejectedAll    = "usher.rejected.*"
)

// Subjects on which a node answers requests.
const (
	RequestSession = "usher.session"
	RequestMembers = "usher.members"
	RequestExplain = "usher.explain"
	RequestStatus  = "usher.status"
	RequestForget  = "usher.forget"
)

const (
	logPrefix        = "usher.log."
	rejectedPrefix   = "usher.rejected."
	eventsPrefix     = "events."
	traitsPrefix     = "traits."
	transitionsToken = "transitions"
	audiencesToken   = "audiences"
	shadowToken      = "shadow"
	wildcard         = "*"
)

// Events is where producers publish a user's events.
func Events(t Token) string { return eventsPrefix + string(t) }

// Traits is where producers publish a user's trait updates.
func Traits(t Token) string { return traitsPrefix + string(t) }

// Log is a partition's subject for one kind of log message.
func Log(partition int, kind Kind) string {
	return logPrefix + strconv.Itoa(partition) + "." + string(kind)
}

// LogAll is the pattern of everything in a partition's log.
func LogAll(partition int) string { return Log(partition, wildcard) }

// ParseLog returns the partition and the kind of a log subject. Ok is false
// if it is not one, or of a kind that this version does not know.
func ParseLog(s string) (partition int, kind Kind, ok bool) {
	rest, ok := strings.CutPrefix(s, logPrefix)
	if !ok {
		return 0, "", false
	}
	number, last, _ := strings.Cut(rest, ".")
	partition, ok = parsePartition(number)
	kind = Kind(last)
	switch kind {
	case KindEvents, KindTraits, KindTick, KindRules:
		return partition, kind, ok
	default:
		return 0, "", false
	}
}

// Rejected is where a partition publishes messages that it could not use.
func Rejected(partition int) string { return rejectedPrefix + strconv.Itoa(partition) }

// ParseRejected returns the partition of a rejected subject.
func ParseRejected(s string) (partition int, ok bool) {
	number, ok := strings.CutPrefix(s, rejectedPrefix)
	if !ok {
		return 0, false
	}
	return parsePartition(number)
}

// Transition is the register of one audience and one user: the subject on
// which transitions are stored by compare-and-set.
func Transition(audience string, t Token) string { return join(transitionsToken, audience, string(t)) }

// Transitions is the pattern of the registers of one audience.
func Transitions(audience string) string { return join(transitionsToken, audience, wildcard) }

// UserTransitions is the pattern of one user's registers.
func UserTransitions(t Token) string { return join(transitionsToken, wildcard, string(t)) }

// Audience is where the server republishes a transition after it is stored:
// what subscribers listen to.
func Audience(audience string, t Token) string { return join(audiencesToken, audience, string(t)) }

// Audiences is the pattern of one audience's republished transitions.
func Audiences(audience string) string { return join(audiencesToken, audience, wildcard) }

// UserAudiences is the pattern of one user's republished transitions.
func UserAudiences(t Token) string { return join(audiencesToken, wildcard, string(t)) }

// Shadow is the register of one user in an audience whose status is shadow.
func Shadow(audience string, t Token) string { return join(shadowToken, audience, string(t)) }

// ShadowTransitions is the pattern of the registers of one shadow audience.
func ShadowTransitions(audience string) string { return join(shadowToken, audience, wildcard) }

// UserShadow is the pattern of one user's registers in shadow audiences.
func UserShadow(t Token) string { return join(shadowToken, wildcard, string(t)) }

// ParseTransition returns the audience and the user of a subject that names
// both: a register, a shadow register or a republished transition.
func ParseTransition(s string) (audience string, t Token, ok bool) {
	root, rest, _ := strings.Cut(s, ".")
	switch root {
	case transitionsToken, audiencesToken, shadowToken:
	default:
		return "", "", false
	}
	audience, last, _ := strings.Cut(rest, ".")
	if audience == "" || last == "" || strings.Contains(last, ".") {
		return "", "", false
	}
	return audience, Token(last), true
}

func join(root, middle, last string) string { return root + "." + middle + "." + last }

// parsePartition accepts only the digits that the names are made with, so
// that one partition does not go by two names.
func parsePartition(s string) (int, bool) {
	p, err := strconv.Atoi(s)
	if err != nil || p < 0 || p >= PartitionsMax || strconv.Itoa(p) != s {
		return 0, false
	}
	return p, true
}
