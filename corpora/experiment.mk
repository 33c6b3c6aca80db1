# Which words set each inaugural address apart, and what does the weighting change?
#
#     make -f experiment.mk        in this folder; say GAI=... where gai is not on the PATH
#
# Addresses -> one matrix a century and weighting -> heaviest terms -> one table. gai writes down
# which documents went into a matrix (--deps). So a second run does nothing, and after a change in
# one address only the matrices of its century and the table are made again.

GAI ?= gai
BUILD ?= build
# A set is the first two digits of its years: 18 holds the addresses from 1801 to 1897.
SETS ?= 17 18 19 20
WEIGHTINGS ?= counts tfidf bm25
TOP ?= 4

COMMAND.counts = bow
COMMAND.tfidf = tfidf
COMMAND.bm25 = tfidf --bm25

RUNS := $(foreach weighting,$(WEIGHTINGS),$(SETS:%=$(BUILD)/%.$(weighting)))

.DELETE_ON_ERROR:
.PHONY: all clean

# Named here, the matrices are no intermediate files, which make would remove.
all: $(BUILD)/comparison.tsv $(RUNS:=.npz)

# The stem is SET.WEIGHTING: 18.tfidf.
$(BUILD)/%.npz: | $(BUILD)
	$(GAI) $(COMMAND$(suffix $*)) inaugural/$(basename $*)??-*.txt -o $@ --deps $@.d --quiet

$(BUILD)/%.top.tsv: $(BUILD)/%.npz
	$(GAI) top $< --top $(TOP) -o $@ --quiet

# One row a document, one column a weighting.
$(BUILD)/comparison.tsv: $(RUNS:=.top.tsv)
	@echo 'table $@'
	@awk -F '\t' -v OFS='\t' -v weightings='$(WEIGHTINGS)' ' \
	  BEGIN { columns = split(weightings, name, " "); printf "document"; \
	          for (c = 1; c <= columns; c++) printf "\t%s", name[c]; print "" } \
	  FNR == 1 { n = split(FILENAME, part, "."); weighting = part[n - 2] } \
	  !seen[$$1]++ { document[++rows] = $$1 } \
	  { terms = cell[$$1, weighting]; \
	    cell[$$1, weighting] = terms (terms == "" ? "" : " ") $$2 } \
	  END { for (r = 1; r <= rows; r++) { printf "%s", document[r]; \
	          for (c = 1; c <= columns; c++) printf "\t%s", cell[document[r], name[c]]; \
	          print "" } }' $^ > $@

$(BUILD):
	mkdir -p $@

clean:
	rm -rf $(BUILD)

-include $(RUNS:=.npz.d)
