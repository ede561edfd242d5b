package demo

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// play returns the actions of a shop's first minutes.
func play(seed uint64, length time.Duration) []Action {
	shop := NewShop(seed)
	var actions []Action
	for a := shop.Next(); a.At < length; a = shop.Next() {
		actions = append(actions, a)
	}
	return actions
}

func TestSameSeedSameShop(t *testing.T) {
	one, two := play(7, time.Minute), play(7, time.Minute)
	if !reflect.DeepEqual(one, two) {
		t.Error("the same seed gave two different minutes")
	}
	if reflect.DeepEqual(one, play(8, time.Minute)) {
		t.Error("two seeds gave the same minute")
	}
}

func TestShopIsBusyAndInOrder(t *testing.T) {
	for seed := range uint64(10) {
		actions := play(seed, time.Minute)
		if rate := len(actions) / 60; rate < 50 || rate > 100 {
			t.Errorf("seed %d: %d events/s, want 50 to 100", seed, rate)
		}
		ids := map[string]bool{}
		var last time.Duration
		for _, a := range actions {
			if a.At < last {
				t.Fatalf("seed %d: %v after %v", seed, a.At, last)
			}
			last = a.At
			if a.Traits != nil {
				continue
			}
			if ids[a.Event.MessageID] {
				t.Fatalf("seed %d: message id %s used twice", seed, a.Event.MessageID)
			}
			ids[a.Event.MessageID] = true
			if key, err := a.Event.Key(); err != nil || key != a.Key {
				t.Fatalf("seed %d: key of %+v is %q, %v", seed, a, key, err)
			}
			if _, err := json.Marshal(a.Event); err != nil {
				t.Fatalf("seed %d: %+v: %v", seed, a, err)
			}
		}
	}
}
