package policy

// Approvers are who may say yes to what a rule brings: subjects, and groups as
// group:NAME. Empty: whoever holds the scope.
func (p *Policy) Approvers(rule string) []string { return nil }

// Quorum is how many different people must say yes to what a rule brings.
func (p *Policy) Quorum(rule string) int { return 1 }
