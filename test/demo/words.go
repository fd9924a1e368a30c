package main

import "time"

// What the demo reads of Salve's answers.

type diagnosis struct {
	Cause      string   `json:"cause"`
	Confidence float64  `json:"confidence"`
	Summary    string   `json:"summary"`
	Evidence   []string `json:"evidence"`
	Missing    []string `json:"missing"`
}

type decision struct {
	Verdict string   `json:"verdict"`
	Level   int      `json:"level"`
	Risk    string   `json:"risk"`
	Reasons []string `json:"reasons"`
	Guards  []struct {
		Guard   string `json:"guard"`
		Stops   bool   `json:"stops"`
		Reading string `json:"reading"`
	} `json:"guards"`
}

type itemResult struct {
	IncidentID string     `json:"incident_id"`
	Outcome    string     `json:"outcome"`
	Diagnosis  *diagnosis `json:"diagnosis"`
	Decision   *decision  `json:"decision"`
}

type plan struct {
	ID       string         `json:"id"`
	ShortID  string         `json:"short_id"`
	Action   string         `json:"action"`
	State    string         `json:"state"`
	Risk     string         `json:"risk"`
	Summary  string         `json:"summary"`
	PlanHash string         `json:"plan_hash"`
	Rollback map[string]any `json:"rollback"`
	Params   map[string]any `json:"params"`
}

type incidentStory struct {
	ID         string `json:"id"`
	ShortID    string `json:"short_id"`
	State      string `json:"state"`
	Cause      string `json:"cause"`
	Resolution string `json:"resolution"`
	Intents    []plan `json:"intents"`
	Story      []struct {
		At        time.Time `json:"at"`
		Operation string    `json:"operation"`
		Actor     string    `json:"actor"`
		Object    string    `json:"object"`
		Reason    string    `json:"reason"`
	} `json:"story"`
}

// has says whether an intent of this action reached the state.
func (i incidentStory) has(action, state string) bool {
	for _, in := range i.Intents {
		if in.Action == action && in.State == state {
			return true
		}
	}
	return false
}

type verification struct {
	OK       bool   `json:"ok"`
	Rows     int64  `json:"rows"`
	Unsealed int64  `json:"unsealed"`
	Head     string `json:"head"`
	Broken   string `json:"broken"`
}
