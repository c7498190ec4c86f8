# make help lists the targets.
GO ?= go
TOOL = $(GO) tool -modfile=tools/go.mod
FUZZTIME ?= 30s
CORPUS ?= ../shared/corpus
SCHEMAS ?= ../shared/schemas
STEPS = start plan scan publish settle status api
LAMBDA_GOARCH ?= arm64
# What a function may have in MB; machine code of amd64 is larger.
LARGEST = $(if $(filter amd64,$(LAMBDA_GOARCH)),16,15)
# How a function of AWS is built: without net/rpc, whose reflection keeps a third of a binary alive.
FUNCTION = CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_GOARCH) $(GO) build -tags lambda.norpc -trimpath -ldflags '-s -w'

.PHONY: help demo test lint vuln race bench fuzz cross corpus fidelity oddtiffs e2e unprivileged functions cloudlint sam-local ci

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

demo: ## sample rasters, a catalog of them, served
	$(GO) run ./cmd/cairn demo

test: ## all tests; needs nothing but Go
	$(GO) test ./...

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

vuln: ## known vulnerabilities; needs the Go vulnerability database
	@out=$$($(TOOL) govulncheck ./... 2>&1); rc=$$?; echo "$$out"; \
	case "$$out" in *"fetching vulnerabilities"*) echo "vuln: the database cannot be reached here, nothing was checked"; exit 0;; esac; exit $$rc

race: ## the tests under the race detector; needs a C compiler
	@if command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1; then CGO_ENABLED=1 $(GO) test -race ./...; \
	else echo "race: no C compiler here, the race detector was not run"; fi

bench: ## the figures that the documentation quotes, with the machine named
	@uname -sm; $(GO) version; nproc 2>/dev/null || sysctl -n hw.ncpu
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...

fuzz: ## every fuzz target for FUZZTIME each, in the packages PKGS
	PKGS=$${PKGS:-./...} FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

cross: ## build for the other systems
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/cairn
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/cairn
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/cairn

corpus: ## catalog real GeoTIFFs and validate every STAC file; CORPUS is their folder, SCHEMAS that of check.py
	CORPUS='$(abspath $(CORPUS))' SCHEMAS='$(abspath $(SCHEMAS))' scripts/corpus.sh

fidelity: ## hold Items against what GDAL says of the files, field by field; CORPUS is a folder with a truth.jsonl
	@if [ ! -f '$(CORPUS)/truth.jsonl' ]; then echo 'fidelity: no truth.jsonl in $(CORPUS), nothing was measured'; \
	else CAIRN_TEST_CORPUS='$(abspath $(CORPUS))' $(GO) test -count=1 -v ./internal/fidelity; fi

oddtiffs: ## make GeoTIFFs of every odd kind in the folder ODD, for make fidelity CORPUS=…; needs Python and PyPI
	@if [ -z '$(ODD)' ]; then echo 'oddtiffs: say where, as in make oddtiffs ODD=/tmp/odd'; exit 2; fi
	python3 -m venv '$(ODD)/venv'
	'$(ODD)/venv/bin/pip' -q install -r scripts/requirements.txt
	'$(ODD)/venv/bin/python' scripts/oddtiffs.py '$(ODD)'

functions: ## build the functions of AWS, for LAMBDA_GOARCH, to dist/functions/<step>/bootstrap
	@for step in $(STEPS); do $(FUNCTION) -o dist/functions/$$step/bootstrap ./functions/$$step || exit 1; done
	@ls -l dist/functions/*/bootstrap | awk '{printf "  %-38s %.1f MB\n", $$NF, $$5/1e6; if ($$5 > $(LARGEST)e6) big = 1} END {exit big}' \
		|| { echo "functions: one is larger than $(LARGEST) MB, which makes for slow starts"; exit 1; }

build-%Function: # what sam build calls, once a function
	$(FUNCTION) -o '$(ARTIFACTS_DIR)/bootstrap' ./functions/$$(printf %s '$*' | tr A-Z a-z)

cloudlint: ## lint template and workflow with what is installed for it; needs Python and PyPI
	scripts/cloudlint.sh

e2e: ## the command line on an S3 server, and all of AWS as far as it can be emulated, installed for it; needs Python and PyPI
	scripts/e2e.sh
	scripts/cloud.sh

sam-local: ## the API behind sam local start-api; needs a Docker engine, or root to start one
	scripts/samlocal.sh

unprivileged: ## as root: the tests that root skips, as another user
	scripts/unprivileged.sh

ci: ## what CI runs
	bash .ci/run
