#include "kernels/torch/cuda_torch_operators.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "engine/state_tree.h"

namespace panthalia {

using torch_cuda::Bf16;
using torch_cuda::Operand;
using torch_cuda::Product;

namespace {

constexpr int64_t norm_blocks_per_processor = 2;
constexpr int32_t no_tensor = 0x7f7f7f7f;

}  // namespace

template <typename Element>
CudaTorchOperators<Element>::CudaTorchOperators(std::unique_ptr<CudaDevice> device,
                                                torch_cuda::Fp32Products fp32_products)
    : device_(std::move(device)), gemm_(*device_, is_bf16, fp32_products), attention_(*device_, is_bf16) {}

template <typename Element>
void CudaTorchOperators<Element>::plan(const ModelShape& shape, BatchShape batch) {
  if (!torch_cuda::is_norm_width(shape.width)) {
    throw EngineError(ErrorCode::value_out_of_range,
                      "opset torch on device cuda takes a width of at most 4096 where it is a multiple of 8, else of at most "
                      "1024, received " + std::to_string(shape.width));
  }
  CudaDevice& device = *device_;
  const Layout layout(shape);
  const int64_t N = batch.count(), C = shape.width;
  gelu_ = shape.gelu;
  parameter_count_ = layout.parameter_count();
  slots_ = DeviceSlots(device, layout, torch_cuda::chunk_length);
  inputs_ = {device, N};
  targets_ = {device, N};
  staged_ = PinnedBuffer<int64_t>(2 * N);
  losses_ = {device, N};
  norm_partials_ = {device, norm_blocks_per_processor * device.processors() * C};
  square_sums_ = {device, torch_cuda::norm_blocks};
  answer_ = DeviceAnswer<float>(device);
  found_ = DeviceAnswer<int32_t>(device);
  if constexpr (is_bf16) {
    rounded_parameters_ = {device, parameter_count_};
  }
}

template <typename Element>
int64_t CudaTorchOperators<Element>::activation_floats(int64_t elements) const {
  return is_bf16 ? (elements + 1) / 2 : elements;
}

template <typename Element>
void CudaTorchOperators<Element>::parameters_written(const float* parameters) {
  master_ = parameters;
  if constexpr (is_bf16) {
    torch_cuda::round_to_bf16(parameters, parameter_count_, rounded_parameters_.data(), device_->stream());
  }
}

template <typename Element>
void CudaTorchOperators<Element>::embedding(Tokens tokens, int64_t time, ConstMatrix token_table,
                                            ConstMatrix position_table, Matrix out) {
  torch_cuda::embedding(upload(tokens, inputs_, 0), out.rows, time, out.cols, token_table.data, position_table.data,
                        out.data, device_->stream());
}

/** The tokens are those of the forward pass, and still there. */
template <typename Element>
void CudaTorchOperators<Element>::embedding_backward(Tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                                                     Matrix position_gradient) {
  device_->zero(position_gradient.data, position_gradient.rows * position_gradient.cols);
  torch_cuda::embedding_backward(inputs_.data(), d_out.rows, time, d_out.cols, stream_gradient(d_out),
                                 token_gradient.data, position_gradient.data, device_->stream());
}

template <typename Element>
void CudaTorchOperators<Element>::layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) {
  torch_cuda::layer_norm(x.data, gain.data(), x.rows, x.cols, reinterpret_cast<Element*>(out.data),
                         statistics.mean.data(), statistics.reciprocal_deviation.data(), device_->stream());
}

template <typename Element>
void CudaTorchOperators<Element>::layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain,
                                                      NormStatistics statistics, Matrix d_x, Vector gain_gradient) {
  torch_cuda::layer_norm_backward(reinterpret_cast<const Element*>(d_out.data), x.data, gain.data(),
                                  statistics.mean.data(), statistics.reciprocal_deviation.data(), x.rows, x.cols,
                                  stream_gradient(d_x), gain_gradient.data(),
                                  {norm_partials_.data(), norm_blocks_per_processor * device_->processors()},
                                  device_->stream());
}

template <typename Element>
void CudaTorchOperators<Element>::linear(ConstMatrix x, ConstMatrix weight, Matrix out) {
  gemm_.multiply({.a = activation(x), .b = parameters(weight, true), .out = out.data, .out_is_fp32 = false});
}

template <typename Element>
void CudaTorchOperators<Element>::linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) {
  gemm_.multiply({.a = activation(x), .b = parameters(weight, true), .out = out.data, .residual = residual.data});
}

template <typename Element>
void CudaTorchOperators<Element>::linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) {
  if (fuses_gelu() && gemm_.multiply({.a = activation(x),
                                      .b = parameters(weight, true),
                                      .out = out.data,
                                      .out_is_fp32 = false,
                                      .epilogue = torch_cuda::Epilogue::gelu,
                                      .before_gelu = up.data})) {
    return;
  }
  linear(x, weight, up);
  torch_cuda::gelu(reinterpret_cast<const Element*>(up.data), up.rows * up.cols, gelu_,
                   reinterpret_cast<Element*>(out.data), device_->stream());
}

template <typename Element>
void CudaTorchOperators<Element>::linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) {
  gemm_.multiply({.a = activation(d_out),
                  .b = parameters(weight),
                  .out = d_x.data,
                  .out_is_fp32 = false,
                  .share = share_of(d_out)});
}

