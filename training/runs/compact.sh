#!/usr/bin/env bash
# A compact checkpoint from nothing, in one command: data, training and calibration, evaluation, model card. The shipped
# one has learnt from more, run after run, as the head of training/configs/further.yaml tells.
#
#     training/runs/compact.sh [key=value …]      # over training/configs/compact.yaml
#
# Run it again to go on where it stopped: what is made, trained or measured is kept. The result is RUN/best. Sizes and
# folders below may be set in the environment.
set -euo pipefail
cd "$(dirname "$0")/../.."

DATA=${DATA:-$HOME/.cache/refatomnet/openravar}
STILLS=${STILLS:-$DATA-stills}
RUN=${RUN:-$HOME/.cache/refatomnet/runs/compact}
STILL_CLIPS=${STILL_CLIPS:-20000}
TRAIN_CLIPS=${TRAIN_CLIPS:-4500}
VAL_CLIPS=${VAL_CLIPS:-300}
TEST_CLIPS=${TEST_CLIPS:-500}
SPOILT_CLIPS=${SPOILT_CLIPS:-100} # of test, on which every corruption is tried

step() { echo "== $* (${SECONDS} s)" >&2; }

step data
python -m training.generate --out "$STILLS" --split train --clips "$STILL_CLIPS" --seed 21 --stills
python -m training.generate --out "$DATA" --split train --clips "$TRAIN_CLIPS" --seed 11 --sparse
python -m training.generate --out "$DATA" --split val --clips "$VAL_CLIPS" --seed 2
python -m training.generate --out "$DATA" --split test --clips "$TEST_CLIPS" --seed 3

step training, calibration
python -m training.train training/configs/compact.yaml --resume data="$DATA" stills="$STILLS" run="$RUN" "$@"

# What was measured on the weights that are there now is not measured again.
measure() {
    local file=$RUN/$1 command=$2
    shift 2
    [[ $file -nt $RUN/best/model.safetensors ]] && return
    python -m "$command" --data "$DATA" --checkpoint "$RUN/best" --json "$file.part" "$@" >/dev/null
    mv "$file.part" "$file"
}
step evaluation
measure test.json training.evaluate --split test --controls
measure test_paraphrase.json training.evaluate --split test_paraphrase
measure robustness.json training.robustness --split test --levels 3 --limit "$SPOILT_CLIPS"

step card
python -m training.card "$RUN"
step "done: $RUN/best"
