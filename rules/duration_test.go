package rules

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]Millis{
		"90s": 90_000, "10m": 600_000, "2h": 7_200_000, "7d": 604_800_000, "1h30m": 5_400_000, "1d2h3m4s5ms": 93_784_005,
		"0s": 0, "1500ms": 1500, "007s": 7000, "36500d": DurationMax,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseDurationRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"": errDurationForm, "10": errDurationForm, "s": errDurationForm, "10 m": errDurationForm, "-1s": errDurationForm, "1.5h": errDurationForm,
		"1w": errDurationForm, "10M": errDurationForm, "1h30": errDurationForm, "1234567890123456789s": errDurationForm, "１s": errDurationForm,
		"30m1h": errDurationOrder, "1s1s": errDurationOrder, "1ms1s": errDurationOrder,
		"36501d": errDurationLong, "36500d1ms": errDurationLong, "999999999999999999ms": errDurationLong,
	} {
		if got, err := ParseDuration(text); !errors.Is(err, want) {
			t.Errorf("%q: got %d, %v, want %v", text, got, err, want)
		}
	}
}

func TestDurationsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Millis(rapid.Int64Range(0, int64(DurationMax)).Draw(t, "duration"))
		if got, err := ParseDuration(want.String()); err != nil || got != want {
			t.Fatalf("%s: got %d, %v, want %d", want, got, err, want)
		}
	})
}
