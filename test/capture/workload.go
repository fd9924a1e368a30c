package main

import (
	"encoding/json"

	"salve/test/cluster"
)

// sim are annotations of a pod, by the names that test/kube's node knows:
// "state", or "agent.state" for one of the container agent.
type sim map[string]string

// object is a manifest under construction.
type object = cluster.Object

// part changes a pod's specification.
type part func(spec object)

const image = "registry.example.com/shop/api:1.4.2"

// podSpec is a container named app of a usual web service, changed by parts.
func podSpec(parts []part) object {
	spec := object{"terminationGracePeriodSeconds": 5, "containers": []any{object{
		"name": "app", "image": image,
		"resources": object{"requests": object{"cpu": "100m", "memory": "128Mi"}, "limits": object{"memory": "256Mi"}},
		"ports":     []any{object{"containerPort": 8080}},
	}}}
	for _, p := range parts {
		p(spec)
	}
	return spec
}

func app(spec object) object { return spec["containers"].([]any)[0].(object) }

// with sets a field of the container app.
func with(field string, value any) part {
	return func(spec object) { app(spec)[field] = value }
}

// of sets a field of the pod's specification.
func of(field string, value any) part {
	return func(spec object) { spec[field] = value }
}

// beside adds a container.
func beside(name, memory string) part {
	return func(spec object) {
		spec["containers"] = append(spec["containers"].([]any), object{
			"name": name, "image": "registry.example.com/shop/" + name + ":2.0", "resources": object{"limits": object{"memory": memory}},
		})
	}
}

// probe is an HTTP probe as services have it.
func probe(path string, period int) object {
	return object{"httpGet": object{"path": path, "port": 8080}, "periodSeconds": period, "failureThreshold": 3}
}

func annotations(s sim) object {
	out := object{}
	for name, value := range s {
		out[annotation(name)] = value
	}
	return out
}

func annotation(name string) string {
	for i, r := range name {
		if r == '.' {
			return name[:i] + ".sim/" + name[i+1:]
		}
	}
	return "sim/" + name
}

func template(s sim, parts []part) object {
	return object{"metadata": object{"labels": object{"app": "api"}, "annotations": annotations(s)}, "spec": podSpec(parts)}
}

func manifest(kind, apiVersion, name string, spec object) string {
	data, err := json.Marshal(object{"apiVersion": apiVersion, "kind": kind, "metadata": object{"name": name, "labels": object{"app": "api"}}, "spec": spec})
	if err != nil {
		panic(err) // maps of strings and numbers always encode
	}
	return string(data)
}

func deployment(replicas int, s sim, parts ...part) string {
	return manifest("Deployment", "apps/v1", "api", object{
		"replicas": replicas, "progressDeadlineSeconds": 600, "selector": object{"matchLabels": object{"app": "api"}}, "template": template(s, parts),
	})
}

// impatient is a deployment that is given two seconds to progress.
func impatient(replicas int, s sim, parts ...part) string {
	return manifest("Deployment", "apps/v1", "api", object{
		"replicas": replicas, "progressDeadlineSeconds": 2, "selector": object{"matchLabels": object{"app": "api"}}, "template": template(s, parts),
	})
}

func statefulSet(replicas int, s sim, parts ...part) string {
	return manifest("StatefulSet", "apps/v1", "db", object{
		"replicas": replicas, "serviceName": "db", "selector": object{"matchLabels": object{"app": "api"}}, "template": template(s, parts),
	})
}

func daemonSet(s sim, parts ...part) string {
	return manifest("DaemonSet", "apps/v1", "agent", object{"selector": object{"matchLabels": object{"app": "api"}}, "template": template(s, parts)})
}

func job(limits object, s sim, parts ...part) string {
	parts = append(parts, of("restartPolicy", "Never"))
	spec := object{"template": template(s, parts)}
	for field, value := range limits {
		spec[field] = value
	}
	return manifest("Job", "batch/v1", "migrate", spec)
}

func quota(hard object) string {
	return manifest("ResourceQuota", "v1", "compute", object{"hard": hard})
}

func budget(minAvailable int) string {
	return manifest("PodDisruptionBudget", "policy/v1", "api", object{"minAvailable": minAvailable, "selector": object{"matchLabels": object{"app": "api"}}})
}

func limitRange(max string) string {
	return manifest("LimitRange", "v1", "limits", object{"limits": []any{object{"type": "Container", "max": object{"memory": max}}}})
}
