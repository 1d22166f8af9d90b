// Opset `torch` in bf16 on a processor with instructions for it. It rounds what PyTorch's autocast rounds, parameters, inputs and
// outputs of products and of attention, and keeps all of these in bf16 from one operator to the next: bf16_kernels.h.
#pragma once

#include <vector>

#include "kernels/torch/bf16.h"
#include "kernels/torch/torch_operators.h"

namespace panthalia {

class Bf16Operators final : public TorchOperators {
 public:
  explicit Bf16Operators(int threads);

  void plan(const ModelShape& shape, BatchShape batch) override;
  int64_t activation_floats(int64_t elements) const override { return (elements + 1) / 2; }
  void parameters_written(const float* parameters) override;
  void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                          Matrix position_gradient) override;
  bool is_finite(ConstMatrix activation) override;

 private:
  void product(const canon::GemmCall& call) override;
  int64_t factor_floats(const canon::GemmCall& call) const override;
  void parameters_updated(const float* parameters, int64_t count) override;

  const float* master_ = nullptr;         // the arena that rounded_parameters_ is of
  std::vector<Bf16> rounded_parameters_;  // theta
  Arena stream_gradient_;                 // (N, C), where it is wanted as fp32
};

}  // namespace panthalia
