package checklist

import (
	"encoding/json"
	"fmt"
	"time"

	"salve/internal/incident"
	"salve/internal/remedy"
)

// The ways in which a check is run. n8n has a branch for each.
const (
	shapeCollect = "collect"
	shapeHTTP    = "http"
)

// Shapes are all of them.
func Shapes() []string { return []string{shapeCollect, shapeHTTP} }

// httpShape is one GET of an address, without credentials.
type httpShape struct {
	Shape          string `json:"shape"`
	URL            string `json:"url"`
	TimeoutSeconds int    `json:"timeout_seconds"`
}

const httpTimeout = 20 * time.Second

// ByItself says whether nobody is asked to run the check: a script of the user's
// looks, and posts what it saw.
func (c Check) ByItself() bool { return c.Kind == Custom }

// Execute is what n8n runs: the reads that a collect intent of the same place would
// ask for, or one GET. It is an error where the check's place cannot be read.
func (c Check) Execute() (json.RawMessage, error) {
	if c.Kind == HTTP {
		return json.Marshal(httpShape{shapeHTTP, c.URL, int(httpTimeout / time.Second)})
	}
	k, known := kindOf(c.Kind)
	if !known || k.looks == "" {
		return nil, fmt.Errorf("check %s: nobody is asked to run a check of kind %s", c.Name, c.Kind)
	}
	in, err := remedy.Build(remedy.Request{Action: k.looks, Target: c.Target()})
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", c.Name, err)
	}
	return in.Execute, nil
}

// Target is what the check looks at as a whole.
func (c Check) Target() incident.Target {
	switch {
	case c.Host != "":
		return incident.Target{Kind: "Host", Host: c.Host, Service: c.Unit}
	case c.Object != "" && c.Kind == Certificates:
		return incident.Target{Cluster: c.Cluster, Namespace: c.Namespace, Kind: "Certificate", Name: c.Object}
	case c.Namespace != "":
		return incident.Target{Cluster: c.Cluster, Kind: "Namespace", Name: c.Namespace}
	default:
		return incident.Target{Cluster: c.Cluster, Kind: "Service", Service: c.Name}
	}
}
