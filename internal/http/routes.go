package http

import (
	"context"
	nethttp "net/http"

	"salve/internal/handlers"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/report"
	"salve/internal/slack"
)

// Limits of bodies. Alert storms come in one piece, everything else is small.
const (
	bodyLimit   = 5 << 20
	alertsLimit = 16 << 20
	slackLimit  = 1 << 20
)

// UseCase is what a handler looks like from here.
type UseCase[Req, Resp any] func(context.Context, identity.Caller, Req) (Resp, error)

// None is the request of a use case that takes nothing.
type None struct{}

// UseCases are the rooms behind the doors. All must be there.
type UseCases struct {
	Intake        UseCase[handlers.IntakeRequest, handlers.Answer]
	Evidence      UseCase[handlers.IntakeRequest, handlers.Answer]
	Monitoring    UseCase[handlers.IntakeRequest, handlers.Answer]
	Capacity      UseCase[handlers.IntakeRequest, handlers.Answer]
	Checks        UseCase[handlers.IntakeRequest, handlers.Answer]
	ListChecks    UseCase[None, handlers.CheckList]
	Tasks         UseCase[None, handlers.Items[handlers.TaskView]]
	RunTask       UseCase[handlers.TaskRequest, handlers.TaskAnswer]
	ListIntents   UseCase[handlers.ListRequest, handlers.Page[handlers.IntentView]]
	ShowIntent    UseCase[handlers.ByID, handlers.IntentView]
	Claim         UseCase[handlers.ClaimRequest, handlers.ClaimResponse]
	Result        UseCase[handlers.ResultRequest, handlers.Answer]
	Approve       UseCase[handlers.DecideRequest, handlers.IntentView]
	Reject        UseCase[handlers.DecideRequest, handlers.IntentView]
	Abort         UseCase[handlers.DecideRequest, handlers.IntentView]
	Crashed       UseCase[handlers.CrashedRequest, handlers.CrashedResponse]
	Heartbeat     UseCase[handlers.HeartbeatRequest, handlers.HeartbeatResponse]
	ListIncidents UseCase[handlers.ListRequest, handlers.Page[incident.Incident]]
	ShowIncident  UseCase[handlers.ByID, handlers.IncidentView]
	Decisions     UseCase[handlers.DecisionsRequest, handlers.Page[handlers.RecordView]]
	Ack           UseCase[handlers.NoteRequest, incident.Incident]
	Resolve       UseCase[handlers.NoteRequest, incident.Incident]
	Report        UseCase[handlers.ByID, report.Incident]
	Day           UseCase[handlers.PeriodRequest, report.Day]
	Week          UseCase[handlers.PeriodRequest, report.Week]
	Briefing      UseCase[None, report.Briefing]
	SlackCommand  UseCase[handlers.SlackRequest, slack.Message]
	SlackClick    UseCase[handlers.SlackRequest, slack.Message]
	SlackEvent    UseCase[handlers.SlackRequest, slack.Message]
	Automation    UseCase[None, handlers.AutomationView]
	SetAutomation UseCase[handlers.AutomationRequest, handlers.AutomationView]
	Freezes       UseCase[None, handlers.Items[handlers.FreezeView]]
	AddFreeze     UseCase[handlers.FreezeRequest, handlers.FreezeView]
	EndFreeze     UseCase[handlers.ByID, handlers.FreezeView]
	Breakers      UseCase[None, handlers.Items[handlers.BreakerView]]
	ResetBreaker  UseCase[handlers.ResetRequest, handlers.BreakerView]
	Promotions    UseCase[None, handlers.Items[incident.Promotion]]
	Promote       UseCase[handlers.ResetRequest, incident.Promotion]
	RejectPromote UseCase[handlers.ResetRequest, incident.Promotion]
	Policy        UseCase[None, handlers.PolicyView]
	Simulate      UseCase[handlers.SimulateRequest, handlers.Simulation]
	VerifyAudit   UseCase[None, handlers.AuditVerification]
}

// open marks a route that needs no token.
const open identity.Scope = ""

type endpoint func(*exchange) error

type route struct {
	method, pattern string
	scope           identity.Scope
	endpoint        endpoint
	bodyLimit       int64 // zero: no body is read
	quiet           bool  // logged at debug level: probes and scrapes
}

