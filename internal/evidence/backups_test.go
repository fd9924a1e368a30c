package evidence_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
)

func backups(list ...evidence.Backup) evidence.Evidence { return evidence.Evidence{Backups: list} }

func TestBackupTools(t *testing.T) {
	daily := evidence.Backup{
		Tool: "velero", Name: "daily", Status: "PartiallyFailed", Phase: "PartiallyFailed", Errors: of(2), LastAttempt: at("2026-11-23T02:00:03Z"),
		LastSuccess: at("2026-11-21T02:00:02Z"), AgeHours: of(49.25), FailedSinceLastSuccess: of(2), RetentionDaysLeft: of(2),
	}
	nightly := evidence.Backup{Host: "web-01", FailedSinceLastSuccess: of(0), Status: "Completed", Phase: "Completed"}
	restic, borg := nightly, nightly
	restic.Tool, restic.Name, restic.LastAttempt, restic.LastSuccess, restic.AgeHours = "restic", "web-01 /var/www", at("2026-11-22T02:00:12Z"), at("2026-11-22T02:00:12Z"), of(25.25)
	borg.Tool, borg.Name, borg.LastAttempt, borg.LastSuccess, borg.AgeHours = "borg", "web-01", at("2026-11-22T02:15:00Z"), at("2026-11-22T02:15:00Z"), of(25)
	runTools(t, []toolCase{
		{name: "velero, summed up by schedule", tool: "velero -n backups backup get", text: `NAME                   STATUS            ERRORS   WARNINGS   CREATED                         EXPIRES   STORAGE LOCATION   SELECTOR
daily-20261123020003   PartiallyFailed   2        0          2026-11-23 02:00:03 +0000 UTC   29d       default            <none>
daily-20261122020001   Failed            0        0          2026-11-22 02:00:01 +0000 UTC   28d       default            <none>
daily-20261121020002   Completed         0        1          2026-11-21 02:00:02 +0000 UTC   2d        default            <none>
`, want: backups(daily)},
		{name: "a backup that runs has not failed", tool: "velero backup get", text: `NAME                   STATUS       ERRORS   WARNINGS   CREATED                         EXPIRES   STORAGE LOCATION   SELECTOR
daily-20261123031000   InProgress   0        0          2026-11-23 03:10:00 +0000 UTC   29d       default            <none>
daily-20261122031500   Completed    0        0          2026-11-22 03:15:00 +0000 UTC   28d       default            <none>
`, want: backups(evidence.Backup{Tool: "velero", Name: "daily", Status: "InProgress", Phase: "InProgress", Errors: of(0), LastAttempt: at("2026-11-23T03:10:00Z"),
			LastSuccess: at("2026-11-22T03:15:00Z"), AgeHours: of(24), FailedSinceLastSuccess: of(0), RetentionDaysLeft: of(28)})},
		{name: "velero backup describe", tool: "velero backup describe daily-20261123020003", text: `Name:         daily-20261123020003
Namespace:    velero
Labels:       velero.io/schedule-name=daily
              velero.io/storage-location=default
Annotations:  velero.io/source-cluster-k8s-gitversion=v1.37.2

Phase:  Failed

Errors:    3
Warnings:  0

Backup Format Version:  1.1.0

Started:    2026-11-23 02:00:03 +0000 UTC
Completed:  <n/a>

Expiration:  2026-12-23 02:00:03 +0000 UTC
`, want: backups(evidence.Backup{Tool: "velero", Name: "daily", Status: "Failed", Phase: "Failed", Errors: of(3), LastAttempt: at("2026-11-23T02:00:03Z"), FailedSinceLastSuccess: of(1)})},
		{name: "velero schedule get", tool: "velero schedule get", text: `NAME    STATUS    CREATED                         SCHEDULE    BACKUP TTL   LAST BACKUP   SELECTOR   PAUSED
daily   Enabled   2026-10-01 08:00:00 +0000 UTC   0 2 * * *   720h0m0s     75m           <none>     true
`, want: backups(evidence.Backup{Tool: "velero", Name: "daily", Status: "Enabled", Cron: "0 2 * * *", LastAttempt: at("2026-11-23T02:00:00Z"), Paused: true})},
		{name: "restic snapshots", tool: "restic snapshots", text: `repository 8a1e opened (version 2, compression level auto)
ID        Time                 Host        Tags        Paths
------------------------------------------------------------------
40dc1520  2026-11-21 02:00:10  web-01                  /var/www
79766175  2026-11-22 02:00:12  web-01                  /var/www
------------------------------------------------------------------
2 snapshots
`, want: backups(restic)},
		{name: "restic snapshots --json", tool: "restic snapshots --json", text: `[{"time":"2026-11-22T03:00:12.5+01:00","hostname":"web-01","paths":["/var/www"],"id":"x"}]`, want: func() evidence.Evidence {
			r := restic
			r.LastAttempt, r.LastSuccess = at("2026-11-22T02:00:12.5Z"), at("2026-11-22T02:00:12.5Z")
			return backups(r)
		}()},
		{name: "restic check", tool: "restic check", text: "check snapshots, trees and blobs\nerror: pack 1234: not referenced in any index\nFatal: repository contains errors\n",
			want: backups(evidence.Backup{Tool: "restic", Host: "web-01", Name: "check", Status: "Failed", Phase: "Failed", Message: "error: pack 1234: not referenced in any index", LastAttempt: evidence.Time{Time: now}})},
		{name: "pgbackrest info", tool: "pgbackrest --stanza=main info", text: `stanza: main
    status: ok
    cipher: none

    db (current)
        wal archive min/max (15): 000000010000000000000001/000000010000000000000012

        full backup: 20261121-020001F
            timestamp start/stop: 2026-11-21 02:00:01+00 / 2026-11-21 02:10:00+00
            wal start/stop: 000000010000000000000002 / 000000010000000000000003
            database size: 31.5MB, database backup size: 31.5MB
            repo1: backup set size: 4MB, backup size: 4MB

        diff backup: 20261121-020001F_20261122-020001D
            timestamp start/stop: 2026-11-22 02:00:01+00 / 2026-11-22 02:15:00+00
            repo1: backup set size: 4MB, backup size: 1MB
`, want: backups(evidence.Backup{Tool: "pgbackrest", Host: "web-01", Name: "main", Status: "ok", LastAttempt: at("2026-11-22T02:15:00Z"), LastSuccess: at("2026-11-22T02:15:00Z"), AgeHours: of(25), SizeBytes: of(1e6)})},
		{name: "pgbackrest without backups", tool: "pgbackrest info", text: "stanza: main\n    status: error (no valid backups)\n",
			want: backups(evidence.Backup{Tool: "pgbackrest", Host: "web-01", Name: "main", Status: "error", Message: "no valid backups"})},
		{name: "borg list", tool: "borg list /srv/borg", text: "web-01-2026-11-21T02:00:05           Sat, 2026-11-21 02:00:07 [aa11]\nweb-01-2026-11-22T02:00:05           Sun, 2026-11-22 02:15:00 [bb22]\n", want: backups(borg)},
		{name: "borg check", tool: "borg check", text: "Archive consistency check complete, no problems found.\n",
			want: backups(evidence.Backup{Tool: "borg", Host: "web-01", Name: "check", Status: "Completed", Phase: "Completed", Message: "Archive consistency check complete, no problems found.", LastAttempt: evidence.Time{Time: now}})},
		{name: "no repository", tool: "restic snapshots", text: "Fatal: unable to open config file: stat /srv/restic/config: no such file or directory\n",
			want: backups(evidence.Backup{Tool: "restic", Host: "web-01", Name: "snapshots", Status: "Failed", Phase: "Failed",
				Message: "Fatal: unable to open config file: stat /srv/restic/config: no such file or directory", LastAttempt: evidence.Time{Time: now}})},
	})
}

