package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// api is n8n's public API. It gives new workflows ids of its own, and publishes by
// itself what it updates and was published.
type api struct {
	base, key string
	client    *http.Client
}

func newAPI(base, key string) (n8n, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("N8N_URL %q is not the address of an n8n, such as https://n8n.example.com", base)
	}
	if key == "" {
		return nil, errors.New("N8N_API_KEY is missing: make one in n8n, Settings → n8n API, that may list, read, create, update and activate workflows, and list credentials")
	}
	// The key goes to the address that was given and to no other.
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return api{strings.TrimRight(base, "/"), key, &http.Client{Timeout: time.Minute, CheckRedirect: noRedirect}}, nil
}

func (a api) String() string { return a.base }
func (a api) late() bool     { return false }

func (a api) finish(context.Context) error { return nil }

func (a api) workflows(ctx context.Context) ([]workflow, error) {
	return list[workflow](ctx, a, "workflows")
}

func (a api) credentials(ctx context.Context) ([]credential, error) {
	return list[credential](ctx, a, "credentials")
}

func list[T any](ctx context.Context, a api, what string) ([]T, error) {
	var all []T
	query := url.Values{"limit": {"100"}}
	for {
		var page struct {
			Data       []T
			NextCursor string
		}
		if err := a.call(ctx, http.MethodGet, what+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.NextCursor == "" {
			return all, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

// write sends what the API takes: it refuses a field that it does not know.
func (a api) write(ctx context.Context, w workflow, s standing) (string, error) {
	body := map[string]any{}
	for _, field := range []string{"name", "nodes", "connections", "settings"} {
		body[field] = w[field]
	}
	method, path := http.MethodPost, "workflows"
	if s.there {
		method, path = http.MethodPut, "workflows/"+url.PathEscape(w.id())
	}
	var written struct{ ID string }
	err := a.call(ctx, method, path, body, &written)
	return written.ID, err
}

func (a api) publish(ctx context.Context, id string) error {
	return a.call(ctx, http.MethodPost, "workflows/"+url.PathEscape(id)+"/activate", map[string]any{}, nil)
}

func (a api) call(ctx context.Context, method, path string, body, out any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+"/api/v1/"+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("X-N8N-API-KEY", a.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("n8n: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("n8n: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("n8n answered %s %s with %d: %s", method, path, resp.StatusCode, short(string(answer)))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("n8n's answer to %s %s: %w", method, path, err)
	}
	return nil
}
