package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Intent is what an executor needs of one intent in Salve's answers.
type Intent struct {
	ID         string `json:"id"`
	ShortID    string `json:"short_id"`
	IncidentID string `json:"incident_id"`
	Action     string `json:"action"`
	State      string `json:"state"`
	Summary    string `json:"summary"`
	ClaimPath  string `json:"claim_path"`
	ResultPath string `json:"result_path"`
}

// Answer is what Salve answers to an alert and to a result.
type Answer struct {
	Status  string          `json:"status"`
	Results json.RawMessage `json:"results"`
	Intents []Intent        `json:"intents"`
}

// Result is what is reported to Salve.
type Result struct {
	LeaseToken  string         `json:"lease_token"`
	Status      string         `json:"status"`
	Output      map[string]any `json:"output,omitempty"`
	Error       string         `json:"error,omitempty"`
	StartedAt   time.Time      `json:"started_at"`
	FinishedAt  time.Time      `json:"finished_at"`
	ExecutionID string         `json:"execution_id"`
	Evidence    map[string]any `json:"evidence,omitempty"`
}

// Execute is the executable request that a claim hands out.
type Execute struct {
	Shape          string          `json:"shape"`
	Cluster        string          `json:"cluster"`
	Host           string          `json:"host"`
	Method         string          `json:"method"`
	Path           string          `json:"path"`
	ContentType    string          `json:"content_type"`
	Body           json.RawMessage `json:"body"`
	TimeoutSeconds int             `json:"timeout_seconds"`
	Requests       []Read          `json:"requests"`
	Message
}

// Step is one thing an executor did, for whoever wants to tell of it.
type Step struct {
	Intent  Intent
	Execute Execute
	Result  Result
	Answer  Answer
}

// Executor does with a plain HTTP client what the n8n workflow does: claim,
// execute, report, and go straight on with what that made ready.
type Executor struct {
	SalveURL   string
	SalveToken string
	Clusters   map[string]string // cluster → base URL of its API; others are refused
	KubeToken  string
	SlackURL   string
	SlackToken string
	Client     *http.Client
	Observe    func(Step) // called after every result; nil: nobody listens
	executions int
}

// ErrRefused is a claim that Salve refused: no lease, nothing was executed.
var ErrRefused = errors.New("claim refused")

// Post sends a payload to one of Salve's doors.
func (e *Executor) Post(ctx context.Context, path string, payload any) (Answer, error) {
	var a Answer
	code, err := e.call(ctx, http.MethodPost, e.SalveURL+path, e.SalveToken, "application/json", payload, &a)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("salve answered %d to %s", code, path)
	}
	return a, err
}

// Run executes every intent that is ready, and what their results make ready,
// until nothing is. A refused claim is passed over: somebody else has it.
func (e *Executor) Run(ctx context.Context, intents []Intent) error {
	for queue := intents; len(queue) > 0; {
		in := queue[0]
		queue = queue[1:]
		if in.State != "ready" {
			continue
		}
		step, err := e.One(ctx, in)
		if errors.Is(err, ErrRefused) {
			continue
		}
		if err != nil {
			return fmt.Errorf("intent %s (%s): %w", in.ShortID, in.Action, err)
		}
		queue = append(queue, step.Answer.Intents...)
	}
	return nil
}

// One claims, executes and reports one intent.
func (e *Executor) One(ctx context.Context, in Intent) (Step, error) {
	e.executions++
	id := fmt.Sprintf("standin-%d", e.executions)
	step := Step{Intent: in}
	token, err := e.claim(ctx, in, id, &step.Execute)
	if err != nil {
		return step, err
	}
	started := time.Now().UTC()
	step.Result = e.execute(ctx, step.Execute)
	step.Result.LeaseToken, step.Result.ExecutionID = token, id
	step.Result.StartedAt, step.Result.FinishedAt = started, time.Now().UTC()
	if step.Answer, err = e.Post(ctx, in.ResultPath, step.Result); err != nil {
		return step, err
	}
	if e.Observe != nil {
		e.Observe(step)
	}
	return step, nil
}

