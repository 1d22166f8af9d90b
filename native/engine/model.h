// nanoGPT without biases, head tied to the token embedding: shape and parameter layout.
// source: karpathy/nanoGPT model.py.  twin: src/protocol/stateTree.ts (modelTensors)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace panthalia {

/** nanoGPT's form, and GPT-2's. */
enum class Gelu { erf, tanh };

struct ModelShape {
  int64_t vocab_size;  // V
  int64_t block_size;  // T at most
  int64_t layers;      // L
  int64_t heads;
  int64_t width;  // C, a multiple of heads
  Gelu gelu = Gelu::erf;

  int64_t head_width() const { return width / heads; }
};

/** B and T: activations are planned once for this shape, a step allocates none. */
struct BatchShape {
  int64_t rows;    // B
  int64_t tokens;  // T
  int64_t count() const { return rows * tokens; }
};

/** One tensor of the arena. Linear weights are (out, in). */
struct TensorSlot {
  std::string name;  // nanoGPT's state_dict name
  std::vector<int64_t> shape;
  int64_t offset;  // floats from the start of the arena
  int64_t length;
};

/** Manifest order: wte, wpe, per layer ln_1, c_attn, attn.c_proj, ln_2, c_fc, mlp.c_proj, then ln_f; packed without gaps. */
class Layout {
 public:
  // Positions inside one layer, and of the tensors outside of layers.
  enum LayerTensor : int64_t { ln_1, attention_qkv, attention_projection, ln_2, mlp_up, mlp_down, tensors_per_layer };
  static constexpr int64_t token_embedding = 0;
  static constexpr int64_t position_embedding = 1;

  /** throws VALUE_OUT_OF_RANGE for a shape no model can have */
  explicit Layout(const ModelShape& shape);

  const std::vector<TensorSlot>& tensors() const { return tensors_; }
  int64_t parameter_count() const { return tensors_.back().offset + tensors_.back().length; }
  int64_t layer_tensor(int64_t layer, LayerTensor tensor) const { return 2 + layer * tensors_per_layer + tensor; }
  int64_t final_norm() const { return static_cast<int64_t>(tensors_.size()) - 1; }

 private:
  std::vector<TensorSlot> tensors_;
};

}  // namespace panthalia
