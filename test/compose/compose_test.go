package compose

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func load(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../../docker-compose.yml"}, cli.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("docker-compose.yml: %v", err)
	}
	return project
}

func TestServicesAreThere(t *testing.T) {
	project := load(t)
	for _, name := range []string{"postgres", "keys", "salve", "n8n-import", "n8n", "token"} {
		if _, ok := project.Services[name]; !ok {
			t.Errorf("no service %s", name)
		}
	}
	if profiles := project.Services["token"].Profiles; len(profiles) == 0 {
		t.Error("the token service would run at every up")
	}
}

// Who reaches the database needs no approval: that is Salve alone.
func TestOnlySalveReachesTheDatabase(t *testing.T) {
	project := load(t)
	if !project.Networks["data"].Internal {
		t.Error("the database's network leads outside")
	}
	for name, service := range project.Services {
		_, reaches := service.Networks["data"]
		if reaches != (name == "salve" || name == "postgres") {
			t.Errorf("service %s is on the database's network: %t", name, reaches)
		}
	}
	if n := len(project.Services["postgres"].Networks); n != 1 {
		t.Errorf("postgres is on %d networks, want its own alone", n)
	}
}

// pinned is a plain name of an image with a version: no registry's host, no latest.
var pinned = regexp.MustCompile(`^[a-z0-9-]+(/[a-z0-9-]+)?:[0-9]+(\.[0-9]+)+(-[a-z0-9.]+)?$`)

func TestImagesArePinned(t *testing.T) {
	for name, service := range load(t).Services {
		builtHere := service.Build != nil || service.Image == "salve:dev"
		if !builtHere && !pinned.MatchString(service.Image) {
			t.Errorf("service %s uses image %q, want a name without a host and with a version", name, service.Image)
		}
	}
}

func volumesOf(service types.ServiceConfig) map[string]types.ServiceVolumeConfig {
	mounts := map[string]types.ServiceVolumeConfig{}
	for _, volume := range service.Volumes {
		mounts[volume.Source] = volume
	}
	return mounts
}

func TestServerSeesNoPrivateKey(t *testing.T) {
	project := load(t)
	salve := project.Services["salve"]
	mounts := volumesOf(salve)
	if len(mounts) != 1 {
		t.Errorf("salve mounts %d volumes, want the public keys alone", len(mounts))
	}
	public, ok := mounts["keys-public"]
	if !ok || !public.ReadOnly {
		t.Errorf("salve's keys are %+v, want volume keys-public, read-only", public)
	}
	if keys := salve.Environment["SALVE_JWT_KEYS"]; keys == nil || *keys != public.Target {
		t.Errorf("SALVE_JWT_KEYS does not name the volume's place %s", public.Target)
	}
	for name := range project.Services {
		if _, private := volumesOf(project.Services[name])["keys-private"]; private && name != "keys" && name != "token" {
			t.Errorf("service %s mounts the private key", name)
		}
	}
}

// Only the one public file may be copied: a private key in the server's directory stops its start.
func TestKeysServiceCopiesThePublicKeyAlone(t *testing.T) {
	script := strings.Join(load(t).Services["keys"].Command, "\n")
	if !strings.Contains(script, "test -f /keys/private/salve.key.pem ||") {
		t.Error("the key pair would be made anew at every start")
	}
	for line := range strings.Lines(script) {
		if strings.Contains(line, "cp ") && !strings.HasPrefix(strings.TrimSpace(line), "cp /keys/private/salve.pub.pem ") {
			t.Errorf("copies more than the public key: %s", line)
		}
	}
}

func TestServerIsConfined(t *testing.T) {
	salve := load(t).Services["salve"]
	if !salve.ReadOnly {
		t.Error("salve's file system is writable")
	}
	if len(salve.CapDrop) != 1 || salve.CapDrop[0] != "ALL" {
		t.Errorf("salve drops capabilities %v, want ALL", salve.CapDrop)
	}
	if salve.Privileged || len(salve.CapAdd) > 0 || salve.NetworkMode == "host" {
		t.Error("salve has rights it has no use for")
	}
}

func TestPortsAreLocal(t *testing.T) {
	for name, service := range load(t).Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("service %s publishes port %s to the world", name, port.Published)
			}
		}
	}
}

func TestOrderOfStart(t *testing.T) {
	project := load(t)
	for _, want := range []struct{ service, needs, condition string }{
		{"salve", "postgres", types.ServiceConditionHealthy},
		{"salve", "keys", types.ServiceConditionCompletedSuccessfully},
		{"n8n", "n8n-import", types.ServiceConditionCompletedSuccessfully},
	} {
		got := project.Services[want.service].DependsOn[want.needs].Condition
		if got != want.condition {
			t.Errorf("%s waits for %s with %q, want %q", want.service, want.needs, got, want.condition)
		}
	}
	if project.Services["postgres"].HealthCheck == nil {
		t.Error("postgres has no health check to wait for")
	}
}

func TestWorkflowsReachSalve(t *testing.T) {
	project := load(t)
	if url := project.Services["n8n"].Environment["SALVE_URL"]; url == nil || *url != "http://salve:8080" {
		t.Error("n8n does not know the address of salve")
	}
	imported := project.Services["n8n-import"]
	if imported.Image != project.Services["n8n"].Image {
		t.Errorf("workflows are imported with %s and run with %s", imported.Image, project.Services["n8n"].Image)
	}
	for source, mount := range volumesOf(imported) {
		if path.Base(source) == "n8n-workflows" && mount.Type == types.VolumeTypeBind && mount.ReadOnly {
			return
		}
	}
	t.Error("the workflow files are not mounted for the import")
}