// Objects of other projects whose status says enough.
func TestForeignObjects(t *testing.T) {
	velero := func(name, phase, started string) string {
		return `{"apiVersion":"velero.io/v1","kind":"Backup","metadata":{"name":"` + name + `","namespace":"velero","labels":{"velero.io/schedule-name":"daily"}},
		"status":{"phase":"` + phase + `","startTimestamp":"` + started + `","expiration":"2026-11-25T03:15:00Z","errors":1}}`
	}
	got, problems := evidence.FromFile([]byte(listOf(
		velero("daily-1", "Completed", "2026-11-22T03:15:00Z"), velero("daily-2", "Failed", "2026-11-23T02:00:00Z"),
		`{"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":"api-tls","namespace":"production"},"spec":{"dnsNames":["api.example.com"],"issuerRef":{"name":"letsencrypt"}},
		"status":{"notAfter":"2026-11-28T12:00:00Z","failedIssuanceAttempts":2,"conditions":[{"type":"Issuing","status":"False","reason":"Failed","message":"order is invalid"}]}}`,
		`{"apiVersion":"cert-manager.io/v1","kind":"CertificateRequest","metadata":{"name":"shop-1","namespace":"production","annotations":{"cert-manager.io/certificate-name":"shop-tls"}},
		"status":{"conditions":[{"type":"Ready","status":"False","reason":"Failed","message":"429 rate limited"}]}}`,
		`{"apiVersion":"cert-manager.io/v1","kind":"CertificateRequest","metadata":{"name":"ok-1"},"status":{"conditions":[{"type":"Ready","status":"True","reason":"Issued"}]}}`,
		`{"apiVersion":"postgresql.cnpg.io/v1","kind":"Cluster","metadata":{"name":"pg"},"status":{"currentPrimary":"pg-1","instanceNames":["pg-1","pg-2"],"instancesStatus":{"healthy":["pg-2"],"failed":["pg-1"]},
		"lastSuccessfulBackup":"2026-11-20T03:15:00Z","lastFailedBackup":"2026-11-23T03:00:00Z"}}`,
	)), now)
	want := evidence.Evidence{
		ObservedAt: now,
		Backups: []evidence.Backup{
			{Tool: "cnpg", Name: "pg", Status: "Failed", Phase: "Failed", LastAttempt: at("2026-11-23T03:00:00Z"), LastSuccess: at("2026-11-20T03:15:00Z"), AgeHours: of(72)},
			{Tool: "velero", Name: "daily", Status: "Failed", Phase: "Failed", Errors: of(1), LastAttempt: at("2026-11-23T02:00:00Z"), LastSuccess: at("2026-11-22T03:15:00Z"),
				AgeHours: of(24), FailedSinceLastSuccess: of(1), RetentionDaysLeft: of(2)},
		},
		Certificates: []evidence.Certificate{
			{Name: "api-tls", Namespace: "production", Subject: "api.example.com", Issuer: "letsencrypt", DNSNames: []string{"api.example.com"}, NotAfter: at("2026-11-28T12:00:00Z"), DaysLeft: of(5),
				Conditions: []evidence.Condition{{Type: "Issuing", Status: "False", Reason: "Failed", Message: "order is invalid"}}, Renewal: &evidence.Renewal{Tool: "cert-manager", Failed: true, Error: "order is invalid"}},
			{Name: "shop-tls", Namespace: "production", Renewal: &evidence.Renewal{Tool: "cert-manager", Failed: true, Error: "429 rate limited"}},
		},
		DBs: []evidence.DB{{Engine: "postgres", Cluster: "pg", Members: []evidence.Member{{Name: "pg-1", Role: "primary", State: "failed"}, {Name: "pg-2", Role: "replica", State: "healthy"}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" || problems != nil {
		t.Error(diff, problems)
	}
}
