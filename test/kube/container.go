package main

import (
	"crypto/sha256"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
)

// actor plays one container: it writes its status and the events about it.
type actor struct {
	pod    *v1.Pod
	spec   v1.Container
	init   bool
	now    metav1.Time
	status v1.ContainerStatus
	notes  []note
}

// plots are what can happen to a container, by the state that is asked for.
var plots = map[string]func(*actor){
	"Running":                    (*actor).running,
	"Starting":                   (*actor).starting,
	"NotReady":                   (*actor).notReady,
	"Restarted":                  (*actor).restarted,
	"CrashLoopBackOff":           (*actor).crashLoop,
	"LivenessFailed":             (*actor).livenessFailed,
	"StartupFailed":              (*actor).startupFailed,
	"Completed":                  (*actor).exited,
	"Error":                      (*actor).exited,
	"ErrImagePull":               (*actor).pullFailed,
	"ImagePullBackOff":           (*actor).pullBackOff,
	"InvalidImageName":           (*actor).invalidImage,
	"CreateContainerConfigError": (*actor).notCreated,
	"CreateContainerError":       (*actor).notCreated,
	"ContainerCreating":          (*actor).creating,
}

// perform plays the container's plot. Init containers complete, others run,
// unless something else is said.
func perform(pod *v1.Pod, spec v1.Container, init bool, now metav1.Time) *actor {
	no := false
	a := &actor{pod: pod, spec: spec, init: init, now: now}
	a.status = v1.ContainerStatus{Name: spec.Name, Image: spec.Image, Started: &no}
	a.plot()(a)
	return a
}

func (a *actor) plot() func(*actor) {
	if starved(a.pod, a.spec) {
		return (*actor).crashLoop
	}
	usual := "Running"
	if a.init && !sidecar(a.spec) {
		usual = "Completed"
	}
	if p, known := plots[a.state()]; known {
		return p
	}
	return plots[usual]
}

// state is empty where nothing, or something about the whole pod, is said.
func (a *actor) state() string { return said(a.pod, a.spec.Name, "state", "") }

func sidecar(c v1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways
}

func (a *actor) running() {
	yes := true
	a.started()
	a.status.State.Running = &v1.ContainerStateRunning{StartedAt: a.now}
	a.status.Started, a.status.Ready = &yes, true
	a.status.ContainerID = a.id("now")
}

func (a *actor) starting() {
	a.running()
	a.status.Ready = false
}

func (a *actor) notReady() {
	a.starting()
	a.unhealthy("Readiness", 36)
}

// restarted runs well now; how it ended before is in its last state.
func (a *actor) restarted() {
	a.running()
	a.ended(1)
}

func (a *actor) crashLoop() {
	a.started()
	a.ended(5)
	pause := min(10*time.Second<<min(a.status.RestartCount, 10), 5*time.Minute)
	a.wait("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", pause, a.spec.Name, a.podID()))
	a.note(v1.EventTypeWarning, "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", a.spec.Name, a.podID()), a.status.RestartCount+1)
}

func (a *actor) livenessFailed() {
	a.running()
	a.killed("Liveness", "liveness")
}

func (a *actor) startupFailed() {
	a.started()
	a.killed("Startup", "startup")
	a.wait("CrashLoopBackOff", fmt.Sprintf("back-off 2m40s restarting failed container=%s pod=%s", a.spec.Name, a.podID()))
}

// killed is the end of a container whose probe failed: nothing but the events
// tells it from another kill.
func (a *actor) killed(probe, word string) {
	a.unhealthy(probe, 12)
	a.note(v1.EventTypeNormal, "Killing", fmt.Sprintf("Container %s failed %s probe, will be restarted", a.spec.Name, word), 4)
	a.endedAs(v1.ContainerStateTerminated{ExitCode: saidNumber(a.pod, a.spec.Name, "exit-code", 137), Reason: "Error"}, 4)
}

func (a *actor) exited() {
	a.started()
	end := a.end()
	a.status.State.Terminated, a.status.ContainerID = &end, end.ContainerID
}

func (a *actor) pullFailed() {
	a.pull()
	a.wait("ErrImagePull", a.pullError())
}

func (a *actor) pullBackOff() {
	a.pull()
	message := fmt.Sprintf("Back-off pulling image %q", a.spec.Image)
	a.note(v1.EventTypeNormal, "BackOff", message, 6)
	a.note(v1.EventTypeWarning, "Failed", "Error: ImagePullBackOff", 6)
	a.wait("ImagePullBackOff", message+": ErrImagePull: "+a.pullError())
}

