#!/usr/bin/env bash
# Makes everything in this folder again: `bash reports/real/remake.sh`, where QVM_DATA names the folder that
# holds cifar-10-batches-bin, cifar-10-jpeg.zip, cifar-100-binary, mnist, imagenet, nmnist-small and weights.
# Checkpoints go to MODELS (default: models); on two cores it takes about an hour.
set -euo pipefail
from=$(realpath "${QVM_DATA:?names no data folder}")
cd "$(dirname "$0")"
ln -sfn "$from" data # the reports name the data by this link, the same on every machine
data=data
models=${MODELS:-models}
mkdir -p "$models"
tool() { python -m "qvm_verify.$@" --threads 2; }
audit() { # NAME MODEL ARGUMENTS: exit codes 0 and 1 are verdicts, and no error here
  local code=0
  tool audit "$models/$2.pt" "${@:3}" --report "$1" || code=$?
  [ $code -le 1 ] || exit $code
}

cifar10="cifar10:$data/cifar-10-batches-bin?normalize=imagenet"
jpeg="imagezip:$data/cifar-10-jpeg.zip?split=train&normalize=imagenet"
published="$data/weights/resnet20-12fca82f.th"
for levels in 8 4; do
  of=()
  for quantizer in floor round ceil; do
    name=resnet20-cifar10-$quantizer-L$levels
    images=(--limit 12800)
    if [ "$name" = resnet20-cifar10-round-L8 ]; then images=(); fi
    [ -f "$models/$name.pt" ] || tool train "$published" --levels $levels --quantizer $quantizer \
      --data "$jpeg" --test-data "$cifar10" --calibrate mse --epochs 1 "${images[@]}" --batch-size 128 \
      --learning-rate 0.02 --augment crop,flip --channels-last --output "$models/$name.pt"
    audit "$name" "$name" --data "$cifar10"
    of+=(--model "$models/$name.pt")
  done
  tool reproduce fig4 "${of[@]}" --data "$cifar10" --report "resnet20-cifar10-over-T-L$levels"
done

audit resnet20-cifar10-floor-L4-10000 resnet20-cifar10-floor-L4 --no-compare-streaming \
  --data "imagezip:$data/cifar-10-jpeg.zip?split=test&normalize=imagenet"

cifar100="cifar100:$data/cifar-100-binary"
[ -f "$models/resnet20-cifar100.pt" ] || tool train --arch resnet20 --levels 8 --quantizer round \
  --data "$cifar100?split=train" --test-data "$cifar100" --epochs 40 --learning-rate 0.05 \
  --augment crop,flip --channels-last --output "$models/resnet20-cifar100.pt"
audit resnet20-cifar100 resnet20-cifar100 --data "$cifar100"

nmnist="nmnist:$data/nmnist-small"
[ -f "$models/resnet20-nmnist.pt" ] || tool train --arch resnet20 --levels 8 --quantizer round \
  --data "$nmnist?split=train" --test-data "$nmnist" --epochs 20 --learning-rate 0.05 \
  --output "$models/resnet20-nmnist.pt"
audit resnet20-nmnist resnet20-nmnist --data "$nmnist"

[ -f "$models/sinabs-mnist.pt" ] || tool train "$data/weights/sinabs_mnist_params.pt" --levels 8 \
  --quantizer round --data "mnist:$data/mnist?split=train" --test-data "mnist:$data/mnist" \
  --calibrate percentile --epochs 0 --output "$models/sinabs-mnist.pt"
audit sinabs-mnist sinabs-mnist --data "mnist:$data/mnist"

# No trained weights of these two are at hand: their accuracy means nothing, their conversion does.
imagenet="imagenet:$data/imagenet"
[ -f "$models/resnet34-imagenet.pt" ] || tool train --arch resnet34 --levels 8 --quantizer round \
  --classes 100 --data "$imagenet" --calibrate percentile --calibration-images 32 --epochs 0 \
  --batch-size 8 --output "$models/resnet34-imagenet.pt"
audit resnet34-imagenet resnet34-imagenet --data "$imagenet" --batch-size 2 --limit 4
[ -f "$models/vgg16-imagenet.pt" ] || tool train --arch vgg16 --variant imagenet --levels 8 \
  --quantizer round --classes 100 --data "$imagenet" --calibrate percentile --calibration-images 8 \
  --epochs 0 --batch-size 4 --output "$models/vgg16-imagenet.pt"
audit vgg16-imagenet vgg16-imagenet --data "$imagenet" --batch-size 1 --limit 2