template <typename Element>
void CudaTorchOperators<Element>::linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up,
                                                             Matrix d_up) {
  if (fuses_gelu() && gemm_.multiply({.a = activation(d_out),
                                      .b = parameters(weight),
                                      .out = d_up.data,
                                      .out_is_fp32 = false,
                                      .epilogue = torch_cuda::Epilogue::gelu_backward,
                                      .before_gelu = const_cast<float*>(up.data)})) {
    return;
  }
  linear_backward_input(d_out, weight, d_up);
  auto* const in_place = reinterpret_cast<Element*>(d_up.data);
  torch_cuda::gelu_backward(in_place, reinterpret_cast<const Element*>(up.data), up.rows * up.cols, gelu_, in_place,
                            device_->stream());
}

template <typename Element>
void CudaTorchOperators<Element>::linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) {
  gemm_.multiply({.a = activation(d_out, true),
                  .b = activation(x),
                  .out = weight_gradient.data,
                  .share = share_of(d_out)});
}

template <typename Element>
void CudaTorchOperators<Element>::attention(ConstMatrix qkv, AttentionShape shape, Vector, Matrix out) {
  attention_.forward(qkv.data, shape, out.data);
}

template <typename Element>
void CudaTorchOperators<Element>::attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv,
                                                     AttentionShape shape, ConstVector, Matrix d_qkv) {
  attention_.backward(d_out.data, out.data, qkv.data, shape, d_qkv.data);
}

template <typename Element>
float CudaTorchOperators<Element>::cross_entropy(Matrix logits, Tokens targets, Vector) {
  torch_cuda::cross_entropy(reinterpret_cast<Element*>(logits.data), upload(targets, targets_, logits.rows), logits.rows,
                            logits.cols, losses_.data(), answer_.data(), device_->stream());
  return answer_.get();
}

template <typename Element>
void CudaTorchOperators<Element>::cross_entropy_backward(Matrix logits, Tokens, ConstVector, float share) {
  logits_ = logits.data;
  logits_share_ = share;
}

template <typename Element>
void CudaTorchOperators<Element>::accumulate(ConstVector addend, Vector total) {
  torch_cuda::accumulate(addend.data(), total.data(), static_cast<int64_t>(total.size()), device_->stream());
}

template <typename Element>
float CudaTorchOperators<Element>::norm(const Layout&, const float* gradients) {
  torch_cuda::norm(gradients, parameter_count_, square_sums_.data(), answer_.data(), device_->stream());
  return answer_.get();
}

template <typename Element>
std::optional<size_t> CudaTorchOperators<Element>::adamw(const Layout&, const AdamwArenas& arenas,
                                                         const InnerConstants& constants, const StepScalars& scalars,
                                                         float gradient_scale) {
  Bf16* rounded = nullptr;
  if constexpr (is_bf16) rounded = rounded_parameters_.data();
  found_.set(no_tensor);
  torch_cuda::adamw(slots_.slots(), arenas, rounded, constants, scalars, gradient_scale, found_.data(), device_->stream());
  const int32_t bad = found_.get();
  if (bad == no_tensor) return std::nullopt;
  return static_cast<size_t>(bad);
}

template <typename Element>
bool CudaTorchOperators<Element>::all_finite(ConstVector values) {
  return has_only_finite(values.data(), static_cast<int64_t>(values.size()));
}

template <typename Element>
bool CudaTorchOperators<Element>::is_finite(ConstMatrix activation) {
  return has_only_finite(static_cast<const Element*>(attention_.output(activation.data)), activation.rows * activation.cols);
}

template <typename Element>
template <typename Value>
bool CudaTorchOperators<Element>::has_only_finite(const Value* values, int64_t length) {
  found_.set(0);
  torch_cuda::find_non_finite(values, length, found_.data(), device_->stream());
  return found_.get() == 0;
}

/** Hashed by the host: nothing that is staked runs on this opset, so its roots are few. */
template <typename Element>
void CudaTorchOperators<Element>::group_roots(const Layout& layout, std::span<const float* const> arenas, Digest* roots) {
  std::vector<float> host(static_cast<size_t>(parameter_count_));
  for (const float* const arena : arenas) {
    device_->download(arena, host.data(), host.size() * sizeof(float));
    *roots++ = group_root(layout, host.data());
  }
}

template <typename Element>
Operand CudaTorchOperators<Element>::activation(ConstMatrix matrix, bool transposed) const {
  return {attention_.output(matrix.data), matrix.rows, matrix.cols, transposed};
}

template <typename Element>
Operand CudaTorchOperators<Element>::parameters(ConstMatrix matrix, bool transposed) const {
  if constexpr (is_bf16) {
    return {rounded_parameters_.data() + (matrix.data - master_), matrix.rows, matrix.cols, transposed};
  }
  return {matrix.data, matrix.rows, matrix.cols, transposed};
}

template <typename Element>
const int64_t* CudaTorchOperators<Element>::upload(Tokens tokens, const DeviceBuffer<int64_t>& to, int64_t offset) {
  int64_t* const staged = staged_.data() + offset;
  std::memcpy(staged, tokens.data(), tokens.size_bytes());
  device_->upload(staged, to.data(), tokens.size_bytes());
  return to.data();
}

template class CudaTorchOperators<float>;
template class CudaTorchOperators<Bf16>;

}  // namespace panthalia
