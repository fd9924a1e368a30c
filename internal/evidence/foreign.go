package evidence

import "encoding/json"

// foreign reads objects of other projects whose status says enough.
func (r *reader) foreign(kind, apiVersion, pointer string, raw json.RawMessage) bool { return false }
