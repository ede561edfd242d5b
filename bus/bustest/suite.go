package bustest

import "testing"

// Run runs the whole suite. Open is called once per test and gives a fresh
// fixture; it may use t.Cleanup to end it.
func Run(t *testing.T, open func(t *testing.T) *Fixture) {
	for _, c := range []struct {
		name string
		run  func(*tester)
	}{
		{"LogReadsFromBeginning", logReadsFromBeginning},
		{"LogReadsNewMessages", logReadsNewMessages},
		{"LogReadsAfterCursor", logReadsAfterCursor},
		{"LogOfPartitionsIsApart", logOfPartitionsIsApart},
		{"LogPausesAndResumes", logPausesAndResumes},
		{"LogStops", logStops},
		{"LogPurgedBeyondCursor", logPurgedBeyondCursor},
		{"LogPurgedToCursor", logPurgedToCursor},
		{"LogLostItsTail", logLostItsTail},
		{"LogLostItsTailWhileRead", logLostItsTailWhileRead},
		{"LogCarriesTicksAndRules", logCarriesTicksAndRules},
		{"RejectsOnce", rejectsOnce},
		{"RegisterIsCompareAndSet", registerIsCompareAndSet},
		{"RegistersAreApart", registersAreApart},
		{"RegisterTellsItsLast", registerTellsItsLast},
		{"TransitionIsChecked", transitionIsChecked},
		{"TransitionsLostTheirTail", transitionsLostTheirTail},
		{"SnapshotIsCompareAndSet", snapshotIsCompareAndSet},
		{"SnapshotsOfPartitionsAreApart", snapshotsOfPartitionsAreApart},
		{"SnapshotsAreScanned", snapshotsAreScanned},
		{"ScanLeavesOutDamaged", scanLeavesOutDamaged},
		{"CheckpointGoesForwardOnly", checkpointGoesForwardOnly},
		{"RuleSetsByRevision", ruleSetsByRevision},
		{"WatchTellsRevisions", watchTellsRevisions},
		{"ErasesKey", erasesKey},
		{"ErasedCursorIsNoLoss", erasedCursorIsNoLoss},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(&tester{T: t, Fixture: open(t)})
		})
	}
}
