package diagnose_test

import (
	"fmt"
	"testing"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

func application(spec, status string) string {
	return key("gitops", fmt.Sprintf(`{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"api","namespace":"argocd"},"spec":{"destination":{"namespace":"production"}%s},"status":{%s}}`, spec, status))
}

func fluxJSON(kind, spec, more string, conditions ...string) string {
	return key("gitops", fmt.Sprintf(`{"kind":%q,"metadata":{"name":"api","namespace":"flux-system"},"spec":{%s},"status":{%s%s}}`, kind, spec, more, conditionsJSON(conditions...)))
}

func TestGitOps(t *testing.T) {
	gitops := func(kind, namespace string) diagnose.Question {
		return diagnose.Question{Family: "deploy", Target: incident.Target{Namespace: namespace, Kind: kind, Name: "api"}}
	}
	argo, flux, helm := gitops("Application", "argocd"), gitops("Kustomization", "flux-system"), gitops("HelmRelease", "flux-system")
	const degraded, failed = `"sync":{"status":"Synced"},"health":{"status":"Degraded"}`, `"sync":{"status":"OutOfSync"},"health":{"status":"Healthy"},"operationState":{"phase":"Failed","message":"one or more objects failed to apply"}`
	const stalled = `"sync":{"status":"Synced"},"health":{"status":"Degraded"},"resources":[{"kind":"Deployment","name":"api-gateway","health":{"status":"Degraded","message":"Deployment \"api-gateway\" exceeded its progress deadline"}}]`
	ill := []string{oomPod(apiPod)}
	waits := cond("Ready", "False", "HealthCheckFailed", "timeout waiting for: [Deployment/production/api-gateway status: 'InProgress']")
	const inventory = `"inventory":{"entries":[{"id":"production_api-gateway_apps_Deployment","v":"v1"}]},`
	runDiseases(t, []diseaseCase{
		{name: "a sync failed", ask: argo, cause: "deploy.failed", says: "one or more objects failed to apply", atLeast: 0.95, doc: sent(nil, nil, application("", failed))},
		{name: "a sync failed, and it syncs by itself", ask: argo, cause: "deploy.failed", says: "changed back", doc: sent(nil, nil, application(`,"syncPolicy":{"automated":{}}`, failed))},
		{name: "a sync failed once; all is well since", ask: argo, cause: "healthy", doc: sent(nil, nil, application("", `"sync":{"status":"Synced"},"health":{"status":"Healthy"},"operationState":{"phase":"Failed","message":"x"}`))},
		{name: "a sync was refused", ask: argo, cause: "deploy.failed", other: "workload.admission_denied", doc: sent(nil, nil, application("", `"sync":{"status":"OutOfSync"},"operationState":{"phase":"Failed","message":"admission webhook \"x\" denied the request: no"}`))},
		{name: "degraded, and nothing says why", ask: argo, cause: "deploy.failed", says: "the workloads that Application", atMost: 0.8, doc: sent(nil, nil, application("", degraded))},
		{name: "degraded by a pod", ask: argo, cause: "pod.oom_killed", container: "app", doc: sent(ill, nil, application("", degraded), ownersJSON)},
		{name: "degraded, and a pod of another namespace is ill", ask: argo, cause: "deploy.failed", doc: sent(ill, nil, ownersJSON, key("gitops", `{"kind":"Application","metadata":{"name":"api","namespace":"argocd"},"spec":{"destination":{"namespace":"staging"}},"status":{`+degraded+`}}`))},
		{name: "a stalled rollout in its words", ask: argo, cause: "workload.rollout_stalled", says: "the Deployment production/api-gateway", atMost: 0.8, doc: sent(nil, nil, application("", stalled))},
		{name: "a stalled rollout in its words, and the pod", ask: argo, cause: "workload.rollout_stalled", container: "app", doc: sent(ill, nil, application("", stalled), `"replicaSets":[{"metadata":{"name":"api-gateway-7d9f5b8c6","namespace":"production","uid":"rs-1","ownerReferences":[{"kind":"Deployment","name":"api-gateway","uid":"dep-1","controller":true}]}}]`)},
		{name: "the Deployment itself says otherwise", ask: argo, cause: "deploy.failed", doc: sent(nil, nil, application("", stalled), key("deployments", deployment("api-gateway", 1, `"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1`)))},
		{name: "a repository at fault is not explained by a pod", ask: argo, cause: "deploy.failed", says: "ComparisonError", doc: sent(ill, nil, ownersJSON, application("", degraded+`,"conditions":[{"type":"ComparisonError","message":"app path does not exist"}]`))},
		{name: "a warning is no error", ask: argo, cause: "healthy", doc: sent(nil, nil, application("", `"sync":{"status":"Synced"},"health":{"status":"Healthy"},"conditions":[{"type":"OrphanedResourceWarning","message":"x"}]`))},
		{name: "on its way", ask: argo, cause: "healthy", doc: sent(nil, nil, application("", `"sync":{"status":"OutOfSync"},"health":{"status":"Progressing"},"operationState":{"phase":"Running"}`))},
		{name: "Flux could not build", ask: flux, cause: "deploy.failed", says: "BuildFailed", atLeast: 0.95, doc: sent(nil, nil, fluxJSON("Kustomization", "", "", cond("Ready", "False", "BuildFailed", "kustomize build failed: x")))},
		{name: "Flux waits for a dependency", ask: flux, cause: "healthy", doc: sent(nil, nil, fluxJSON("Kustomization", "", "", cond("Ready", "False", "DependencyNotReady", "x")))},
		{name: "Flux is suspended", ask: flux, cause: "healthy", says: "suspended", doc: sent(nil, nil, fluxJSON("Kustomization", `"suspend":true`, "", cond("Ready", "False", "BuildFailed", "x")))},
		{name: "Flux is ready", ask: flux, cause: "healthy", doc: sent(nil, nil, fluxJSON("Kustomization", "", "", cond("Ready", "True", "ReconciliationSucceeded", "x")))},
		{name: "Flux' health check failed for a pod of its inventory", ask: flux, cause: "pod.oom_killed", container: "app", doc: sent(ill, nil, ownersJSON, fluxJSON("Kustomization", "", inventory, waits))},
		{name: "a release was not installed", ask: helm, cause: "deploy.failed", says: "InstallFailed", doc: sent(nil, nil, fluxJSON("HelmRelease", "", "", cond("Released", "False", "InstallFailed", "x")))},
	})
}

func TestReleases(t *testing.T) {
	releases := func(list string) string {
		return sent(nil, nil, `"monitoring":[{"service":"checkout","deployments":[`+list+`]}]`)
	}
	const ok, bad = `{"service":"checkout","version":"2","at":"2026-11-23T03:10:00Z","status":"success"}`, `{"service":"checkout","version":"1","at":"2026-11-23T03:00:00Z","status":"Failure"}`
	ask := diagnose.Question{Family: "deploy", Target: incident.Target{Service: "checkout"}}
	runDiseases(t, []diseaseCase{
		{name: "the newest failed", ask: ask, cause: "deploy.failed", says: "version=1", doc: releases(bad)},
		{name: "one before it failed", ask: ask, cause: "unknown", doc: releases(ok + "," + bad)},
		{name: "of another service", ask: diagnose.Question{Family: "deploy", Target: incident.Target{Service: "cart"}}, cause: "unknown", doc: releases(bad)},
	})
}
