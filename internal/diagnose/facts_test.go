package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// fact is one key of the evidence, observed now.
func fact(key, value string) string { return sent(nil, nil, fmt.Sprintf("%q:%s", key, value)) }

// factCase is a fact, and what is said of it when nothing was asked.
type factCase struct {
	name, doc, cause, says string
	atLeast, atMost        float64
}

func runFacts(t *testing.T, cases []factCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := diagnose.Diagnose(parse(t, c.doc), diagnose.Question{})
			text := strings.Join(append(append([]string{d.Summary}, d.Evidence...), d.Missing...), "\n")
			if d.Cause != c.cause || !strings.Contains(text, c.says) {
				t.Errorf("%s, want %s saying %q:\n%s", d.Cause, c.cause, c.says, text)
			}
			if d.Confidence < c.atLeast || c.atMost > 0 && d.Confidence > c.atMost {
				t.Errorf("confidence %.2f, want %.2f to %.2f", d.Confidence, c.atLeast, c.atMost)
			}
		})
	}
}

func disksOf(list ...string) string {
	return fact("disk", `{"host":"web-01","filesystems":[`+strings.Join(list, ",")+`]}`)
}

func mount(more string) string {
	return `{"filesystem":"/dev/sda1","mount":"/",` + more + `}`
}

func TestDisks(t *testing.T) {
	const other = `{"filesystem":"/dev/sdb1","mount":"/data","usePercent":40}`
	runFacts(t, []factCase{
		{name: "80 % is not over 80 %", doc: disksOf(mount(`"usePercent":80`)), cause: "healthy"},
		{name: "81 % is", doc: disksOf(mount(`"usePercent":81`)), cause: "host.disk_full", atLeast: 0.95, says: "what fills / of web-01"},
		{name: "the fullest is named, the other quoted", doc: disksOf(mount(`"usePercent":83`), `{"filesystem":"/dev/sdb1","mount":"/data","usePercent":95}`), cause: "host.disk_full", says: "/data of web-01 is 95 % full"},
		{name: "the other is quoted", doc: disksOf(mount(`"usePercent":83`), `{"filesystem":"/dev/sdb1","mount":"/data","usePercent":95}`), cause: "host.disk_full", says: "df /dev/sda1 on / of web-01"},
		{name: "90 % of the inodes are not over 90 %", doc: disksOf(mount(`"inodesUsePercent":90`)), cause: "healthy"},
		{name: "91 % are", doc: disksOf(mount(`"inodesUsePercent":91`)), cause: "host.inodes_full", atLeast: 0.95},
		{name: "inodes alone are exhausted before space is short", doc: disksOf(mount(`"usePercent":85,"inodesUsePercent":100`)), cause: "host.inodes_full"},
		{name: "a share beside percentages is small", doc: disksOf(mount(`"usePercent":0.5`), other), cause: "healthy"},
		{name: "a share with the bytes it follows from", doc: disksOf(mount(`"usePercent":0.93,"sizeBytes":100000000000,"usedBytes":93000000000`)), cause: "host.disk_full"},
		{name: "negative", doc: disksOf(mount(`"usePercent":-3`)), cause: "unknown"},
		{name: "BSD counts what is reserved", doc: disksOf(mount(`"usePercent":108`)), cause: "host.disk_full"},
		{name: "more than can be", doc: disksOf(mount(`"usePercent":151`)), cause: "unknown"},
		{name: "an image with a disk's file system", doc: disksOf(`{"filesystem":"/dev/loop0","mount":"/srv/img","type":"ext4","usePercent":96}`), cause: "host.disk_full"},
		{name: "an image of unknown type", doc: disksOf(`{"filesystem":"/dev/loop0","mount":"/srv/img","usePercent":100}`, other), cause: "healthy"},
		{name: "read-only as mounted", doc: disksOf(mount(`"usePercent":100,"readOnly":true`), other), cause: "healthy"},
		{name: "an optical disc", doc: disksOf(`{"filesystem":"/dev/sr0","mount":"/mnt","usePercent":100}`, other), cause: "healthy"},
		{name: "shared memory", doc: disksOf(`{"filesystem":"tmpfs","mount":"/dev/shm","usePercent":100}`, other), cause: "healthy"},
		{name: "a tmpfs that is not full", doc: disksOf(`{"filesystem":"tmpfs","mount":"/tmp","usePercent":90}`, other), cause: "healthy"},
		{name: "nothing was measured", doc: disksOf(mount(`"type":"ext4"`)), cause: "unknown", says: "nothing was measured"},
		{name: "a core dump of 100 MB is not told apart", doc: fact("disk", `{"host":"a","filesystems":[{"mount":"/","usePercent":90}],"coreDumps":[{"path":"/var/crash/a","bytes":100000000}]}`), cause: "host.disk_full", says: "over 80 % is too full"},
		{name: "a larger one is", doc: fact("disk", `{"host":"a","filesystems":[{"mount":"/","usePercent":90}],"coreDumps":[{"path":"/var/crash/a","bytes":100000001}]}`), cause: "host.disk_full", says: "a core dump holds 95.3 MiB"},
		{name: "what lies on another file system does not fill this one", doc: fact("disk", `{"host":"a","filesystems":[{"mount":"/","usePercent":90},{"mount":"/data","usePercent":10}],"top":[{"path":"/data/db","bytes":9000000000},{"path":"/var/lib/x","bytes":5000000000}]}`),
			cause: "host.disk_full", says: "/var/lib/x holds 4.6 GiB"},
	})
}

