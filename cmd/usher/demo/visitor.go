package demo

import (
	"math/rand/v2"
	"time"

	"github.com/usher-audiences/usher"
)

// person is somebody who visits the shop now and then.
type person struct {
	key    string
	plan   string // free, trial or pro
	tier   string // empty, gold or platinum
	visits int
}

func firstNames() []string {
	return []string{"ada", "alan", "anita", "barbara", "claude", "dana", "edsger", "frances", "grace", "hedy",
		"ida", "joan", "karen", "leslie", "margaret", "niklaus", "olga", "radia", "sophie", "tony"}
}

func lastNames() []string {
	return []string{"archer", "baker", "carver", "diaz", "evans", "fischer", "gray", "hall", "ito",
		"jansen", "klein", "lopez", "moreau", "novak", "okafor", "patel", "rossi", "silva", "tanaka", "weber"}
}

// newPeople returns everybody who ever visits, in random order.
func newPeople(random *rand.Rand) []*person {
	var people []*person
	for _, first := range firstNames() {
		for _, last := range lastNames() {
			p := &person{key: first + "-" + last, plan: "pro"}
			switch n := random.IntN(100); {
			case n < 45:
				p.plan = "free"
			case n < 65:
				p.plan = "trial"
			}
			switch n := random.IntN(100); {
			case n < 6:
				p.tier = "gold"
			case n < 9:
				p.tier = "platinum"
			}
			people = append(people, p)
		}
	}
	random.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	return people
}

// plan makes up one visit: who they are, and then what they came for.
func (s *Shop) plan(who *person) []act {
	v := &script{shop: s, who: who}
	v.identify()
	v.page("Home")
	switch n := s.random.IntN(100); {
	case n < 35:
		v.browse()
	case n < 50:
		v.compareLaptops()
	case n < 65:
		v.fillCartAndLeave()
	case n < 78:
		v.buy()
	case n < 88:
		v.hesitate()
	default:
		v.readPrices()
	}
	return v.acts
}

// script is a visit being made up.
type script struct {
	shop *Shop
	who  *person
	acts []act
}

func (v *script) add(a act) {
	if a.after == 0 {
		a.after = v.shop.between(500*time.Millisecond, 2200*time.Millisecond)
	}
	v.acts = append(v.acts, a)
}

func (v *script) identify() {
	traits := map[string]any{"plan": v.who.plan}
	if v.who.tier != "" {
		traits["tier"] = v.who.tier
	}
	v.add(act{after: time.Millisecond, call: usher.Identify, traits: traits})
}

func (v *script) page(name string) { v.add(act{call: usher.Page, name: name}) }

func (v *script) view(category string) product {
	p := v.pick(category)
	v.add(act{call: usher.Track, name: "Product Viewed", properties: p.properties()})
	return p
}

func (v *script) put(p product) {
	v.add(act{call: usher.Track, name: "Product Added", properties: p.properties()})
}

func (v *script) track(name string) {
	v.add(act{call: usher.Track, name: name, properties: map[string]any{"currency": "EUR"}})
}

func (v *script) category() string {
	categories := []string{"laptops", "phones", "headphones", "books", "keyboards"}
	return categories[v.shop.random.IntN(len(categories))]
}

// browse looks around for a while.
func (v *script) browse() {
	for range 3 + v.shop.random.IntN(6) {
		v.view(v.category())
	}
}

// compareLaptops looks at one laptop after another, and sometimes takes one.
func (v *script) compareLaptops() {
	var last product
	for range 3 + v.shop.random.IntN(4) {
		last = v.view("laptops")
	}
	if v.shop.random.IntN(4) == 0 {
		v.put(last)
		v.track("Checkout Started")
		v.track("Order Completed")
	}
}

// fillCartAndLeave puts things into the cart and goes away.
func (v *script) fillCartAndLeave() {
	for range 1 + v.shop.random.IntN(3) {
		v.put(v.view(v.category()))
	}
	v.page("Delivery")
}

// buy goes straight for it.
func (v *script) buy() {
	v.put(v.view(v.category()))
	v.track("Checkout Started")
	v.track("Order Completed")
	v.page("Thank you")
}

// hesitate goes to the checkout, back, and there again; half of them pay.
func (v *script) hesitate() {
	v.put(v.view(v.category()))
	v.track("Checkout Started")
	v.page("Delivery")
	v.track("Checkout Started")
	v.page("Returns")
	if v.shop.random.IntN(2) == 0 {
		v.track("Order Completed")
	}
}

// readPrices looks at the prices again and again. Some upgrade in the end:
// the billing system tells, not the browser.
func (v *script) readPrices() {
	v.page("Features")
	for range 2 + v.shop.random.IntN(2) {
		v.page("Pricing")
	}
	if v.who.plan != "pro" && v.shop.random.IntN(3) == 0 {
		v.who.plan = "pro"
		v.add(act{update: map[string]any{"plan": "pro"}})
	}
}

// product is something on a shelf.
type product struct {
	id       string
	category string
	price    float64
}

func (p product) properties() map[string]any {
	return map[string]any{"product_id": p.id, "category": p.category, "price": p.price, "currency": "EUR"}
}
