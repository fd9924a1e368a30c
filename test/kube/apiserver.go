package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// apiServer is a kube-apiserver that runs in this process until ctx ends.
type apiServer struct {
	url      string
	caFile   string
	admin    string // bearer token of system:masters
	loopback *rest.Config
	ended    <-chan error
}

func startAPIServer(ctx context.Context, dir, etcd string) (*apiServer, error) {
	admin := token()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	flags, err := serverFlags(dir, etcd, admin)
	if err != nil {
		return nil, err
	}
	completed, err := serverOptions(ctx, listener, flags)
	if err != nil {
		return nil, fmt.Errorf("kube-apiserver: %w", err)
	}
	ended := make(chan error, 1)
	loopback, err := serve(ctx, completed, ended)
	if err != nil {
		return nil, fmt.Errorf("kube-apiserver: %w", err)
	}
	return &apiServer{
		url: "https://" + listener.Addr().String(), caFile: filepath.Join(dir, "certs", "apiserver.crt"),
		admin: admin, loopback: loopback, ended: ended,
	}, nil
}

func serverFlags(dir, etcd, admin string) ([]string, error) {
	tokens, signing := filepath.Join(dir, "tokens.csv"), filepath.Join(dir, "service-accounts.key")
	if err := os.WriteFile(tokens, []byte(admin+`,admin,1,"system:masters"`+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := writeSigningKey(signing); err != nil {
		return nil, err
	}
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // it would refuse loopback
		"--cert-dir=" + filepath.Join(dir, "certs"),
		"--token-auth-file=" + tokens,
		"--anonymous-auth=false",
		"--authorization-mode=RBAC",
		"--allow-privileged=true", // as every cluster is started; policies decide
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + signing,
		"--service-account-signing-key-file=" + signing,
		"--service-cluster-ip-range=10.96.0.0/24",
		"--kubelet-preferred-address-types=InternalIP",
		"--enable-priority-and-fairness=false",
		"--profiling=false",
	}, nil
}

// serverOptions goes through the options API: the server's own command would
// set up signals a second time and panic.
func serverOptions(ctx context.Context, listener net.Listener, args []string) (options.CompletedOptions, error) {
	s := options.NewServerRunOptions()
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	named := s.Flags()
	for _, set := range named.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return options.CompletedOptions{}, err
	}
	s.SecureServing.Listener = listener
	s.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	s.SecureServing.ExternalAddress = net.IPv4(127, 0, 0, 1)
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return options.CompletedOptions{}, err
	}
	completed, err := s.Complete(ctx)
	if err != nil {
		return completed, err
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return completed, fmt.Errorf("options: %v", errs)
	}
	return completed, nil
}

// serve starts the server and gives the configuration of its loopback client.
func serve(ctx context.Context, o options.CompletedOptions, ended chan<- error) (*rest.Config, error) {
	config, err := app.NewConfig(o)
	if err != nil {
		return nil, err
	}
	completed, err := config.Complete()
	if err != nil {
		return nil, err
	}
	chain, err := app.CreateServerChain(completed)
	if err != nil {
		return nil, err
	}
	prepared, err := chain.PrepareRun()
	if err != nil {
		return nil, err
	}
	go func() { ended <- prepared.Run(ctx) }()
	return chain.GenericAPIServer.LoopbackClientConfig, nil
}

func (s *apiServer) waitReady(ctx context.Context, c *kubernetes.Clientset) error {
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		select {
		case err := <-s.ended:
			return false, fmt.Errorf("the API server ended: %v", err)
		default:
		}
		var code int
		c.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&code)
		return code == http.StatusOK, nil
	})
}
