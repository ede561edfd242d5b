package bus

import (
	"testing"
	"time"
)

func TestComplaintsAreFew(t *testing.T) {
	var c complaints
	now := time.Unix(1_795_428_000, 0)
	logged := 0
	for range 1000 {
		if c.due("read a snapshot", now) {
			logged++
		}
	}
	if logged != 1 {
		t.Errorf("%d of 1,000 failures of one sort at one instant were logged, want 1", logged)
	}
	if !c.due("read a log", now) {
		t.Error("a failure of another sort was not logged")
	}
	if !c.due("read a snapshot", now.Add(complainEvery)) {
		t.Errorf("a failure after %s was not logged", complainEvery)
	}
}
