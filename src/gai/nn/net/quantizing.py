"""A network with weights of 8 bits: what its file holds, and how it comes back.

For every weight NAME of two or more dimensions ``model.safetensors`` has

    NAME.int8    int8, as large as the weight
    NAME.steps   float32, the step of each row (of the first dimension)

and the weight is int8 * steps. What has one dimension (biases, normalisation) stands there under
its own name, float32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gai.errors import GaiError, UsageError
from gai.nn.net import checkpoints
from gai.nn.net.integers import TWINS, Integers, Rounded, rounded

WHOLE, STEPS = ".int8", ".steps"


def quantized(network: nn.Module) -> dict[str, Tensor]:
    """The tensors of a network as the file has them."""
    found: dict[str, Tensor] = {}
    for name, tensor in checkpoints.tensors_of(network).items():
        if tensor.dim() < 2 or not tensor.is_floating_point():
            found[name] = tensor
            continue
        whole, steps = rounded(tensor)
        found |= {f"{name}{WHOLE}": whole, f"{name}{STEPS}": steps}
    return found


def restore(network: nn.Module, tensors: checkpoints.Tensors, path: str) -> None:
    """Copies weights into a network, and puts layers of whole numbers where the file has these.

    Raises GaiError where they are not those of its layers.
    """
    found = whole_ones(tensors, path)
    taken = {f"{name}{end}" for name in found for end in (WHOLE, STEPS)}
    others = {name: tensor for name, tensor in tensors.items() if name not in taken}
    values = {name: one.values() for name, one in found.items()}
    checkpoints.restore(network, {**others, **values}, path)
    if found:
        exchange(network, found)
        network.requires_grad_(False)


def whole_ones(tensors: checkpoints.Tensors, path: str) -> dict[str, Rounded]:
    """The weights that are whole numbers, by their names; raises GaiError for one without steps."""
    found = {}
    for name, whole in tensors.items():
        if name.endswith(WHOLE):
            bare = name.removesuffix(WHOLE)
            steps = tensors.get(f"{bare}{STEPS}")
            if steps is None or steps.shape != whole.shape[:1] or whole.dtype != torch.int8:
                raise GaiError(f"{path}: broken: {name} has not a step for each row")
            found[bare] = Rounded(nn.Parameter(whole, requires_grad=False), steps)
    return found


def exchange(network: nn.Module, found: dict[str, Rounded]) -> None:
    """Puts layers of whole numbers in place of those that have such; others stay as they are, with
    weights that were rounded."""
    names = {id(weight): name for name, weight in network.named_parameters()}
    for place, module in list(network.named_modules()):
        twin = TWINS.get(type(module))
        own = {k: names[id(weight)] for k, weight in module.named_parameters(recurse=False)}
        weights = {k: found[name] for k, name in own.items() if name in found}
        if twin is not None and plain_enough(module):
            put(network, place, twin(module, weights))


def plain_enough(module: nn.Module) -> bool:
    """Whether a layer is one that gai's own networks are made of."""
    if not isinstance(module, nn.RNNBase):
        return True
    one = module.num_layers == 1 and not module.bidirectional and not module.proj_size
    return one and module.batch_first and module.bias


def put(network: nn.Module, place: str, module: nn.Module) -> None:
    """Puts a module into the place of another."""
    above, _, last = place.rpartition(".")
    setattr(network.get_submodule(above), last, module)


def plain(network: nn.Module) -> nn.Module:
    """The same network, changed: layers with float32 weights in place of those of whole numbers."""
    made: dict[int, nn.Module] = {}
    for place, module in list(network.named_modules()):
        if isinstance(module, Integers):
            layer, whole = module.plain(), id(next(module.parameters()))
            if whole in made:
                layer.weight = made[whole].weight
            made[whole] = layer
            put(network, place, layer)
    return network


def require_trainable(network: nn.Module) -> None:
    """Raises UsageError where weights are whole numbers."""
    if any(isinstance(module, Integers) for module in network.modules()):
        raise UsageError(
            "weights of 8 bits do not learn", "train the run that gai nn quantize was given"
        )
