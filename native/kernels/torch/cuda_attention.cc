#include "kernels/torch/cuda_attention.h"

#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention_backward.h>
#include <ATen/ops/_scaled_dot_product_efficient_attention.h>
#include <ATen/ops/_scaled_dot_product_efficient_attention_backward.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_backward.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "kernels/torch/cuda_kernels.h"

namespace panthalia::torch_cuda {
namespace {

/** Which of libtorch's kernels: cuDNN's backward pass takes no wider heads and, on some devices, no very short sequences; flash
 *  attention wants bf16, too. */
enum class Kernel { cudnn, flash, efficient };
constexpr int64_t widest_cudnn_head = 128, shortest_cudnn_time = 64, widest_flash_head = 256;

Kernel kernel_of(AttentionShape shape, bool is_bf16) {
  if (!is_bf16 || shape.head_width > widest_flash_head) return Kernel::efficient;
  const bool takes_cudnn = shape.head_width <= widest_cudnn_head && shape.time >= shortest_cudnn_time;
  return takes_cudnn ? Kernel::cudnn : Kernel::flash;
}

class TorchScope final : public OperatorScope {
 public:
  explicit TorchScope(c10::cuda::CUDAStream stream) : before_(c10::cuda::getCurrentCUDAStream(stream.device_index())) {
    c10::cuda::setCurrentCUDAStream(stream);
  }
  ~TorchScope() override { c10::cuda::setCurrentCUDAStream(before_); }

 private:
  c10::InferenceMode inference_mode_;
  c10::cuda::CUDAStream before_;
};

/** Whether (B, h, T, D) lies in memory as (N, C). */
bool is_dense(const at::Tensor& heads, AttentionShape shape) {
  return heads.size(3) == shape.head_width && heads.transpose(1, 2).is_contiguous();
}

double scale_of(AttentionShape shape) { return 1.0 / std::sqrt(static_cast<double>(shape.head_width)); }

}  // namespace

struct Attention::State {
  /** What the forward pass of one layer leaves beside its output. */
  struct Kept {
    at::Tensor log_sum_exp, seed, offset;
    at::Tensor output;  // (B, h, T, D) in the memory of (N, C), where libtorch's result is that
  };

  /** Part 0, 1 or 2 of rows of `columns`, as (B, h, T, D). */
  at::Tensor heads(const void* data, AttentionShape shape, int64_t columns, int64_t part) const {
    const int64_t element = is_bf16 ? 2 : 4;
    auto* const from = static_cast<char*>(const_cast<void*>(data)) + part * shape.heads * shape.head_width * element;
    return at::for_blob(from, {shape.batch, shape.heads, shape.time, shape.head_width})
        .strides({shape.time * columns, shape.head_width, columns, 1})
        .options(at::TensorOptions(is_bf16 ? at::kBFloat16 : at::kFloat).device(stream.device()))
        .target_device(stream.device())
        .make_tensor();
  }

  /** The kernels want heads of whole packs of 16 bytes: columns of zeros change no product. */
  at::Tensor padded(const at::Tensor& heads) const {
    const int64_t multiple = is_bf16 ? 8 : 4;
    const int64_t missing = (multiple - heads.size(3) % multiple) % multiple;
    return missing == 0 ? heads : at::constant_pad_nd(heads, {0, missing});
  }

