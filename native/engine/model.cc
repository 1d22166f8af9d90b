#include "engine/model.h"

#include "engine/engine_error.h"

namespace panthalia {
namespace {

void check(bool holds, const std::string& message) {
  if (!holds) throw EngineError(ErrorCode::value_out_of_range, message);
}

void check_between(const char* name, int64_t value, int64_t low, int64_t high) {
  check(value >= low && value <= high, std::string(name) + " must be between " + std::to_string(low) + " and " +
                                           std::to_string(high) + ", received " + std::to_string(value));
}

}  // namespace

Layout::Layout(const ModelShape& shape) {
  // Tokens travel as uint16; the other limits keep every length far inside 63 bits.
  check_between("vocabSize", shape.vocab_size, 1, 65536);
  check_between("blockSize", shape.block_size, 1, 65536);
  check_between("layers", shape.layers, 1, 1024);
  check_between("heads", shape.heads, 1, 1024);
  check_between("width", shape.width, 1, 65536);
  check(shape.width % shape.heads == 0, "width must be a multiple of heads, received width " +
                                            std::to_string(shape.width) + " and heads " +
                                            std::to_string(shape.heads));

  int64_t offset = 0;
  auto add = [&](std::string name, std::vector<int64_t> sizes) {
    int64_t length = 1;
    for (int64_t size : sizes) length *= size;
    tensors_.push_back({std::move(name), std::move(sizes), offset, length});
    offset += length;
  };
  const int64_t C = shape.width;
  add("transformer.wte.weight", {shape.vocab_size, C});
  add("transformer.wpe.weight", {shape.block_size, C});
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string prefix = "transformer.h." + std::to_string(layer) + ".";
    add(prefix + "ln_1.weight", {C});
    add(prefix + "attn.c_attn.weight", {3 * C, C});
    add(prefix + "attn.c_proj.weight", {C, C});
    add(prefix + "ln_2.weight", {C});
    add(prefix + "mlp.c_fc.weight", {4 * C, C});
    add(prefix + "mlp.c_proj.weight", {C, 4 * C});
  }
  add("transformer.ln_f.weight", {C});
}

}  // namespace panthalia
