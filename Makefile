# What one does with this checkout. The work is in scripts/ and xtask/; this names it.

.DEFAULT_GOAL := help
.PHONY: help run check test test-all lab etcd image bindings bench pictures setup ui-modules

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## get what is missing, build, and open the window (the lab in the terminal where there is no display)
	@scripts/run.sh window

check: ## the quick round while working: format, lint, types, unit tests
	@scripts/verify.sh quick

test: ## everything: the quick round, all tests against real etcds, and the tests in the real window
	@scripts/verify.sh all

test-all: ## all that, and the scenarios on the newest etcd, on Docker and without what they are about (half an hour more)
	@scripts/verify.sh more

lab: ## play scenario 0, puts and ranges, in the terminal
	@scripts/tools.sh
	@scripts/packages.sh build
	@cargo xtask etcd
	@echo "building etcd-labctl (some minutes the first time)"
	@cargo build --package etcd-labctl
	@cargo run --quiet --package etcd-labctl -- run puts-and-ranges

etcd: ## build etcd with failpoints, of both versions (at once when nothing changed)
	@scripts/tools.sh
	@scripts/packages.sh build
	@cargo xtask etcd

image: etcd ## build the Docker images of both etcd versions (PLATFORM=linux/arm64: for another processor)
	@cargo xtask image $(PLATFORM)
	@echo "building etcd-labctl (some minutes the first time)"
	@cargo build --quiet --package etcd-labctl
	@target/debug/etcd-labctl image build $(if $(PLATFORM),--platform $(PLATFORM))

bindings: ## write the UI's types anew after a change to the lab's language
	@UPDATE_BINDINGS=1 cargo test --quiet --package lab --lib typescript_is_up_to_date

bench: etcd ## measure: load generator beside etcd's own, store, PromQL
	@cargo bench --package lab-bench --package lab-metrics --package lab-promql

pictures: ## take pictures of the real window's screens into docs/pictures
	@scripts/run.sh pictures

setup: ## get what is missing: packages of the system, the UI's modules (asks for sudo)
	@scripts/tools.sh node
	@scripts/packages.sh build window test
	@$(MAKE) --no-print-directory ui-modules

# npm writes this file last, so that it is there only after an installation that was not interrupted.
UI_MODULES := ui/node_modules/.package-lock.json

ui-modules: $(UI_MODULES)
	@:

$(UI_MODULES): ui/package-lock.json
	@npm ci --prefix ui --no-audit --no-fund
	@touch $@
