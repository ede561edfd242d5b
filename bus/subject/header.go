package subject

// Headers of stored messages.
const (
	// HeaderPosition is a transition's position, as <at>-<seq>-<order>: at in
	// Unix milliseconds, the sequence of the log message that caused it or 0
	// for a deadline, and the order within that evaluation.
	HeaderPosition = "Usher-Position"
	// HeaderReason is the word that says why a message was rejected.
	HeaderReason = "Usher-Reason"
	// HeaderDetail says for a person what was wrong with a rejected message.
	HeaderDetail = "Usher-Detail"
)
