// Where a training step's time goes: milliseconds of each operator, medians over the steps, and the rate of the products. With one
// thread it is the process's CPU time, which holds on a machine that is busy with other things.
//
//   panthalia_profile OPSET PRECISION THREADS V blockSize L heads C B T [STEPS, 30]
//   panthalia_profile canon fp32 2  65 256 6 6 384  8 256
//
// build: cmake --build build/cmake --target panthalia_profile
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/trainer.h"
#include "kernels/canon/canon_operators.h"
#include "kernels/torch/torch_runtime.h"

namespace panthalia {
namespace {

struct Spent {
  double seconds = 0;
  double flop = 0;  // of products; attention has its own count in nobody's table
  int64_t calls = 0;
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
using Clock = double (*)();

/** Operators that pass every call on and take its time. */
class TimedOperators final : public Operators {
 public:
  TimedOperators(std::unique_ptr<Operators> inner, Clock clock) : inner_(std::move(inner)), clock_(clock) {}

  std::map<std::string, Spent> spent;

  Memory& memory() override { return inner_->memory(); }
  void plan(const ModelShape& shape, BatchShape batch) override { inner_->plan(shape, batch); }
  int64_t activation_floats(int64_t elements) const override { return inner_->activation_floats(elements); }
  int64_t attention_saved(AttentionShape shape) const override { return inner_->attention_saved(shape); }
  std::unique_ptr<OperatorScope> enter() override { return inner_->enter(); }
  void parameters_written(const float* parameters) override { inner_->parameters_written(parameters); }

