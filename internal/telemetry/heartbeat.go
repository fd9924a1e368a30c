package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// heartbeat asks the database at each scrape when n8n was last heard.
type heartbeat struct {
	heard func(context.Context) (time.Time, error)
	now   func() time.Time
	age   *prometheus.Desc
}

// WatchHeartbeat adds the gauge of the heartbeat's age. Where none was ever heard it has
// no value.
func (m *Metrics) WatchHeartbeat(heard func(context.Context) (time.Time, error), now func() time.Time) {
	m.registry.MustRegister(heartbeat{heard, now, prometheus.NewDesc("salve_heartbeat_age_seconds", "How long ago n8n's heartbeat was heard.", nil, nil)})
}

func (h heartbeat) Describe(ch chan<- *prometheus.Desc) { ch <- h.age }

func (h heartbeat) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	at, err := h.heard(ctx)
	switch {
	case err != nil:
		ch <- prometheus.NewInvalidMetric(h.age, err)
	case !at.IsZero():
		ch <- prometheus.MustNewConstMetric(h.age, prometheus.GaugeValue, h.now().Sub(at).Seconds())
	}
}
