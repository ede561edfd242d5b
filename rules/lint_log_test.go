package rules

import (
	"testing"
)

// TestSightings tells each kind of condition that a log could not satisfy.
func TestSightings(t *testing.T) {
	defs, err := Parse("a.yaml", []byte(`
audience: a
when:
  any:
    - {event: Product Viewed, where: {brand: acer, price: {gte: 10}}}
    - {event: Product Viewed, where: {brand: asus}}
    - {event: Product Viewed, where: {context.device.type: phone}}
    - {event: Prodct Viewed}
    - {event: [Order Completed, Checkout Started]}
    - {event: "*", where: {colour: red}}
    - {type: identify, where: {traits.plan: pro}}
    - {page: Home, since: {event: Login}}
    - {sequence: [{as: v, event: Product Viewed}, {event: Product Added, where: {id: {ref: v.id}}}, {absent: Order Cancelled, for: 1m}]}
    - {trait: plan, eq: pro}
    - {trait: pln, eq: pro}
    - {trait: address.city, eq: Oslo}
    - {trait: none, exists: false}
everyone: true
`))
	if err != nil {
		t.Fatal(err)
	}
	s := NewSightings(defs)
	set, err := Compile(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"type":"track","event":"Product Viewed","userId":"u","properties":{"brand":"acer","price":9}}`,
		`{"type":"track","event":"Product Viewed","userId":"u","properties":{"brand":"acer","price":10},"context":{"device":{"type":"desk"}}}`,
		`{"type":"track","event":"Checkout Started","userId":"u"}`,
		`{"type":"track","event":"Product Added","userId":"u","properties":{"colour":"red"}}`,
		`{"type":"identify","userId":"u","traits":{"plan":"pro"}}`,
		`{"type":"page","name":"Home","userId":"u"}`,
	} {
		ev, err := set.DecodeEvent([]byte(body), JSON)
		if err != nil {
			t.Fatal(err)
		}
		s.Event(ev, 0)
	}
	s.Traits(&TraitUpdate{Traits: map[string]any{"address": nil}})
	want := `a.yaml:6:7: none of 2 recorded events is event Product Viewed where brand = asus
a.yaml:7:7: none of 2 recorded events is event Product Viewed where context.device.type = phone
a.yaml:8:7: the log has no event that is event Prodct Viewed
  did you mean "Product Viewed"?
a.yaml:12:27: the log has no event that is event Login
a.yaml:13:110: the log has no event that is event Order Cancelled
a.yaml:15:7: no recorded message sets the trait "pln"
  did you mean "plan"?`
	if got := s.Findings().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