// routes is the whole surface of the service. The comments say who calls a
// door and what a retry means there. What answers GET answers HEAD too.
func (s *Server) routes() []route {
	const get, post, put, del = nethttp.MethodGet, nethttp.MethodPost, nethttp.MethodPut, nethttp.MethodDelete
	const write, execute, decide, read, admin = identity.EventsWrite, identity.IntentsExecute, identity.IntentsDecide, identity.Read, identity.Admin
	const relay = identity.SlackRelay
	u := s.useCases
	return []route{
		// Scripts and n8n. A retry is a duplicate and changes nothing; with the same Idempotency-Key it gets the first answer again.
		{method: post, pattern: "/v1/alerts", scope: write, endpoint: serve(nativeIntake, u.Intake), bodyLimit: alertsLimit},
		// Alertmanager, directly or through n8n's webhook. As above; HA peers send everything twice.
		{method: post, pattern: "/v1/alerts/{source}", scope: write, endpoint: serve(sourceIntake, u.Intake), bodyLimit: alertsLimit},
		// n8n and scripts that looked unasked. A retry is a second look; with the same Idempotency-Key it gets the first answer again.
		{method: post, pattern: "/v1/evidence", scope: write, endpoint: serve(evidence, u.Evidence), bodyLimit: bodyLimit},
		// n8n, every 15 minutes for each service. The same window again changes nothing; the second path is for what posts there already.
		{method: post, pattern: "/v1/monitoring", scope: write, endpoint: serve(monitoring, u.Monitoring), bodyLimit: bodyLimit},
		{method: post, pattern: "/webhook/monitoring-data", scope: write, endpoint: serve(monitoring, u.Monitoring), bodyLimit: bodyLimit},

		// n8n and scripts that ran a check. The same result again changes nothing; an older one than is known is a duplicate.
		{method: post, pattern: "/v1/checks", scope: write, endpoint: serve(evidence, u.Checks), bodyLimit: bodyLimit},
		{method: get, pattern: "/v1/checks", scope: read, endpoint: serve(none, u.ListChecks)},
		// n8n and scripts that measured a workload. A retry is asked again, and changes nothing where the answer is the same.
		{method: post, pattern: "/v1/capacity", scope: write, endpoint: serve(evidence, u.Capacity), bodyLimit: bodyLimit},

		// Consoles and scripts. Reads.
		{method: get, pattern: "/v1/intents", scope: read, endpoint: serve(list, u.ListIntents)},
		{method: get, pattern: "/v1/intents/{id}", scope: read, endpoint: serve(byID, u.ShowIntent)},
		// n8n's executor. Never retried by itself: a second claim gets 409 already_claimed.
		{method: post, pattern: "/v1/intents/{id}/claim", scope: execute, endpoint: serve(claim, u.Claim), bodyLimit: bodyLimit},
		// n8n's executor. May be retried: the first terminal result counts, the same one again is answered alike.
		{method: post, pattern: "/v1/intents/{id}/result", scope: execute, endpoint: serve(result, u.Result), bodyLimit: bodyLimit},
		// A person, by console or script. A retry of what was decided already gets the intent, or 409 too_late.
		{method: post, pattern: "/v1/intents/{id}/approve", scope: decide, endpoint: serve(decision, u.Approve), bodyLimit: bodyLimit},
		{method: post, pattern: "/v1/intents/{id}/reject", scope: decide, endpoint: serve(decision, u.Reject), bodyLimit: bodyLimit},
		{method: post, pattern: "/v1/intents/{id}/abort", scope: decide, endpoint: serve(decision, u.Abort), bodyLimit: bodyLimit},
		// n8n's error workflow. A retry finds no lease left and changes nothing.
		{method: post, pattern: "/v1/executions/{execution_id}/crashed", scope: execute, endpoint: serve(crashed, u.Crashed)},

		// n8n's clock, a long poll. A retry gets what is left: what was offered is left out for 30 s.
		{method: post, pattern: "/v1/heartbeat", scope: execute, endpoint: serve(heartbeat, u.Heartbeat), bodyLimit: bodyLimit},

		// Consoles and scripts. Reads.
		{method: get, pattern: "/v1/incidents", scope: read, endpoint: serve(list, u.ListIncidents)},
		{method: get, pattern: "/v1/incidents/{id}", scope: read, endpoint: serve(byID, u.ShowIncident)},
		{method: get, pattern: "/v1/incidents/{id}/decisions", scope: read, endpoint: serve(decisions, u.Decisions)},
		// People, and n8n for them: as JSON, or as Markdown where Accept says text/markdown. Reads.
		{method: get, pattern: "/v1/incidents/{id}/report", scope: read, endpoint: serve(byID, u.Report)},
		{method: get, pattern: "/v1/audit", scope: read, endpoint: serve(period("date"), u.Day)},
		{method: get, pattern: "/v1/reports/weekly", scope: read, endpoint: serve(period("week"), u.Week)},
		{method: get, pattern: "/v1/reports/briefing", scope: read, endpoint: serve(none, u.Briefing)},
		// A person, by console or script. A retry of ack is heard again; of resolve it gets 409 too_late.
		{method: post, pattern: "/v1/incidents/{id}/ack", scope: decide, endpoint: serve(note, u.Ack), bodyLimit: bodyLimit},
		{method: post, pattern: "/v1/incidents/{id}/resolve", scope: decide, endpoint: serve(note, u.Resolve), bodyLimit: bodyLimit},

		// n8n's relay of Slack, unchanged. A token for one request is used once: a retry with it gets 403.
		{method: post, pattern: "/v1/slack/commands", scope: relay, endpoint: serve(slackForm, u.SlackCommand), bodyLimit: slackLimit},
		{method: post, pattern: "/v1/slack/interactions", scope: relay, endpoint: serve(slackForm, u.SlackClick), bodyLimit: slackLimit},
		{method: post, pattern: "/v1/slack/events", scope: relay, endpoint: serve(slackJSON, u.SlackEvent), bodyLimit: slackLimit},

		{method: get, pattern: "/v1/policy", scope: read, endpoint: serve(none, u.Policy)},
		// People and CI who want to know what would follow. Nothing is written: a retry is another question.
		{method: post, pattern: "/v1/policy/simulate", scope: read, endpoint: serve(simulate, u.Simulate), bodyLimit: bodyLimit},
		{method: get, pattern: "/v1/audit/verify", scope: read, endpoint: serve(none, u.VerifyAudit)},
		{method: get, pattern: "/v1/automation", scope: read, endpoint: serve(none, u.Automation)},
		// An administrator. A retry sets the same mode again and is audited again.
		{method: put, pattern: "/v1/automation", scope: admin, endpoint: serve(automation, u.SetAutomation), bodyLimit: bodyLimit},

		{method: get, pattern: "/v1/tasks", scope: read, endpoint: serve(none, u.Tasks)},
		// An administrator. A task runs once a period: a retry gets the run that there is.
		{method: post, pattern: "/v1/tasks/{name}/run", scope: admin, endpoint: serve(task, u.RunTask), bodyLimit: bodyLimit},
		{method: get, pattern: "/v1/freezes", scope: read, endpoint: serve(none, u.Freezes)},
		// An administrator. A retry adds a second freeze, which stops no more than the first.
		{method: post, pattern: "/v1/freezes", scope: admin, endpoint: serve(freeze, u.AddFreeze), bodyLimit: bodyLimit},
		// An administrator. A retry finds nothing left to end: 404.
		{method: del, pattern: "/v1/freezes/{id}", scope: admin, endpoint: serve(byID, u.EndFreeze)},
		{method: get, pattern: "/v1/breakers", scope: read, endpoint: serve(none, u.Breakers)},
		// An administrator. A retry gets the breaker as it was reset.
		{method: post, pattern: "/v1/breakers/{id}/reset", scope: admin, endpoint: serve(reset, u.ResetBreaker), bodyLimit: bodyLimit},
		{method: get, pattern: "/v1/promotions", scope: read, endpoint: serve(none, u.Promotions)},
		// A person. A retry gets 409 not_awaiting: it was decided already.
		{method: post, pattern: "/v1/promotions/{id}/approve", scope: decide, endpoint: serve(reset, u.Promote), bodyLimit: bodyLimit},
		{method: post, pattern: "/v1/promotions/{id}/reject", scope: decide, endpoint: serve(reset, u.RejectPromote), bodyLimit: bodyLimit},

		// Probes, Prometheus and people.
		{method: get, pattern: "/healthz", scope: open, endpoint: s.healthz, quiet: true},
		{method: get, pattern: "/readyz", scope: open, endpoint: s.readyz, quiet: true},
		{method: get, pattern: "/metrics", scope: s.metricsScope(), endpoint: s.metrics, quiet: true},
		{method: get, pattern: "/openapi.yaml", scope: open, endpoint: s.openapi},
		{method: get, pattern: "/docs", scope: open, endpoint: s.docs},
		// People who type the address only, or a slash too many. Open: they say nothing but where the page is.
		{method: get, pattern: "/", scope: open, endpoint: toDocs},
		{method: get, pattern: "/docs/", scope: open, endpoint: toDocs},
		{method: get, pattern: "/problems/{kind}", scope: open, endpoint: s.problemPage},
	}
}
