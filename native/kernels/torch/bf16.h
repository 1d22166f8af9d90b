// What bf16 holds of an fp32 number.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/vectorised.h"

namespace panthalia {

/** The upper half of an fp32 number. */
using Bf16 = uint16_t;

/** To the nearest number whose last sixteen bits are zero, ties to even; NaN stays NaN. x and out may be one. */
inline void round_to_bf16(const float* x, float* out, int64_t count) {
  vectorised([=] PANTHALIA_LOOP() {
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t bits = std::bit_cast<uint32_t>(x[i]);
      const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
      const uint32_t quiet = (bits | 0x00400000u) & 0xffff0000u;
      out[i] = std::bit_cast<float>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
    }
  });
}

}  // namespace panthalia
