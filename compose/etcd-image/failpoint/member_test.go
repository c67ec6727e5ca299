package failpoint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	startLimit   = 30 * time.Second
	requestLimit = 10 * time.Second
	pollInterval = 50 * time.Millisecond
)

// member is a running etcd of one member.
type member struct {
	t                          *testing.T
	etcdctl, client, gofailURL string
}

// start starts etcd on free ports of the loopback address and waits until it is healthy. It ends with the test.
func start(t *testing.T, etcd, etcdctl string) *member {
	t.Helper()
	addresses := freeAddresses(t, 3)
	m := &member{t: t, etcdctl: etcdctl, client: "http://" + addresses[0], gofailURL: "http://" + addresses[1]}
	peer := "http://" + addresses[2]

	var log bytes.Buffer
	process := exec.Command(etcd,
		"--name=alone", "--data-dir="+dataDir(t),
		"--listen-client-urls="+m.client, "--advertise-client-urls="+m.client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=alone="+peer)
	process.Env = append(os.Environ(), "GOFAIL_HTTP="+addresses[1])
	process.Stdout, process.Stderr = &log, &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	t.Cleanup(func() {
		_ = process.Process.Kill()
		<-ended
	})

	deadline := time.After(startLimit)
	for !m.healthy() {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("etcd ended: %v\n%s", err, log.String())
		case <-deadline:
			t.Fatalf("etcd is not healthy after %v", startLimit)
		case <-time.After(pollInterval):
		}
	}
	return m
}

func (m *member) healthy() bool {
	answer, err := request("GET", m.client+"/health", "")
	return err == nil && strings.Contains(answer, `"health":"true"`)
}

// put writes one key, which takes at least one fsync.
func (m *member) put() {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), requestLimit)
	defer cancel()
	command := exec.CommandContext(ctx, m.etcdctl, "--endpoints="+m.client, "put", "key", "value")
	if output, err := command.CombinedOutput(); err != nil {
		m.t.Fatalf("etcdctl put: %v\n%s", err, output)
	}
}

// gofail speaks to the failpoints' own endpoint and returns its answer.
func (m *member) gofail(method, name, term string) string {
	m.t.Helper()
	answer, err := request(method, m.gofailURL+"/"+name, term)
	if err != nil {
		m.t.Fatal(err)
	}
	return answer
}

// fsyncs counts observations of the fsync histogram.
type fsyncs struct{ fast, slow int }

func (f fsyncs) since(before fsyncs) fsyncs {
	return fsyncs{fast: f.fast - before.fast, slow: f.slow - before.slow}
}

func (f fsyncs) String() string {
	return fmt.Sprintf("%d fsyncs up to 0.256 s and %d above", f.fast, f.slow)
}

func (m *member) fsyncs() fsyncs {
	m.t.Helper()
	metrics, err := request("GET", m.client+"/metrics", "")
	if err != nil {
		m.t.Fatal(err)
	}
	fast := m.sample(metrics, `etcd_disk_wal_fsync_duration_seconds_bucket{le="0.256"}`)
	return fsyncs{fast: fast, slow: m.sample(metrics, "etcd_disk_wal_fsync_duration_seconds_count") - fast}
}

// sample is the value of the series, spelt as etcd writes it.
func (m *member) sample(metrics, series string) int {
	m.t.Helper()
	for line := range strings.Lines(metrics) {
		if text, found := strings.CutPrefix(line, series+" "); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				m.t.Fatal(err)
			}
			return int(value)
		}
	}
	m.t.Fatalf("no %s in /metrics", series)
	return 0
}

func request(method, url, body string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, response.Status, answer)
	}
	return string(answer), err
}

// freeAddresses holds all listeners until it has enough, so that no port is given out twice.
func freeAddresses(t *testing.T, count int) []string {
	t.Helper()
	var addresses []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses
}

// dataDir lies in memory where there is such a folder: a real disk that is busy can be as slow as the failpoint.
func dataDir(t *testing.T) string {
	t.Helper()
	const memory = "/dev/shm"
	if dir, err := os.MkdirTemp(memory, "etcd-lab-"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return dir
	}
	return t.TempDir()
}
