package standin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

func (s *Server) kubernetesRoutes(mux *http.ServeMux) {
	for pattern, handler := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /api/v1/namespaces/{ns}/pods":                       s.listPods,
		"GET /api/v1/namespaces/{ns}/pods/{name}":                s.getPod,
		"GET /api/v1/namespaces/{ns}/pods/{name}/log":            s.getLog,
		"POST /api/v1/namespaces/{ns}/pods/{name}/eviction":      s.evict,
		"GET /api/v1/namespaces/{ns}/events":                     s.listEvents,
		"GET /apis/apps/v1/namespaces/{ns}/deployments/{name}":   s.getDeployment,
		"PATCH /apis/apps/v1/namespaces/{ns}/deployments/{name}": s.applyDeployment,
		"GET /apis/apps/v1/namespaces/{ns}/replicasets/{name}":   s.getReplicaSet,
	} {
		mux.HandleFunc(pattern, s.guarded(handler))
	}
}

// guarded asks for the token and holds the lock for the whole request: the
// world changes between requests, never within one.
func (s *Server) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.authorized(r) {
			writeStatus(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		next(w, r)
	}
}

func (s *Server) listPods(w http.ResponseWriter, r *http.Request) {
	items := []any{}
	var err error
	if r.PathValue("ns") == Namespace {
		items, err = s.world.podList()
	}
	if err != nil {
		writeStatus(w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	wanted, err := equalities(r.URL.Query().Get("labelSelector"))
	if err != nil {
		writeStatus(w, http.StatusBadRequest, "BadRequest", err.Error())
		return
	}
	writeList(w, "PodList", keep(items, wanted, "metadata.labels."))
}

func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) {
	wanted, err := equalities(r.URL.Query().Get("fieldSelector"))
	if err != nil {
		writeStatus(w, http.StatusBadRequest, "BadRequest", err.Error())
		return
	}
	items := []any{}
	if r.PathValue("ns") == Namespace {
		items = s.world.events
	}
	writeList(w, "EventList", keep(items, wanted, ""))
}

func (s *Server) getPod(w http.ResponseWriter, r *http.Request) {
	o, found, err := s.world.pod(r.PathValue("name"))
	s.writeObject(w, r, o, found, err, "pods")
}

// getLog answers text, as the API does; only the crashing pod has ended before.
func (s *Server) getLog(w http.ResponseWriter, r *http.Request) {
	name, container := r.PathValue("name"), r.URL.Query().Get("container")
	p, found := s.world.pods[name]
	previous := r.URL.Query().Get("previous") == "true"
	switch {
	case !found || r.PathValue("ns") != Namespace:
		writeNotFound(w, "pods", name)
	case container != "app":
		writeStatus(w, http.StatusBadRequest, "BadRequest", fmt.Sprintf("container %s is not valid for pod %s", container, name))
	case previous && !p.crashing:
		writeStatus(w, http.StatusBadRequest, "BadRequest", fmt.Sprintf("previous terminated container %q in pod %q not found", container, name))
	default:
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, logOf(p)) //nolint:errcheck // the caller has gone: nobody is left to tell
	}
}

func logOf(p pod) string {
	if p.crashing {
		return "listening on :8080\nloading routes\nrefreshing the route cache: 481 MiB\n"
	}
	return "listening on :8080\nloading routes\nready\n"
}

func (s *Server) getDeployment(w http.ResponseWriter, r *http.Request) {
	o, err := s.world.deployment()
	s.writeObject(w, r, o, r.PathValue("name") == App, err, "deployments.apps")
}

func (s *Server) getReplicaSet(w http.ResponseWriter, r *http.Request) {
	o, err := s.world.replicaSet()
	s.writeObject(w, r, o, r.PathValue("name") == App+"-"+s.world.hash, err, "replicasets.apps")
}

func (s *Server) writeObject(w http.ResponseWriter, r *http.Request, o object, found bool, err error, resource string) {
	switch {
	case err != nil:
		writeStatus(w, http.StatusInternalServerError, "InternalError", err.Error())
	case !found || r.PathValue("ns") != Namespace:
		writeNotFound(w, resource, r.PathValue("name"))
	default:
		writeJSON(w, http.StatusOK, o)
	}
}

