// Process-wide settings of libtorch, and the translation of its exceptions. No ATen types here: bindings include this file.
#pragma once

#include <exception>
#include <memory>
#include <string>

#include "engine/engine_error.h"
#include "engine/operators.h"

namespace panthalia {

/** Opset `torch` on the CPU.
 *  threads: intra-op; part of the numeric class, so all trainers of one process must agree.
 *  throws VALUE_OUT_OF_RANGE while trainers with another number of threads live */
std::unique_ptr<Operators> make_torch_operators(int threads);

/** What was thrown, as ours: c10's errors become TORCH or OUT_OF_MEMORY, without their backtrace. */
EngineError as_engine_error(std::exception_ptr thrown);

std::string torch_version();
/** The instruction set ATen dispatches to: DEFAULT, AVX2, AVX512. */
std::string torch_cpu_capability();

}  // namespace panthalia
