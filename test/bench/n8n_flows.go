package main

import (
	"fmt"
	"net/url"
	"strconv"
)

// The flows that are measured. They begin and end alike; what is between is the
// difference.

const (
	flowBare  = "bare"  // a webhook that answers
	flowAlone = "alone" // n8n decides in a Code node and keeps it with a Postgres node
	flowSalve = "salve" // n8n asks Salve, which diagnoses, decides and keeps
)

func flowNames() []string { return []string{flowBare, flowAlone, flowSalve} }

const createAlerts = `CREATE TABLE alerts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
 service text NOT NULL, severity text NOT NULL, channel text NOT NULL, action text NOT NULL, alert jsonb NOT NULL);`

// decideInCode is what people write in n8n who have nothing else: a table of
// severities, and a guess by the alert's name.
const decideInCode = `
const alert = $json.body;
const channel = { critical: '#incidents', warning: '#alerts', info: '#monitoring' }[alert.severity] ?? '#alerts';
const action = /CrashLoop/.test(alert.labels?.alertname ?? '') ? 'restart' : /Disk/.test(alert.labels?.alertname ?? '') ? 'clean' : 'none';
return [{ json: { service: alert.service, severity: alert.severity, channel, action, alert: JSON.stringify(alert) } }];
`

type object = map[string]any

// socketPort names the socket within its folder.
const socketPort = 5432

// flows are the workflows by which that is done.
func flows(salveURL string) []object {
	respond := node("Respond", "respondToWebhook", 1.5, object{"respondWith": "json", "responseBody": "={{ JSON.stringify($json.body ?? $json) }}", "options": object{}})
	decide := node("Decide", "code", 2, object{"mode": "runOnceForAllItems", "language": "javaScript", "jsCode": decideInCode})
	insert := node("Keep", "postgres", 2.7, object{
		"operation": "executeQuery",
		"query":     "insert into alerts (service, severity, channel, action, alert) values ($1, $2, $3, $4, $5) returning id, action",
		"options":   object{"queryReplacement": "={{ [$json.service, $json.severity, $json.channel, $json.action, $json.alert] }}"},
	})
	insert["credentials"] = object{"postgres": object{"id": "benchPostgres001", "name": "Postgres"}}
	ask := node("Ask Salve", "httpRequest", 4.5, object{
		"method": "POST", "url": salveURL + "/v1/alerts", "authentication": "genericCredentialType", "genericAuthType": "httpBearerAuth",
		"sendBody": true, "contentType": "json", "specifyBody": "json", "jsonBody": "={{ JSON.stringify($json.body) }}",
		"options": object{"timeout": 10000},
	})
	ask["credentials"] = object{"httpBearerAuth": object{"id": "benchSalveToken1", "name": "Salve token"}}
	return []object{flow(flowBare, respond), flow(flowAlone, decide, insert, respond), flow(flowSalve, ask, respond)}
}

func node(name, kind string, version float64, parameters object) object {
	return object{"id": name, "name": name, "type": "n8n-nodes-base." + kind, "typeVersion": version, "position": []int{0, 0}, "parameters": parameters}
}

// flow is a webhook and nodes one after the other.
func flow(name string, nodes ...object) object {
	webhook := node("Webhook", "webhook", 2.1, object{"httpMethod": "POST", "path": name, "responseMode": "responseNode", "options": object{}})
	webhook["webhookId"] = "bench-" + name
	chain := append([]object{webhook}, nodes...)
	connections := object{}
	for i, n := range chain[1:] {
		from, to := chain[i]["name"].(string), n["name"].(string)
		connections[from] = object{"main": [][]object{{{"node": to, "type": "main", "index": 0}}}}
	}
	return object{"id": "bench-" + name, "name": name, "nodes": chain, "connections": connections, "settings": object{"executionOrder": "v1"}}
}

func flowCredentials(token, postgresURL string) ([]object, error) {
	u, err := url.Parse(postgresURL)
	if err != nil {
		return nil, err
	}
	// The private server listens on a socket alone; n8n takes its folder for a host.
	host, port := u.Query().Get("host"), socketPort
	if u.Port() != "" {
		host = u.Hostname()
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, err
		}
	}
	if host == "" {
		return nil, fmt.Errorf("postgres at %q has neither a socket nor a port", postgresURL)
	}
	password, _ := u.User.Password()
	return []object{
		{"id": "benchSalveToken1", "name": "Salve token", "type": "httpBearerAuth", "data": object{"token": token}},
		{"id": "benchPostgres001", "name": "Postgres", "type": "postgres", "data": object{
			"host": host, "port": port, "database": u.Path[min(1, len(u.Path)):], "user": u.User.Username(), "password": password, "ssl": "disable",
		}},
	}, nil
}
