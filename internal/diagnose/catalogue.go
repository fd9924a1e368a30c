package diagnose

// catalogue is every table of rules. Its order means nothing: findings are ranked
// by what explains what.
var catalogue = []table{
	over("pod", (*examination).containers, nil, containerRules),
	over("pod", (*examination).wholePods, nil, podRules),
}

// Rules lists every rule of every family.
func Rules() []Rule {
	var all []Rule
	for _, t := range catalogue {
		all = append(all, t.rules...)
	}
	return all
}
