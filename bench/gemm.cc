// The products of one training step: canon-f32-v1 beside at::mm with MKL, which is what PyTorch runs, and with oneDNN. Blocks
// of the three take turns within each round. On stderr, for each product, GFLOP/s from the median of the rounds' wall times, CPU
// per wall time of ours, and the medians of the rounds' ratios in wall and in process CPU time: above 1 ours is faster.
// On stdout one JSON object: for each group of products the geometric mean of their ratios in each round.
//
//   panthalia_bench_gemm [threads, 1 by default] [rounds, 7] [part of a name]        run by `npm run bench:step -- products`
//
// Legend: N tokens, I inputs, O outputs of a linear layer.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "kernels/canon/isa.h"
#include "kernels/canon/parallel_gemm.h"

namespace panthalia::canon {
namespace {

struct Linear {
  const char* name;
  int64_t tokens, inputs, outputs;
};

constexpr Linear linears[] = {
    {"gpt2 c_attn", 1024, 768, 2304},     {"gpt2 attn c_proj", 1024, 768, 768},  {"gpt2 c_fc", 1024, 768, 3072},
    {"gpt2 mlp c_proj", 1024, 3072, 768}, {"gpt2 head", 512, 768, 50304},        {"small c_attn", 768, 128, 384},
    {"small c_fc", 768, 128, 512},        {"small mlp c_proj", 768, 512, 128},
};

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

struct Times {
  double wall, cpu;  // seconds per call
};

Times measure(int64_t calls, const std::function<void()>& call) {
  await_idle();
  call();
  const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  for (int64_t i = 0; i < calls; ++i) call();
  return {(seconds_of(CLOCK_MONOTONIC) - wall) / calls, (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) / calls};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

enum Contestant { ours, mkl, onednn, contestants };

void choose(Contestant contestant) {
  at::globalContext().setFloat32MatmulPrecision(contestant == onednn ? "medium" : "highest");
}

/** Of the products of a group, a group being the first word of a name: sums of the ratios' logarithms, round by round. */
struct Group {
  int products = 0;
  std::map<std::string, std::vector<double>> logarithms;

  void add(const std::string& over, const std::vector<double>& ratios) {
    std::vector<double>& sums = logarithms[over];
    sums.resize(ratios.size());
    for (size_t round = 0; round < ratios.size(); ++round) sums[round] += std::log(ratios[round]);
  }
};
std::map<std::string, Group> groups;

struct Matrices {
  at::Tensor a, b, out;  // as they are stored
  at::Tensor left, right;  // as they are multiplied
};

/** a, b: shapes as stored. */
Matrices matrices(GemmLayout layout, int64_t m, int64_t n, int64_t k) {
  const bool a_is_transposed = layout == GemmLayout::tn, b_is_transposed = layout == GemmLayout::nt;
  Matrices all;
  all.a = a_is_transposed ? at::randn({k, m}) : at::randn({m, k});
  all.b = b_is_transposed ? at::randn({n, k}) : at::randn({k, n});
  all.out = at::empty({m, n});
  all.left = a_is_transposed ? all.a.t() : all.a;
  all.right = b_is_transposed ? all.b.t() : all.b;
  return all;
}

void compare(ThreadPool& pool, int rounds, const std::string& name, GemmLayout layout, int64_t m, int64_t n, int64_t k) {
  const Kernels& kernels = kernels_of(best_isa());
  Matrices all = matrices(layout, m, n, k);
  std::vector<float> workspace(gemm_workspace(kernels, layout, m, n, k, pool.threads()));
  const GemmCall call{.layout = layout, .m = m, .n = n, .k = k, .a = all.a.data_ptr<float>(),
                      .b = all.b.data_ptr<float>(), .out = all.out.data_ptr<float>()};
  const double flop = 2.0 * m * n * k;
  const int64_t calls = std::max<int64_t>(1, std::llround(2e9 * pool.threads() / flop));

  std::vector<double> wall[contestants], our_cores, ratios[contestants], cpu_ratios[contestants];
  float worst = 0;
  for (int round = 0; round < rounds; ++round) {
    Times times[contestants];
    at::Tensor results[contestants];
    for (int turn = 0; turn < contestants; ++turn) {
      const Contestant contestant = static_cast<Contestant>((turn + round) % contestants);
      choose(contestant);
      times[contestant] = measure(calls, [&] {
        if (contestant == ours) {
          gemm(pool, kernels, call, workspace.data());
        } else {
          at::mm_out(all.out, all.left, all.right);
        }
      });
      wall[contestant].push_back(times[contestant].wall);
      if (round == 0) results[contestant] = all.out.clone();
    }
    our_cores.push_back(times[ours].cpu / times[ours].wall);
    for (const Contestant other : {mkl, onednn}) {
      ratios[other].push_back(times[other].wall / times[ours].wall);
      cpu_ratios[other].push_back(times[other].cpu / times[ours].cpu);
      if (round == 0) worst = std::max(worst, (results[ours] - results[other]).abs().max().item<float>());
    }
  }
  // Nobody rounds its operands: sums of k terms near 1.
  TORCH_CHECK(worst < 1e-5 * k + 1e-4, name, ": results differ by ", worst);

  std::fprintf(stderr, "%-24s %6lld %6lld %6lld", name.c_str(), static_cast<long long>(m), static_cast<long long>(n),
               static_cast<long long>(k));
  for (const auto& each : wall) std::fprintf(stderr, " %8.1f", flop / median(each) * 1e-9);
  std::fprintf(stderr, " %7.2f", median(our_cores));
  Group& group = groups[name.substr(0, name.find(' '))];
  group.products += 1;
  for (const Contestant other : {mkl, onednn}) {
    std::fprintf(stderr, " %8.3f %8.3f", median(ratios[other]), median(cpu_ratios[other]));
    const std::string over = other == mkl ? "MKL" : "oneDNN";
    group.add(over + " wall", ratios[other]);
    group.add(over + " cpu", cpu_ratios[other]);
  }
  std::fprintf(stderr, "\n");
}

void print_groups() {
  const char* separator = "{";
  for (const auto& [name, group] : groups) {
    std::printf("%s\"%s\":", separator, name.c_str());
    const char* within = "{";
    for (const auto& [over, sums] : group.logarithms) {
      std::printf("%s\"%s\":", within, over.c_str());
      for (size_t round = 0; round < sums.size(); ++round) {
        std::printf("%s%.5f", round == 0 ? "[" : ",", std::exp(sums[round] / group.products));
      }
      std::printf("]");
      within = ",";
    }
    std::printf("}");
    separator = ",";
  }
  std::printf("}\n");
}

}  // namespace
}  // namespace panthalia::canon

int main(int count, char** arguments) {
  using namespace panthalia::canon;
  const int threads = count > 1 ? std::stoi(arguments[1]) : 1, rounds = count > 2 ? std::stoi(arguments[2]) : 7;
  const std::string part = count > 3 ? arguments[3] : "";
  at::set_num_threads(threads);
  at::manual_seed(1);
  ThreadPool pool(threads);
  std::fprintf(stderr, "%d threads, %-13s      m      n      k     ours      MKL   oneDNN   cores  /MKL wall    cpu /oneDNN wall    cpu\n",
              threads, isa_name(best_isa()));
  auto consider = [&](const std::string& name, GemmLayout layout, int64_t m, int64_t n, int64_t k) {
    if (name.find(part) != std::string::npos) compare(pool, rounds, name, layout, m, n, k);
  };
  for (const auto& [name, N, I, O] : linears) {
    consider(std::string(name) + " fwd", GemmLayout::nt, N, O, I);
    consider(std::string(name) + " dx", GemmLayout::nn, N, I, O);
    consider(std::string(name) + " dw", GemmLayout::tn, O, I, N);
  }
  print_groups();
}
