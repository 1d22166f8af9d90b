#include "engine/state_tree.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace panthalia {
namespace {

constexpr int64_t chunk_floats = 1024;
constexpr size_t chunk_prefix = 9;  // 0x00 | u32le tensor | u32le chunk
constexpr float zeros[chunk_floats] = {};

/** A power of two, so that a piece is a whole subtree. 64 chunks are 256 KiB: tens of microseconds, and in a second-level cache. */
constexpr int64_t piece_chunks = 64;

PrefixedMessage chunk_message(uint32_t tensor, uint32_t chunk, const float* values) {
  PrefixedMessage message{{}, values};
  const auto tensor_bytes = u32le(tensor), chunk_bytes = u32le(chunk);
  std::memcpy(message.prefix.data() + 1, tensor_bytes.data(), 4);
  std::memcpy(message.prefix.data() + 5, chunk_bytes.data(), 4);
  return message;
}

/** Replaces the level by the one above it, until one node is left. */
Digest tree_root(std::span<Digest> level) {
  PrefixedMessage pairs[piece_chunks / 2];
  while (level.size() > 1) {
    const size_t nodes = level.size() / 2;
    for (size_t done = 0; done < nodes;) {
      const size_t count = std::min(nodes - done, std::size(pairs));
      for (size_t i = 0; i < count; ++i) pairs[i] = {{1}, level[2 * (done + i)].data()};
      sha256_many({pairs, count}, 1, 2 * sizeof(Digest), &level[done]);
      done += count;
    }
    const bool is_odd = level.size() % 2 == 1;
    if (is_odd) level[nodes] = level.back();
    level = level.first(nodes + is_odd);
  }
  return level.front();
}

}  // namespace

StateTree::StateTree(const Layout& layout) {
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const TensorSlot& slot = layout.tensors()[t];
    const size_t before = pieces_.size();
    for (int64_t start = 0; start < slot.length; start += piece_chunks * chunk_floats) {
      pieces_.push_back({static_cast<uint32_t>(t), static_cast<uint32_t>(start / chunk_floats), slot.offset + start,
                         std::min(piece_chunks * chunk_floats, slot.length - start)});
    }
    tensor_pieces_.push_back(static_cast<int64_t>(pieces_.size() - before));
  }
  roots_.resize(pieces_.size());
}

Digest StateTree::piece_root(const Piece& piece, const float* values) {
  PrefixedMessage chunks[piece_chunks];
  Digest level[piece_chunks];
  const int64_t whole = piece.length / chunk_floats, rest = piece.length % chunk_floats;
  for (int64_t i = 0; i < whole + (rest > 0); ++i) {
    chunks[i] = chunk_message(piece.tensor, piece.first_chunk + static_cast<uint32_t>(i),
                              values == nullptr ? zeros : values + i * chunk_floats);
  }
  sha256_many({chunks, static_cast<size_t>(whole)}, chunk_prefix, chunk_floats * sizeof(float), level);
  if (rest > 0) {
    sha256_many({chunks + whole, 1}, chunk_prefix, static_cast<size_t>(rest) * sizeof(float), level + whole);
  }
  return tree_root({level, static_cast<size_t>(whole + (rest > 0))});
}

Digest StateTree::group_root(const float* arena, Parallel& parallel) {
  parallel.run(static_cast<int64_t>(pieces_.size()), [&](int64_t i) {
    roots_[i] = piece_root(pieces_[i], arena == nullptr ? nullptr : arena + pieces_[i].offset);
  });
  std::span<Digest> left = roots_;
  for (size_t t = 0; t < tensor_pieces_.size(); ++t) {
    const auto count = static_cast<size_t>(tensor_pieces_[t]);
    const Digest root = tree_root(left.first(count));
    left = left.subspan(count);
    roots_[t] = root;  // no further than what was read: a tensor has at least one piece
  }
  return tree_root(std::span(roots_).first(tensor_pieces_.size()));
}

Digest group_root(const Layout& layout, const float* arena) {
  Serial serial;
  return StateTree(layout).group_root(arena, serial);
}

Digest group_root(std::vector<Digest> tensor_roots) { return tree_root(tensor_roots); }

Digest state_root(const Digest& theta, const Digest& m, const Digest& v) {
  const uint8_t prefix = 2;
  Sha256 hash;
  hash.update(&prefix, 1);
  for (const Digest* root : {&theta, &m, &v}) hash.update(root->data(), root->size());
  return hash.finish();
}

}  // namespace panthalia
