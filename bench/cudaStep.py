"""One training step of nanoGPT's model on CUDA in fp32, TF32 off, as scripts/testCuda.mjs compares it: AdamW fused, SDPA, eager.

    python3 bench/cudaStep.py '{"model": {"vocabSize", "blockSize", "layers", "heads", "width"}, "batch": {"rows", "tokens"}}'

Prints {"milliseconds": median of 20 steps after 5, "torch": version, "device": name, "reservedMiB": most that its allocator held}.
"""

import json
import sys
import time

try:
    import torch
except ImportError:
    sys.exit("python3 has no torch")
if not torch.cuda.is_available():
    sys.exit(f"torch {torch.__version__} has no CUDA device")

from nanogpt import GPT

WARM, MEASURED = 5, 20


def forbid_tf32():
    """The settings' names change from release to release; what they do shows: TF32 is a thousand times as far from fp64."""
    a = torch.randn(256, 1024)
    exact = a.double() @ a.double().T
    error = ((a @ a.T).double() - exact).norm() / exact.norm()
    if error > 1e-5:
        sys.exit(f"torch {torch.__version__} multiplies in TF32 where fp32 was asked for: error {error:.1e}")


def main(shape):
    torch.set_default_device("cuda")
    torch.set_float32_matmul_precision("highest")
    forbid_tf32()
    model, batch = shape["model"], shape["batch"]
    gpt = GPT(model["layers"], model["heads"], model["width"], model["blockSize"], model["vocabSize"])
    optimizer = torch.optim.AdamW(gpt.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    inputs, targets = torch.randint(model["vocabSize"], (2, batch["rows"], batch["tokens"]))
    milliseconds = []
    for _ in range(WARM + MEASURED):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        loss = gpt(inputs, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(gpt.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        torch.cuda.synchronize()
        milliseconds.append((time.perf_counter() - begin) * 1000)
    middle = sorted(milliseconds[WARM:])[MEASURED // 2]
    reserved = torch.cuda.max_memory_reserved() / 2**20
    print(json.dumps({"milliseconds": middle, "torch": torch.__version__, "device": torch.cuda.get_device_name(), "reservedMiB": reserved}))


main(json.loads(sys.argv[1]))
