package diagnose

import (
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// pullSign is a phrase that tells why an image could not be pulled.
type pullSign struct {
	phrase string // in lower case
	cause  string
}

// pullSigns in the order in which they decide: a message tells of the outermost
// failure too ("failed to authorize: … i/o timeout"), and what stands higher is
// nearer to the root. Other platforms' images are not in the table on purpose:
// "no match for platform in manifest: not found" is no missing image.
func pullSigns() []pullSign {
	return []pullSign{
		{"no match for platform", ""},
		{"no matching manifest for", ""},
		{"no space left on device", ""},
		{"denied: permission denied", causeImageAuthFailed},
		{"permission denied", ""}, // of the node's own files
		{"couldn't parse image", causeImageInvalidName},
		{"invalid reference format", causeImageInvalidName},
		{"must be lowercase", causeImageInvalidName},
		{"toomanyrequests", causeImageRateLimited},
		{"too many requests", causeImageRateLimited},
		{"rate limit", causeImageRateLimited},
		{"pull qps exceeded", causeImageRateLimited},
		{"no such host", causeRegistryUnreachable},
		{"server misbehaving", causeRegistryUnreachable},
		{"temporary failure in name resolution", causeRegistryUnreachable},
		{"i/o timeout", causeRegistryUnreachable},
		{"connection refused", causeRegistryUnreachable},
		{"connection reset", causeRegistryUnreachable},
		{"connection timed out", causeRegistryUnreachable},
		{"no route to host", causeRegistryUnreachable},
		{"network is unreachable", causeRegistryUnreachable},
		{"x509:", causeRegistryUnreachable},
		{"tls handshake timeout", causeRegistryUnreachable},
		{"tls: ", causeRegistryUnreachable},
		{"server gave http response to https client", causeRegistryUnreachable},
		{"proxyconnect", causeRegistryUnreachable},
		{"context deadline exceeded", causeRegistryUnreachable},
		{"client.timeout exceeded", causeRegistryUnreachable},
		{"request canceled while waiting for connection", causeRegistryUnreachable},
		{"unexpected eof", causeRegistryUnreachable},
		{": eof", causeRegistryUnreachable},
		{"500 internal server error", causeRegistryUnreachable},
		{"502 bad gateway", causeRegistryUnreachable},
		{"503 service unavailable", causeRegistryUnreachable},
		{"504 gateway timeout", causeRegistryUnreachable},
		{"unauthorized", causeImageAuthFailed},
		{"forbidden", causeImageAuthFailed},
		{"authentication required", causeImageAuthFailed},
		{"authorization failed", causeImageAuthFailed},
		{"insufficient_scope", causeImageAuthFailed},
		{"no basic auth credentials", causeImageAuthFailed},
		{"incorrect username or password", causeImageAuthFailed},
		{"not authorized", causeImageAuthFailed},
		{"access denied", causeImageAuthFailed},
		{"denied", causeImageAuthFailed},
		{"failed to authorize", causeImageAuthFailed},
		{"authorization token has expired", causeImageAuthFailed},
		{"manifest unknown", causeImageNotFound},
		{"name unknown", causeImageNotFound},
		{"name_unknown", causeImageNotFound},
		{"manifest_unknown", causeImageNotFound},
		{"not found", causeImageNotFound},
		{"notfound", causeImageNotFound},
		{"does not exist", causeImageNotFound},
		{"no such image", causeImageNotFound},
		{"status code 404", causeImageNotFound},
	}
}

// pull is why one image could not be pulled, and the message that says so.
type pull struct {
	cause string
	text  string
	quote string
}

func pullFailure(cause string) func(container) (finding, bool) {
	return func(c container) (finding, bool) {
		p, ok := c.pullTrouble()
		if !ok || p.cause != cause {
			return finding{}, false
		}
		f := finding{
			confidence: likely + 0.1,
			symptom:    c.symptom(),
			quotes:     []string{c.quote("image=" + c.spec.Image)},
			because:    pullBecause(cause) + ": " + clip(c.spec.Image, 200),
		}
		if state := c.quoteState(); state != p.quote {
			f.quotes = append(f.quotes, state)
			f.confidence += 0.05
		}
		f.quotes = append(f.quotes, p.quote)
		if cause == causeImageAuthFailed && ambiguousDenial(p.text) {
			c.weighDenial(&f)
		}
		return f, true
	}
}

func pullBecause(cause string) string {
	switch cause {
	case causeImageInvalidName:
		return "the image reference is not valid"
	case causeImageRateLimited:
		return "the registry refuses for now because too much was pulled"
	case causeRegistryUnreachable:
		return "the registry cannot be reached"
	case causeImageAuthFailed:
		return "the registry refuses access to the image"
	default:
		return "the image is not there"
	}
}

// ambiguousDenial finds the answer that registries give for a private image and
// for one that does not exist alike, so as not to tell strangers which it is.
func ambiguousDenial(text string) bool {
	return strings.Contains(text, "does not exist or may require") ||
		strings.Contains(text, "may not exist") || strings.Contains(text, "requested access to the resource is denied")
}

// weighDenial reads the ambiguous answer as most operators find it: credentials
// are looked at first, the more so where the pod has some.
func (c container) weighDenial(f *finding) {
	f.confidence = fair - 0.05
	other := 0.4
	if len(c.Spec.ImagePullSecrets) > 0 {
		f.confidence, other = 0.75, 0.25
		f.quotes = append(f.quotes, c.pod.quote("spec.imagePullSecrets is set"))
	} else {
		f.quotes = append(f.quotes, c.pod.quote("spec.imagePullSecrets is not set"))
	}
	f.alternatives = append(f.alternatives, alternative{causeImageNotFound, other})
}

// pullTrouble reads why the image is not there. Kubelet's back-off message hides
// the first error, which then stands in an earlier Failed event.
func (c container) pullTrouble() (pull, bool) {
	w := c.status.State.Waiting
	if c.known && w == nil || w != nil && !quietWait(w.Reason) && !pullReason(w.Reason) {
		return pull{}, false
	}
	if w != nil {
		switch {
		case w.Reason == "InvalidImageName":
			return pull{causeImageInvalidName, w.Message, c.quoteState()}, true
		case w.Reason == "ErrImageNeverPull":
			return pull{causeImageNotFound, w.Message, c.quoteState()}, true
		}
		if cause, decided := c.classify(w.Message); decided {
			return pull{cause, strings.ToLower(w.Message), c.quoteState()}, true
		}
	}
	for i := len(c.events) - 1; i >= 0; i-- {
		e := c.events[i]
		if !pullEvent(e) {
			continue
		}
		if cause, decided := c.classify(e.Message); decided {
			return pull{cause, strings.ToLower(e.Message), quoteEvent(e)}, true
		}
	}
	if w != nil && w.Reason == "RegistryUnavailable" {
		return pull{causeRegistryUnreachable, w.Message, c.quoteState()}, true
	}
	return pull{}, false
}

func pullReason(reason string) bool {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError":
		return true
	}
	return false
}

