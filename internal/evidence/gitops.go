package evidence

import (
	"encoding/json"
	"strings"
)

// gitopsObject is the part of Argo CD's and Flux' objects that is read. Where
// the two differ, each has fields of its own.
type gitopsObject struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Suspend         bool   `json:"suspend"`
		TargetNamespace string `json:"targetNamespace"`
		Destination     struct {
			Namespace string `json:"namespace"`
		} `json:"destination"`
		SyncPolicy struct {
			Automated json.RawMessage `json:"automated"`
		} `json:"syncPolicy"`
	} `json:"spec"`
	Status struct {
		Sync struct {
			Status   string `json:"status"`
			Revision string `json:"revision"`
		} `json:"sync"`
		Health struct {
			Status  string `json:"status"`
			Message string `json:"message"`
		} `json:"health"`
		OperationState struct {
			Phase   string `json:"phase"`
			Message string `json:"message"`
		} `json:"operationState"`
		LastAttemptedRevision string      `json:"lastAttemptedRevision"`
		Conditions            []Condition `json:"conditions"`
		Inventory             struct {
			Entries []struct {
				ID string `json:"id"` // namespace_name_group_kind
			} `json:"entries"`
		} `json:"inventory"`
		Resources []struct {
			Kind      string `json:"kind"`
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
			Health    struct {
				Status  string `json:"status"`
				Message string `json:"message"`
			} `json:"health"`
		} `json:"resources"`
	} `json:"status"`
}

// gitops reads Application, Kustomization and HelmRelease objects, or Lists of them.
func (r *reader) gitops(pointer string, raw json.RawMessage) {
	if r.ev.GitOps == nil {
		r.ev.GitOps = []GitOps{}
	}
	r.each(pointer, raw, func(at string, item json.RawMessage) {
		var list struct {
			Items []json.RawMessage `json:"items"`
		}
		if json.Unmarshal(item, &list) != nil || len(list.Items) == 0 {
			r.gitopsOne(at, item)
			return
		}
		for _, inner := range list.Items[:min(len(list.Items), maxItems)] {
			r.gitopsOne(at+"/items", inner)
		}
	})
}

func (r *reader) gitopsOne(at string, raw json.RawMessage) {
	var o gitopsObject
	const must = "must be an Argo CD Application, a Flux Kustomization or a HelmRelease, as kubectl get -o json prints it"
	if err := decodeObject(raw, &o, must); err != nil {
		r.problem(at, err.Error())
		return
	}
	if o.Metadata.Name == "" || !isGitOps(o.Kind) {
		r.problem(at, must)
		return
	}
	r.ev.GitOps = append(r.ev.GitOps, o.read())
}

func isGitOps(kind string) bool {
	return kind == "Application" || kind == "Kustomization" || kind == "HelmRelease"
}

func (o gitopsObject) read() GitOps {
	s := o.Status
	g := GitOps{
		Kind: o.Kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name,
		Sync: s.Sync.Status, Health: s.Health.Status, Phase: s.OperationState.Phase, Message: s.OperationState.Message,
		Revision: s.Sync.Revision, Target: o.Spec.Destination.Namespace, Suspended: o.Spec.Suspend, Conditions: s.Conditions,
	}
	if o.Kind == "Application" {
		g.AutoSync = !absent(o.Spec.SyncPolicy.Automated)
	} else {
		g.AutoSync, g.Revision, g.Target = !o.Spec.Suspend, s.LastAttemptedRevision, o.Spec.TargetNamespace
	}
	if g.Message == "" {
		g.Message = s.Health.Message
	}
	for _, res := range s.Resources {
		g.Resources = append(g.Resources, GitOpsResource{res.Kind, res.Namespace, res.Name, res.Health.Status, res.Health.Message})
	}
	for _, entry := range s.Inventory.Entries {
		if parts := strings.Split(entry.ID, "_"); len(parts) == 4 {
			g.Resources = append(g.Resources, GitOpsResource{Kind: parts[3], Namespace: parts[0], Name: parts[1]})
		}
	}
	return g
}

// security reads the findings of an audit, in {findings[]} or one by one.
func (r *reader) security(pointer string, raw json.RawMessage) {
	if r.ev.Findings == nil {
		r.ev.Findings = []Finding{}
	}
	r.each(pointer, raw, func(at string, item json.RawMessage) {
		var one securityDoc
		if err := r.fact(at, item, &one, "must be {findings[{kind, object, severity, message}]}"); err != nil {
			r.problem(at, err.Error())
			return
		}
		if one.Kind != "" {
			one.Findings = append(one.Findings, one.Finding)
		}
		r.ev.Findings = append(r.ev.Findings, one.Findings[:min(len(one.Findings), maxItems)]...)
	})
}

type securityDoc struct {
	Finding
	Findings []Finding `json:"findings" also:"results,issues,vulnerabilities"`
}