func (e *Executor) claim(ctx context.Context, in Intent, execution string, execute *Execute) (string, error) {
	var lease struct {
		Lease struct {
			Token string `json:"token"`
		} `json:"lease"`
		Execute *Execute `json:"execute"`
	}
	lease.Execute = execute
	body := map[string]string{"worker": "n8n", "execution_id": execution}
	code, err := e.call(ctx, http.MethodPost, e.SalveURL+in.ClaimPath, e.SalveToken, "application/json", body, &lease)
	switch {
	case err != nil:
		return "", fmt.Errorf("claim: %w", err)
	case code == http.StatusConflict:
		return "", ErrRefused
	case code != http.StatusOK:
		return "", fmt.Errorf("claim: salve answered %d", code)
	}
	return lease.Lease.Token, nil
}

func (e *Executor) execute(ctx context.Context, x Execute) Result {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(max(x.TimeoutSeconds, 1))*time.Second)
	defer cancel()
	base, known := e.Clusters[x.Cluster]
	switch {
	case x.Shape == "slack":
		return e.slack(ctx, x)
	case x.Shape != "kubernetes" && x.Shape != "collect":
		return failed(nil, fmt.Sprintf("no branch for the shape %q", x.Shape))
	case x.Cluster == "" && x.Host != "":
		return failed(nil, fmt.Sprintf("no branch for hosts yet: nothing was done about %q", x.Host))
	case !known:
		return failed(nil, fmt.Sprintf("cluster %q is unknown here", x.Cluster))
	case x.Shape == "kubernetes":
		return e.kubernetes(ctx, base, x)
	default:
		return e.collect(ctx, base, x)
	}
}

func (e *Executor) kubernetes(ctx context.Context, base string, x Execute) Result {
	var answer struct {
		Kind, Reason, Message string
		Metadata              struct{ Name, UID string }
	}
	code, err := e.call(ctx, x.Method, base+x.Path, e.KubeToken, x.ContentType, x.Body, &answer)
	if err != nil {
		return failed(nil, err.Error())
	}
	output := map[string]any{"http_code": code, "kind": answer.Kind, "name": answer.Metadata.Name, "uid": answer.Metadata.UID}
	if code < 200 || code > 299 {
		return failed(output, fmt.Sprintf("Kubernetes answered %d: %s", code, answer.Message))
	}
	return Result{Status: "succeeded", Output: output}
}

func (e *Executor) slack(ctx context.Context, x Execute) Result {
	var answer struct {
		OK                 bool
		Error, Channel, TS string
	}
	code, err := e.call(ctx, http.MethodPost, e.SlackURL+"/api/chat.postMessage", e.SlackToken, "application/json", x.Message, &answer)
	if err != nil {
		return failed(nil, err.Error())
	}
	if code != http.StatusOK || !answer.OK {
		return failed(nil, fmt.Sprintf("Slack answered %d: %s", code, answer.Error))
	}
	return Result{Status: "succeeded", Output: map[string]any{"channel": answer.Channel, "ts": answer.TS}}
}

func failed(output map[string]any, message string) Result {
	return Result{Status: "failed", Output: output, Error: message}
}

// call sends one request and decodes the answer, whatever its status.
func (e *Executor) call(ctx context.Context, method, url, token, contentType string, in, out any) (int, error) {
	code, answered, answer, err := e.send(ctx, method, url, token, contentType, in)
	switch {
	case err != nil:
		return code, err
	case !strings.Contains(answered, "json"):
		return code, fmt.Errorf("%s %s: answered %d without JSON", method, url, code)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return code, fmt.Errorf("%s %s: answered %d with unusable JSON: %w", method, url, code, err)
	}
	return code, nil
}

// send gives the status, the content type and the bytes of an answer.
func (e *Executor) send(ctx context.Context, method, url, token, contentType string, in any) (int, string, []byte, error) {
	var body []byte
	if in != nil && method != http.MethodGet {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return 0, "", nil, fmt.Errorf("%s %s: encode: %w", method, url, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, fmt.Errorf("%s: %w", method, err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", contentType)
	resp, err := e.Client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		err = fmt.Errorf("%s %s: %w", method, url, err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), answer, err
}
