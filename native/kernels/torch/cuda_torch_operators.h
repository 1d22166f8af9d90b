// Opset `torch` on one CUDA device: products through cuBLASLt, attention through libtorch, the rest our own kernels.
//
// In bf16 it rounds what PyTorch's autocast rounds: parameters, inputs and outputs of products and of attention. The residual
// stream, norms, losses and the state are fp32. A matrix of the residual stream holds fp32, that of its gradient a
// torch_cuda::StreamGradient, any other activation holds `Element`s (Operators::activation_floats), whatever the type of its pointer.
#pragma once

#include <type_traits>

#include "cuda/device_answer.h"
#include "cuda/device_memory.h"
#include "cuda/device_slots.h"
#include "cuda/pinned_buffer.h"
#include "engine/operators.h"
#include "kernels/torch/cuda_attention.h"
#include "kernels/torch/cuda_gemm.h"
#include "kernels/torch/cuda_kernels.h"

namespace panthalia {

/** Element: float or torch_cuda::Bf16. */
template <typename Element>
class CudaTorchOperators final : public Operators {
 public:
  CudaTorchOperators(std::unique_ptr<CudaDevice> device, torch_cuda::Fp32Products fp32_products);

  Memory& memory() override { return *device_; }
  void plan(const ModelShape& shape, BatchShape batch) override;
  int64_t activation_floats(int64_t elements) const override;
  int64_t attention_saved(AttentionShape) const override { return 0; }  // libtorch keeps it
  std::unique_ptr<OperatorScope> enter() override { return attention_.enter(); }
  void parameters_written(const float* parameters) override;
  void embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                 Matrix out) override;
  void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                          Matrix position_gradient) override;
  void layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) override;
  void layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics, Matrix d_x,
                           Vector gain_gradient) override;
  void linear(ConstMatrix x, ConstMatrix weight, Matrix out) override;
  void linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) override;
  void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) override;
  void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) override;
  void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) override;
  void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) override;
  void attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) override;
  void attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                          ConstVector saved, Matrix d_qkv) override;
  float cross_entropy(Matrix logits, Tokens targets, Vector row_sums) override;
  void cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) override;
  void accumulate(ConstVector addend, Vector total) override;
  float norm(const Layout& layout, const float* gradients) override;
  std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                              const StepScalars& scalars, float gradient_scale) override;
  bool all_finite(ConstVector values) override;
  bool is_finite(ConstMatrix activation) override;
  void group_roots(const Layout& layout, std::span<const float* const> arenas, Digest* roots) override;

 private:
  static constexpr bool is_bf16 = std::is_same_v<Element, torch_cuda::Bf16>;

  static torch_cuda::StreamGradient<Element> stream_gradient(ConstMatrix matrix) {
    return {const_cast<float*>(matrix.data), matrix.rows * matrix.cols};
  }
  /** Factors of products; the gradient of the residual stream is one, too. */
  torch_cuda::Operand activation(ConstMatrix matrix, bool transposed = false) const;
  torch_cuda::Operand parameters(ConstMatrix matrix, bool transposed = false) const;
  /** cuBLASLt has one of the two forms. */
  bool fuses_gelu() const { return is_bf16 && gelu_ == Gelu::tanh; }
  float share_of(ConstMatrix gradient) const { return gradient.data == logits_ ? logits_share_ : 1.0f; }
  /** Tokens on the device until the same buffer's next call; the host's may change at once. */
  const int64_t* upload(Tokens tokens, const DeviceBuffer<int64_t>& to, int64_t offset);
  template <typename Value>
  bool has_only_finite(const Value* values, int64_t length);

  std::unique_ptr<CudaDevice> device_;
  torch_cuda::Gemm gemm_;
  torch_cuda::Attention attention_;
  Gelu gelu_ = Gelu::erf;
  int64_t parameter_count_ = 0;
  DeviceSlots slots_;
  DeviceBuffer<int64_t> inputs_, targets_;  // (N)
  PinnedBuffer<int64_t> staged_;            // (2 N)
  DeviceBuffer<float> losses_;              // (N)
  DeviceBuffer<float> norm_partials_;
  DeviceBuffer<double> square_sums_;
  DeviceAnswer<float> answer_;
  DeviceAnswer<int32_t> found_;
  DeviceBuffer<Element> rounded_parameters_;  // in bf16
  const float* master_ = nullptr;             // the arena that rounded_parameters_ is of
  /** The gradient of the logits is kept without its share; the products that read it apply it. */
  const float* logits_ = nullptr;
  float logits_share_ = 1;
};

}  // namespace panthalia
