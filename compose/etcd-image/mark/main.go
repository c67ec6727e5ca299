// Mark puts the lab's own failpoint into etcd's write-ahead log.
//
// Upstream's walBeforeSync fires before etcd takes the time, so it slows puts but leaves
// etcd_disk_wal_fsync_duration_seconds alone. The lab teaches from that histogram, hence a failpoint of our own
// between the clock and the fsync. The place is found by what the code says, never by line number: a release of etcd
// that moved it must stop the build and be looked at, not get a failpoint somewhere else.
//
// Mark only writes the comment that gofail reads; making code of it is `gofail enable`'s work.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mark FILE    (etcd's wal.go; rewritten in place)")
		os.Exit(2)
	}
	if err := markFile(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mark:", err)
		os.Exit(1)
	}
}

func markFile(path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	marked, err := mark(path, source)
	if err != nil {
		return err
	}
	return os.WriteFile(path, marked, 0o644)
}
