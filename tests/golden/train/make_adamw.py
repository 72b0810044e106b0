"""Writes adamw.json: AdamW, gradient clipping and schedules as PyTorch computes them, on one CPU thread in float32."""
import json
import math
import sys

import torch

torch.set_num_threads(1)
torch.manual_seed(20260131)

STEPS = 20
OPTIONS = {"lr": 3e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.05}

first = torch.nn.Parameter(torch.randn(3, 4))
second = torch.nn.Parameter(torch.randn(5))
optimizer = torch.optim.AdamW(
    [{"params": [first]}, {"params": [second], "weight_decay": 0.0}], foreach=False, **OPTIONS
)
result = {
    "torch": torch.__version__,
    "start": [first.detach().flatten().tolist(), second.detach().tolist()],
    "gradients": [],
    "norms": [],
    "rates": [],
    "values": [],
}
for step in range(STEPS):
    rate = OPTIONS["lr"] * 0.5 * (1.0 + math.cos(math.pi * step / STEPS))
    for group in optimizer.param_groups:
        group["lr"] = rate
    scale = 3.0 if step % 3 == 0 else 0.05  # above and below the norm that is clipped
    first.grad = torch.randn(3, 4) * scale
    second.grad = torch.randn(5) * scale
    result["gradients"].append([first.grad.flatten().tolist(), second.grad.tolist()])
    result["norms"].append(torch.nn.utils.clip_grad_norm_([first, second], 1.0).item())
    optimizer.step()
    result["rates"].append(rate)
    result["values"].append([first.detach().flatten().tolist(), second.detach().tolist()])
json.dump(result, open(sys.argv[1], "w"))