// TestExhausted is about what a full disk explains.
func TestExhausted(t *testing.T) {
	failed := `,"service":{"host":"web-01","unit":"api.service","activeState":"failed","result":"exit-code","execMainStatus":1}`
	with := func(fs, service string) string {
		return strings.TrimSuffix(disksOf(fs), "}") + service + "}"
	}
	runFacts(t, []factCase{
		{name: "nothing left", doc: with(mount(`"usePercent":98,"availBytes":1073741823`), failed), cause: "host.disk_full", atLeast: 0.97},
		{name: "a gibibyte left", doc: with(mount(`"usePercent":98,"availBytes":1073741824`), failed), cause: "service.down"},
		{name: "97 %", doc: with(mount(`"usePercent":97`), failed), cause: "service.down"},
		{name: "the boot partition", doc: with(`{"filesystem":"/dev/sda2","mount":"/boot","usePercent":100}`, failed), cause: "service.down"},
		{name: "inodes", doc: with(mount(`"inodesUsePercent":98`), failed), cause: "host.inodes_full"},
		{name: "inodes short of that", doc: with(mount(`"inodesUsePercent":97`), failed), cause: "service.down"},
		{name: "inodes of the boot partition", doc: with(`{"filesystem":"/dev/sda2","mount":"/boot","inodesUsePercent":100}`, failed), cause: "service.down"},
	})
	d := diagnose.Diagnose(parse(t, with(mount(`"usePercent":100`), strings.Replace(failed, "exit-code", "oom-kill", 1))), diagnose.Question{})
	if !slicesHas(d.Alternatives, "service.down") {
		t.Errorf("a program killed for memory is no symptom of a full disk: %v", d.Alternatives)
	}
	d = diagnose.Diagnose(parse(t, with(mount(`"usePercent":100`), strings.Replace(failed, "web-01", "web-02", 1))), diagnose.Question{})
	if !slicesHas(d.Alternatives, "service.down") {
		t.Errorf("a service of another host is no symptom: %v", d.Alternatives)
	}
	d = diagnose.Diagnose(parse(t, with(mount(`"usePercent":100`), failed)), diagnose.Question{})
	if slicesHas(d.Alternatives, "service.down") {
		t.Errorf("the service of the same host is a symptom: %v", d.Alternatives)
	}
}

