// Forward and backward of the model, written by hand over the operator interface. Owns activations, not parameters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/model.h"
#include "engine/operators.h"
#include "engine/stop_flag.h"

namespace panthalia {

class Gpt {
 public:
  /** throws VALUE_OUT_OF_RANGE, OUT_OF_MEMORY */
  Gpt(const ModelShape& shape, BatchShape batch, Operators& operators, const StopFlag& stop);

  const Layout& layout() const { return layout_; }

  /** Mean loss in nats per token; keeps the activations for backward.  parameters: the arena of theta */
  float forward(const float* parameters, Tokens inputs, Tokens targets);
  /** Writes every gradient of loss / micro_batches; to be called after forward with the same arguments.
   *  gradients: arena laid out as theta */
  void backward(const float* parameters, Tokens inputs, Tokens targets, int64_t micro_batches, float* gradients);

  /** In words, which operator of the last forward pass, whose loss is NaN or Inf, first gave one, and the tensor that it is in, by its
   *  name in docs/opset-canon-f32-v1.md, section 4. */
  std::string first_non_finite_activation();
  /** The same, where there is one, for the gradients of the last backward pass, by the tensor whose gradient is written, in that order: all
   *  operators that come between the one before and it. */
  std::optional<std::string> first_non_finite_gradient(const float* gradients);

 private:
  struct Norm {
    Matrix out;  // (N, C)
    NormStatistics statistics;
  };
  struct Layer {
    Norm ln_1;
    Matrix qkv;              // (N, 3C)
    Vector attention_saved;  // what the opset's attention keeps for its backward pass
    Matrix attention;        // (N, C)
    Matrix middle;           // (N, C) residual stream after attention
    Norm ln_2;
    Matrix up;    // (N, 4C)
    Matrix gelu;  // (N, 4C)
    Matrix out;   // (N, C) residual stream after the block
  };
  /** Gradients of activations, reused by every layer. */
  struct Scratch {
    Matrix stream;  // (N, C) gradient of the residual stream
    Matrix branch;  // (N, C)
    Matrix qkv;     // (N, 3C)
    Matrix up;      // (N, 4C)
  };

  int64_t plan(float* base);
  void forward_layer(const float* parameters, int64_t index, ConstMatrix in);
  void backward_layer(const float* parameters, int64_t index, ConstMatrix in, float* gradients);
  Matrix view(float* arena, int64_t tensor) const;
  ConstMatrix view(const float* arena, int64_t tensor) const;
  ConstVector gain(const float* parameters, int64_t tensor) const;
  Vector gain(float* gradients, int64_t tensor) const;
  /** The operators, after a look at the stop flag: an abort takes effect between any two operators. */
  Operators& op() const;

  ModelShape shape_;
  BatchShape batch_;
  AttentionShape heads_;
  Layout layout_;
  Operators& operators_;
  const StopFlag& stop_;
  Arena activations_;
  Matrix embedded_{};  // (N, C)
  std::vector<Layer> layers_;
  Norm final_norm_{};
  Matrix logits_{};    // (N, V): logits, then what the opset's loss leaves, then their gradient
  Vector row_sums_{};  // (N)
  Scratch scratch_{};
};

}  // namespace panthalia
