package usher_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/usher-audiences/usher"
)

// Publish one event and wait until it is stored.
func ExampleClient_Publish() {
	client, err := usher.Connect("nats://127.0.0.1:4222")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	err = client.Publish(context.Background(), usher.Event{
		Event:      "Product Added",
		UserID:     "u_42",
		Properties: map[string]any{"product_id": "p_7", "price": 120},
	})
	if errors.Is(err, usher.ErrNotStored) {
		log.Print("not acknowledged in time; publishing it again, with the same MessageID, is safe")
	}
}

// Publish many events, and wait once.
func ExampleClient_PublishAsync() {
	client, err := usher.Connect("nats://127.0.0.1:4222")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	for i := range 10_000 {
		e := usher.Event{Type: usher.Page, Name: "Pricing", AnonymousID: fmt.Sprint("a_", i)}
		if err := client.PublishAsync(ctx, e); err != nil {
			log.Fatal(err)
		}
	}
	if err := client.Flush(ctx); err != nil {
		log.Fatal(err)
	}
}

// Follow an audience, beginning with those who are in it.
func ExampleClient_Watch() {
	client, err := usher.Connect("nats://127.0.0.1:4222")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	w, err := client.Watch(context.Background(), "high-intent", usher.WithMembers())
	if err != nil {
		log.Fatal(err)
	}
	for t, err := range w.All() {
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Println(t.Key, t.Type, t.Cause)
	}
}

// Ask which audiences somebody is in now.
func ExampleClient_Memberships() {
	client, err := usher.Connect("nats://127.0.0.1:4222")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	memberships, err := client.Memberships(context.Background(), "u_42")
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range memberships {
		fmt.Println(m.Audience, "since", m.At)
	}
}

func ExampleEvent() {
	e := usher.Event{Event: "Product Added", UserID: "u_42", MessageID: "m_1", Properties: map[string]any{"price": 120}}
	key, err := e.Key()
	if err != nil {
		log.Fatal(err)
	}
	data, err := e.MarshalJSON()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	fmt.Println(string(data))
	// Output:
	// u_42
	// {"type":"track","event":"Product Added","userId":"u_42","messageId":"m_1","properties":{"price":120}}
}
