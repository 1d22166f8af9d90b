#include "engine/floating_point_mode.h"

#include <xmmintrin.h>

#include <cstdio>

#include "engine/engine_error.h"

namespace panthalia {
namespace {

constexpr unsigned sticky_flags = 0x3f;  // what has happened so far; no bit of a result depends on it
constexpr unsigned all_masked_to_nearest = 0x1f80;

}  // namespace

void check_floating_point_mode() {
  const unsigned mode = _mm_getcsr() & ~sticky_flags;
  if (mode == all_masked_to_nearest) return;
  char received[16];
  std::snprintf(received, sizeof(received), "0x%04x", mode);
  throw EngineError(ErrorCode::value_out_of_range,
                    std::string("the floating-point mode (MXCSR) must be 0x1f80 (round to nearest, keep subnormals, no "
                                "traps), received ") +
                        received + ": a library in this process has changed it");
}

}  // namespace panthalia
