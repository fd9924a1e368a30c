package evidence

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// facts reads one object or an array of them into documents of type D, of each of
// which a fact is made. Objects of Kubernetes APIs that tell the same are read by
// those who know them.
func facts[D, T any](must string, of func(r *reader, at string, raw json.RawMessage, doc *D) T, place func(*Evidence) *[]T) func(*reader, string, json.RawMessage) {
	return func(r *reader, pointer string, raw json.RawMessage) {
		if to := place(&r.ev); *to == nil {
			*to = []T{}
		}
		r.each(pointer, raw, func(at string, item json.RawMessage) {
			if taken, err := r.kubernetesFact(at, item); taken || err != nil {
				if err != nil {
					r.problem(at, err.Error())
				}
				return
			}
			var doc D
			if err := r.fact(at, item, &doc, must); err != nil {
				r.problem(at, err.Error())
				return
			}
			one := of(r, at, item, &doc)
			*place(&r.ev) = append(*place(&r.ev), one)
		})
	}
}

// as is for facts that are as their document says.
func as[T any](_ *reader, _ string, _ json.RawMessage, doc *T) T { return *doc }

// kubernetesFact reads an object, or a list of them, that stands in a fact's place.
func (r *reader) kubernetesFact(at string, raw json.RawMessage) (bool, error) {
	var head struct {
		Kind       string            `json:"kind"`
		APIVersion string            `json:"apiVersion"`
		Items      []json.RawMessage `json:"items"`
	}
	if firstByte(raw) != '{' || json.Unmarshal(raw, &head) != nil || head.Kind == "" || head.APIVersion == "" {
		return false, nil
	}
	if head.Kind == "List" {
		for i, item := range head.Items[:min(len(head.Items), maxItems)] {
			if _, err := r.kubernetesFact(fmt.Sprintf("%s/items/%d", at, i), item); err != nil {
				return true, err
			}
		}
		return true, nil
	}
	if r.foreign(head.Kind, head.APIVersion, at, raw) {
		return true, nil
	}
	return true, fmt.Errorf("a %s of %s is not read here", clip(head.Kind, 60), clip(head.APIVersion, 60))
}

// diskOf reads a disk. What describes one file system alone may stand beside the host.
func diskOf(_ *reader, _ string, raw json.RawMessage, d *Disk) Disk {
	if d.Filesystems == nil {
		var one Filesystem
		loosely(raw, reflect.ValueOf(&one).Elem(), "", func(string, string) {})
		if one.reckon(); one.measured() || one.inodesMeasured() || one.DaysUntilFull.Known || one.History != nil {
			d.Filesystems = []Filesystem{one}
		}
	}
	d.Host = withoutPort(d.Host)
	return *d
}

// certificateDoc is a certificate with what senders say of its renewal beside it.
type certificateDoc struct {
	Certificate
	RenewalError  string `json:"renewalError" also:"lastRenewalError,renewError"`
	RenewalStatus string `json:"renewalStatus" also:"lastRenewalStatus,renewalResult"`
}

func certificateFact(r *reader, at string, _ json.RawMessage, doc *certificateDoc) Certificate {
	c := doc.Certificate
	if err := c.fillFromPEM(); err != nil {
		r.problem(at+"/pem", err.Error())
	}
	if c.Renewal == nil && (doc.RenewalError != "" || doc.RenewalStatus != "") {
		c.Renewal = &Renewal{Error: doc.RenewalError, Status: doc.RenewalStatus, Failed: doc.RenewalError != ""}
	}
	if r := c.Renewal; r != nil && !r.Failed {
		switch plainKey(r.Status) {
		case "failed", "failure", "error", "errored":
			r.Failed = true
		}
	}
	return c
}

// dbDoc is a database whose connections may stand together.
type dbDoc struct {
	DB
	Connections struct {
		Used Number `json:"used" also:"current,active,open,total"`
		Max  Number `json:"max" also:"limit,maximum,available"`
	} `json:"connections"`
}

func dbOf(_ *reader, _ string, _ json.RawMessage, doc *dbDoc) DB {
	d := doc.DB
	d.ConnectionsUsed = orElse(d.ConnectionsUsed, doc.Connections.Used)
	d.ConnectionsMax = orElse(d.ConnectionsMax, doc.Connections.Max)
	for i := range d.Members {
		m := &d.Members[i]
		if m.LagBytes.Known && !m.LagMB.Known {
			m.LagMB = Of(m.LagBytes.Value / (1 << 20))
		}
	}
	return d
}

// withoutPort is the host of web-01:9100, as Prometheus calls an instance.
func withoutPort(host string) string {
	name, port, ok := strings.Cut(host, ":")
	if ok && port != "" && strings.Trim(port, "0123456789") == "" {
		return name
	}
	return host
}
