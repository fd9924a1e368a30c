package diagnose

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// configSigns tell that a secret, a config map or a key in one is missing.
var configSigns = []sign{
	{"couldn't find key", causeConfigMissing, "a key is missing in a config map or secret that the container takes its environment from"},
	{"references non-existent secret key", causeConfigMissing, "a key is missing in a secret that is mounted"},
	{"references non-existent config key", causeConfigMissing, "a key is missing in a config map that is mounted"},
}

// createSigns tell why a container could not be made or its program not be
// started, in the words of kubelet, runc, crun, containerd, Docker and CRI-O. What
// stands higher is nearer to the root, or is what others are mistaken for.
var createSigns = []sign{
	{"container init was oom-killed", causeOOMKilled, "the memory limit is too low for the container even to start"},
	{"exec format error", causeImageWrongPlatform, "the program is built for another platform than the node's"},
	{"address already in use", causePortConflict, "a port of the node that the container asks for is in use"},
	{"port is already allocated", causePortConflict, "a port of the node that the container asks for is in use"},
	{"/sys/fs/cgroup", causeCreateFailed, "the node cannot make a cgroup for it"},
	{"cgroup", causeCreateFailed, "the node cannot make a cgroup for it"},
	{"no space left on device", causeDiskPressure, "the node has no space left to make it"},
	{"disk quota exceeded", causeDiskPressure, "the node has no space left to make it"},
	{"error mounting", causeCreateFailed, "a mount cannot be made in its file system"},
	{"to rootfs", causeCreateFailed, "a mount cannot be made in its file system"}, // mounting "/x" to rootfs at "/y" caused "no such file or directory"
	{"are you trying to mount a directory onto a file", causeCreateFailed, "a directory is mounted onto a file, or a file onto a directory"},
	{"error gathering device information", causeCreateFailed, "a device that it asks for is not on the node"},
	{"nvidia-container-cli", causeCreateFailed, "the node's GPU runtime fails"},
	{"oci runtime hook", causeCreateFailed, "a hook of the runtime fails"},
	{"hook #", causeCreateFailed, "a hook of the runtime fails"},
	{"unresolvable cdi devices", causeCreateFailed, "a device that it asks for is not on the node"},
	{"apparmor", causeCreateFailed, "its AppArmor profile cannot be applied on the node"},
	{"seccomp", causeCreateFailed, "its seccomp profile cannot be applied on the node"},
	{"selinux", causeCreateFailed, "its SELinux label cannot be applied on the node"},
	{"chdir to cwd", causeCommandInvalid, "its working directory is not there or may not be entered"},
	{"chdir to `", causeCommandInvalid, "its working directory is not there or may not be entered"},
	{"no command specified", causeCommandInvalid, "neither the image nor the pod says which program to run"},
	{"executable file not found", causeCommandInvalid, "the program is not in the image"},
	{"executable file `", causeCommandInvalid, "the program is not in the image"},
	{"is a directory", causeCommandInvalid, "what it is to run is a directory"},
	{"unable to find user", causeCreateFailed, "the user that it is to run as is not in the image"},
	{"no matching entries in passwd file", causeCreateFailed, "the user that it is to run as is not in the image"},
	{"image will run as root", causeCreateFailed, "it must not run as root (runAsNonRoot), and its image does"},
	{"cannot verify user is non-root", causeCreateFailed, "it must not run as root (runAsNonRoot), and its image names a user whose number nobody knows"},
	{"breaks non-root policy", causeCreateFailed, "it must not run as root (runAsNonRoot), and runAsUser is 0"},
	{"failed to prepare subpath", causeCreateFailed, "the subPath of one of its mounts cannot be made"},
	{"failed to create subpath", causeCreateFailed, "the subPath of one of its mounts cannot be made"},
	{"failed to reserve container name", causeCreateFailed, "the runtime still holds a container of the same name that it could not finish"},
	{"name is reserved for", causeCreateFailed, "the runtime still holds a container of the same name that it could not finish"},
	{"is already in use by container", causeCreateFailed, "the runtime still holds a container of the same name"},
	{"cannot find volume", causeCreateFailed, "one of its volumes is not mounted on the node"},
	{"services have not yet been read", causeCreateFailed, "kubelet has not read the services from the API server yet"},
	{"cache: timed out", causeCreateFailed, "kubelet could not read a secret or config map from the API server in time"},
	{"context deadline exceeded", causeCreateFailed, "the runtime did not answer in time"},
	{"deadlineexceeded", causeCreateFailed, "the runtime did not answer in time"},
	{"fork/exec", causeCreateFailed, "the node's container runtime is broken"},
	{"exec: ", causeCommandInvalid, "the program cannot be run"}, // exec: "/app": stat /app: no such file or directory; permission denied
	{"open executable", causeCommandInvalid, "the program cannot be run"},
	{"starting container process caused", causeCreateFailed, "the runtime cannot start it"},
}

// creation is why a container could not be made or started, and the message that
// says so.
type creation struct {
	sign
	text  string // as it came
	quote string
}

// creationReasons are the reasons to wait of a container that could not be made or
// started; what they mean where no sign says more.
var creationReasons = map[string]string{
	"CreateContainerConfigError":     "kubelet cannot put together the container's configuration",
	"CreateContainerError":           "the runtime cannot make the container",
	"RunContainerError":              "the runtime cannot start the container",
	"RunInitContainerError":          "the runtime cannot start the container",
	"ContainerCannotRun":             "the runtime cannot start the container",
	"StartError":                     "the runtime cannot start the container",
	"PreCreateHookError":             "kubelet's hook before the container's creation fails",
	"PreStartHookError":              "kubelet's hook before the container's start fails",
	"PostStartHookError":             "the container's postStart hook fails, and kubelet kills it for that",
	"VerifyNonRootError":             "kubelet cannot verify that the container does not run as root",
	"FailedPrepareDynamicResources":  "the devices that the pod claims cannot be prepared",
	"InvalidEnvironmentVariableName": "an environment variable has no valid name",
}

