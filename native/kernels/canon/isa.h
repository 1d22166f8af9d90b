// Which instruction set the kernels use. It is chosen at run time, and no bit depends on it.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/canon/kernels.h"

namespace panthalia::canon {

enum class Isa { scalar, avx2, avx512 };

/** scalar, avx2, avx512 */
const char* isa_name(Isa isa);
/** throws EngineError VALUE_OUT_OF_RANGE where nobody knows the name or this CPU lacks the instructions */
Isa isa_named(std::string_view name);

/** What this CPU and its operating system can run, the fastest last; scalar is always there. */
std::vector<Isa> supported_isas();
Isa best_isa();

/** throws EngineError VALUE_OUT_OF_RANGE where this CPU lacks the instructions */
const Kernels& kernels_of(Isa isa);

}  // namespace panthalia::canon
