# /// script
# requires-python = ">=3.10"
# dependencies = ["torch"]
# ///
"""How fast PyTorch trains the networks of `cargo bench -p benches --bench training`, measured in the same way: CPU time of the process on
one thread, wall time on one and two; batches of made-up images in memory, forward, backward and update; the median of ten samples.

Install PyTorch for the CPU with

    pip install torch --index-url https://download.pytorch.org/whl/cpu

or, where only the package registry is reached, `pip install torch`. Run `python benches/torch_training.py` on a calm machine, right before or
after the benchmark, and divide: LeNet-5 is to reach 0.85 and ResNet-8 0.6 of PyTorch.
"""

import statistics
import time

import torch
from torch import nn

STEPS, SAMPLES, WARM_UP = 8, 10, 3


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = torch.relu(self.norm1(self.first(x)))
        return torch.relu(self.norm2(self.second(y)) + self.shortcut(x))


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


def resnet8():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


def adam(network):
    return torch.optim.Adam(network.parameters(), 2e-3)


def sgd(network):
    return torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)


CASES = [("lenet-5", lenet5, adam, (1, 28, 28)), ("resnet-8", resnet8, sgd, (3, 32, 32))]


def images_per_second(build, optimiser, shape, batch, clock):
    torch.manual_seed(1)
    network, images = build(), torch.rand(4096, *shape)
    labels = torch.arange(4096) % 10
    update = optimiser(network)
    network.train()

    def steps():
        for step in range(STEPS):
            chosen = torch.arange(step * batch, (step + 1) * batch) % 4096
            update.zero_grad()
            nn.functional.cross_entropy(network(images[chosen]), labels[chosen]).backward()
            update.step()

    def seconds():
        start = clock()
        steps()
        return clock() - start

    for _ in range(WARM_UP):
        steps()
    return STEPS * batch / statistics.median(seconds() for _ in range(SAMPLES))


def main():
    print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    for name, build, optimiser, shape in CASES:
        torch.set_num_threads(1)
        for batch in (64, 128):
            rate = images_per_second(build, optimiser, shape, batch, time.process_time)
            print(f"{name}, batch {batch}: {rate:.0f} images per CPU-second on one thread")
        one = images_per_second(build, optimiser, shape, 128, time.perf_counter)
        torch.set_num_threads(2)
        two = images_per_second(build, optimiser, shape, 128, time.perf_counter)
        print(f"{name}, batch 128: {one:.0f} images per second on one thread, {two:.0f} on two ({two / one:.2f} times)")


if __name__ == "__main__":
    main()
