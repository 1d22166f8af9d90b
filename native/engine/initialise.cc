#include "engine/initialise.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "engine/exact_arithmetic.h"
#include "engine/floating_point_mode.h"
#include "engine/philox.h"
#include "engine/sha256.h"

namespace panthalia {
namespace {

std::array<uint32_t, 2> tensor_key(const Seed& seed, uint32_t tensor) {
  constexpr std::string_view domain = "panthalia-init/1";
  Sha256 hash;
  hash.update(domain.data(), domain.size());
  hash.update(seed.data(), seed.size());
  const auto index = u32le(tensor);
  hash.update(index.data(), index.size());
  const Digest digest = hash.finish();
  auto word = [&](size_t at) {
    return uint32_t{digest[at]} | uint32_t{digest[at + 1]} << 8 | uint32_t{digest[at + 2]} << 16 |
           uint32_t{digest[at + 3]} << 24;
  };
  return {word(0), word(4)};
}

void fill_normal(float* out, int64_t length, double deviation, std::array<uint32_t, 2> key) {
  for (int64_t block = 0; 4 * block < length; ++block) {
    const auto words =
        philox({static_cast<uint32_t>(block), static_cast<uint32_t>(static_cast<uint64_t>(block) >> 32), 0, 0}, key);
    const int64_t count = std::min<int64_t>(4, length - 4 * block);
    for (int64_t i = 0; i < count; ++i) {
      out[4 * block + i] = static_cast<float>(normal_from_word(words[i]) * deviation);
    }
  }
}

}  // namespace

void initialise_parameters(const Layout& layout, int64_t layers, const Seed& seed, float* parameters) {
  check_floating_point_mode();
  const double projection = 0.02 / std::sqrt(2.0 * static_cast<double>(layers));
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const TensorSlot& slot = layout.tensors()[t];
    float* out = parameters + slot.offset;
    if (slot.shape.size() == 1) {
      std::fill_n(out, slot.length, 1.0f);
    } else {
      fill_normal(out, slot.length, slot.name.ends_with("c_proj.weight") ? projection : 0.02,
                  tensor_key(seed, static_cast<uint32_t>(t)));
    }
  }
}

}  // namespace panthalia
