package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// serveLogs is the one door of a kubelet that the API server needs for
// GET …/pods/NAME/log, on a free loopback port. What it says is in the pod's
// annotations; when it refuses, it does so in a kubelet's words.
func serveLogs(ctx context.Context, pods corelisters.PodLister) (int, error) {
	certificate, err := selfSigned()
	if err != nil {
		return 0, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		pod, err := pods.Pods(r.PathValue("namespace")).Get(r.PathValue("pod"))
		if err != nil {
			http.Error(w, fmt.Sprintf("pod %q does not exist", r.PathValue("pod")), http.StatusNotFound)
			return
		}
		text, err := containerLog(pod, r.PathValue("container"), r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		io.WriteString(w, text)
	})
	server := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go server.ServeTLS(listener, "", "")
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func containerLog(pod *v1.Pod, container string, q url.Values) (string, error) {
	status, err := statusOf(pod, container)
	if err != nil {
		return "", err
	}
	ended := status.LastTerminationState.Terminated
	name := "log"
	switch {
	case q.Get("previous") == "true" && ended == nil:
		return "", fmt.Errorf("previous terminated container %q in pod %q not found", container, pod.Name)
	case q.Get("previous") == "true":
		name = "previous-log"
	case status.State.Waiting != nil && ended == nil:
		return "", fmt.Errorf("container %q in pod %q is waiting to start: %s", container, pod.Name, whyWaiting(status.State.Waiting.Reason))
	case status.State.Waiting != nil:
		name = "previous-log" // the last that ran is the present one, too
	}
	return cut(said(pod, container, name, ""), q), nil
}

func statusOf(pod *v1.Pod, container string) (v1.ContainerStatus, error) {
	for _, statuses := range [][]v1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for _, s := range statuses {
			if s.Name == container {
				return s, nil
			}
		}
	}
	return v1.ContainerStatus{}, fmt.Errorf("container %q in pod %q is not available", container, pod.Name)
}

func whyWaiting(reason string) string {
	switch reason {
	case "ErrImagePull":
		return "image can't be pulled"
	case "ImagePullBackOff":
		return "trying and failing to pull image"
	}
	return reason
}

// cut keeps the last lines, and of those the first bytes, as a kubelet does.
func cut(text string, q url.Values) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if n, err := strconv.Atoi(q.Get("tailLines")); err == nil {
		lines := strings.SplitAfter(text, "\n")
		lines = lines[:len(lines)-1] // after the last newline is nothing
		text = strings.Join(lines[max(0, len(lines)-n):], "")
	}
	if n, err := strconv.Atoi(q.Get("limitBytes")); err == nil && n < len(text) {
		text = text[:n]
	}
	return text
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
