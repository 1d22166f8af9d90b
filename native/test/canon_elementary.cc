// exp, log, erf and tanh of canon-f32-v1 over many bit patterns. Prints one JSON object.
//
//   panthalia_canon_elementary digests STRIDE [NAME]    per instruction set, SHA-256 of results, as in tests/fixtures/canon.json
//   panthalia_canon_elementary accuracy STRIDE [NAME]   against binary64: largest error in ulp, where, share not rounded right
//   panthalia_canon_elementary time                     nanoseconds of thread CPU time per element
// On all processors; of the function of that name, or of all.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "engine/sha256.h"
#include "kernels/canon/isa.h"

namespace panthalia::canon {
namespace {

struct Function {
  const char* name;
  Elementary which;
  double (*exact)(double);
};
constexpr Function functions[] = {
    {"exp", Elementary::exp, std::exp},
    {"log", Elementary::log, std::log},
    {"erf", Elementary::erf, std::erf},
    {"tanh", Elementary::tanh, std::tanh},
};

constexpr int64_t batch = 1 << 14;

/** use(x, f(x), n) for the patterns begin, begin + stride .. below end, ascending. */
template <typename Use>
void sweep(const Kernels& kernels, Elementary which, uint64_t begin, uint64_t end, uint64_t stride, Use use) {
  std::vector<float> x(batch), y(batch);
  for (uint64_t pattern = begin; pattern < end;) {
    int64_t n = 0;
    for (; n < batch && pattern < end; ++n, pattern += stride) {
      x[n] = std::bit_cast<float>(static_cast<uint32_t>(pattern));
    }
    kernels.elementary(which, x.data(), y.data(), n);
    use(x.data(), y.data(), n);
  }
}

constexpr uint64_t all_patterns = 1ull << 32;

/** work(i) for all i below count, each on the thread that comes first. */
template <typename Work>
void on_all_processors(size_t count, Work work) {
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < count; i = next++) work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<Function> functions_named(const std::string& name) {
  std::vector<Function> list;
  for (const Function& function : functions) {
    if (name.empty() || name == function.name) list.push_back(function);
  }
  return list;
}

std::string digest(const Kernels& kernels, Elementary which, uint64_t stride) {
  Sha256 sha;
  sweep(kernels, which, 0, all_patterns, stride, [&](const float*, float* y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = y[i] == y[i] ? y[i] : std::bit_cast<float>(0x7fc00000);
    sha.update(y, n * sizeof(float));  // little-endian, as the machine is
  });
  return to_hex(sha.finish());
}

void print_digests(uint64_t stride, const std::string& name) {
  const std::vector<Isa> isas = supported_isas();
  const std::vector<Function> list = functions_named(name);
  const size_t count = list.size();
  std::vector<std::string> digests(isas.size() * count);
  on_all_processors(digests.size(), [&](size_t i) {
    digests[i] = digest(kernels_of(isas[i / count]), list[i % count].which, stride);
  });
  for (size_t i = 0; i < digests.size(); ++i) {
    const size_t f = i % count;
    if (f == 0) std::printf("%s\"%s\":{", i == 0 ? "{" : "},", isa_name(isas[i / count]));
    std::printf("%s\"%s\":\"%s\"", f == 0 ? "" : ",", list[f].name, digests[i].c_str());
  }
  std::printf("}}\n");
}

struct Accuracy {
  double worst = 0;  // ulp of the result, 2^-149 below 2^-126
  float at = 0;
  int64_t wrong = 0;
  int64_t count = 0;
  int64_t impossible = 0;  // NaN, signs and infinities out of place; magnitudes above 1 where there is none
};

void judge(const Function& function, const float* x, const float* y, int64_t n, Accuracy& accuracy) {
  const bool bounded = function.which == Elementary::erf || function.which == Elementary::tanh;
  for (int64_t i = 0; i < n; ++i) {
    const double exact = function.exact(x[i]);
    const float right = static_cast<float>(exact);
    if (std::isnan(right) || std::isnan(y[i])) {
      accuracy.impossible += std::isnan(right) != std::isnan(y[i]);
      continue;
    }
    ++accuracy.count;
    if (std::bit_cast<uint32_t>(right) == std::bit_cast<uint32_t>(y[i])) continue;
    ++accuracy.wrong;
    const bool infinite = std::isinf(right) || std::isinf(y[i]);
    if (infinite || std::signbit(right) != std::signbit(y[i]) || (bounded && std::fabs(y[i]) > 1)) {
      ++accuracy.impossible;
      continue;
    }
    int exponent;
    std::frexp(exact, &exponent);
    const double error = std::fabs(y[i] - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
    if (error > accuracy.worst) {
      accuracy.worst = error;
      accuracy.at = x[i];
    }
  }
}

void print_accuracy(uint64_t stride, const std::string& name) {
  constexpr size_t pieces = 64;
  const Kernels& kernels = kernels_of(best_isa());
  const uint64_t piece = (all_patterns / pieces + stride - 1) / stride * stride;
  const char* separator = "{";
  for (const Function& function : functions_named(name)) {
    Accuracy parts[pieces], all;
    on_all_processors(pieces, [&](size_t i) {
      sweep(kernels, function.which, i * piece, std::min((i + 1) * piece, all_patterns), stride,
            [&](const float* x, const float* y, int64_t n) { judge(function, x, y, n, parts[i]); });
    });
    for (const Accuracy& part : parts) {
      if (part.worst > all.worst) all.worst = part.worst, all.at = part.at;
      all.wrong += part.wrong;
      all.count += part.count;
      all.impossible += part.impossible;
    }
    const double share = static_cast<double>(all.wrong) / all.count;
    std::printf("%s\"%s\":{\"worst\":%.4f,\"at\":\"%a\",\"wrongShare\":%.6f,\"impossible\":%lld,\"count\":%lld}", separator,
                function.name, all.worst, static_cast<double>(all.at), share, static_cast<long long>(all.impossible),
                static_cast<long long>(all.count));
    separator = ",";
  }
  std::printf("}\n");
}

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

void print_times() {
  constexpr int64_t n = 4096;
  std::vector<float> x(n), y(n);
  bool first = true;
  for (const Isa isa : supported_isas()) {
    for (const Function& function : functions) {
      for (int64_t i = 0; i < n; ++i) x[i] = function.which == Elementary::log ? 0.01f * (i + 1) : 0.002f * (i - n / 2);
      double best = INFINITY;
      for (int repetition = 0; repetition < 50; ++repetition) {
        const double start = thread_seconds();
        for (int k = 0; k < 10; ++k) kernels_of(isa).elementary(function.which, x.data(), y.data(), n);
        best = std::min(best, (thread_seconds() - start) / (10 * n));
      }
      std::printf("%s\"%s %s\":%.3f", first ? "{" : ",", isa_name(isa), function.name, 1e9 * best);
      first = false;
    }
  }
  std::printf("}\n");
}

}  // namespace
}  // namespace panthalia::canon

int main(int count, char** arguments) {
  using namespace panthalia::canon;
  const std::string what = count > 1 ? arguments[1] : "";
  const uint64_t stride = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 0;
  const std::string name = count > 3 ? arguments[3] : "";
  const bool known = !functions_named(name).empty();
  if (what == "digests" && stride > 0 && known) {
    print_digests(stride, name);
  } else if (what == "accuracy" && stride > 0 && known) {
    print_accuracy(stride, name);
  } else if (what == "time") {
    print_times();
  } else {
    std::fprintf(stderr, "usage: digests STRIDE [NAME] | accuracy STRIDE [NAME] | time\n");
    return 2;
  }
}