  bool is_bf16;
  CudaDevice& device;
  c10::cuda::CUDAStream stream;
  std::unordered_map<const void*, Kept> kept;  // by the output they belong to
};

Attention::Attention(CudaDevice& device, bool is_bf16)
    : state_(new State{is_bf16, device,
                       c10::cuda::getStreamFromExternal(device.stream(), static_cast<c10::DeviceIndex>(device.index())),
                       {}}) {}

Attention::~Attention() = default;

std::unique_ptr<OperatorScope> Attention::enter() { return std::make_unique<TorchScope>(state_->stream); }

void Attention::forward(const void* qkv, AttentionShape shape, void* out) {
  State& state = *state_;
  const int64_t width = shape.heads * shape.head_width;
  const auto part = [&](int64_t index) { return state.padded(state.heads(qkv, shape, 3 * width, index)); };
  const at::Tensor query = part(0), key = part(1), value = part(2);
  at::Tensor result;
  State::Kept& kept = state.kept[out];
  kept = {};  // its memory goes to the same tensors of this step
  switch (kernel_of(shape, state.is_bf16)) {
    case Kernel::cudnn: {
      auto made = at::_scaled_dot_product_cudnn_attention(query, key, value, std::nullopt, /*compute_log_sumexp=*/true, 0.0,
                                                          /*is_causal=*/true, false, scale_of(shape));
      result = std::get<0>(made);
      kept = {std::get<1>(made), std::get<6>(made), std::get<7>(made), {}};
      break;
    }
    case Kernel::flash: {
      auto made = at::_scaled_dot_product_flash_attention(query, key, value, 0.0, /*is_causal=*/true, false,
                                                          scale_of(shape));
      result = std::get<0>(made);
      kept = {std::get<1>(made), std::get<6>(made), std::get<7>(made), {}};
      break;
    }
    case Kernel::efficient:
      std::tie(result, kept.log_sum_exp, kept.seed, kept.offset) = at::_scaled_dot_product_efficient_attention(
          query, key, value, std::nullopt, /*compute_log_sumexp=*/true, 0.0, /*is_causal=*/true, scale_of(shape));
  }
  if (is_dense(result, shape)) {
    kept.output = result;
  } else {
    state.heads(out, shape, width, 0).copy_(result.narrow(3, 0, shape.head_width));
  }
}

const void* Attention::output(const void* out) const {
  const auto found = state_->kept.find(out);
  return found == state_->kept.end() || !found->second.output.defined() ? out : found->second.output.const_data_ptr();
}

void Attention::backward(const void* d_out, const void* out, const void* qkv, AttentionShape shape, void* d_qkv) {
  State& state = *state_;
  const int64_t width = shape.heads * shape.head_width;
  const auto part = [&](int64_t index) { return state.padded(state.heads(qkv, shape, 3 * width, index)); };
  const at::Tensor query = part(0), key = part(1), value = part(2);
  const at::Tensor gradient = state.padded(state.heads(d_out, shape, width, 0));
  const State::Kept& kept = state.kept.at(out);
  const at::Tensor output =
      kept.output.defined() ? kept.output : state.padded(state.heads(out, shape, width, 0));
  at::Tensor d_query, d_key, d_value, no_bias;
  switch (kernel_of(shape, state.is_bf16)) {
    case Kernel::cudnn:
      std::tie(d_query, d_key, d_value) = at::_scaled_dot_product_cudnn_attention_backward(
          gradient, query, key, value, output, kept.log_sum_exp, kept.seed, kept.offset, {}, {}, {}, shape.time,
          shape.time, 0.0, /*is_causal=*/true, scale_of(shape));
      break;
    case Kernel::flash:
      std::tie(d_query, d_key, d_value) = at::_scaled_dot_product_flash_attention_backward(
          gradient, query, key, value, output, kept.log_sum_exp, {}, {}, shape.time, shape.time, 0.0,
          /*is_causal=*/true, kept.seed, kept.offset, scale_of(shape));
      break;
    case Kernel::efficient:
      std::tie(d_query, d_key, d_value, no_bias) = at::_scaled_dot_product_efficient_attention_backward(
          gradient, query, key, value, {}, output, kept.log_sum_exp, kept.seed, kept.offset, 0.0,
          {true, true, true, false}, /*is_causal=*/true, scale_of(shape));
  }
  const at::Tensor made[] = {d_query, d_key, d_value};
  if (!std::all_of(std::begin(made), std::end(made), [&](const at::Tensor& heads) { return is_dense(heads, shape); })) {
    for (int64_t i = 0; i < 3; ++i) {
      state.heads(d_qkv, shape, 3 * width, i).copy_(made[i].narrow(3, 0, shape.head_width));
    }
  } else if (state.is_bf16) {
    const auto data = [](const at::Tensor& heads) { return static_cast<const Bf16*>(heads.const_data_ptr()); };
    pack(data(d_query), data(d_key), data(d_value), shape.batch * shape.time, width, static_cast<Bf16*>(d_qkv),
         state.device.stream());
  } else {
    const auto data = [](const at::Tensor& heads) { return heads.const_data_ptr<float>(); };
    pack(data(d_query), data(d_key), data(d_value), shape.batch * shape.time, width, static_cast<float*>(d_qkv),
         state.device.stream());
  }
}

}  // namespace panthalia::torch_cuda
