package diagnose_test

import (
	"testing"
)

// TestImages holds messages of kubelet with containerd, CRI-O and Docker, old and new.
func TestImages(t *testing.T) {
	type pullCase struct{ name, reason, message, cause, other string }
	const (
		notFound, auth, limited = "pod.image_not_found", "pod.image_auth_failed", "pod.image_rate_limited"
		unreachable, invalid    = "pod.registry_unreachable", "pod.image_invalid_name"
		unpack                  = `failed to pull and unpack image "docker.io/shop/app:9": failed to resolve reference "docker.io/shop/app:9": `
	)
	var cases []diseaseCase
	for _, c := range []pullCase{
		{"containerd 2 not found", "ErrImagePull", `rpc error: code = NotFound desc = ` + unpack + `docker.io/shop/app:9: not found`, notFound, ""},
		{"new back-off message", "ImagePullBackOff", `Back-off pulling image "shop/app:9": ErrImagePull: rpc error: code = NotFound desc = ` + unpack + `docker.io/shop/app:9: not found`, notFound, ""},
		{"docker manifest unknown", "ErrImagePull", `rpc error: code = Unknown desc = Error response from daemon: manifest for shop/app:9 not found: manifest unknown: manifest unknown`, notFound, ""},
		{"cri-o manifest unknown", "ErrImagePull", `reading manifest 9 in quay.io/shop/app: manifest unknown`, notFound, ""},
		{"never pull", "ErrImageNeverPull", `Container image "shop/app:9" is not present with pull policy of Never`, notFound, ""},
		{"docker hub does not tell", "ErrImagePull", `rpc error: code = Unknown desc = ` + unpack + `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`, auth, notFound},
		{"artifact registry does not tell", "ErrImagePull", unpack + `failed to authorize: denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "projects/p" (or it may not exist)`, auth, notFound},
		{"unauthorized", "ErrImagePull", unpack + `unexpected status from HEAD request to https://registry.example.com/v2/shop/app/manifests/9: 401 Unauthorized`, auth, ""},
		{"forbidden token", "ErrImagePull", unpack + `failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Ashop%2Fapp%3Apull&service=ghcr.io: 403 Forbidden`, auth, ""},
		{"ecr without credentials", "ErrImagePull", unpack + `no basic auth credentials`, auth, ""},
		{"docker hub limit", "ErrImagePull", unpack + `unexpected status code https://registry-1.docker.io/v2/shop/app/manifests/9: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit`, limited, ""},
		{"docker limit", "ErrImagePull", `Error response from daemon: toomanyrequests: You have reached your pull rate limit.`, limited, ""},
		{"no such host", "ErrImagePull", unpack + `failed to do request: Head "https://registry.exmaple.com/v2/shop/app/manifests/9": dial tcp: lookup registry.exmaple.com on 10.96.0.10:53: no such host`, unreachable, ""},
		{"time-out", "ErrImagePull", unpack + `failed to do request: Head "https://registry.example.com/v2/": dial tcp 10.1.2.3:443: i/o timeout`, unreachable, ""},
		{"time-out while authorizing", "ErrImagePull", unpack + `failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token": dial tcp 10.1.2.3:443: i/o timeout`, unreachable, ""},
		{"connection refused", "ErrImagePull", unpack + `failed to do request: Head "https://registry.example.com/v2/": dial tcp 10.1.2.3:443: connect: connection refused`, unreachable, ""},
		{"unknown authority", "ErrImagePull", unpack + `failed to do request: Head "https://registry.example.com/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`, unreachable, ""},
		{"handshake time-out", "ErrImagePull", `Error response from daemon: Get "https://registry.example.com/v2/": net/http: TLS handshake timeout`, unreachable, ""},
		{"registry is down", "ErrImagePull", unpack + `unexpected status from HEAD request to https://registry.example.com/v2/shop/app/manifests/9: 503 Service Unavailable`, unreachable, ""},
		{"invalid name", "InvalidImageName", `Failed to apply default image tag "shop/App:": couldn't parse image name "shop/App:": invalid reference format`, invalid, ""},
		{"invalid name by inspection", "ImageInspectError", `Failed to inspect image "Shop/App": couldn't parse image reference "Shop/App": invalid reference format: repository name must be lowercase`, invalid, ""},
		{"another platform's image is not a missing one", "ErrImagePull", unpack + `no match for platform in manifest: not found`, "pod.image_wrong_platform", ""},
		{"a full disk is not a refusal", "ErrImagePull", `failed to extract layer: write /var/lib/containerd/x: no space left on device: permission denied`, "node.disk_pressure", "host.disk_full"},
	} {
		cases = append(cases, diseaseCase{name: c.name, cause: c.cause, container: "app", other: c.other,
			doc: sent(one(pod{phase: "Pending", statuses: []string{st("app", false, 0, waiting(c.reason, c.message), "")}}), []string{})})
	}
	backOff := one(pod{phase: "Pending", statuses: []string{st("app", false, 0, waiting("ImagePullBackOff", `Back-off pulling image "registry.example.com/shop/app:1.2.3"`), "")}})
	named := func(image, message string) string {
		return sent(one(pod{phase: "Pending", containers: `{"name":"app","image":"` + image + `"}`, statuses: []string{st("app", false, 0, waiting("ErrImagePull", message), "")}}), []string{})
	}
	cases = append(cases, []diseaseCase{
		{name: "the back-off hides the first error", cause: limited, container: "app", says: "toomanyrequests",
			doc: sent(backOff, []string{
				warn("app", "Failed", `Failed to pull image "registry.example.com/shop/app:1.2.3": toomanyrequests: slow down`, 3, 5*minute),
				warn("app", "Failed", "Error: ErrImagePull", 3, 5*minute), warn("app", "Failed", "Error: ImagePullBackOff", 40, minute/2),
				event("app", "Normal", "BackOff", `Back-off pulling image "registry.example.com/shop/app:1.2.3"`, 40, minute/3)})},
		{name: "the back-off alone decides nothing", cause: "unknown", container: "app", says: "the first Failed event", other: notFound,
			doc: sent(backOff, []string{event("app", "Normal", "BackOff", `Back-off pulling image "registry.example.com/shop/app:1.2.3"`, 40, minute/3)})},
		{name: "an image called rate-limit is not limited", cause: notFound, container: "app",
			doc: named("ghcr.io/shop/toomanyrequests-denied:1", `rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/shop/toomanyrequests-denied:1": ghcr.io/shop/toomanyrequests-denied:1: not found`)},
		{name: "words within names and addresses are no signs", cause: notFound, container: "app",
			doc: named("shop/app:1", `failed to resolve reference "mirror.example.com/denied/app:1": https://mirror.example.com/v2/unauthorized/manifests/1: manifest unknown`)},
		{name: "credentials make a denial one of credentials", cause: auth, container: "app", atLeast: 0.7, other: notFound,
			doc: sent(one(pod{phase: "Pending", spec: `,"imagePullSecrets":[{"name":"regcred"}]`, statuses: []string{st("app", false, 0, waiting("ErrImagePull", "pull access denied, repository does not exist or may require authorization"), "")}}), []string{})},
		{name: "a pull that failed once and then worked is history", cause: "healthy",
			doc: sent(one(pod{statuses: []string{st("app", true, 0, running(50*minute), "")}}), []string{warn("app", "Failed", `Failed to pull image "x": i/o timeout`, 2, 55*minute)})},
		{name: "an init container's image", cause: notFound, container: "migrate",
			doc: sent(one(pod{phase: "Pending", spec: `,"initContainers":[` + box("migrate", "") + `]`, statuses: []string{st("app", false, 0, waiting("PodInitializing", ""), "")},
				status: `,"initContainerStatuses":[` + st("migrate", false, 0, waiting("ErrImagePull", "manifest unknown"), "") + `]`}), nil)},
	}...)
	runDiseases(t, cases)
}
