// Causal attention, forward and backward: canon-f32-v1 beside PyTorch's fused kernels for the CPU and beside attention of
// matrix products with a softmax between them. The three take turns within each round. Prints the median milliseconds of
// a call, what that is in GFLOP/s (of the causal half only: 2 products forward, 5 backward, of which a product is
// B h T (T + 1) D FLOP), and the median of the rounds' ratios to ours: above 1 ours is faster.
//
//   panthalia_bench_attention [threads, 1 by default] [rounds, 7] [ours: nothing else]
//
// Legend: B batch, T time, h heads, D head width, C = h D.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/operators.h"
#include "kernels/canon/isa.h"
#include "kernels/canon/parallel_attention.h"

namespace panthalia::canon {
namespace {

constexpr AttentionShape shapes[] = {{12, 64, 4, 32}, {8, 256, 6, 64}, {2, 256, 12, 64}, {1, 1024, 12, 64}};

double seconds_of(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

/** Until the threads of whoever ran before have gone to sleep: OpenMP's spin on. */
void await_idle() {
  for (double before = seconds_of(CLOCK_PROCESS_CPUTIME_ID);;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const double now = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    if (now - before < 2e-4) return;
    before = now;
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Contestant {
  const char* name;
  std::function<void()> forward, backward;
};

struct Tensors {
  AttentionShape shape;
  at::Tensor qkv, out, d_out, d_qkv;  // (B, T, 3C), (B, T, C), (B, T, C), (B, T, 3C)

  explicit Tensors(const AttentionShape& s) : shape(s) {
    const int64_t C = s.heads * s.head_width;
    qkv = at::randn({s.batch, s.time, 3 * C});
    d_out = at::randn({s.batch, s.time, C});
    out = at::empty({s.batch, s.time, C});
    d_qkv = at::empty({s.batch, s.time, 3 * C});
  }
  /** (B, h, T, D) */
  at::Tensor by_head(const at::Tensor& tensor) const {
    return tensor.view({shape.batch, shape.time, shape.heads, shape.head_width}).transpose(1, 2);
  }
  std::vector<at::Tensor> q_k_v() const {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& part : qkv.split(shape.heads * shape.head_width, 2)) parts.push_back(by_head(part));
    return parts;
  }
  /** As autograd leaves them for the layer before: in one tensor. */
  at::Tensor packed(const std::vector<at::Tensor>& gradients) const {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& each : gradients) parts.push_back(each.transpose(1, 2).reshape(out.sizes()));
    return at::cat(parts, 2);
  }
};

Contestant ours(Tensors& t, ThreadPool& pool, std::vector<float>& saved, std::vector<float>& workspace) {
  const auto [B, T, h, D] = t.shape;
  const Kernels& kernels = kernels_of(best_isa());
  saved.resize(attention_saved(B, T, h));
  workspace.resize(attention_workspace(kernels, T, D, pool.threads()));
  auto data = [](at::Tensor& tensor) { return tensor.data_ptr<float>(); };
  const AttentionCall forward{data(t.qkv), data(t.out), saved.data(), B, T, h, D};
  const AttentionBackwardCall backward{data(t.d_out), data(t.out), data(t.qkv), saved.data(), data(t.d_qkv), B, T, h, D};
  return {"canon", [=, &pool, &kernels, &workspace] { attention(pool, kernels, forward, workspace.data()); },
          [=, &pool, &kernels, &workspace] { attention_backward(pool, kernels, backward, workspace.data()); }};
}

Contestant fused(const Tensors& t) {
  auto kept = std::make_shared<std::tuple<at::Tensor, at::Tensor>>();
  return {"torch fused",
          [=] {
            const auto x = t.q_k_v();
            *kept = at::_scaled_dot_product_flash_attention_for_cpu(x[0], x[1], x[2], 0.0, true);
          },
          [=] {
            const auto x = t.q_k_v();
            const auto [d_q, d_k, d_v] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
                t.by_head(t.d_out), x[0], x[1], x[2], std::get<0>(*kept), std::get<1>(*kept), 0.0, true);
            t.packed({d_q, d_k, d_v});
          }};
}

/** Products and a softmax, with the backward pass that autograd derives. */
Contestant composed(const Tensors& t) {
  auto p = std::make_shared<at::Tensor>();
  const double sigma = 1 / std::sqrt(static_cast<double>(t.shape.head_width));
  const at::Tensor unseen = at::ones({t.shape.time, t.shape.time}, at::kBool).triu(1);
  return {"torch composed",
          [=] {
            const auto x = t.q_k_v();
            const at::Tensor s = at::matmul(x[0], x[1].transpose(2, 3)).mul_(sigma).masked_fill_(unseen, -INFINITY);
            *p = at::softmax(s, -1);
            at::matmul(*p, x[2]).transpose(1, 2).contiguous();
          },
          [=] {
            const auto x = t.q_k_v();
            const at::Tensor d_out = t.by_head(t.d_out), d_v = at::matmul(p->transpose(2, 3), d_out);
            const at::Tensor d_p = at::matmul(d_out, x[2].transpose(2, 3));
            const at::Tensor d_s = at::_softmax_backward_data(d_p, *p, -1, at::kFloat).mul_(sigma);
            t.packed({at::matmul(d_s, x[1]), at::matmul(d_s.transpose(2, 3), x[0]), d_v});
          }};
}

double seconds_per_call(int64_t calls, const std::function<void()>& call) {
  const double start = seconds_of(CLOCK_MONOTONIC);
  for (int64_t i = 0; i < calls; ++i) call();
  return (seconds_of(CLOCK_MONOTONIC) - start) / calls;
}

void measure(const AttentionShape& shape, ThreadPool& pool, int rounds, bool only_ours) {
  Tensors tensors(shape);
  std::vector<float> saved, workspace;
  std::vector<Contestant> contestants{ours(tensors, pool, saved, workspace)};
  if (!only_ours) contestants.insert(contestants.end(), {fused(tensors), composed(tensors)});
  const auto [B, T, h, D] = shape;
  const double product = static_cast<double>(B) * h * T * (T + 1) * D;
  const int64_t calls = std::max<int64_t>(1, static_cast<int64_t>(2e9 / (7 * product)));
  std::vector<std::vector<double>> times[2];
  for (auto& each : times) each.resize(contestants.size());
  for (int round = -1; round < rounds; ++round) {  // the first one warms up
    for (size_t c = 0; c < contestants.size(); ++c) {
      await_idle();
      contestants[c].forward();
      const double forward = seconds_per_call(calls, contestants[c].forward);
      const double backward = seconds_per_call(calls, contestants[c].backward);
      if (round < 0) continue;
      times[0][c].push_back(forward);
      times[1][c].push_back(backward);
    }
  }
  for (int direction = 0; direction < 2; ++direction) {
    const double flop = (direction == 0 ? 2 : 5) * product;
    std::printf("B %lld T %4lld h %2lld D %lld %-8s", static_cast<long long>(B), static_cast<long long>(T),
                static_cast<long long>(h), static_cast<long long>(D), direction == 0 ? "forward" : "backward");
    for (size_t c = 0; c < contestants.size(); ++c) {
      const std::vector<double>& own = times[direction][c];
      std::vector<double> ratios;
      for (size_t r = 0; r < own.size(); ++r) ratios.push_back(own[r] / times[direction][0][r]);
      std::printf("  %s %8.3f ms %6.1f GFLOP/s", contestants[c].name, 1e3 * median(own), flop / median(own) / 1e9);
      if (c > 0) std::printf(" %5.2fx", median(ratios));
    }
    std::printf("\n");
  }
}

}  // namespace
}  // namespace panthalia::canon

int main(int count, char** arguments) {
  using namespace panthalia::canon;
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1, rounds = count > 2 ? std::atoi(arguments[2]) : 7;
  at::set_num_threads(threads);
  const c10::InferenceMode no_gradients;
  ThreadPool pool(threads);
  for (const panthalia::AttentionShape& shape : shapes) measure(shape, pool, rounds, count > 3);
}
