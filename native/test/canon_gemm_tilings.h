// Products with other tiles than the ones that are fast here: AVX-512's numbers of rows and vectors among them.
#pragma once

#include <array>

#include "kernels/canon/kernels.h"

namespace panthalia::canon {

/** Compiled for AVX2. */
extern const std::array<const GemmKernel*, 5> other_tilings;

}  // namespace panthalia::canon
