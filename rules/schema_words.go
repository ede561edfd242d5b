package rules

// schemaWords says what words mean, for an editor to show: those of a
// definition, of a condition, or the operators.
func schemaWords(of string) map[string]string {
	switch of {
	case "definition":
		return map[string]string{
			"audience":       "The key: lower case, digits and dashes; also the subject token.",
			"name":           "A name for people.",
			"description":    "What the audience is for.",
			"when":           "Who belongs to it: the condition.",
			"everyone":       "true says that users about whom nothing is known may belong to it.",
			"status":         "active (the default), paused (no members), or shadow (published under shadow.* only).",
			"hold_for":       "The condition must be true this long without a break before entry.",
			"linger":         "Stay a member this long after the condition turned false.",
			"cooldown":       "No new entry this long after an exit.",
			"max_entries":    "How often one user may enter, per session, UTC day or lifetime.",
			"on_session_end": "exit ends the membership with the session; keep (the default) leaves it to the condition.",
			"backfill":       "Count what the recorded log holds of this long before the definition came into force.",
			"tests":          "Timelines with the transitions they must lead to; usher test runs them.",
		}
	case "condition":
		return map[string]string{
			"all":      "True while every member is.",
			"any":      "True while one member is.",
			"none":     "True while no member is.",
			"not":      "True while the member is false.",
			"at_least": "True while at least n of the members are.",
			"event":    `True while the number of matching track events satisfies count (default: at least 1). A name, a list, or "*".`,
			"page":     "As event, of page calls.",
			"screen":   "As event, of screen calls.",
			"type":     "As event, of one call type.",
			"sum":      "The sum of a property over the matching events; 0 without any.",
			"avg":      "The average of a property over the matching events.",
			"min":      "The least value of a property over the matching events.",
			"max":      "The greatest value of a property over the matching events.",
			"distinct": "How many different values a property has over the matching events.",
			"first":    "The property's value in the first matching event.",
			"last":     "The property's value in the latest matching event.",
			"sequence": "Steps that match one after another, others may lie between; a last step may be an absence.",
			"trait":    "A trait of the user.",
			"session":  "A property of the open session; false without one.",
			"context":  "A path of the latest event's context.",
			"audience": "Membership of another audience.",
			"held":     "True while the condition has been true without a break for at least the given time.",
			"time":     "Hours (0 to 23) and weekdays in a time zone, by log time.",
			"bucket":   "A share of all users, chosen by a hash of the key.",
			"within":   "Which occurrences count: session (the default), lifetime, a duration, or {session: true, last: D}.",
			"absent":   "No such event comes for this long after the previous step.",
		}
	default:
		return map[string]string{
			"eq": "Equals; a bare value means this.", "neq": "Differs; false of a missing value.",
			"gt": "Is greater than.", "gte": "Is at least.", "lt": "Is less than.", "lte": "Is at most.",
			"between": "Lies between the two, both ends included.", "in": "Equals one of the list; a bare list means this.",
			"not_in": "Equals none of the list; false of a missing value.", "contains": "The text contains.",
			"not_contains": "The text does not contain.", "starts_with": "The text begins with.", "ends_with": "The text ends with.",
			"matches": "The text matches the regular expression (RE2), anywhere.", "exists": "The value is there, and not null; or false: it is not.",
			"before": "The instant lies before.", "after": "The instant lies after.",
			"within_last": "The instant lies at most this far back.", "more_than_ago": "The instant lies at least this far back.",
			"includes": "The list includes the value.", "includes_any": "The list includes one of the values.",
			"includes_all": "The list includes all of the values.", "ci": "Ignore case.",
			"ref": "The value that an earlier step of the sequence had: step.property.",
		}
	}
}
