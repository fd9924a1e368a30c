package remedy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/redact"
)

// What an autoscaler owns is changed by its bounds, and those in Git: people merge it.

const autoscalerFactor = "autoscaler_max_factor"

// autoscalerParams is how far the maximum of an autoscaler may be raised.
type autoscalerParams struct {
	Factor  float64 `json:"autoscaler_max_factor"`
	Ceiling int     `json:"autoscaler_ceiling"`
}

// raisesAutoscaler says whether a pull request is about an autoscaler, not a limit.
func raisesAutoscaler(params map[string]any) bool {
	_, is := params[autoscalerFactor]
	return is
}

func readAutoscaler(params map[string]any) (autoscalerParams, error) {
	p := reader{given: params}
	out := autoscalerParams{Factor: p.number(autoscalerFactor, 1.5, 1.01, 4), Ceiling: p.whole("autoscaler_ceiling", 50, 1, 1000)}
	return out, p.done()
}

func checkPullRequest(params map[string]any) error {
	if !raisesAutoscaler(params) {
		return checkResources(params)
	}
	_, err := readAutoscaler(params)
	return err
}

type autoscalerDone struct {
	autoscalerParams
	Autoscaler string `json:"autoscaler"`
	From       int32  `json:"from"`
	To         int32  `json:"to"`
	Repo       string `json:"repo"`
	Path       string `json:"path"`
}

// autoscalerOf is the autoscaler that the diagnosis names, or that scales what it names.
func (r Request) autoscalerOf() (*autoscalingv2.HorizontalPodAutoscaler, error) {
	owner := r.Diagnosis.Owner
	for i := range r.Evidence.HPAs {
		h := &r.Evidence.HPAs[i]
		ref := h.Spec.ScaleTargetRef
		named := owner.Kind == "HorizontalPodAutoscaler" && h.Name == owner.Name
		if h.Namespace == owner.Namespace && (named || ref.Kind == owner.Kind && ref.Name == owner.Name) {
			return h, nil
		}
	}
	return nil, fmt.Errorf("the evidence holds no autoscaler of %s", clip(owner.String(), 200))
}

// buildAutoscalerRaise raises the maximum of an autoscaler where Git says it.
func buildAutoscalerRaise(r Request) (plan, error) {
	params, err := readAutoscaler(r.Params)
	if err != nil {
		return plan{}, err
	}
	cluster, err := r.cluster(r.Diagnosis.Owner)
	if err != nil {
		return plan{}, err
	}
	h, err := r.autoscalerOf()
	if err != nil {
		return plan{}, err
	}
	from := h.Spec.MaxReplicas
	to := int32(min(math.Ceil(float64(from)*params.Factor), float64(params.Ceiling)))
	if to <= from {
		return plan{}, fmt.Errorf("autoscaler %s may set %d pods already, and autoscaler_ceiling is %d", clip(h.Name, 253), from, params.Ceiling)
	}
	repo, ok := r.repositoryOf(r.Diagnosis.Owner)
	if !ok {
		return plan{}, fmt.Errorf("no repository of inventory.repositories brings namespace %s of cluster %s", h.Namespace, cluster)
	}
	file, edited, err := edit{
		what: "HorizontalPodAutoscaler " + h.Name + " with its maxReplicas",
		find: func(content string) (ast.Node, bool) { return maximumIn(content, h.Namespace, h.Name) },
		is:   func(text string) bool { n, err := strconv.Atoi(text); return err == nil && n == int(from) },
		from: strconv.Itoa(int(from)), to: strconv.Itoa(int(to)),
	}.in(r.Evidence.Files, repo)
	if err != nil {
		return plan{}, err
	}
	title := fmt.Sprintf("Raise the maximum of autoscaler %s/%s to %d pods", h.Namespace, h.Name, to)
	return plan{
		target:  incident.Target{Cluster: cluster, Namespace: h.Namespace, Kind: "HorizontalPodAutoscaler", Name: h.Name, UID: string(h.UID), Generation: h.Generation},
		timeout: pullRequestTimeout,
		summary: fmt.Sprintf("Open a pull request in %s: %s (now %d).", repo.Repo, strings.ToLower(title[:1])+title[1:], from),
		params:  autoscalerDone{params, h.Name, from, to, repo.Repo, file.Path},
		execute: r.pullRequest(cluster, repo, file, edited, title),
	}, nil
}

// pullRequest is the request that changes one file.
func (r Request) pullRequest(cluster string, repo incident.Repository, file evidence.File, edited, title string) pullRequestShape {
	return pullRequestShape{
		Shape: "pull_request", Cluster: cluster, Repo: repo.Repo, Base: repo.Base, Branch: branch(r.Incident, file.Path, edited),
		Files: []fileChange{{file.Path, file.BlobSHA, edited}}, Title: title,
		Body: clip(redact.Text(r.Diagnosis.Summary+"\n\n- "+strings.Join(r.Diagnosis.Evidence, "\n- ")), 8000), TimeoutSeconds: int(pullRequestTimeout / time.Second),
	}
}

// maximumIn is the value at spec.maxReplicas.
func maximumIn(content, namespace, name string) (ast.Node, bool) {
	for _, doc := range documents(content, "HorizontalPodAutoscaler", namespace, name) {
		if most := at(doc, "spec", "maxReplicas"); most != nil {
			return most, true
		}
	}
	return nil, false
}