func (a *actor) pull() {
	a.note(v1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", a.spec.Image), 3)
	a.note(v1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %s", a.spec.Image, a.pullError()), 3)
	a.note(v1.EventTypeWarning, "Failed", "Error: ErrImagePull", 3)
}

// pullError is containerd's, where nothing is said.
func (a *actor) pullError() string {
	return a.message(fmt.Sprintf("rpc error: code = NotFound desc = failed to pull and unpack image %[1]q: failed to resolve reference %[1]q: %[1]s: not found", a.spec.Image))
}

func (a *actor) invalidImage() {
	message := a.message(fmt.Sprintf("Failed to apply default image tag %[1]q: couldn't parse image name %[1]q: invalid reference format", a.spec.Image))
	a.note(v1.EventTypeWarning, "InspectFailed", message, 5)
	a.note(v1.EventTypeWarning, "Failed", "Error: InvalidImageName", 5)
	a.wait("InvalidImageName", message)
}

func (a *actor) notCreated() {
	message := a.message("context deadline exceeded")
	a.pulled()
	a.note(v1.EventTypeWarning, "Failed", "Error: "+message, 5)
	a.wait(a.state(), message)
}

// creating is a container whose sandbox or volumes are not there yet. Without
// an event about that it is a normal start.
func (a *actor) creating() {
	a.wait("ContainerCreating", "")
	if reason := said(a.pod, a.spec.Name, "event-reason", ""); reason != "" {
		a.notes = append(a.notes, note{kind: v1.EventTypeWarning, reason: reason, message: a.message("timed out waiting for the condition"), count: 4})
	}
}

func (a *actor) wait(reason, message string) {
	no := false
	a.status.State = v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason, Message: message}}
	a.status.Ready, a.status.Started = false, &no
}

func (a *actor) started() {
	a.pulled()
	a.note(v1.EventTypeNormal, "Created", "Container created", 1)
	if message := a.neverRan(); message != "" {
		a.note(v1.EventTypeWarning, "Failed", "Error: "+message, 1)
		return
	}
	a.note(v1.EventTypeNormal, "Started", "Container started", 1)
}

func (a *actor) pulled() {
	a.status.ImageID = fmt.Sprintf("%s@sha256:%x", a.spec.Image, sha256.Sum256([]byte(a.spec.Image)))
	a.note(v1.EventTypeNormal, "Pulled", fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", a.spec.Image), 1)
}

// neverRan is the runtime's error where the command could not be started.
func (a *actor) neverRan() string {
	switch said(a.pod, a.spec.Name, "reason", "") {
	case "StartError", "ContainerCannotRun":
		return said(a.pod, a.spec.Name, "termination-message", "failed to create containerd task: failed to create shim task: OCI runtime create failed")
	}
	return ""
}

func (a *actor) unhealthy(probe string, count int32) {
	a.note(v1.EventTypeWarning, "Unhealthy", probe+" probe failed: "+a.message("HTTP probe failed with statuscode: 503"), count)
}

func (a *actor) ended(restarts int32) { a.endedAs(a.end(), restarts) }

func (a *actor) endedAs(end v1.ContainerStateTerminated, restarts int32) {
	end.StartedAt, end.FinishedAt, end.ContainerID = a.now, a.now, a.id("before")
	a.status.LastTerminationState.Terminated = &end
	a.status.RestartCount = saidNumber(a.pod, a.spec.Name, "restarts", restarts)
	if a.status.ContainerID == "" {
		a.status.ContainerID = end.ContainerID
	}
}

// end is how the container ends, as far as it is said.
func (a *actor) end() v1.ContainerStateTerminated {
	reason, code := said(a.pod, a.spec.Name, "reason", ""), int32(1)
	switch {
	case starved(a.pod, a.spec):
		reason, code = "OOMKilled", 137
	case reason == "OOMKilled":
		code = 137
	case reason == "StartError":
		code = 128
	case a.state() == "Completed" || a.state() == "" && a.init:
		code = 0
	}
	code = saidNumber(a.pod, a.spec.Name, "exit-code", code)
	if reason == "" && code == 0 {
		reason = "Completed"
	} else if reason == "" {
		reason = "Error"
	}
	message := a.neverRan()
	if message == "" {
		message = said(a.pod, a.spec.Name, "termination-message", "")
	}
	return v1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: a.now, FinishedAt: a.now, ContainerID: a.id("end")}
}

func (a *actor) message(usual string) string { return said(a.pod, a.spec.Name, "message", usual) }

func (a *actor) note(kind, reason, message string, count int32) {
	a.notes = append(a.notes, note{kind: kind, reason: reason, message: message, container: a.spec.Name, init: a.init, count: count})
}

func (a *actor) podID() string {
	return fmt.Sprintf("%s_%s(%s)", a.pod.Name, a.pod.Namespace, a.pod.UID)
}

func (a *actor) id(which string) string {
	return fmt.Sprintf("containerd://%x", sha256.Sum256([]byte(string(a.pod.UID)+a.spec.Name+which+rand.String(4))))
}
