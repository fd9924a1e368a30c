package redact_test

import (
	"encoding/json"
	"testing"

	"salve/internal/redact"
)

// What diagnosis rests on must stay, letter for letter.
func TestWhatDiagnosisNeedsStays(t *testing.T) {
	for _, s := range []string{
		"api-gateway-7d9f5b8c6-x7k2m",
		"0b7a3f0e-6a5e-4c7e-9d55-8f1f8f8b1a11",
		"registry.example.com/shop/app@sha256:9b2cf2a3e4d5c6b7a8990a1b2c3d4e5f60718293a4b5c6d7e8f9012345678901",
		"containerd://9b2cf2a3e4d5c6b7a8990a1b2c3d4e5f60718293a4b5c6d7e8f9012345678901",
		"built from 9fceb02d0ae598e95dc970b74767f19372d61af8 (v1.2.4-rc.1+9fceb02)",
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"checksum/secret: 8f14e45fceea167a5a36dedd4bea2543b1c2d3e4f5a6978812345678abcdef01",
		"checksum/config=8f14e45fceea167a5a36dedd4bea2543b1c2d3e4f5a6978812345678abcdef01",
		"pod-template-hash=7d9f5b8c6", "resourceVersion: 123456789", "controller-uid=0b7a3f0e-6a5e-4c7e-9d55-8f1f8f8b1a11",
		`secret "db-credentials" not found`, `secrets "db-credentials-v2-20261123" not found`, `configmap "app" not found`,
		"couldn't find key password in Secret prod/db", `couldn't find key "api-key" in Secret prod/db`, "references non-existent secret key: tls.key",
		`password authentication failed for user "app"`, `FATAL: password authentication failed for user "app" (SQLSTATE 28P01)`,
		"Access denied for user 'app'@'10.0.0.7' (using password: YES)", "Access denied for user 'app'@'10.0.0.7' (using password: NO)",
		"unauthorized: authentication required", "401 Unauthorized: incorrect username or password",
		`WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io"`, "Bearer realm=keycloak-production,scope=x",
		`failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token?scope=repository%3Ashop%2Fapp%3Apull&service=registry.docker.io: 401 Unauthorized`,
		"token request failed", "failed to fetch token: connection refused", "invalid token: expired", "token: missing", "could not read token: open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory",
		`MountVolume.SetUp failed for volume "kube-api-access-x7k2m" : failed to fetch token: serviceaccounts "app" not found`,
		`MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found`,
		`Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[kube-api-access-x7k2m data]: timed out waiting for the condition`,
		`E1123 03:15:00.123456 1 controller.go:114] "Reconciling" key="production/api-gateway-7d9f5b8c6-x7k2m"`,
		"level=info msg=reconciling key=api-gateway-7d9f5b8c6-x7k2m worker=3", "idempotency-key=018f3a5e-7b1c-7def-8a90-1234567890ab",
		"dial tcp 10.0.0.7:5432: connect: connection refused", "lookup db.prod.svc.cluster.local on 10.96.0.10:53: no such host",
		"java -Xmx512m -XX:+UseG1GC -Djavax.net.ssl.trustStore=/etc/ssl/store.jks -jar app.jar",
		"--authorization-mode=Node,RBAC --token-ttl=24h --password-file=/etc/pw --tls-private-key-file=/etc/tls/tls.key --service-account-key-file=/etc/sa.pub",
		"at com.example.auth.TokenService.validate(TokenService.java:42)", "File \"/app/auth/token.py\", line 7, in verify_token",
		"panic: missing required environment variable DB_PASSWORD", "KeyError: 'DB_PASSWORD'", "Error: JWT_SECRET is not set", "env var API_KEY must be set",
		"duplicate key value violates unique constraint \"users_email_key\"", "PWD=/usr/src/app", "secretName: db-credentials", "secret=prod/db-credentials", "author: someone",
		"http://prometheus:9090/graph?g0=a@b", "ssh://git@github.com/shop/app.git", "https://example.com/@scope/package", "npm_install failed", "ghp is not a token",
		"password: [redacted]", "Authorization: [redacted]", "authorization: access denied by policy", "cookie: expired", "Environment: production",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "Tokens:  kube-api-access\nMounts:\n  /data from data (rw)",
		"OOMKilled", "disk /dev/sda1 at 87 %", "task skipped: DISK pressure", "uid=1000 gid=1000", "sha256~", "GET /api/v1/namespaces/production/pods?limit=500",
		"Pod production/api-gateway-7d9f5b8c6-x7k2m (app) is in waiting state (reason: \"CrashLoopBackOff\").",
		`Failed to pull image "registry.example.com/shop/app:9fceb02d0ae598e95dc970b74767f19372d61af8": not found`,
	} {
		if got := redact.Text(s); got != s {
			t.Errorf("%q\nbecame %q", s, got)
		}
		doc := `{"kind":"Event","message":` + quoted(s) + `}`
		if got, err := redact.JSON(json.RawMessage(doc)); err != nil || string(got) != doc {
			t.Errorf("%s\nbecame %s (%v)", doc, got, err)
		}
	}
}

// What an object says of itself stays, the names of its secrets too.
func TestWhatObjectsSayStays(t *testing.T) {
	for _, doc := range []string{
		`{"metadata":{"name":"a","uid":"0b7a3f0e-6a5e-4c7e-9d55-8f1f8f8b1a11","annotations":{"checksum/secret":"8f14e45fceea167a5a36dedd4bea2543b1c2d3e4f5a6978812345678abcdef01","kubectl.kubernetes.io/restartedAt":"2026-11-23T03:15:00Z"}}}`,
		`{"env":[{"name":"DB_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}],"envFrom":[{"secretRef":{"name":"app-secret"}}]}`,
		`{"volumes":[{"name":"token","secret":{"secretName":"web-tls","items":[{"key":"tls.key","path":"tls.key"}]}},{"name":"kube-api-access-x7k2m","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}}]}}]}`,
		`{"certificate":{"pem":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}}`,
		`{"labels":{"env":"prod","environment":"production","app.kubernetes.io/managed-by":"Helm"}}`,
		`{"kind":"Pod","spec":{"serviceAccountName":"token-reader","automountServiceAccountToken":false,"imagePullSecrets":[{"name":"regcred"}]}}`,
	} {
		if got, err := redact.JSON(json.RawMessage(doc)); err != nil || string(got) != doc {
			t.Errorf("%s\nbecame %s (%v)", doc, got, err)
		}
	}
}
