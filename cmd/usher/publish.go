package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/usher-audiences/usher"
)

type publishFlags struct {
	access
	traits bool
}

func newPublish(con *console) *cobra.Command {
	var flags publishFlags
	cmd := &cobra.Command{
		Use:   "publish KEY JSON",
		Short: "Publish one event, or a trait update",
		Long: `Publish one event of the person KEY and wait until the log has stored it.
JSON is a Segment-spec event; - reads it from standard input. What is missing
is filled in: userId (KEY, unless the event names its anonymousId), type
(track) and messageId. With --traits, JSON is an object of traits to merge;
null deletes one.`,
		Example: `  usher publish u_42 '{"event": "Product Added", "properties": {"price": 120}}'
  usher publish u_42 '{"type": "page", "name": "Pricing"}'
  usher publish u_42 --traits '{"plan": "pro"}'`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			object, err := readObject(con, args[1])
			if err != nil {
				return err
			}
			return flags.explain(publish(cmd.Context(), con, flags, usher.UserKey(args[0]), object))
		},
	}
	flags.addClientFlags(cmd)
	cmd.Flags().BoolVar(&flags.traits, "traits", false, "merge JSON into the person's traits; no activity of theirs")
	return cmd
}

// readObject reads the JSON object of an argument, or of standard input.
func readObject(con *console, text string) (map[string]any, error) {
	data := []byte(text)
	if text == "-" {
		var err error
		if data, err = io.ReadAll(io.LimitReader(con.in, usher.MessageMax+1)); err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // a large id must not become a float
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		if err == nil {
			err = errors.New("null")
		}
		return nil, usagef("the second argument is not a JSON object: %w", err)
	}
	if decoder.More() {
		return nil, usagef("the second argument holds more than one JSON object; `usher replay` reads many")
	}
	return object, nil
}

func publish(ctx context.Context, con *console, flags publishFlags, key usher.UserKey, object map[string]any) error {
	client, err := flags.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if flags.traits {
		if err := client.UpdateTraits(ctx, key, object); err != nil {
			return err
		}
		con.say("stored the traits of %s", key)
		return nil
	}
	if err := complete(key, object); err != nil {
		return err
	}
	payload, err := json.Marshal(object)
	if err != nil {
		return err
	}
	if err := client.PublishRaw(ctx, key, payload); err != nil {
		return err
	}
	con.say("stored the event of %s, message id %v", key, object["messageId"])
	return nil
}

// complete fills in what an event typed by hand lacks.
func complete(key usher.UserKey, event map[string]any) error {
	owner, named := event["userId"]
	if !named {
		owner, named = event["anonymousId"]
	}
	switch {
	case !named:
		event["userId"] = string(key)
	case owner != string(key):
		return usagef("the event belongs to %v, not to %s: leave userId out, or name the same key", owner, key)
	}
	if _, ok := event["type"]; !ok {
		event["type"] = string(usher.Track)
	}
	if _, ok := event["messageId"]; !ok {
		event["messageId"] = rand.Text()
	}
	return nil
}
