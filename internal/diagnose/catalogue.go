package diagnose

// catalogue is every table of rules. Its order means nothing: findings are ranked
// by what explains what.
var catalogue = []table{
	over("pod", (*examination).containers, nil, containerRules),
	over("host", (*examination).filesystems, diskWell, hostRules),
	over("service", (*examination).units, unitWell, serviceRules),
	over("cert", (*examination).certificates, certWell, certRules),
	over("backup", (*examination).backups, backupWell, backupRules),
	over("slo", (*examination).aggregates, aggregateWell, sloRules),
	over("db", (*examination).databases, databaseWell, dbRules),
	over("resource", (*examination).usages, usageWell, resourceRules),
	over("security", (*examination).auditFindings, auditWell, securityRules),
	over("trend", (*examination).allSeries, seriesWell, trendRules),
	over("workload", (*examination).allWorks, wellWorkload, workloadRules),
	over("workload", (*examination).quotas, wellQuota, quotaRules),
	over("workload", (*examination).hpas, wellHPA, hpaRules),
	over("workload", (*examination).pdbs, wellPDB, pdbRules),
	over("job", (*examination).jobs, wellJob, jobRules),
	over("job", (*examination).wholePods, nil, jobPodRules),
	over("deploy", (*examination).gitops, wellGitOps, deployRules),
	over("deploy", (*examination).releases, nil, aggregateRules),
	over("node", (*examination).nodes, wellNode, nodeRules),
	over("pod", (*examination).containers, nil, imageRules),
	over("pod", (*examination).containers, nil, createRules),
	over("pod", (*examination).wholePods, nil, setupRules),
	over("pod", (*examination).wholePods, nil, scheduleRules),
	over("pod", (*examination).wholePods, nil, evictRules),
	over("pod", (*examination).claims, wellClaim, claimRules),
	over("pod", (*examination).containers, nil, logRules),
	over("log", (*examination).bareLogs, nil, bareRules),
}

// Rules lists every rule of every family.
func Rules() []Rule {
	var all []Rule
	for _, t := range catalogue {
		all = append(all, t.rules...)
	}
	return all
}
