package diagnose

import "strings"

// imageRules are about a container whose image cannot be pulled.
var imageRules = []row[container]{
	{Rule{
		Name: "image-name", Cause: causeImageInvalidName, Confidence: 0.95,
		When:   "the image reference cannot be parsed",
		Quotes: "the image; the waiting message",
	}, pullFailure(causeImageInvalidName)},
	{Rule{
		Name: "image-rate-limit", Cause: causeImageRateLimited, Confidence: 0.95,
		When:   "the registry answers that too much was pulled",
		Quotes: "the image; the message of the failed pull",
	}, pullFailure(causeImageRateLimited)},
	{Rule{
		Name: "registry-unreachable", Cause: causeRegistryUnreachable, Confidence: 0.95,
		When:   "the registry's name, address, certificate or service fails before it looks at the image",
		Quotes: "the image; the message of the failed pull",
	}, pullFailure(causeRegistryUnreachable)},
	{Rule{
		Name: "image-auth", Cause: causeImageAuthFailed, Confidence: 0.95,
		When:   "the registry refuses these credentials, or asks for some",
		Quotes: "the image; the message of the failed pull; whether the pod has imagePullSecrets",
	}, pullFailure(causeImageAuthFailed)},
	{Rule{
		Name: "image-not-found", Cause: causeImageNotFound, Confidence: 0.95,
		When:   "the registry knows no such image or tag, or it is absent and must not be pulled",
		Quotes: "the image; the message of the failed pull",
	}, pullFailure(causeImageNotFound)},
	{Rule{
		Name: "image-no-platform", Cause: causeImageWrongPlatform, Confidence: 0.95,
		When:   "the registry has the image, but no build of it for the node's operating system and architecture",
		Quotes: "the image; the message of the failed pull; the node's architecture",
	}, pullFailure(causeImageWrongPlatform)},
	{Rule{
		Name: "image-no-space", Cause: causeDiskPressure, Confidence: fair,
		When:   "the image could not be unpacked because the node has no space left",
		Quotes: "the image; the message of the failed pull",
	}, pullFailure(causeDiskPressure)},
}

func pullFailure(cause string) func(container) (finding, bool) {
	return func(c container) (finding, bool) {
		p := c.pull
		if p == nil || p.cause != cause {
			return finding{}, false
		}
		f := finding{
			place:      place{acute: 2},
			confidence: likely + 0.1,
			symptom:    c.symptom(),
			because:    p.because,
		}
		if c.spec.Image != "" {
			f.because += ": " + clip(c.spec.Image, 200)
			f.quotes = append(f.quotes, c.quote("image="+c.spec.Image))
		}
		if state := c.quoteState(); c.known && state != p.quote {
			f.quotes = append(f.quotes, state)
			f.confidence += 0.05
		}
		f.quotes = append(f.quotes, p.quote)
		c.weighPull(&f)
		return f, true
	}
}

// weighPull adds what else the evidence says to a failed pull of some causes.
func (c container) weighPull(f *finding) {
	switch c.pull.cause {
	case causeImageAuthFailed:
		if ambiguousDenial(c.pull.text) {
			c.weighDenial(f)
		}
		c.missingPullSecret(f)
	case causeImageWrongPlatform:
		c.quotePlatform(f)
	case causeDiskPressure:
		f.alternatives = []alternative{{"host.disk_full", slight}}
		f.missing = []string{"the node's DiskPressure condition, and df of its image file system"}
	}
}

// ambiguousDenial finds the answer that registries give for a private image and
// for one that does not exist alike, so as not to tell strangers which it is.
func ambiguousDenial(text string) bool {
	if strings.Contains(text, "authorization token has expired") {
		return false
	}
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
	} else if !c.ghost {
		f.quotes = append(f.quotes, c.pod.quote("spec.imagePullSecrets is not set"))
	}
	f.alternatives = append(f.alternatives, alternative{causeImageNotFound, other})
	f.missing = append(f.missing, "whether "+c.imageName()+" exists in the registry: it answers alike for what is private and for what is not there")
}

// missingPullSecret quotes kubelet's word that credentials named by the pod do
// not exist: it then pulls without them.
func (c container) missingPullSecret(f *finding) {
	for i := len(c.pod.events) - 1; i >= 0; i-- {
		if e := c.pod.events[i]; e.Reason == "FailedToRetrieveImagePullSecret" {
			f.quotes = append(f.quotes, quoteEvent(e))
			f.because += " (a secret named in imagePullSecrets could not be read)"
			f.alternatives = append(f.alternatives, alternative{causeConfigMissing, slight})
			return
		}
	}
}

func (c container) imageName() string {
	if c.spec.Image == "" {
		return "the image"
	}
	return clip(c.spec.Image, 200)
}

// quotePlatform tells what the pod's node runs.
func (c container) quotePlatform(f *finding) {
	if n := c.node(); n != nil && n.Status.NodeInfo.Architecture != "" {
		platform := n.Status.NodeInfo.OperatingSystem + "/" + n.Status.NodeInfo.Architecture
		f.quotes = append(f.quotes, oneLine("node "+n.Name+": "+platform))
		f.because += " (node " + clip(n.Name, 253) + " is " + clip(platform, 63) + ")"
	}
}
