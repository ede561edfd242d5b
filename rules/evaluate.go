package rules

// Evaluator is the scratch memory of evaluation, shared by all sessions of
// one partition. It is not safe for concurrent use.
type Evaluator struct{}

// NewEvaluator returns an evaluator.
func NewEvaluator() *Evaluator { return &Evaluator{} }
