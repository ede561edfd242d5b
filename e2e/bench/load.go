// Package bench measures what docs/benchmarks.md tells: the whole of Usher in
// one process, with an embedded server on disk and a publisher of its own.
package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/usher-audiences/usher/bus/subject"
)

// Load is a shop's events from a seed: what 20,000 visitors look at, put into
// their carts and buy. Brands are as unequally popular as real ones.
type Load struct {
	random *rand.Rand
	users  []visitor
	n      int
}

type visitor struct {
	subject string
	id      string
}

var (
	brands = []string{
		"samsung", "apple", "xiaomi", "huawei", "bosch", "lenovo", "lucente", "hp", "artel", "casio",
		"cordiant", "acer", "redmond", "nokia", "lg", "sony", "elenberg", "polaris", "philips", "asus",
	}
	categories = []string{
		"electronics.smartphone", "electronics.clocks", "computers.notebook", "electronics.audio.headphone",
		"appliances.environment.vacuum", "apparel.shoes.keds", "electronics.video.tv", "appliances.kitchen.washer",
		"apparel.shoes", "appliances.kitchen.refrigerators", "auto.accessories.player", "furniture.living_room.cabinet",
	}
)

// NewLoad returns the load of a seed.
func NewLoad(seed uint64, users int) *Load {
	l := &Load{random: rand.New(rand.NewPCG(seed, 0)), users: make([]visitor, users)} //nolint:gosec // a seed is meant to repeat
	for i := range l.users {
		id := fmt.Sprintf("visitor-%06d", i)
		token, err := subject.Encode(id)
		if err != nil {
			panic(err)
		}
		l.users[i] = visitor{subject: subject.Events(token), id: id}
	}
	return l
}

// Next returns the next event and the subject to publish it on.
func (l *Load) Next() (subject string, payload []byte) {
	l.n++
	return l.Named("m-" + strconv.Itoa(l.n))
}

// Named is Next with a messageId of the caller's.
func (l *Load) Named(messageID string) (subject string, payload []byte) {
	u := &l.users[l.random.IntN(len(l.users))]
	name, amount := "Product Viewed", "price"
	switch p := l.random.IntN(1000); {
	case p < 15:
		name, amount = "Order Completed", "revenue"
	case p < 55:
		name = "Product Added"
	}
	price := 10 * (1 + l.random.ExpFloat64()*20)
	payload, err := json.Marshal(map[string]any{
		"type": "track", "event": name, "userId": u.id, "messageId": messageID,
		"context": map[string]any{"sessionId": "s-" + u.id},
		"properties": map[string]any{
			"product_id": strconv.Itoa(1000 + l.random.IntN(5000)),
			"brand":      skewed(l.random, brands), "category": skewed(l.random, categories),
			amount: float64(int(price*100)) / 100,
		},
	})
	if err != nil {
		panic(err)
	}
	return u.subject, payload
}

// skewed draws one of words, the first most often.
func skewed(r *rand.Rand, words []string) string {
	return words[min(int(r.ExpFloat64()*float64(len(words))/4), len(words)-1)]
}
