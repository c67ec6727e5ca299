// Package failpoint proves on the built binaries what their marker is for: a sleep on walBeforeFdatasync is measured by
// etcd_disk_wal_fsync_duration_seconds. It knows nothing of how the binaries came to be.
package failpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	failpointName = "walBeforeFdatasync"
	// Between two bounds of the histogram's buckets, 0.256 s and 0.512 s.
	sleepTerm = "sleep(300)"
	puts      = 3
)

func TestASleepIsMeasuredAsFsync(t *testing.T) {
	modules, err := filepath.Glob("../v*/go.mod")
	if err != nil || len(modules) < 2 {
		t.Fatalf("wanted a Go module for each of two etcd versions, found %v, %v", modules, err)
	}
	for _, module := range modules {
		version := pinnedVersion(t, module)
		t.Run(version, func(t *testing.T) {
			member := start(t, sidecar(t, "etcd", version), sidecar(t, "etcdctl", version))
			if listed := member.gofail("GET", "", ""); !strings.Contains(listed, failpointName+"=") {
				t.Fatalf("%s is not among the failpoints:\n%s", failpointName, listed)
			}

			before := member.fsyncs()
			for range puts {
				member.put()
			}
			quick := member.fsyncs().since(before)
			if quick.slow != 0 || quick.fast < puts {
				t.Errorf("without the sleep: %v, wanted at least %d fast and no slow fsync", quick, puts)
			}

			member.gofail("PUT", failpointName, sleepTerm)
			before = member.fsyncs()
			for range puts {
				member.put()
			}
			slowed := member.fsyncs().since(before)
			// An fsync of etcd's own may have been past the failpoint when the sleep was set.
			if slowed.slow < puts || slowed.fast > 1 {
				t.Errorf("with %s: %v, wanted at least %d slow fsyncs and no fast one", sleepTerm, slowed, puts)
			}
			t.Logf("etcd %s: %v without, %v with %s", version, quick, slowed, sleepTerm)
		})
	}
}

// pinnedVersion is the version, without the v, of etcd's server that the module requires.
func pinnedVersion(t *testing.T, module string) string {
	t.Helper()
	text, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "go.etcd.io/etcd/server/v3" {
			return strings.TrimPrefix(words[1], "v")
		}
	}
	t.Fatalf("%s requires no etcd server", module)
	return ""
}

// sidecar is the path of the one program with this name and version among the app's sidecars.
func sidecar(t *testing.T, program, version string) string {
	t.Helper()
	pattern := fmt.Sprintf("../../../src-tauri/binaries/etcd-lab-%s-%s-*", program, version)
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("wanted one file %s, found %v, %v; build it with: make etcd", pattern, found, err)
	}
	path, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return path
}
