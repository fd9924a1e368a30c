package checklist

import (
	"math"

	"salve/internal/incident"
)

// grave are the causes that are more than a warning.
var grave = map[string]incident.Severity{
	"db.primary_down":               incident.Critical,
	"db.connections_exhausted":      incident.High,
	"service.down":                  incident.High,
	"slo.availability":              incident.High,
	"cert.expired":                  incident.Critical,
	"cert.renewal_failed":           incident.High,
	"backup.failed":                 incident.High,
	"backup.retention_expiring":     incident.High, // SPEC section 5
	"resource.anomalous":            incident.High,
	"security.exposed_secret":       incident.High,
	"security.privileged_container": incident.High,
}

// certUrgent is when a certificate is more than a warning (SPEC section 5), diskUrgent
// when a disk is.
const (
	certUrgent = 7  // days
	diskUrgent = 95 // per cent
)

// severity is that of a cause, raised by the numbers that were seen.
func (l *look) severity(cause string) incident.Severity {
	if s, ok := grave[cause]; ok {
		return s
	}
	if cause == "cert.expiring" && l.daysLeft() < certUrgent || cause == "host.disk_full" && l.fullest() >= diskUrgent {
		return incident.High
	}
	return incident.Warning
}

func (l *look) daysLeft() float64 {
	least := math.Inf(1)
	for _, c := range l.ev.Certificates {
		if !c.NotAfter.IsZero() {
			least = min(least, c.NotAfter.Sub(l.ev.ObservedAt).Hours()/24)
		} else if c.DaysLeft.Known {
			least = min(least, c.DaysLeft.Value)
		}
	}
	return least
}

func (l *look) fullest() float64 {
	most := 0.0
	for _, d := range l.ev.Disks {
		for _, fs := range d.Filesystems {
			if fs.UsePercent.Known && fs.UsePercent.Value <= 100 {
				most = max(most, fs.UsePercent.Value)
			}
		}
	}
	return most
}
