package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/usher-audiences/usher/rules"
)

// TestAnswers asks a node as any NATS client can.
func TestAnswers(t *testing.T) {
	i := serveForTest(t)
	mustRun(t, "apply", write(t, "buyers.yaml", buyersText), "--nats", i.url)
	mustRun(t, "publish", "u.1", `{"event": "Order Completed"}`, "--nats", i.url)
	begin(t, "", nil, "watch", "--members", "--nats", i.url).out.await(t, "entered buyers +u.1 ")
	nc, err := nats.Connect(i.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	request := func(subject, body string) *nats.Msg {
		t.Helper()
		m, err := nc.Request(subject, []byte(body), waitMax)
		if err != nil {
			t.Fatalf("%s %s: %v", subject, body, err)
		}
		return m
	}

	m := request("usher.session", `{"key":"u.1"}`)
	if !strings.Contains(string(m.Data), `"audience":"buyers"`) {
		t.Errorf("usher.session: %s", m.Data)
	}
	var members membersAnswer
	if err := json.Unmarshal(request("usher.members", `{"audience":"buyers"}`).Data, &members); err != nil || members.Count != 1 || members.Members[0].Key != "u.1" {
		t.Errorf("usher.members: %+v, %v", members, err)
	}
	if _, err := time.Parse(time.RFC3339, members.Members[0].Since); err != nil {
		t.Error(err)
	}
	var status statusAnswer
	if err := json.Unmarshal(request("usher.status", "").Data, &status); err != nil || !status.Ready || len(status.Partitions) != 2 {
		t.Errorf("usher.status: %+v, %v", status, err)
	}
	for subject, body := range map[string]string{
		"usher.session": "nonsense", "usher.forget": `{"key":""}`, "usher.members": `{"audience":"No Such"}`,
	} {
		if m := request(subject, body); m.Header.Get(micro.ErrorCodeHeader) != "400" {
			t.Errorf("%s %s: %v %s, want error 400", subject, body, m.Header, m.Data)
		}
	}

	_, said := mustRun(t, "forget", "u.1", "--nats", i.url)
	if !strings.Contains(said, "erased u.1") {
		t.Errorf("forget:\n%s", said)
	}
	if out, _ := mustRun(t, "inspect", "u.1", "--nats", i.url); !strings.Contains(out, "nothing is known") {
		t.Errorf("inspect after forget:\n%s", out)
	}
	if err := json.Unmarshal(request("usher.members", `{"audience":"buyers"}`).Data, &members); err != nil || members.Count != 0 {
		t.Errorf("usher.members after forget: %+v, %v", members, err)
	}
}

func definition(t *testing.T, text string) *rules.Definition {
	t.Helper()
	parsed, err := rules.Parse("test.yaml", []byte(text))
	if err != nil || len(parsed) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	return parsed[0]
}
