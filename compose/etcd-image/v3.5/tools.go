//go:build tools

// Package tools names the programs that this module pins and that the lab builds from it.
package tools

import (
	_ "go.etcd.io/etcd/etcdctl/v3"
	_ "go.etcd.io/etcd/server/v3"
	_ "go.etcd.io/etcd/v3/tools/benchmark"
	_ "go.etcd.io/etcd/v3/tools/local-tester/bridge"
	_ "go.etcd.io/gofail"
	_ "go.etcd.io/gofail/runtime" // what `gofail enable` makes the marked packages import
)
