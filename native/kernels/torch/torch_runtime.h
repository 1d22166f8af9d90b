// Process-wide settings of libtorch, and the translation of its exceptions. No ATen types here: bindings include this file.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "engine/engine_error.h"
#include "engine/operators.h"

namespace panthalia {

/** Of products and attention; everything else and the state are fp32. bf16: what PyTorch's autocast does. */
enum class Precision { fp32, bf16 };

/** fp32, bf16.  throws VALUE_OUT_OF_RANGE */
Precision precision_named(std::string_view name);

/** Whether this CPU multiplies bf16 faster than fp32. */
bool has_bf16_instructions();

/** Opset `torch` on the CPU.
 *  threads: intra-op; part of the numeric class, so all trainers of one process must agree.
 *  bf16_instructions: whether pairs of bf16 are multiplied, or fp32 that was rounded to it: other sums of the same products
 *  throws VALUE_OUT_OF_RANGE while trainers with another number of threads live, or for instructions that are not there */
std::unique_ptr<Operators> make_torch_operators(int threads, Precision precision = Precision::fp32,
                                                bool bf16_instructions = has_bf16_instructions());

/** What was thrown, as ours: c10's errors become TORCH or OUT_OF_MEMORY, without their backtrace. */
EngineError as_engine_error(std::exception_ptr thrown);

std::string torch_version();
/** The instruction set ATen dispatches to: DEFAULT, AVX2, AVX512. */
std::string torch_cpu_capability();

}  // namespace panthalia
