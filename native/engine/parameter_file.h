// Parameter files: little-endian fp32 in manifest order, no header. Never half-written.
// State files: theta | m | v, each laid out as a parameter file.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "engine/model.h"
#include "engine/sha256.h"

namespace panthalia {

static_assert(std::endian::native == std::endian::little, "parameter files are read and written as they lie in memory");

struct WrittenFile {
  Digest sha256;
  int64_t size_bytes;
};

/** Fills parameters and returns the hash of the bytes.
 *  throws IO, SHAPE_MISMATCH for another size, INVALID_STATE naming the tensor for NaN or Inf */
WrittenFile read_parameters(const std::string& path, const Layout& layout, float* parameters);

/** Temporary file beside path, fsync, rename.  throws IO; nothing is left behind */
WrittenFile write_parameters(const std::string& path, const Layout& layout, const float* parameters);

/** theta | m | v: read, checked and written as parameters are. */
WrittenFile read_state(const std::string& path, const Layout& layout, const std::array<float*, 3>& state);
WrittenFile write_state(const std::string& path, const Layout& layout, const std::array<const float*, 3>& state);

bool all_finite(const float* values, int64_t length);

/** throws INVALID_STATE naming the first tensor with NaN or Inf */
void check_finite(const Layout& layout, const float* parameters, const std::string& what);

}  // namespace panthalia
