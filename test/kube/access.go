package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// grantN8N applies the files that a user applies, and asks for a token of the
// service account that they make.
func grantN8N(ctx context.Context, config *rest.Config, c kubernetes.Interface, files []string) (string, error) {
	for _, file := range files {
		manifests, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if err := apply(ctx, config, c, manifests); err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
	}
	day := int64(24 * 60 * 60)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &day}}
	answer, err := c.CoreV1().ServiceAccounts("salve").CreateToken(ctx, "n8n", request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return answer.Status.Token, nil
}

// apply is kubectl apply --server-side for a file of manifests.
func apply(ctx context.Context, config *rest.Config, c kubernetes.Interface, manifests []byte) error {
	groups, err := restmapper.GetAPIGroupResources(c.Discovery())
	if err != nil {
		return err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	for {
		var o unstructured.Unstructured
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		mapping, err := mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
		if err != nil {
			return err
		}
		to := objects.Resource(mapping.Resource).Namespace(o.GetNamespace())
		if _, err := to.Apply(ctx, o.GetName(), &o, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
}

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: test, user: {token: %q}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
`

func writeAccess(dir string, server *apiServer, n8n string) (ready, error) {
	file := filepath.Join(dir, "kubeconfig")
	text := fmt.Sprintf(kubeconfig, server.url, server.caFile, server.admin)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return ready{}, err
	}
	return ready{URL: server.url, CAFile: server.caFile, AdminToken: server.admin, N8NToken: n8n, Kubeconfig: file}, nil
}

func token() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// writeSigningKey makes the key that signs the tokens of service accounts.
func writeSigningKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}