// evict is policy/v1 Eviction: it honours the precondition on the uid.
func (s *Server) evict(w http.ResponseWriter, r *http.Request) {
	var eviction struct {
		Kind          string `json:"kind"`
		DeleteOptions struct {
			Preconditions struct {
				UID string `json:"uid"`
			} `json:"preconditions"`
		} `json:"deleteOptions"`
	}
	if err := json.NewDecoder(r.Body).Decode(&eviction); err != nil || eviction.Kind != "Eviction" {
		writeStatus(w, http.StatusBadRequest, "BadRequest", "the body is not an Eviction")
		return
	}
	name := r.PathValue("name")
	p, found := s.world.pods[name]
	if !found || r.PathValue("ns") != Namespace {
		writeNotFound(w, "pods", name)
		return
	}
	if uid := eviction.DeleteOptions.Preconditions.UID; uid != "" && uid != p.uid {
		writeStatus(w, http.StatusConflict, "Conflict", fmt.Sprintf("Operation cannot be fulfilled on pods %q: the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", name, uid, p.uid))
		return
	}
	s.world.replace(name)
	writeJSON(w, http.StatusCreated, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Success", "code": http.StatusCreated})
}

// applyDeployment is server-side apply of a container's memory limit.
func (s *Server) applyDeployment(w http.ResponseWriter, r *http.Request) {
	if got := r.Header.Get("Content-Type"); got != "application/apply-patch+yaml" {
		writeStatus(w, http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the stand-in takes application/apply-patch+yaml only, got "+got)
		return
	}
	if r.URL.Query().Get("fieldManager") == "" {
		writeStatus(w, http.StatusBadRequest, "BadRequest", "fieldManager is required for apply patch")
		return
	}
	if r.PathValue("name") != App || r.PathValue("ns") != Namespace {
		writeNotFound(w, "deployments.apps", r.PathValue("name"))
		return
	}
	memory, err := memoryLimit(r)
	if err != nil {
		writeStatus(w, http.StatusBadRequest, "BadRequest", err.Error())
		return
	}
	s.world.rollOut(memory)
	s.getDeployment(w, r)
}

func memoryLimit(r *http.Request) (string, error) {
	var apply struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Name      string `json:"name"`
						Resources struct {
							Limits map[string]string `json:"limits"`
						} `json:"resources"`
					} `json:"containers"`
				} `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
	}
	if err := json.NewDecoder(r.Body).Decode(&apply); err != nil {
		return "", fmt.Errorf("the apply configuration is not JSON: %w", err)
	}
	for _, c := range apply.Spec.Template.Spec.Containers {
		if limit := c.Resources.Limits["memory"]; c.Name == "app" && limit != "" {
			return limit, nil
		}
	}
	return "", fmt.Errorf("the apply configuration sets no memory limit of container app")
}

// equalities reads a selector of the form a=b,c=d.
func equalities(selector string) (map[string]string, error) {
	wanted := map[string]string{}
	for part := range strings.SplitSeq(selector, ",") {
		if part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok || strings.HasSuffix(key, "!") || strings.ContainsAny(part, "() ") {
			return nil, fmt.Errorf("the stand-in knows selectors of the form a=b,c=d only, got %q", selector)
		}
		wanted[key] = strings.TrimPrefix(value, "=")
	}
	return wanted, nil
}

func keep(items []any, wanted map[string]string, prefix string) []any {
	kept := []any{}
	for _, item := range items {
		matches := true
		for key, value := range wanted {
			matches = matches && field(item, prefix, key) == value
		}
		if matches {
			kept = append(kept, item)
		}
	}
	return kept
}

// field reads one string; a label's own key may hold dots, a prefix may not.
func field(item any, prefix, key string) string {
	path := strings.Split(prefix+key, ".")
	if prefix != "" {
		path = append(strings.Split(strings.TrimSuffix(prefix, "."), "."), key)
	}
	for _, step := range path {
		m, _ := item.(object)
		item = m[step]
	}
	value, _ := item.(string)
	return value
}

func writeList(w http.ResponseWriter, kind string, items []any) {
	writeJSON(w, http.StatusOK, object{"apiVersion": "v1", "kind": kind, "metadata": object{"resourceVersion": "81310"}, "items": items})
}

func writeNotFound(w http.ResponseWriter, resource, name string) {
	writeStatus(w, http.StatusNotFound, "NotFound", fmt.Sprintf("%s %q not found", resource, name))
}

// writeStatus answers as the Kubernetes API does when it refuses.
func writeStatus(w http.ResponseWriter, code int, reason, message string) {
	writeJSON(w, code, object{
		"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure",
		"message": message, "reason": reason, "code": code,
	})
}
