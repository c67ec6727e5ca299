module etcd-metrics-lab/etcd-image

go 1.26.0