func slicesHas(list []incident.Alternative, cause string) bool {
	for _, a := range list {
		if a.Cause == cause {
			return true
		}
	}
	return false
}

func TestUnits(t *testing.T) {
	unit := func(name, more string) string { return fact("service", `{"host":"a","unit":"`+name+`",`+more+`}`) }
	runFacts(t, []factCase{
		{name: "failed, as others say it", doc: unit("api", `"status":"crashed"`), cause: "service.down"},
		{name: "failed, in capitals", doc: unit("api.service", `"activeState":"FAILED","result":"timeout"`), cause: "service.down", says: "in time"},
		{name: "a signal", doc: unit("api.service", `"activeState":"failed","result":"signal","execMainStatus":9`), cause: "service.down", says: "a signal killed its program (SIGKILL)"},
		{name: "a status of systemd's own", doc: unit("api.service", `"activeState":"failed","result":"exit-code","execMainStatus":217`), cause: "service.down", says: "its user does not exist"},
		{name: "a result without reason", doc: unit("api.service", `"activeState":"failed"`), cause: "service.down", says: "systemd gives no reason"},
		{name: "a daemon that is enabled and stopped", doc: unit("nginx.service", `"activeState":"inactive","enabled":"enabled"`), cause: "service.down", atLeast: 0.8},
		{name: "a program that nobody knows", doc: unit("frobnicate.service", `"activeState":"inactive","enabled":"enabled"`), cause: "service.down", atLeast: 0.69, atMost: 0.71, says: "the Type of frobnicate.service"},
		{name: "of known type", doc: unit("frobnicate.service", `"type":"simple","activeState":"inactive","enabled":"enabled"`), cause: "service.down", atLeast: 0.8},
		{name: "one that runs once", doc: unit("frobnicate.service", `"type":"oneshot","activeState":"inactive","enabled":"enabled"`), cause: "healthy", says: "runs only when something starts it"},
		{name: "one that ran once and failed", doc: unit("frobnicate.service", `"type":"oneshot","activeState":"failed","result":"exit-code","execMainStatus":2`), cause: "service.down"},
		{name: "one that is known to run once", doc: unit("nightly-backup.service", `"activeState":"inactive","enabled":"enabled","result":"success"`), cause: "healthy"},
		{name: "that a socket starts", doc: unit("cockpit.service", `"activeState":"inactive","triggeredBy":"cockpit.socket"`), cause: "healthy", says: "waits for cockpit.socket"},
		{name: "masked", doc: unit("api.service", `"loadState":"masked","activeState":"inactive"`), cause: "healthy", says: "masked"},
		{name: "not installed", doc: unit("api.service", `"loadState":"not-found","activeState":"inactive"`), cause: "service.down", atMost: 0.65, says: "not installed"},
		{name: "its file went away under it", doc: unit("api.service", `"loadState":"not-found","activeState":"active","subState":"running"`), cause: "healthy"},
		{name: "its file is broken", doc: unit("api.service", `"loadState":"bad-setting","activeState":"inactive","enabled":"enabled"`), cause: "service.down", says: "it is enabled"},
		{name: "reloading", doc: unit("api.service", `"activeState":"reloading"`), cause: "healthy"},
		{name: "no state", doc: unit("api.service", `"loadState":"loaded"`), cause: "unknown", says: "in an unknown state"},
		{name: "a stopped timer is not what runs all the time", doc: unit("x.timer", `"activeState":"inactive","enabled":"enabled"`), cause: "healthy"},
	})
	asked := diagnose.Question{Family: "service", Target: incident.Target{Host: "a", Service: "api.service"}}
	for state, want := range map[string]string{`"loadState":"masked"`: "service.down", `"enabled":"disabled"`: "service.down", `"enabled":"static"`: "healthy"} {
		if d := diagnose.Diagnose(parse(t, unit("api.service", `"activeState":"inactive",`+state)), asked); d.Cause != want {
			t.Errorf("asked about a unit with %s: %s, want %s", state, d.Cause, want)
		}
	}
}

