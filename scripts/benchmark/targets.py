# SPDX-License-Identifier: GPL-2.0
"""What this module is to reach, beside what was measured."""

# Measure, name of the measurement, its figure, unit (a divisor), wanted at most. Figures are those of report.total() for
# instructions, and keys otherwise.
TARGETS = [
    ("Q4_0 decode, TinyLlama shape, M instructions per token", "instructions/tinyllama-q4_0/decode", "total", 1e6, 176),
    ("Q4_0 decode, 12x768", "instructions/12x768-q4_0/decode", "total", 1e6, 19),
    ("Q4_0 decode, 12x768, at depth 512", "instructions/12x768-q4_0/decode-512", "total", 1e6, 25.5),
    ("Q4_0 decode, 6x256", "instructions/6x256-q4_0/decode", "total", 1e6, 1.6),
    ("Q4_0 decode, 656k", "instructions/656k-q4_0/decode", "total", 1e6, 0.30),
    ("Q8_0 decode, 12x768", "instructions/12x768-q8_0/decode", "total", 1e6, 19.5),
    ("Q4_K_M decode, 12x768", "instructions/12x768-q4_k_m/decode", "total", 1e6, 26),
    ("F16 decode, 12x768", "instructions/12x768-f16/decode", "total", 1e6, 64),
    ("Q4_0 prefill, 12x768, dotprod, M instructions per prompt token", "instructions/12x768-q4_0/prefill", "total", 1e6, 11.5),
    ("Q4_0 prefill, 12x768, i8mm", "instructions/12x768-q4_0/prefill@max", "total", 1e6, 9.5),
    ("Q4_0 decode, 6x256, cortex-a53 (no dotprod)", "instructions/6x256-q4_0/decode@cortex-a53", "total", 1e6, 5),
    ("Q4_0 GEMV, instructions per block", "loops/q4_0-dotprod", "gemv instructions", 1, 5.3),
    ("Q4_0 GEMV, llvm-mca cycles per block, N1", "loops/q4_0-dotprod", "gemv neoverse-n1", 1, 2.3),
    ("Q4_0 GEMV, V1", "loops/q4_0-dotprod", "gemv neoverse-v1", 1, 1.18),
    ("Q4_0 GEMV, A55", "loops/q4_0-dotprod", "gemv cortex-a55", 1, 6.0),
    ("Q4_0 GEMM i8mm, instructions per block and token", "loops/q4_0-i8mm", "gemm instructions", 1, 2.8),
    ("Q4_0 GEMM i8mm, V1", "loops/q4_0-i8mm", "gemm neoverse-v1", 1, 0.56),
]
# Wanted at most of the best other build's instructions for a decoded token, of any file on neoverse-n1 but those of formats whose loops
# are as near to the least that numerics allow as the others' are: report.GOALS says why.
DECODE, DECODE_EXCEPT = 0.65, ("q8_0", "f16", "iq4_nl", "iq4_xs")
# Wanted at most of time under emulation, with 1, 2 and 4 threads, relative to llama.cpp.
WALL = 0.75
