"""State dicts as other repositories write them, made from our own networks by renaming."""

import re

import torch

# The modules of a block and of the ends of the network: ours -> theirs. `{t}` is the threshold's spelling.
QCFS_RESNET = [
    (r"^stem\.", "conv1."),
    (r"^act\.threshold", "conv1.2.{t}"),
    (r"^stages\.(\d+)\.", lambda m: f"conv{int(m[1]) + 2}_x."),
    (r"\.conv1\.", ".residual_function."),
    (r"\.act1\.threshold", ".residual_function.2.{t}"),
    (r"\.conv2\.0\.", ".residual_function.3."),
    (r"\.conv2\.1\.", ".residual_function.4."),
    (r"\.act2\.threshold", ".act.{t}"),
    (r"^head\.2\.", "fc."),
]
AKAMASTER = [
    (r"^stem\.0\.", "conv1."),
    (r"^stem\.1\.", "bn1."),
    (r"^act\.threshold", "relu.{t}"),
    (r"^stages\.(\d+)\.", lambda m: f"layer{int(m[1]) + 1}."),
    (r"\.conv(\d)\.0\.", r".conv\1."),
    (r"\.conv(\d)\.1\.", r".bn\1."),
    (r"\.act(\d)\.threshold", r".relu\1.{t}"),
    (r"^head\.2\.", "linear."),
]
TORCHVISION = [*AKAMASTER[:-1], (r"\.shortcut\.", ".downsample."), (r"^head\.2\.", "fc.")]
TORCHVISION_VGG = [(r"^stages\.", "features."), (r"^head\.(\d+)", lambda m: f"classifier.{int(m[1]) - 2}")]


def renamed(state, rules, threshold="thresh"):
    """Return a state dict under the names that `rules` give, thresholds of shape [1] or "0-d" by spelling."""
    spelling = threshold.removesuffix(" 0-d")
    found = {}
    for name, tensor in state.items():
        is_threshold = name.endswith("threshold")
        for pattern, theirs in rules:
            name = re.sub(pattern, theirs, name)
        if is_threshold:
            name = name.replace("{t}", spelling).replace("threshold", spelling)
            tensor = tensor if threshold.endswith("0-d") else tensor.reshape(1)
        found[name] = tensor
    return found


def qcfs_vgg(state, threshold="thresh"):
    """Return VGG-16's state dict with the layers of each stage numbered: conv, bn, IF, dropout (QCFS)."""
    rules = [(r"^head\.(\d+)", lambda m: f"classifier.{int(m[1]) - 1}")]
    for stage in range(5):
        for place in range(3):
            conv, act = f"stages.{stage}.{2 * place}", f"stages.{stage}.{2 * place + 1}"
            theirs = f"layer{stage + 1}.{4 * place}", f"layer{stage + 1}.{4 * place + 2}"
            norm = f"layer{stage + 1}.{4 * place + 1}"
            rules += [
                (rf"^{re.escape(conv)}\.0\.", f"{theirs[0]}."),
                (rf"^{re.escape(conv)}\.1\.", f"{norm}."),
                (rf"^{re.escape(act)}\.threshold", f"{theirs[1]}.{{t}}"),
            ]
    return renamed(state, rules, threshold)


def randomized(network):
    """Give every number of a network a value of its own, so that no two layers can be mistaken."""
    random = torch.Generator().manual_seed(1)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            low = 0.5 if name.endswith(("threshold", "running_var")) else -0.5
            tensor.copy_(torch.rand(tensor.shape, generator=random) + low)
    return network.eval()
