package rules

import (
	"strings"
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	for _, tc := range []struct{ zone, at, want string }{
		{"", "2026-07-01T12:00:00Z", "12:00"},
		{"UTC", "2026-07-01T12:00:00Z", "12:00"},
		{"Europe/London", "2026-07-01T12:00:00Z", "13:00"},
		{"Europe/London", "2026-12-01T12:00:00Z", "12:00"},
		{"Europe/London", "2126-07-01T12:00:00Z", "13:00"},
		{"Asia/Kathmandu", "2026-07-01T12:00:00Z", "17:45"},
		{"America/Indiana/Knox", "2026-07-01T12:00:00Z", "07:00"},
		{"US/Eastern", "2026-07-01T12:00:00Z", "08:00"},
		{"Etc/GMT+5", "2026-07-01T12:00:00Z", "07:00"},
	} {
		zone, err := Zone(tc.zone)
		if err != nil {
			t.Errorf("%s: %v", tc.zone, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, tc.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := at.In(zone).Format("15:04"); got != tc.want {
			t.Errorf("%s at %s: got %s, want %s", tc.zone, tc.at, got, tc.want)
		}
	}
	for _, name := range []string{"Local", "Europe", "Europe/", "europe/london", "Europe/Lodnon", "../zoneinfo.zip"} {
		if zone, err := Zone(name); err == nil {
			t.Errorf("%s: got %v, want an error", name, zone)
		}
	}
}

// TestZonesLoad loads every zone there is.
func TestZonesLoad(t *testing.T) {
	var z zones
	z.open()
	loaded := 0
	for name := range z.files {
		if strings.HasSuffix(name, "/") {
			continue
		}
		if _, err := z.load(name); err != nil {
			t.Error(err)
		}
		loaded++
	}
	if loaded < 590 {
		t.Errorf("got %d zones, want at least 590", loaded)
	}
}