// creationTrouble reads the waiting state, the last end where the program never
// ran, and, where both are silent, the Failed events.
func (c container) creationTrouble() (creation, bool) {
	if c.status.State.Running != nil || c.DeletionTimestamp != nil {
		return creation{}, false
	}
	w := c.status.State.Waiting
	d, died := c.death()
	if w != nil && creationReasons[w.Reason] != "" {
		if _, says := readCreation(w.Message); !says && died && neverStarted(d) {
			if _, said := readCreation(d.Message); said { // the last try said more than kubelet repeats
				return c.creationOf(w.Reason, d.Message, c.quoteFate(d)), true
			}
		}
		return c.creationOf(w.Reason, w.Message, c.quoteState()), true
	}
	if w != nil && pullReason(w.Reason) || c.pull != nil {
		return creation{}, false
	}
	switch {
	case died && neverStarted(d):
		return c.creationOf(cmp.Or(d.Reason, "StartError"), d.Message, c.quoteFate(d)), true
	case died:
		return c.postStartTrouble(d)
	case !c.known || w != nil && w.Reason == "CrashLoopBackOff":
		return c.creationEvents("")
	}
	return creation{}, false
}

// neverStarted says whether an end is one of a program that never ran.
func neverStarted(d death) bool {
	return creationReasons[d.Reason] != "" || d.ExitCode == 128 && strings.Contains(d.Message, "OCI runtime") ||
		d.ExitCode == 128 && strings.Contains(d.Message, "containerd task")
}

// creationOf reads one message; one that says nothing is looked for in the events.
func (c container) creationOf(reason, message, quote string) creation {
	t := creation{text: message, quote: quote}
	if reason != "PostStartHookError" { // whose message is about the hook's own command
		if s, ok := readCreation(message); ok {
			t.sign = s
			return t
		}
		if e, ok := c.creationEvents(reason); ok {
			return e
		}
	}
	t.sign = sign{cause: causeCreateFailed, because: creationReasons[reason]}
	return t
}

// readCreation finds what a message says of a container's creation.
func readCreation(message string) (sign, bool) {
	text := strings.ToLower(clip(message, longestText))
	if s, ok := readConfig(text); ok {
		return s, true
	}
	return read(createSigns, text)
}

// readConfig finds what a message says of missing configuration.
func readConfig(text string) (sign, bool) {
	if kind, name := missingConfig(text); kind != "" {
		return sign{cause: causeConfigMissing, because: kind + " " + name + " does not exist"}, true
	}
	return read(configSigns, text)
}

// missingConfig is secret and "db" in `secret "db" not found`.
func missingConfig(text string) (kind, name string) {
	for _, k := range [][2]string{{`secret "`, "secret"}, {`secrets "`, "secret"}, {`configmap "`, "config map"}, {`configmaps "`, "config map"}} {
		for rest := text; ; {
			_, after, found := strings.Cut(rest, k[0])
			if !found {
				break
			}
			object, tail, closed := strings.Cut(after, `"`)
			if closed && strings.HasPrefix(tail, " not found") {
				return k[1], clip(object, 253)
			}
			rest = after
		}
	}
	return "", ""
}

// creationEvents reads the newest Failed event that is about this container's
// creation rather than its image.
func (c container) creationEvents(reason string) (creation, bool) {
	since := c.lastTime("Started")
	for i := len(c.events) - 1; i >= 0; i-- {
		e := c.events[i]
		if !creationEvent(e) || c.ghost && !since.IsZero() && !eventTime(e).After(since) {
			continue
		}
		t := creation{text: e.Message, quote: quoteEvent(e)}
		s, ok := readCreation(e.Message)
		switch {
		case e.Reason == "FailedPostStartHook":
			t.sign = sign{cause: causeCreateFailed, because: creationReasons["PostStartHookError"]}
		case ok:
			t.sign = s
		case reason != "":
			t.sign = sign{cause: causeCreateFailed, because: creationReasons[reason]}
		default:
			continue
		}
		return t, true
	}
	return creation{}, false
}

// creationEvent is a Failed event with an error of its own: kubelet also repeats
// the bare reasons ("Error: ImagePullBackOff").
func creationEvent(e *corev1.Event) bool {
	if e.Reason == "FailedPostStartHook" {
		return true
	}
	rest, ok := strings.CutPrefix(e.Message, "Error: ")
	return e.Reason == "Failed" && ok && strings.ContainsAny(rest, " ")
}

// postStartTrouble finds a container that kubelet killed because its postStart hook
// failed: the end alone does not tell.
func (c container) postStartTrouble(d death) (creation, bool) {
	for i := len(c.events) - 1; i >= 0; i-- {
		if e := c.events[i]; e.Reason == "FailedPostStartHook" && !stale(e, d) && c.current(d) {
			return creation{sign{cause: causeCreateFailed, because: creationReasons["PostStartHookError"]}, e.Message, quoteEvent(e)}, true
		}
	}
	return creation{}, false
}

// quoteFate quotes an end together with its message.
func (c container) quoteFate(d death) string {
	if d.Message == "" {
		return c.quoteDeath(d)
	}
	return c.quoteDeath(d) + ": " + d.Message
}
