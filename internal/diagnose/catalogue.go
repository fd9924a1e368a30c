package diagnose

// catalogue is every table of rules. Its order means nothing: findings are ranked
// by what explains what.
var catalogue = []table{
	over("pod", (*examination).containers, nil, containerRules),
	over("pod", (*examination).wholePods, nil, podRules),
	over("host", (*examination).filesystems, diskWell, hostRules),
	over("service", (*examination).units, unitWell, serviceRules),
	over("cert", (*examination).certificates, certWell, certRules),
	over("backup", (*examination).backups, backupWell, backupRules),
	over("slo", (*examination).aggregates, aggregateWell, sloRules),
	over("db", (*examination).databases, databaseWell, dbRules),
	over("resource", (*examination).usages, usageWell, resourceRules),
	over("security", (*examination).auditFindings, auditWell, securityRules),
	over("trend", (*examination).series, seriesWell, trendRules),
}

// Rules lists every rule of every family.
func Rules() []Rule {
	var all []Rule
	for _, t := range catalogue {
		all = append(all, t.rules...)
	}
	return all
}
