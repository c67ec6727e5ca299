module etcd-metrics-lab/etcd-image/mark

go 1.26.0
