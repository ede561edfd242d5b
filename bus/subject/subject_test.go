package subject

import "testing"

// TestNames pins every name: they are stored, so a change loses data.
func TestNames(t *testing.T) {
	const token = Token("ada@example%2Eorg")
	for _, tt := range []struct{ got, want string }{
		{Events(token), "events.ada@example%2Eorg"},
		{Traits(token), "traits.ada@example%2Eorg"},
		{Log(7, KindEvents), "usher.log.7.events"},
		{Log(7, KindTraits), "usher.log.7.traits"},
		{Log(7, KindTick), "usher.log.7.tick"},
		{Log(7, KindRules), "usher.log.7.rules"},
		{LogAll(7), "usher.log.7.*"},
		{LogStream(7), "LOG_7"},
		{HeaderPosition, "Usher-Position"},
		{HeaderReason, "Usher-Reason"},
		{HeaderDetail, "Usher-Detail"},
		{BucketInstallation, "usher_installation"},
		{BucketDefinitions, "usher_definitions"},
		{BucketSnapshots, "usher_snapshots"},
		{BucketCheckpoints, "usher_checkpoints"},
		{BucketMembers, "usher_members"},
		{BucketPartitions, "usher_partitions"},
		{StreamTransitions, "TRANSITIONS"},
		{StreamRejected, "REJECTED"},
		{RequestSession, "usher.session"},
		{RequestMembers, "usher.members"},
		{RequestExplain, "usher.explain"},
		{RequestStatus, "usher.status"},
		{Rejected(7), "usher.rejected.7"},
		{Transition("vip", token), "transitions.vip.ada@example%2Eorg"},
		{Transitions("vip"), "transitions.vip.*"},
		{UserTransitions(token), "transitions.*.ada@example%2Eorg"},
		{Audience("vip", token), "audiences.vip.ada@example%2Eorg"},
		{Audiences("vip"), "audiences.vip.*"},
		{UserAudiences(token), "audiences.*.ada@example%2Eorg"},
		{Shadow("vip", token), "shadow.vip.ada@example%2Eorg"},
		{ShadowTransitions("vip"), "shadow.vip.*"},
		{UserShadow(token), "shadow.*.ada@example%2Eorg"},
		{Mappings(16)[0].Source, "events.*"},
		{Mappings(16)[0].Destination, "usher.log.{{partition(16,1)}}.events"},
		{Mappings(64)[1].Source, "traits.*"},
		{Mappings(64)[1].Destination, "usher.log.{{partition(64,1)}}.traits"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestParseLog(t *testing.T) {
	for _, kind := range []Kind{KindEvents, KindTraits, KindTick, KindRules} {
		if p, k, ok := ParseLog(Log(15, kind)); !ok || p != 15 || k != kind {
			t.Errorf("ParseLog(%q) = %d, %q, %t", Log(15, kind), p, k, ok)
		}
	}
	for _, s := range []string{
		"", "usher.log", "usher.log.", "usher.log.7", "usher.log.7.other", "usher.log.x.events", "usher.log.-1.events",
		"usher.log.07.events", "usher.log.+7.events", "usher.log.7.events.x", "usher.log.1024.events", "events.7",
	} {
		if p, k, ok := ParseLog(s); ok {
			t.Errorf("ParseLog(%q) = %d, %q, true; want false", s, p, k)
		}
	}
}

func TestParseRejected(t *testing.T) {
	if p, ok := ParseRejected(Rejected(3)); !ok || p != 3 {
		t.Errorf("ParseRejected(%q) = %d, %t", Rejected(3), p, ok)
	}
	for _, s := range []string{"usher.rejected", "usher.rejected.", "usher.rejected.x", "usher.rejected.3.x", "usher.log.3"} {
		if p, ok := ParseRejected(s); ok {
			t.Errorf("ParseRejected(%q) = %d, true; want false", s, p)
		}
	}
}

func TestParseTransition(t *testing.T) {
	for _, s := range []string{Transition("vip", "a%2Eb"), Audience("vip", "a%2Eb"), Shadow("vip", "a%2Eb")} {
		if audience, token, ok := ParseTransition(s); !ok || audience != "vip" || token != "a%2Eb" {
			t.Errorf("ParseTransition(%q) = %q, %q, %t", s, audience, token, ok)
		}
	}
	for _, s := range []string{"", "transitions", "transitions.vip", "transitions.vip.", "transitions..u", "transitions.vip.u.x", "events.vip.u"} {
		if audience, token, ok := ParseTransition(s); ok {
			t.Errorf("ParseTransition(%q) = %q, %q, true; want false", s, audience, token)
		}
	}
}