func TestCertificates(t *testing.T) {
	cert := func(more string) string {
		return fact("certificate", `{"subject":"CN=a.example.com",`+more+`}`)
	}
	runFacts(t, []factCase{
		{name: "29.9 days", doc: cert(`"notAfter":"2026-12-23T01:00:00Z"`), cause: "cert.expiring", says: "expires in 29 days"},
		{name: "30 days", doc: cert(`"notAfter":"2026-12-23T03:15:00Z"`), cause: "healthy"},
		{name: "a second left", doc: cert(`"notAfter":"2026-11-23T03:15:01Z"`), cause: "cert.expiring", says: "less than 7 days"},
		{name: "now", doc: cert(`"notAfter":"2026-11-23T03:15:00Z"`), cause: "cert.expired"},
		{name: "today, says the sender", doc: cert(`"daysLeft":0`), cause: "cert.expiring"},
		{name: "yesterday, says the sender", doc: cert(`"daysLeft":-1`), cause: "cert.expired"},
		{name: "checked long ago", doc: cert(`"notAfter":"2026-12-30T00:00:00Z","checkedAt":"2026-12-29T00:00:00Z","daysLeft":40`), cause: "cert.expiring", says: "24 hours", atLeast: 0.95},
		{name: "the sender's days and the date disagree", doc: cert(`"notAfter":"2027-12-30T00:00:00Z","daysLeft":5`), cause: "cert.expiring", atMost: 0.65, says: "daysLeft and notAfter disagree"},
		{name: "the sender's floor agrees", doc: cert(`"notAfter":"2026-11-28T09:12:44Z","daysLeft":5`), cause: "cert.expiring", atLeast: 0.95},
		{name: "a number without sense", doc: cert(`"daysLeft":-20000`), cause: "unknown", says: "nothing says until when"},
		{name: "no date", doc: cert(`"issuer":"CN=x"`), cause: "unknown"},
		{name: "a list of revocations has expired", doc: cert(`"daysLeft":90,"verifyError":"CRL has expired"`), cause: "unknown", says: "does not verify"},
		{name: "verified", doc: cert(`"daysLeft":90,"verifyError":"ok"`), cause: "healthy"},
		{name: "expired by the check alone", doc: cert(`"verifyError":"x509: certificate has expired or is not yet valid: current time 2026-11-23T03:15:00Z is after 2026-11-20T00:00:00Z"`), cause: "cert.expired", atMost: 0.8},
		{name: "of 59 days a third", doc: cert(`"notBefore":"2026-10-15T00:00:00Z","notAfter":"2026-12-13T00:00:00Z"`), cause: "healthy"},
		{name: "of 59 days less than a third", doc: cert(`"notBefore":"2026-10-10T00:00:00Z","notAfter":"2026-12-08T00:00:00Z"`), cause: "cert.expiring"},
		{name: "of 90 days a third is soon", doc: cert(`"notBefore":"2026-09-23T00:00:00Z","notAfter":"2026-12-22T23:00:00Z"`), cause: "cert.expiring"},
		{name: "a renewal that failed, in one word", doc: cert(`"daysLeft":80,"renewalStatus":"failed"`), cause: "cert.renewal_failed"},
		{name: "a renewal that went well", doc: cert(`"daysLeft":80,"renewalStatus":"succeeded"`), cause: "healthy"},
		{name: "an issuance that is denied", doc: cert(`"daysLeft":80,"conditions":[{"type":"Denied","status":"True","reason":"Policy","message":"not allowed"}]`), cause: "cert.renewal_failed", says: "not allowed"},
		{name: "an issuance under way", doc: cert(`"daysLeft":80,"conditions":[{"type":"Issuing","status":"True","reason":"Renewing"},{"type":"Ready","status":"True"}]`), cause: "healthy"},
		{name: "not ready", doc: cert(`"daysLeft":80,"conditions":[{"type":"Ready","status":"False","reason":"SecretMismatch","message":"x"}]`), cause: "unknown", says: "it is not ready"},
	})
}

