package actors

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestExplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBus(t, 4, toggle)
		n := begin(t, config(b, 4))
		b.lamp(t, "user 1", true)
		synctest.Wait()
		x, err := n.Explain(t.Context(), "user 1", "switched-on", time.Now().UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		if x.Key != "user 1" || x.Partition != b.partition(t, "user 1") || !x.Member || !x.When.True || x.When.Observed != true {
			t.Errorf("got %+v", x)
		}
		b.lamp(t, "user 1", false)
		synctest.Wait()
		if x, err = n.Explain(t.Context(), "user 1", "switched-on", 0); err != nil || x.Member || x.When.Observed != false || x.At == 0 {
			t.Errorf("after the lamp went out: got %+v, %v", x, err)
		}
		if x, err = n.Explain(t.Context(), "nobody", "switched-on", 0); err != nil || x.Member || x.When.Observed != nil {
			t.Errorf("nobody: got %+v, %v", x, err)
		}
		if _, err := n.Explain(t.Context(), "user 1", "unknown", 0); !errors.Is(err, ErrAudience) {
			t.Errorf("got %v, want ErrAudience", err)
		}
		drain(t, n)
	})
}
