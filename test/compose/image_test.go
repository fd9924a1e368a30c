package compose

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func dockerfile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestImageIsBareAndUnprivileged(t *testing.T) {
	text := dockerfile(t)
	_, final, found := strings.Cut(text, "\nFROM scratch\n")
	if !found {
		t.Fatal("the image is not made from scratch")
	}
	if !regexp.MustCompile(`(?m)^USER [1-9]\d*:[1-9]\d*$`).MatchString(final) {
		t.Error("the image does not name an unprivileged user by number")
	}
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(module))
	if version == nil || !strings.Contains(text, "FROM golang:"+version[1]+"-alpine") {
		t.Errorf("the image is not built with the Go version of go.mod, %v", version)
	}
}

// The image holds nothing but the program, so the program must need nothing: this runs the Dockerfile's own build line.
func TestBuildLineGivesStaticProgram(t *testing.T) {
	line := regexp.MustCompile(`(?m)^RUN CGO_ENABLED=0 go (build .*) -o /out/salve (\S+)$`).FindStringSubmatch(dockerfile(t))
	if line == nil {
		t.Fatal("the Dockerfile has no line RUN CGO_ENABLED=0 go build … -o /out/salve …")
	}
	program := filepath.Join(t.TempDir(), "salve")
	cmd := exec.Command("go", append(strings.Fields(line[1]), "-o", program, line[2])...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	assertStatic(t, program)
}

func assertStatic(t *testing.T, program string) {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			t.Error("the program asks for a dynamic loader")
		}
	}
	if libraries, err := file.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("the program needs %v", libraries)
	}
}