func TestBackups(t *testing.T) {
	job := func(more string) string { return fact("backup", `{"tool":"restic","name":"home",`+more+`}`) }
	runFacts(t, []factCase{
		{name: "26 hours", doc: job(`"status":"ok","ageHours":26`), cause: "healthy"},
		{name: "27 hours", doc: job(`"status":"ok","ageHours":27`), cause: "backup.stale", atMost: 0.8, says: "maxAgeHours or cron"},
		{name: "as old as it may be", doc: job(`"ageHours":10,"maxAgeHours":10`), cause: "healthy"},
		{name: "older", doc: job(`"ageHours":11,"maxAgeHours":10`), cause: "backup.stale", atLeast: 0.95},
		{name: "hourly", doc: job(`"status":"ok","schedule":"hourly","ageHours":4`), cause: "backup.stale", says: "4 hours old, and 3 hours"},
		{name: "every six hours", doc: job(`"status":"ok","cron":"0 */6 * * *","ageHours":8`), cause: "healthy"},
		{name: "every six hours, and late", doc: job(`"status":"ok","cron":"0 */6 * * *","ageHours":9`), cause: "backup.stale"},
		{name: "on weekdays: the longest pause counts", doc: job(`"status":"ok","cron":"0 2 * * 1-5","ageHours":70`), cause: "healthy"},
		{name: "the last attempt that went well is the last success", doc: job(`"status":"Completed","lastAttempt":"2026-11-21T03:00:00Z"`), cause: "backup.stale"},
		{name: "a negative age", doc: job(`"ageHours":-4`), cause: "unknown"},
		{name: "a success to come", doc: job(`"status":"ok","lastSuccess":"2026-11-25T00:00:00Z","lastAttempt":"2026-11-25T00:00:00Z"`), cause: "unknown"},
		{name: "a run that left nothing", doc: job(`"status":"Completed","ageHours":2,"sizeBytes":0`), cause: "backup.failed", atMost: 0.65, says: "0 bytes"},
		{name: "errors of a run that calls itself a success", doc: job(`"status":"Completed","ageHours":2,"errors":"4"`), cause: "backup.failed", says: "4 errors"},
		{name: "no errors", doc: job(`"status":"Completed","ageHours":2,"errors":0,"failedSinceLastSuccess":0`), cause: "healthy"},
		{name: "in another writing", doc: job(`"phase":"partially-failed","ageHours":2`), cause: "backup.failed"},
		{name: "a condition", doc: job(`"ageHours":2,"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded"}]`), cause: "backup.failed", says: "BackoffLimitExceeded"},
		{name: "a condition of a run under way", doc: job(`"ageHours":2,"conditions":[{"type":"Complete","status":"False","reason":"InProgress"}]`), cause: "healthy"},
		{name: "kept for three days", doc: job(`"status":"ok","ageHours":2,"retentionDaysLeft":3`), cause: "healthy"},
		{name: "kept for less", doc: job(`"status":"ok","ageHours":2,"retentionDaysLeft":2.9`), cause: "backup.retention_expiring"},
		{name: "kept no more", doc: job(`"status":"ok","ageHours":2,"retentionDaysLeft":-1`), cause: "backup.retention_expiring", says: "deleted at any time"},
		{name: "a retention without sense", doc: job(`"status":"ok","ageHours":2,"retentionDaysLeft":-20000`), cause: "healthy"},
		{name: "no attempt is known to have failed", doc: job(`"status":"running"`), cause: "unknown"},
		{name: "it says so itself", doc: job(`"status":"never"`), cause: "backup.stale", says: "it never succeeded"},
	})
}
