// Opset canon-f32-v1 on the CPU: the operators of engine/operators.h out of kernels and threads. Which kernels and how many
// threads changes no bit.  source: docs/opset-canon-f32-v1.md
#pragma once

#include <memory>

#include "engine/operators.h"
#include "kernels/canon/isa.h"

namespace panthalia {

/** threads: the one that calls included.
 *  throws VALUE_OUT_OF_RANGE where the processor lacks the instruction set; OUT_OF_MEMORY where the system gives no threads */
std::unique_ptr<Operators> make_canon_operators(int threads, canon::Isa isa);

}  // namespace panthalia
