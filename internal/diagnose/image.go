package diagnose

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What the rules say of a pull, where several signs tell the same.
const (
	notThere    = "the image is not there"
	noAccess    = "the registry refuses access to the image"
	tooMuch     = "the registry refuses for now because too much was pulled"
	noName      = "the registry's name cannot be resolved"
	noAnswer    = "the registry cannot be reached"
	noTrust     = "the registry's certificate or TLS is not accepted"
	brokenReply = "the registry answers with an error of its own"
	otherBuild  = "the image is not built for the node's platform"
	badName     = "the image reference is not valid"
	fullDisk    = "the node has no space left for the image"
)

// pullSigns in the order in which they decide: a message tells of the outermost
// failure too ("failed to authorize: … i/o timeout"), and what stands higher is
// nearer to the root.
var pullSigns = []sign{
	{"no match for platform", causeImageWrongPlatform, otherBuild},
	{"no matching manifest for", causeImageWrongPlatform, otherBuild},
	{"no image found in manifest list for architecture", causeImageWrongPlatform, otherBuild},
	{"no image found in image index for architecture", causeImageWrongPlatform, otherBuild},
	{"cannot be used on this platform", causeImageWrongPlatform, otherBuild},
	{"does not match the specified platform", causeImageWrongPlatform, otherBuild},
	{"no space left on device", causeDiskPressure, fullDisk},
	{"disk quota exceeded", causeDiskPressure, fullDisk},
	{".sock", "", ""}, // of the node's own runtime
	{"cannot connect to the docker daemon", "", ""},
	{"412 precondition failed", "", ""}, // the registry's policy: vulnerabilities, signatures
	{"signature validation", "", ""},
	{"source image rejected", "", ""},
	{"denied: permission denied", causeImageAuthFailed, noAccess},
	{"permission denied for", causeImageAuthFailed, noAccess}, // gcr.io
	{"permission denied", "", ""},                             // of the node's own files
	{"failed to extract layer", "", ""},
	{"failed to register layer", "", ""},
	{"couldn't parse image", causeImageInvalidName, badName},
	{"invalid reference format", causeImageInvalidName, badName},
	{"must be lowercase", causeImageInvalidName, badName},
	{"invalid image name", causeImageInvalidName, badName},
	{"toomanyrequests", causeImageRateLimited, tooMuch},
	{"too many requests", causeImageRateLimited, tooMuch},
	{"rate limit", causeImageRateLimited, tooMuch},
	{"rate exceeded", causeImageRateLimited, tooMuch},
	{"status code 429", causeImageRateLimited, tooMuch},
	{"pull qps exceeded", causeImageRateLimited, "kubelet itself pulls no more images a second than it may"},
	{"no such host", causeRegistryUnreachable, noName},
	{"server misbehaving", causeRegistryUnreachable, noName},
	{"name resolution", causeRegistryUnreachable, noName},
	{"i/o timeout", causeRegistryUnreachable, noAnswer + " in time"},
	{"connection refused", causeRegistryUnreachable, noAnswer + ": it refuses connections"},
	{"connection reset", causeRegistryUnreachable, noAnswer + ": it resets connections"},
	{"connection timed out", causeRegistryUnreachable, noAnswer + " in time"},
	{"no route to host", causeRegistryUnreachable, noAnswer + ": there is no route to it"},
	{"network is unreachable", causeRegistryUnreachable, noAnswer + ": its network is unreachable"},
	{"x509:", causeRegistryUnreachable, noTrust},
	{"tls handshake timeout", causeRegistryUnreachable, noAnswer + " in time"},
	{"tls: ", causeRegistryUnreachable, noTrust},
	{"server gave http response to https client", causeRegistryUnreachable, "the registry speaks plain HTTP where HTTPS is expected"},
	{"unable to ping registry", causeRegistryUnreachable, noAnswer},
	{"proxyconnect", causeRegistryUnreachable, "the proxy before the registry cannot be reached"},
	{"context deadline exceeded", causeRegistryUnreachable, noAnswer + " in time"},
	{"client.timeout exceeded", causeRegistryUnreachable, noAnswer + " in time"},
	{"request canceled", causeRegistryUnreachable, noAnswer + " in time"},
	{"context canceled", causeRegistryUnreachable, noAnswer + " in time"},
	{"unexpected eof", causeRegistryUnreachable, noAnswer + ": it ends connections early"},
	{": eof", causeRegistryUnreachable, noAnswer + ": it ends connections early"},
	{"server sent goaway", causeRegistryUnreachable, noAnswer + ": it ends connections early"},
	{"500 internal server error", causeRegistryUnreachable, brokenReply},
	{"502 bad gateway", causeRegistryUnreachable, brokenReply},
	{"503 service unavailable", causeRegistryUnreachable, brokenReply},
	{"504 gateway time", causeRegistryUnreachable, brokenReply},
	{"unauthorized", causeImageAuthFailed, noAccess},
	{"unauthenticated", causeImageAuthFailed, noAccess},
	{"forbidden", causeImageAuthFailed, noAccess},
	{"authentication required", causeImageAuthFailed, noAccess},
	{"authorization failed", causeImageAuthFailed, noAccess},
	{"insufficient_scope", causeImageAuthFailed, noAccess},
	{"no basic auth credentials", causeImageAuthFailed, noAccess},
	{"incorrect username or password", causeImageAuthFailed, noAccess},
	{"not authorized", causeImageAuthFailed, noAccess},
	{"does not have permission", causeImageAuthFailed, noAccess},
	{"access denied", causeImageAuthFailed, noAccess},
	{"denied", causeImageAuthFailed, noAccess},
	{"failed to authorize", causeImageAuthFailed, noAccess},
	{"authorization token has expired", causeImageAuthFailed, noAccess},
	{"invalid username/password", causeImageAuthFailed, noAccess},
	{"manifest unknown", causeImageNotFound, notThere},
	{"name unknown", causeImageNotFound, notThere},
	{"name_unknown", causeImageNotFound, notThere},
	{"manifest_unknown", causeImageNotFound, notThere},
	{"manifest invalid", "", ""},
	{"unknown blob", causeImageNotFound, "a part of the image is not there"},
	{"blob unknown", causeImageNotFound, "a part of the image is not there"},
	{"not found", causeImageNotFound, notThere},
	{"notfound", causeImageNotFound, notThere},
	{"does not exist", causeImageNotFound, notThere},
	{"no such image", causeImageNotFound, notThere},
	{"status code 404", causeImageNotFound, notThere},
}