func pullEvent(e *corev1.Event) bool {
	return (e.Reason == "Failed" || e.Reason == "InspectFailed" || e.Reason == "ErrImageNeverPull") &&
		strings.Contains(e.Message, "image")
}

// namesInMessage is what a message quotes or points to: references and
// addresses, whose words (rate-limiter, not-found) are no signs.
var namesInMessage = regexp.MustCompile(`"[^"]*"|https?://[^\s"]+`)

// classify reads one message. A message that decides may decide for no cause
// that is known here; one that only says "back-off" does not decide.
func (c container) classify(message string) (cause string, decided bool) {
	text := namesInMessage.ReplaceAllString(clip(message, 8_192), `""`)
	for _, name := range imageNames(c.spec.Image) {
		if strings.ContainsAny(name, "/:-_.") { // a plain word may be part of any sentence
			text = strings.ReplaceAll(text, name, "")
		}
	}
	text = strings.ToLower(text)
	for _, s := range pullSigns() {
		if strings.Contains(text, s.phrase) {
			return s.cause, true
		}
	}
	return "", false
}

// imageNames are the ways in which messages write a reference: whole, and
// without its tag or digest.
func imageNames(image string) []string {
	if image == "" {
		return nil
	}
	bare, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexByte(bare, ':'); i > strings.LastIndexByte(bare, '/') {
		bare = bare[:i]
	}
	names := []string{image, bare}
	if _, path, ok := strings.Cut(bare, "/"); ok {
		names = append(names, path)
	}
	return names
}
