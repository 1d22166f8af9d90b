#include "engine/state_tree.h"

#include <algorithm>
#include <cstring>

namespace panthalia {
namespace {

constexpr int64_t chunk_floats = 1024;
constexpr size_t header_bytes = 9;  // 0x00 | u32le tensor | u32le chunk
constexpr float zeros[chunk_floats] = {};

/** One chunk's preimage: header, then up to 1024 floats as they lie in memory. */
struct Preimage {
  uint8_t bytes[header_bytes + chunk_floats * sizeof(float)];
  size_t size;

  void fill(uint32_t tensor, uint32_t chunk, const float* values, int64_t count) {
    const auto tensor_bytes = u32le(tensor);
    const auto chunk_bytes = u32le(chunk);
    bytes[0] = 0;
    std::memcpy(bytes + 1, tensor_bytes.data(), 4);
    std::memcpy(bytes + 5, chunk_bytes.data(), 4);
    std::memcpy(bytes + header_bytes, values, static_cast<size_t>(count) * sizeof(float));
    size = header_bytes + static_cast<size_t>(count) * sizeof(float);
  }
};

Digest node(const Digest& left, const Digest& right) {
  const uint8_t prefix = 1;
  Sha256 hash;
  hash.update(&prefix, 1);
  hash.update(left.data(), left.size());
  hash.update(right.data(), right.size());
  return hash.finish();
}

Digest tree_root(std::vector<Digest> level) {
  while (level.size() > 1) {
    std::vector<Digest> above;
    above.reserve((level.size() + 1) / 2);
    for (size_t i = 0; i + 1 < level.size(); i += 2) above.push_back(node(level[i], level[i + 1]));
    if (level.size() % 2 == 1) above.push_back(level.back());
    level = std::move(above);
  }
  return level.front();
}

Digest tensor_root(uint32_t tensor, const float* values, int64_t length) {
  const int64_t chunks = (length + chunk_floats - 1) / chunk_floats;
  std::vector<Digest> leaves(static_cast<size_t>(chunks));
  Preimage pair[2];
  auto fill = [&](Preimage& preimage, int64_t chunk) {
    const int64_t start = chunk * chunk_floats;
    preimage.fill(tensor, static_cast<uint32_t>(chunk), values == nullptr ? zeros : values + start,
                  std::min(chunk_floats, length - start));
  };
  for (int64_t chunk = 0; chunk < chunks; chunk += 2) {
    const bool alone = chunk + 1 == chunks;
    fill(pair[0], chunk);
    if (!alone) fill(pair[1], chunk + 1);
    if (!alone && pair[0].size == pair[1].size) {
      sha256_pair(pair[0].bytes, pair[1].bytes, pair[0].size, leaves[chunk], leaves[chunk + 1]);
      continue;
    }
    for (int64_t i = 0; i < (alone ? 1 : 2); ++i) {
      Sha256 hash;
      hash.update(pair[i].bytes, pair[i].size);
      leaves[chunk + i] = hash.finish();
    }
  }
  return tree_root(std::move(leaves));
}

}  // namespace

Digest group_root(const Layout& layout, const float* arena) {
  std::vector<Digest> roots;
  roots.reserve(layout.tensors().size());
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const TensorSlot& slot = layout.tensors()[t];
    roots.push_back(
        tensor_root(static_cast<uint32_t>(t), arena == nullptr ? nullptr : arena + slot.offset, slot.length));
  }
  return group_root(std::move(roots));
}

Digest group_root(std::vector<Digest> tensor_roots) { return tree_root(std::move(tensor_roots)); }

Digest state_root(const Digest& theta, const Digest& m, const Digest& v) {
  const uint8_t prefix = 2;
  Sha256 hash;
  hash.update(&prefix, 1);
  for (const Digest* root : {&theta, &m, &v}) hash.update(root->data(), root->size());
  return hash.finish();
}

}  // namespace panthalia
