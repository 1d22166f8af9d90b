"""nanoGPT's model in PyTorch, as the yardstick of bench/step.mjs: same parameters, same batches, same update.

    python3 bench/nanogpt.py --shape 4,4,128,64,65 --rows 12 --tokens 64 --parameters theta --batches batches \
        --learning-rate 1e-3 [--mode eager|tuned|medium|compile|compile-medium] [--precision fp32|bf16] [--threads N] [--steps 10] \
        [--device cpu|cuda] [--gelu erf|tanh]

`eager` is what nanoGPT does on a CPU; `tuned` adds fused AdamW; `compile` is torch.compile on top of `tuned`; `medium` is
`tuned` and `compile-medium` is `compile` with float32_matmul_precision `medium`, which multiplies by oneDNN and is refused where
that does not multiply in fp32. Precision bf16 is autocast; fp32 on CUDA is refused where TF32 multiplies. On CUDA a block does not wait for the device between its steps, which
are timed by events, and attention takes the first backend that can of cuDNN's, flash, memory-efficient.

Without --steps it obeys lines on stdin: `block N` runs N steps and prints one JSON line, `end` (or the end of stdin) stops.
Parameters: raw little-endian fp32 in manifest order (docs/protocol.md), as `saveParameters` writes them. Batches: raw int32,
for each batch the inputs (B, T), then the targets (B, T); step k takes batch k modulo their number.

Legend: B batch, T time, C channels, V vocabulary, h heads.   source: karpathy/nanoGPT model.py, train.py
"""

import argparse
import array
import contextlib
import json
import math
import resource
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    sys.exit("bench/nanogpt.py needs PyTorch: python3 -m pip install torch --index-url https://download.pytorch.org/whl/cpu")


class Block(nn.Module):
    def __init__(self, heads, width, gelu):
        super().__init__()
        self.heads = heads
        self.ln_1 = nn.LayerNorm(width, bias=False)
        self.c_attn = nn.Linear(width, 3 * width, bias=False)
        self.attn_proj = nn.Linear(width, width, bias=False)
        self.ln_2 = nn.LayerNorm(width, bias=False)
        self.c_fc = nn.Linear(width, 4 * width, bias=False)
        self.gelu = nn.GELU(approximate="tanh" if gelu == "tanh" else "none")
        self.mlp_proj = nn.Linear(4 * width, width, bias=False)

    def forward(self, x):  # (B, T, C)
        B, T, C = x.size()
        split = self.c_attn(self.ln_1(x)).split(C, dim=2)
        q, k, v = (part.view(B, T, self.heads, C // self.heads).transpose(1, 2) for part in split)  # (B, h, T, C/h)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_proj(y.transpose(1, 2).contiguous().view(B, T, C))
        return x + self.mlp_proj(self.gelu(self.c_fc(self.ln_2(x))))


class GPT(nn.Module):
    """Parameters are registered in manifest order: wte, wpe, blocks, ln_f; the head is wte."""

    def __init__(self, layers, heads, width, block_size, vocab_size, gelu="erf"):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, width)
        self.wpe = nn.Embedding(block_size, width)
        self.h = nn.ModuleList(Block(heads, width, gelu) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width, bias=False)

    def forward(self, inputs, targets):  # (B, T)
        x = self.wte(inputs) + self.wpe(torch.arange(inputs.size(1), device=inputs.device))
        for block in self.h:
            x = block(x)
        logits = F.linear(self.ln_f(x), self.wte.weight)  # (B, T, V)
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)


def read_raw(path, code):
    values = array.array(code)
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return torch.frombuffer(values, dtype={"f": torch.float32, "i": torch.int32}[code])


def medium_is_fp32():
    """`medium` lets oneDNN multiply. Whether that rounds to bf16 first depends on the processor."""
    a, b = torch.rand(256, 256), torch.rand(256, 256)
    truth = a.double() @ b.double()
    torch.set_float32_matmul_precision("medium")
    error = ((a @ b).double() - truth).norm() / truth.norm()
    return error.item() < 1e-6


def forbid_tf32():
    """The settings' names change from release to release; what they do shows: TF32 is a thousand times as far from fp64."""
    a = torch.randn(256, 1024, device="cuda")
    exact = a.double() @ a.double().T
    error = ((a @ a.T).double() - exact).norm() / exact.norm()
    if error > 1e-5:
        sys.exit(f"torch {torch.__version__} multiplies in TF32 where fp32 was asked for: error {error:.1e}")