  void embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table, Matrix out) override {
    timed("embedding", [&] { inner_->embedding(tokens, time, token_table, position_table, out); });
  }
  void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                          Matrix position_gradient) override {
    timed("embedding, backward",
          [&] { inner_->embedding_backward(tokens, time, d_out, token_gradient, position_gradient); });
  }
  void layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) override {
    timed("layer norm", [&] { inner_->layer_norm(x, gain, out, statistics); });
  }
  void layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics, Matrix d_x,
                           Vector gain_gradient) override {
    timed("layer norm, backward",
          [&] { inner_->layer_norm_backward(d_out, x, gain, statistics, d_x, gain_gradient); });
  }
  void linear(ConstMatrix x, ConstMatrix weight, Matrix out) override {
    product("linear", weight, x.rows, [&] { inner_->linear(x, weight, out); });
  }
  void linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) override {
    product("linear + residual", weight, x.rows, [&] { inner_->linear_residual(x, weight, residual, out); });
  }
  void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) override {
    product("linear + gelu", weight, x.rows, [&] { inner_->linear_gelu(x, weight, up, out); });
  }
  void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) override {
    product("linear, dx", weight, d_out.rows, [&] { inner_->linear_backward_input(d_out, weight, d_x); });
  }
  void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) override {
    product("linear, dx + gelu", weight, d_out.rows,
            [&] { inner_->linear_backward_input_gelu(d_out, weight, up, d_up); });
  }
  void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) override {
    product("linear, dw", weight_gradient, x.rows, [&] { inner_->linear_backward_weight(d_out, x, weight_gradient); });
  }
  void attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) override {
    timed("attention", [&] { inner_->attention(qkv, shape, saved, out); });
  }
  void attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape, ConstVector saved,
                          Matrix d_qkv) override {
    timed("attention, backward", [&] { inner_->attention_backward(d_out, out, qkv, shape, saved, d_qkv); });
  }
  float cross_entropy(Matrix logits, Tokens targets, Vector row_sums) override {
    return timed("cross-entropy", [&] { return inner_->cross_entropy(logits, targets, row_sums); });
  }
  void cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) override {
    timed("cross-entropy, backward", [&] { inner_->cross_entropy_backward(logits, targets, row_sums, share); });
  }
  void accumulate(ConstVector addend, Vector total) override {
    timed("accumulate", [&] { inner_->accumulate(addend, total); });
  }
  float norm(const Layout& layout, const float* gradients) override {
    return timed("norm", [&] { return inner_->norm(layout, gradients); });
  }
  std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                              const StepScalars& scalars, float gradient_scale) override {
    return timed("AdamW", [&] { return inner_->adamw(layout, arenas, constants, scalars, gradient_scale); });
  }
  bool all_finite(ConstVector values) override { return inner_->all_finite(values); }
  void group_roots(const Layout& layout, std::span<const float* const> arenas, Digest* roots) override {
    inner_->group_roots(layout, arenas, roots);
  }

 private:
  template <typename Call>
  std::invoke_result_t<Call> timed(const std::string& name, Call call, double flop = 0) {
    struct Timer {
      Spent& spent;
      Clock clock;
      double begin;
      ~Timer() { spent.seconds += clock() - begin; }
    } timer{spent[name], clock_, clock_()};
    timer.spent.flop += flop;
    timer.spent.calls += 1;
    return call();
  }

  template <typename Call>
  void product(const std::string& kind, ConstMatrix weight, int64_t rows, Call call) {
    const std::string name = kind + " " + std::to_string(weight.rows) + "x" + std::to_string(weight.cols);
    timed(name, call, 2.0 * static_cast<double>(weight.rows * weight.cols * rows));
  }

  std::unique_ptr<Operators> inner_;
  Clock clock_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(int count, char** arguments) {
  auto number = [&](int at) { return std::atoll(arguments[at]); };
  const int threads = std::atoi(arguments[3]);
  const int64_t steps = count > 11 ? number(11) : 30;
  const TrainerOptions options{{number(4), number(5), number(6), number(7), number(8)},
                               {number(9), number(10)},
                               {0.9f, static_cast<float>(1 - 0.9), 0.95f, static_cast<float>(1 - 0.95), 1e-8f, 1.0f}};
  const Clock clock = threads == 1 ? cpu_seconds : wall_seconds;
  auto operators = std::make_unique<TimedOperators>(std::string(arguments[1]) == "torch"
                                                        ? make_torch_operators(threads, precision_named(arguments[2]))
                                                        : make_canon_operators(threads, canon::best_isa()),
                                                    clock);
  std::map<std::string, Spent>& spent = operators->spent;
  const StopFlag stop;
  Trainer trainer(options, std::move(operators), stop);
  trainer.initialise({});
  std::vector<int64_t> tokens(options.batch.count() + 1);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int64_t>(i * i * 2654435761u % number(4));
  const Tokens all = tokens, inputs = all.first(tokens.size() - 1), targets = all.last(tokens.size() - 1);

  std::map<std::string, std::vector<double>> times;
  std::vector<double> whole;
  std::map<std::string, Spent> once;
  for (int64_t step = 0; step < steps + 3; ++step) {
    spent.clear();
    const double begin = clock();
    trainer.inner_step(inputs, targets, {1e-4f, 1.0f, 1.0f});
    if (step < 3) continue;
    whole.push_back(1e3 * (clock() - begin));
    for (const auto& [name, each] : spent) times[name].push_back(1e3 * each.seconds);
    once = spent;
  }
  std::printf("%-28s %6s %9s %7s %8s\n", "", "calls", "ms", "%", "GFLOP/s");
  double in_operators = 0, in_products = 0, flop = 0;
  for (const auto& [name, each] : times) {
    const double ms = median(each);
    in_operators += ms;
    std::printf("%-28s %6lld %9.3f %7.1f", name.c_str(), static_cast<long long>(once[name].calls), ms,
                100 * ms / median(whole));
    if (once[name].flop > 0) {
      std::printf(" %8.1f", 1e-6 * once[name].flop / ms);
      in_products += ms;
      flop += once[name].flop;
    }
    std::printf("\n");
  }
  std::printf("%-28s %6s %9.3f %7.1f %8.1f\n", "all products", "", in_products, 100 * in_products / median(whole),
              1e-6 * flop / in_products);
  std::printf("%-28s %6s %9.3f %7.1f\n", "outside of operators", "", median(whole) - in_operators,
              100 - 100 * in_operators / median(whole));
  std::printf("%-28s %6s %9.3f\n", "step", "", median(whole));
  return 0;
}

}  // namespace
}  // namespace panthalia

int main(int count, char** arguments) {
  if (count < 11) {
    std::fprintf(stderr, "usage: OPSET PRECISION THREADS V blockSize L heads C B T [STEPS]\n");
    return 2;
  }
  try {
    return panthalia::run(count, arguments);
  } catch (...) {
    std::fprintf(stderr, "%s\n", panthalia::as_engine_error(std::current_exception()).what());
    return 1;
  }
}
