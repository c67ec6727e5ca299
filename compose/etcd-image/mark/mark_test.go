package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wal is a write-ahead log as small as the search allows, around the body of its sync method.
func wal(body string) string {
	return "package wal\n\nfunc (w *WAL) Sync() error { return w.sync() }\n\nfunc (w *WAL) sync() error {\n" + body + "}\n"
}

const (
	clock   = "\tstart := time.Now()\n"
	fsync   = "\terr := fileutil.Fdatasync(w.tail().File)\n"
	observe = "\twalFsyncSec.Observe(time.Since(start).Seconds())\n\treturn err\n"
	marker  = "\t// gofail: var walBeforeFdatasync struct{}\n"
)

func TestMarkGoesBetweenClockAndFsync(t *testing.T) {
	flush := "\tif w.encoder != nil {\n\t\tif err := w.encoder.flush(); err != nil {\n\t\t\treturn err\n\t\t}\n\t}\n"
	tests := map[string]struct{ before, after string }{
		"as in 3.5 and 3.7": {
			before: flush + clock + fsync + "\n" + observe,
			after:  flush + clock + marker + fsync + "\n" + observe,
		},
		"a comment between clock and fsync": {
			before: clock + "\t// to the disk\n" + fsync + observe,
			after:  clock + "\t// to the disk\n" + marker + fsync + observe,
		},
		"a statement between clock and fsync": {
			before: clock + "\tf := w.tail().File\n\terr := fileutil.Fdatasync(f)\n" + observe,
			after:  clock + "\tf := w.tail().File\n" + marker + "\terr := fileutil.Fdatasync(f)\n" + observe,
		},
		"the fsync in the head of an if": {
			before: clock + "\tif err := fileutil.Fdatasync(f); err != nil {\n\t\treturn err\n\t}\n" + observe,
			after:  clock + marker + "\tif err := fileutil.Fdatasync(f); err != nil {\n\t\treturn err\n\t}\n" + observe,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := mark("wal.go", []byte(wal(test.before)))
			if err != nil {
				t.Fatal(err)
			}
			if want := wal(test.after); string(got) != want {
				t.Errorf("marked:\n%s\nwanted:\n%s", got, want)
			}
		})
	}
}

func TestMarkRefusesWhatItDoesNotKnow(t *testing.T) {
	good := wal(clock + fsync + observe)
	tests := map[string]struct{ source, complaint string }{
		"no Go":               {"package", "not Go source"},
		"no sync":             {"package wal\n", "a method sync of *WAL with a body once, found it 0 times"},
		"sync of another":     {strings.Replace(good, "*WAL) sync", "*log) sync", 1), "a method sync of *WAL"},
		"a function sync":     {strings.Replace(good, "(w *WAL) sync", "sync", 1), "a method sync of *WAL"},
		"two syncs":           {good + "func (w *WAL) sync() {}\n", "found it 2 times"},
		"no clock":            {wal(fsync + observe), "start := time.Now() in sync of *WAL once, found it 0 times"},
		"two clocks":          {wal(clock + clock + fsync + observe), "found it 2 times"},
		"another clock":       {wal("\tstart := clock.Now()\n" + fsync + observe), "start := time.Now()"},
		"no fsync":            {wal(clock + observe), "a call of fileutil.Fdatasync in sync of *WAL once, found it 0 times"},
		"two fsyncs":          {wal(clock + fsync + fsync + observe), "found it 2 times"},
		"an fsync in a loop":  {wal(clock + fsync + "\tfor {\n\t" + fsync + "\t}\n" + observe), "found it 2 times"},
		"no histogram":        {wal(clock + fsync + "\treturn err\n"), "walFsyncSec.Observe"},
		"clock after fsync":   {wal(fsync + clock + observe), "in this order"},
		"fsync outside time":  {wal(clock + strings.TrimSuffix(observe, "\treturn err\n") + fsync), "in this order"},
		"fsync beside clock":  {wal("\tstart := time.Now(); err := fileutil.Fdatasync(f)\n" + observe), "a line of its own"},
		"fsync within clock":  {wal("\tstart := time.Now().Add(fileutil.Fdatasync(f))\n" + observe), "start := time.Now()"},
		"marked already":      {wal(clock + marker + fsync + observe), "already mentions walBeforeFdatasync"},
		"marked by upstream":  {wal(clock + "\t// gofail: var walBeforeFdatasync string\n" + fsync + observe), "already mentions"},
		"an fsync in a defer": {wal(clock + "\tdefer func() {\n\t" + fsync + "\t}()\n" + fsync + observe), "found it 2 times"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			marked, err := mark("some/wal.go", []byte(test.source))
			if err == nil {
				t.Fatalf("accepted:\n%s", marked)
			}
			for _, wanted := range []string{"some/wal.go", test.complaint} {
				if !strings.Contains(err.Error(), wanted) {
					t.Errorf("%q does not say %q", err, wanted)
				}
			}
		})
	}
}

func TestARefusedFileIsLeftAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wal.go")
	source := wal(fsync + observe)
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := markFile(path); err == nil {
		t.Fatal("accepted a file without a clock")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != source {
		t.Errorf("left %q, %v", got, err)
	}
}
