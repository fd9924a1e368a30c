# One word per job. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# No cached results: a test that needs Postgres must meet it every time.
TESTFLAGS ?= -count=1
BINARY := bin/salve

.PHONY: help build run demo test e2e bench bench-forecast n8n-import pictures check fmt

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/salve, static
	@mkdir -p bin
	@echo "building; the first time takes a minute or two"
	CGO_ENABLED=0 go build -trimpath -o $(BINARY) ./cmd/server

run: build ## start Salve for development: own Postgres, own keys, a token to try it with
	@[ -n "$$DATABASE_URL" ] || scripts/need.sh postgres
	@scripts/run.sh $(BINARY)

demo: ## play an incident from alert to repair, with a stand-in executor, and tell what happens
	@scripts/need.sh postgres
	go run ./test/demo

test: ## run the tests (those of the store on a real Postgres)
	@scripts/need.sh postgres
	go test $(TESTFLAGS) ./...

e2e: ## run the end-to-end tests: real n8n, Kubernetes API server, Postgres and Alertmanager
	@scripts/need.sh postgres alertmanager prometheus sqlite3 sshd
	@test/kube/build.sh & test/n8n/install.sh; installed=$$?; wait $$! && exit $$installed
	go test -tags e2e -p 1 -timeout 25m $(TESTFLAGS) ./test/e2e/...

bench: ## measure, beside Alertmanager and pgbench on this machine
	@scripts/need.sh postgres pgbench alertmanager
	go run ./test/bench

bench-forecast: ## measure forecasts, beside Prometheus' functions in its own engine (the first time fetches and builds that)
	go -C test/forecast run . $(if $(DATA),-data $(abspath $(DATA)))

n8n-import: ## bring the workflows into your n8n, and again when they change (PUBLISH=1 publishes them)
	@go run ./scripts/n8nimport $(if $(PUBLISH),-publish)

pictures: ## draw the workflows anew: n8n-workflows/pictures
	@go run ./test/n8n/picture

check: ## format, vet, staticcheck, migrations, import rules, race tests, known vulnerabilities
	@scripts/need.sh postgres
	@scripts/check-files.sh
	go vet ./...
	go vet -tags e2e ./...
	go tool staticcheck -tags e2e ./...
	go test $(TESTFLAGS) ./internal/archtest
	go test -race $(TESTFLAGS) ./cmd/... ./internal/...
	@scripts/vulnerabilities.sh

fmt: ## format the Go code
	gofmt -w $(shell go list -f '{{.Dir}}' ./...)
