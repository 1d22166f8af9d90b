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
#include <vector>

#include "engine/trainer.h"
#include "kernels/canon/canon_operators.h"
#include "kernels/torch/torch_runtime.h"
#include "test/watched_operators.h"

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

/** Time of each operator, products by their shapes. */
class TimedOperators final : public WatchedOperators {
 public:
  TimedOperators(std::unique_ptr<Operators> inner, Clock clock) : WatchedOperators(std::move(inner)), clock_(clock) {}

  std::map<std::string, Spent> spent;

  void begins(const OperatorCall&) override { begin_ = clock_(); }
  void ends(const OperatorCall& call, float*) override {
    const double seconds = clock_() - begin_;
    std::string name(call.name);
    if (call.weight) name += " " + std::to_string(call.weight->rows) + "x" + std::to_string(call.weight->cols);
    Spent& all = spent[name];
    all.seconds += seconds;
    all.calls += 1;
    if (call.weight) all.flop += 2.0 * static_cast<double>(call.weight->rows * call.weight->cols * call.rows);
  }

 private:
  Clock clock_;
  double begin_ = 0;
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
  std::printf("%-36s %6s %9s %7s %8s\n", "", "calls", "ms", "%", "GFLOP/s");
  double in_operators = 0, in_products = 0, flop = 0;
  for (const auto& [name, each] : times) {
    const double ms = median(each);
    in_operators += ms;
    std::printf("%-36s %6lld %9.3f %7.1f", name.c_str(), static_cast<long long>(once[name].calls), ms,
                100 * ms / median(whole));
    if (once[name].flop > 0) {
      std::printf(" %8.1f", 1e-6 * once[name].flop / ms);
      in_products += ms;
      flop += once[name].flop;
    }
    std::printf("\n");
  }
  std::printf("%-36s %6s %9.3f %7.1f %8.1f\n", "all products", "", in_products, 100 * in_products / median(whole),
              1e-6 * flop / in_products);
  std::printf("%-36s %6s %9.3f %7.1f\n", "outside of operators", "", median(whole) - in_operators,
              100 - 100 * in_operators / median(whole));
  std::printf("%-36s %6s %9.3f\n", "step", "", median(whole));
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