class Trainer:
    def __init__(self, options):
        layers, heads, width, block_size, vocab_size = (int(part) for part in options.shape.split(","))
        self.device = options.device
        self.model = GPT(layers, heads, width, block_size, vocab_size, options.gelu).to(self.device)
        theta = read_raw(options.parameters, "f")
        expected = sum(parameter.numel() for parameter in self.model.parameters())
        if theta.numel() != expected:
            sys.exit(f"{options.parameters} must hold {expected} fp32, and it holds {theta.numel()}")
        used = 0
        for parameter in self.model.parameters():
            parameter.data.copy_(theta[used : used + parameter.numel()].view_as(parameter))
            used += parameter.numel()
        tokens = read_raw(options.batches, "i").view(-1, 2, options.rows, options.tokens).long()
        self.batches = [(pair[0].contiguous().to(self.device), pair[1].contiguous().to(self.device)) for pair in tokens]

        tuned = options.mode != "eager"
        if "medium" in options.mode and not medium_is_fp32():
            sys.exit("float32_matmul_precision medium must multiply in fp32, and on this processor it rounds to bf16 first")
        if self.device == "cuda" and options.precision == "fp32":
            forbid_tf32()
        matrices = [p for p in self.model.parameters() if p.dim() >= 2]
        vectors = [p for p in self.model.parameters() if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.95), fused=tuned or None)
        self.forward = torch.compile(self.model) if "compile" in options.mode else self.model
        bf16 = options.precision == "bf16"
        self.autocast = lambda: torch.autocast(self.device, torch.bfloat16) if bf16 else contextlib.nullcontext()
        self.steps = 0

    def step(self):
        inputs, targets = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        with self.autocast(), attention_backends():
            loss = self.forward(inputs, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    def timed(self, count):
        losses, milliseconds = [], []
        for _ in range(count):
            begin = time.perf_counter()
            losses.append(self.step().item())
            milliseconds.append(1e3 * (time.perf_counter() - begin))
        return losses, milliseconds

    def timed_on_device(self, count):
        events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
        losses = []
        torch.cuda.synchronize()
        events[0].record()
        for i in range(count):
            losses.append(self.step())
            events[i + 1].record()
        torch.cuda.synchronize()
        return [loss.item() for loss in losses], [a.elapsed_time(b) for a, b in zip(events, events[1:])]

    def block(self, count):
        """milliseconds: wall time of each step; cpuMilliseconds: of the whole process, for all of them together."""
        cpu = time.process_time()
        losses, milliseconds = self.timed_on_device(count) if self.device == "cuda" else self.timed(count)
        if not all(math.isfinite(loss) for loss in losses):
            sys.exit(f"the losses up to step {self.steps} are {losses}")
        return {
            "losses": losses,
            "milliseconds": milliseconds,
            "cpuMilliseconds": 1e3 * (time.process_time() - cpu),
            "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "deviceBytes": torch.cuda.max_memory_reserved() if self.device == "cuda" else 0,
        }


def attention_backends():
    if not torch.cuda.is_available():
        return contextlib.nullcontext()
    from torch.nn.attention import SDPBackend, sdpa_kernel

    names = "CUDNN_ATTENTION", "FLASH_ATTENTION", "EFFICIENT_ATTENTION", "MATH"
    return sdpa_kernel([getattr(SDPBackend, name) for name in names], set_priority=True)


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def main():
    parser = argparse.ArgumentParser(description="nanoGPT's training step in PyTorch")
    parser.add_argument("--shape", required=True, help="layers,heads,width,blockSize,vocabSize")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--parameters", required=True)
    parser.add_argument("--batches", required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--mode", choices=["eager", "tuned", "medium", "compile", "compile-medium"], default="eager")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--gelu", choices=["erf", "tanh"], default="erf")
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()

    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} has no CUDA device")
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    loaded = resident_bytes()
    trainer = Trainer(options)
    facts = {
        "version": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
        "loadedBytes": loaded,
    }
    print(json.dumps(facts), flush=True)
    if options.steps is not None:
        print(json.dumps(trainer.block(options.steps)))
        return
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "end":
            break
        print(json.dumps(trainer.block(int(arguments[0]))), flush=True)


if __name__ == "__main__":
    main()
