package evidence_test

import (
	"testing"

	"salve/internal/evidence"
)

func TestDatabases(t *testing.T) {
	members := []evidence.Member{
		{Name: "pg-0", Role: "leader", State: "running", Timeline: of(5)},
		{Name: "pg-1", Role: "sync standby", State: "streaming", Timeline: of(5), LagMB: of(0)},
		{Name: "pg-2", Role: "replica", State: "stopped", LagMB: evidence.Number{}},
	}
	pg := func(cluster string, members ...evidence.Member) evidence.Evidence {
		return evidence.Evidence{DBs: []evidence.DB{{Engine: "postgres", Cluster: cluster, Host: "web-01", Members: members}}}
	}
	runTools(t, []toolCase{
		{name: "patronictl", tool: "patronictl -c /etc/patroni/patroni.yml list", text: `+ Cluster: pg-prod (7012345678901234567) -+-----------+----+-----------+
| Member | Host      | Role         | State     | TL | Lag in MB |
+--------+-----------+--------------+-----------+----+-----------+
| pg-0   | 10.0.0.11 | Leader       | running   |  5 |           |
| pg-1   | 10.0.0.12 | Sync Standby | streaming |  5 |         0 |
| pg-2   | 10.0.0.13 | Replica      | stopped   |    |   unknown |
+--------+-----------+--------------+-----------+----+-----------+
 Maintenance mode: on
`, want: pg("pg-prod", members...)},
		{name: "an older patronictl", tool: "patronictl list", text: `+---------+--------+-----------+--------+---------+----+-----------+
| Cluster | Member |    Host   |  Role  |  State  | TL | Lag in MB |
+---------+--------+-----------+--------+---------+----+-----------+
| pg-prod |  pg-0  | 10.0.0.11 | Leader | running |  5 |           |
+---------+--------+-----------+--------+---------+----+-----------+
`, want: pg("pg-prod", members[0])},
		{name: "a newer patronictl", tool: "patronictl list", text: `+ Cluster: pg-prod (7012345678901234567) --------+-----------+----+-------------+-----+------------+-----+
| Member | Host      | Role    | State     | TL | Receive LSN | Lag | Replay LSN | Lag |
+--------+-----------+---------+-----------+----+-------------+-----+------------+-----+
| pg-0   | 10.0.0.11 | Leader  | running   |  5 |             |     |            |     |
| pg-1   | 10.0.0.12 | Replica | streaming |  5 | 0/7000060   |   3 | 0/6000060  |  19 |
+--------+-----------+---------+-----------+----+-------------+-----+------------+-----+
`, want: pg("pg-prod", members[0], evidence.Member{Name: "pg-1", Role: "replica", State: "streaming", Timeline: of(5), LagMB: of(19)})},
		{name: "pg_isready", tool: "pg_isready -h db-1", text: "db-1:5432 - no response\n",
			want: evidence.Evidence{DBs: []evidence.DB{{Engine: "postgres", Host: "db-1", Members: []evidence.Member{{Name: "db-1:5432", State: "no response"}}}}}},
		{name: "pg_isready by socket", tool: "pg_isready", text: "/var/run/postgresql:5432 - accepting connections\n",
			want: evidence.Evidence{DBs: []evidence.DB{{Engine: "postgres", Host: "web-01", Members: []evidence.Member{{Name: "/var/run/postgresql:5432", State: "accepting connections"}}}}}},
		{name: "no cluster", tool: "patronictl list", text: "Error: Can not find suitable configuration of distributed configuration store\n",
			problem: `patronictl failed: "Error: Can not find suitable configuration of distributed configuration store"`},
	})
}
