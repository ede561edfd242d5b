package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/usher-audiences/usher/actors"
)

// newMetrics returns a registry of its own that reads the node's status
// whenever it is scraped.
func newMetrics(status func() actors.Status) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newStatusCollector(status),
	)
	return r
}

// statusCollector turns a node's status into metrics.
type statusCollector struct {
	status func() actors.Status
	ready  *prometheus.Desc
	state  *prometheus.Desc
	alarms *prometheus.Desc
	age    *prometheus.Desc
	counts []countMetric
}

// countMetric is one number of a partition.
type countMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*actors.PartitionStatus) float64
}

func newStatusCollector(status func() actors.Status) *statusCollector {
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	partition := func(name, text string, kind prometheus.ValueType, value func(*actors.PartitionStatus) float64) countMetric {
		return countMetric{prometheus.NewDesc("usher_"+name, text, []string{"partition"}, nil), kind, value}
	}
	type p = *actors.PartitionStatus
	return &statusCollector{
		status: status,
		ready:  prometheus.NewDesc("usher_ready", "1 while every partition of the node is caught up with its log", nil, nil),
		state:  prometheus.NewDesc("usher_partition_state", "1 for the state that the partition is in", []string{"partition", "state"}, nil),
		alarms: prometheus.NewDesc("usher_alarms_total", "Things that should not happen and were survived", []string{"kind"}, nil),
		age:    prometheus.NewDesc("usher_checkpoint_age_seconds", "Time since the partition's last checkpoint by this node", []string{"partition"}, nil),
		counts: []countMetric{
			partition("lag_messages", "Messages of the log not read yet", gauge, func(s p) float64 { return float64(s.Lag) }),
			partition("sessions", "Active sessions in memory", gauge, func(s p) float64 { return float64(s.Sessions) }),
			partition("held_inputs", "Inputs that wait for their session", gauge, func(s p) float64 { return float64(s.Held) }),
			partition("unacknowledged_transitions", "Transitions on their way to the stream", gauge, func(s p) float64 { return float64(s.Unacknowledged) }),
			partition("revision", "Revision of the audiences in force", gauge, func(s p) float64 { return float64(s.Revision) }),
			partition("messages_total", "Events and trait updates read", counter, func(s p) float64 { return float64(s.Messages) }),
			partition("transitions_total", "Transitions stored", counter, func(s p) float64 { return float64(s.Transitions) }),
			partition("rejected_total", "Messages stored as unusable", counter, func(s p) float64 { return float64(s.Rejected) }),
			partition("activations_total", "Sessions brought into memory", counter, func(s p) float64 { return float64(s.Activations) }),
			partition("passivations_total", "Sessions sent out of memory", counter, func(s p) float64 { return float64(s.Passivations) }),
			partition("restarts_total", "Restarts of the partition after a failure", counter, func(s p) float64 { return float64(s.Restarts) }),
		},
	}
}

// Describe tells the registry what Collect will send.
func (c *statusCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.ready
	out <- c.state
	out <- c.alarms
	out <- c.age
	for _, m := range c.counts {
		out <- m.desc
	}
}

// Collect reads the status once.
func (c *statusCollector) Collect(out chan<- prometheus.Metric) {
	s := c.status()
	ready := 0.0
	if s.Ready {
		ready = 1
	}
	out <- prometheus.MustNewConstMetric(c.ready, prometheus.GaugeValue, ready)
	for kind, n := range s.Alarms {
		out <- prometheus.MustNewConstMetric(c.alarms, prometheus.CounterValue, float64(n), string(kind))
	}
	for i := range s.Partitions {
		c.partition(out, &s.Partitions[i])
	}
}

func (c *statusCollector) partition(out chan<- prometheus.Metric, p *actors.PartitionStatus) {
	label := partitionLabel(p.Partition)
	out <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, 1, label, p.State)
	if p.CheckpointAge >= 0 {
		out <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, float64(p.CheckpointAge)/1000, label)
	}
	for _, m := range c.counts {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(p), label)
	}
}
