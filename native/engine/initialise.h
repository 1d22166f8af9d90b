// GPT-2 initialisation of theta, defined to the bit.
#pragma once

#include <array>
#include <cstdint>

#include "engine/model.h"

namespace panthalia {

using Seed = std::array<uint8_t, 32>;

/** LayerNorm gains 1; other tensors normal(0, 0.02), the two projections into the residual stream 0.02 / sqrt(2L).
 *
 *  Tensor t has the Philox key of the first 8 bytes (two u32le) of SHA-256("panthalia-init/1" | seed | u32le t). Element i
 *  takes word i mod 4 of philox(counter = {i / 4 low, i / 4 high, 0, 0}), turned into a normal in double, times the
 *  deviation in double, rounded once to fp32.
 *  throws VALUE_OUT_OF_RANGE in another floating-point mode
 *  source: Radford et al. 2019 section 2.3; karpathy/nanoGPT model.py */
void initialise_parameters(const Layout& layout, int64_t layers, const Seed& seed, float* parameters);

}  // namespace panthalia
