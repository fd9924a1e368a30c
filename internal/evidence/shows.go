package evidence

import "encoding/json"

// Shows says whether there is anything under one of the Keys, readable or not.
func Shows(raw json.RawMessage) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return false
	}
	for _, name := range Keys() {
		if !absent(members[name]) {
			return true
		}
	}
	return false
}