// pull is why one image could not be pulled, and the message that says so.
type pull struct {
	sign
	text  string // in lower case
	quote string
}

// pullTrouble reads why the image is not there. Kubelet's back-off message hides
// the first error, which then stands in an earlier Failed event.
func (c container) pullTrouble() (pull, bool) {
	w := c.status.State.Waiting
	if c.known && w == nil || w != nil && !quietWait(w.Reason) && !pullReason(w.Reason) {
		return pull{}, false
	}
	if w != nil {
		if s, decided := c.pullState(w); decided {
			return pull{s, strings.ToLower(w.Message), c.quoteState()}, true
		}
	}
	if p, ok := c.pullEvents(w == nil || quietWait(w.Reason)); ok {
		return p, true
	}
	if w != nil && w.Reason == "RegistryUnavailable" {
		return pull{sign{cause: causeRegistryUnreachable, because: noAnswer}, strings.ToLower(w.Message), c.quoteState()}, true
	}
	return pull{}, false
}

// pullState reads the waiting state: some of its reasons decide by themselves.
func (c container) pullState(w *corev1.ContainerStateWaiting) (sign, bool) {
	switch w.Reason {
	case "InvalidImageName":
		return sign{cause: causeImageInvalidName, because: badName}, true
	case "SignatureValidationFailed": // neither missing nor refused: the node's own policy
		return sign{}, true
	case "ErrImageNeverPull":
		return neverPull(w.Message), true
	}
	return c.classify(w.Message)
}

// neverPull tells an absent image from one that is there for other credentials only.
func neverPull(message string) sign {
	if text := withoutNames(message); strings.Contains(text, "auth") || strings.Contains(text, "credential") {
		return sign{cause: causeImageAuthFailed, because: "the image is on the node, but was pulled with other credentials, and must not be pulled"}
	}
	return sign{cause: causeImageNotFound, because: "the image is not on the node, and must not be pulled (imagePullPolicy Never)"}
}

// pullEvents reads the newest failure that says why. Where nothing says that the
// pull still fails, one before a success is history.
func (c container) pullEvents(onlyCurrent bool) (pull, bool) {
	var since time.Time
	if onlyCurrent {
		since = c.lastTime("Pulled", "Created", "Started")
	}
	for i := len(c.events) - 1; i >= 0; i-- {
		e := c.events[i]
		if !pullEvent(e) || !since.IsZero() && !eventTime(e).After(since) {
			continue
		}
		s, decided := c.classify(e.Message)
		if e.Reason == "ErrImageNeverPull" {
			s, decided = neverPull(e.Message), true
		}
		if decided {
			return pull{s, strings.ToLower(e.Message), quoteEvent(e)}, true
		}
	}
	return pull{}, false
}

// lastTime is when the newest event of one of these reasons was last seen.
func (c container) lastTime(reasons ...string) time.Time {
	return lastTime(c.events, reasons...)
}

func pullReason(reason string) bool {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed":
		return true
	}
	return false
}

func pullEvent(e *corev1.Event) bool {
	return (e.Reason == "Failed" || e.Reason == "InspectFailed" || e.Reason == "ErrImageNeverPull" || e.Reason == "BackOff") &&
		strings.Contains(e.Message, "image")
}

// classify reads one message. A message that decides may decide for no cause
// that is known here; one that only says "back-off" does not decide.
func (c container) classify(message string) (sign, bool) {
	text := withoutNames(message)
	for _, name := range imageNames(c.spec.Image) {
		if strings.ContainsAny(name, "/:-_.") { // a plain word may be part of any sentence
			text = strings.ReplaceAll(text, strings.ToLower(name), "")
		}
	}
	return read(pullSigns, text)
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
