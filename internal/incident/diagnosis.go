package incident

import "time"

// Causes that are not diseases.
const (
	CauseUnknown = "unknown"
	CauseHealthy = "healthy"
)

// Why an objective is likely missed.
const (
	LikelyDeployment = "deployment" // one in the window, or shortly before
	LikelyDependency = "dependency" // which fails
	LikelySaturation = "saturation" // of CPU or memory
	LikelySurge      = "surge"      // of traffic
)

// Diagnosis is cause, confidence, the evidence that supports it and the
// evidence that is missing. The same evidence gives the same diagnosis.
type Diagnosis struct {
	Cause        string        `json:"cause"`
	Confidence   float64       `json:"confidence"` // 0 to 1
	Container    string        `json:"container,omitempty"`
	Summary      string        `json:"summary"`
	Chain        []string      `json:"chain"`    // symptom first, cause last
	Evidence     []string      `json:"evidence"` // quoted from what was sent
	Missing      []string      `json:"missing"`  // what would decide, in words
	Alternatives []Alternative `json:"alternatives"`
	Likely       string        `json:"likely,omitempty"` // of an objective: why it is missed, as far as that shows

	Subject    Target    `json:"subject,omitzero"` // the object that is ill: the pod
	Owner      Target    `json:"owner,omitzero"`   // its top controller as far as the evidence shows
	Wants      []Want    `json:"-"`                // Missing as something that can be collected
	ObservedAt time.Time `json:"observed_at,omitzero"`
}

// Alternative is another cause that the evidence also fits.
type Alternative struct {
	Cause      string  `json:"cause"`
	Confidence float64 `json:"confidence"`
}

// Want names what a collect intent would have to fetch.
type Want struct {
	Action string // collect.pod
	Target Target
}

// Decided says whether the diagnosis names a cause to act on.
func (d Diagnosis) Decided() bool { return d.Cause != "" && d.Cause != CauseUnknown }
