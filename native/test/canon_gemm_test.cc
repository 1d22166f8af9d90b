// Products of canon-f32-v1, for every instruction set of this processor, numbers of threads and tilings, against loops that
// follow the document: what differs in any bit, and what was written out of bounds. Prints one JSON object.
#include <bit>
#include <cstdio>
#include <deque>
#include <set>
#include <string>

#include "canon_gemm_tilings.h"
#include "kernels/canon/isa.h"
#include "kernels/canon/parallel_gemm.h"
#include "plain_operators.h"
#include "samples.h"

namespace panthalia::canon {
namespace {

using plain::Row;
using samples::Kind;
using Floats = samples::Fenced<float>;

struct Problem {
  GemmLayout layout;
  Epilogue epilogue;
  int64_t m, n, k;
  Kind kind = Kind::ordinary;
};

constexpr GemmLayout layouts[] = {GemmLayout::nt, GemmLayout::nn, GemmLayout::tn};
constexpr Epilogue epilogues[] = {Epilogue::none,      Epilogue::residual,          Epilogue::gelu_erf,
                                  Epilogue::gelu_tanh, Epilogue::gelu_erf_backward, Epilogue::gelu_tanh_backward};

std::vector<Problem> problems() {
  std::vector<Problem> list;
  for (const GemmLayout layout : layouts) {
    for (const Epilogue epilogue : epilogues) {
      for (const Kind kind : samples::kinds) list.push_back({layout, epilogue, 13, 37, 29, kind});
      for (const int64_t k : {0, 1, 1023, 1024, 1025, 2049}) list.push_back({layout, epilogue, 7, 19, k});
    }
    for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 11, 12, 14, 23, 97}) {
      for (const int64_t n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 64, 131}) {
        list.push_back({layout, Epilogue::none, m, n, 5});
      }
    }
    for (const Kind kind : samples::kinds) list.push_back({layout, Epilogue::none, 29, 31, 2500, kind});
    list.push_back({layout, Epilogue::residual, 1709, 67, 9});
    list.push_back({layout, Epilogue::residual, 61, 3203, 9});
    list.push_back({layout, Epilogue::gelu_erf, 389, 257, 70});
    list.push_back({layout, Epilogue::none, 128, 128, 1100});
    list.push_back({layout, Epilogue::none, 0, 5, 5});
    list.push_back({layout, Epilogue::none, 5, 0, 5});
  }
  return list;
}

std::string name_of(const Problem& problem) {
  constexpr const char* layout_names[] = {"nt", "nn", "tn"};
  constexpr const char* epilogue_names[] = {"none",      "residual",          "gelu_erf",
                                            "gelu_tanh", "gelu_erf_backward", "gelu_tanh_backward"};
  return std::string(layout_names[static_cast<int>(problem.layout)]) + " " +
         epilogue_names[static_cast<int>(problem.epilogue)] + " " + std::to_string(problem.m) + "x" +
         std::to_string(problem.n) + "x" + std::to_string(problem.k);
}

bool has_up(const Problem& problem) {
  return problem.epilogue == Epilogue::gelu_erf || problem.epilogue == Epilogue::gelu_tanh;
}

plain::Unary elementary(Elementary which) {
  return [which](float x) {
    float y;
    kernels_of(Isa::scalar).elementary(which, &x, &y, 1);
    return y;
  };
}

float finished(Epilogue epilogue, float product, float other) {
  static const plain::Unary exp = elementary(Elementary::exp), erf = elementary(Elementary::erf),
                            tanh = elementary(Elementary::tanh);
  switch (epilogue) {
    case Epilogue::none: return product;
    case Epilogue::residual: return other + product;
    case Epilogue::gelu_erf: return plain::gelu_erf(product, erf);
    case Epilogue::gelu_tanh: return plain::gelu_tanh(product, tanh);
    case Epilogue::gelu_erf_backward: return plain::gelu_erf_backward(product, other, erf, exp);
    case Epilogue::gelu_tanh_backward: return plain::gelu_tanh_backward(product, other, tanh);
  }
  return NAN;
}

struct Answer {
  Row out, up;
};

struct Inputs {
  Row a, b, other;
};

Answer expected(const Problem& problem, const Inputs& inputs) {
  const auto [layout, epilogue, m, n, k, kind] = problem;
  Answer answer;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const float product = plain::gemm(
          k, [&](int64_t t) { return layout == GemmLayout::tn ? inputs.a[t * m + i] : inputs.a[i * k + t]; },
          [&](int64_t t) { return layout == GemmLayout::nt ? inputs.b[j * k + t] : inputs.b[t * n + j]; });
      answer.up.push_back(product);
      answer.out.push_back(finished(epilogue, product, inputs.other[i * n + j]));
    }
  }
  if (!has_up(problem)) answer.up.clear();
  return answer;
}

/** What may choose speed and never bits. */
struct Variant {
  std::string name;
  Kernels kernels;
};

class Comparison {
 public:
  int64_t compared = 0;
  std::set<std::string> differing, outside;

  void expect_same(const std::string& what, const Row& expected, const Row& received) {
    for (size_t i = 0; i < expected.size(); ++i) {
      ++compared;
      if (std::isnan(expected[i]) && std::isnan(received[i])) continue;
      if (std::bit_cast<uint32_t>(expected[i]) != std::bit_cast<uint32_t>(received[i])) differing.insert(what);
    }
  }

  void run(const Variant& variant, ThreadPool& pool, const Problem& problem, const Inputs& inputs, const Answer& answer) {
    const auto [layout, epilogue, m, n, k, kind] = problem;
    Floats a(inputs.a), b(inputs.b), other(inputs.other), out(samples::unwritten(m * n)), up(answer.up);
    Floats workspace(samples::unwritten(gemm_workspace(variant.kernels, layout, m, n, k, pool.threads())));
    std::fill_n(static_cast<float*>(up), answer.up.size(), NAN);
    const GemmCall call{.layout = layout, .m = m, .n = n, .k = k, .a = a, .b = b, .epilogue = epilogue, .other = other,
                        .out = out, .up = has_up(problem) ? static_cast<float*>(up) : nullptr};
    gemm(pool, variant.kernels, call, workspace);
    const std::string what = variant.name + " " + std::to_string(pool.threads()) + " threads " + name_of(problem);
    expect_same(what, answer.out, out.values());
    expect_same(what + " up", answer.up, up.values());
    if (!out.is_intact() || !up.is_intact() || !workspace.is_intact()) outside.insert(what);
  }
};

/** Every instruction set of this processor, and on one that has AVX2 five more tilings of it. */
std::vector<Variant> variants() {
  std::vector<Variant> list;
  for (const Isa isa : supported_isas()) list.push_back({isa_name(isa), kernels_of(isa)});
  if (supported_isas().back() == Isa::scalar) return list;
  for (size_t i = 0; i < other_tilings.size(); ++i) {
    list.push_back({"tiling " + std::to_string(i), kernels_of(Isa::avx2)});
    list.back().kernels.gemm = *other_tilings[i];
  }
  return list;
}

void print_list(const char* key, const std::set<std::string>& list) {
  std::printf(",\"%s\":[", key);
  for (auto it = list.begin(); it != list.end(); ++it) {
    std::printf("%s\"%s\"", it == list.begin() ? "" : ",", it->c_str());
  }
  std::printf("]");
}

void compare() {
  Comparison comparison;
  samples::Source source(11);
  std::deque<ThreadPool> pools;
  for (const int threads : {1, 2, 3, 4, 8}) pools.emplace_back(threads);
  const std::vector<Variant> all = variants();
  for (const Problem& problem : problems()) {
    const auto [layout, epilogue, m, n, k, kind] = problem;
    const Inputs inputs{source.values(m * k, kind), source.values(n * k, kind), source.values(m * n, kind)};
    const Answer answer = expected(problem, inputs);
    for (const Variant& variant : all) {
      for (ThreadPool& pool : pools) comparison.run(variant, pool, problem, inputs, answer);
    }
  }
  std::set<std::string> names;
  for (const Variant& variant : all) names.insert(variant.name);
  std::printf("{\"compared\":%lld", static_cast<long long>(comparison.compared));
  print_list("variants", names);
  print_list("differing", comparison.differing);
  print_list("outside", comparison.outside);
  std::printf("}\n");
}

}  // namespace
}  // namespace panthalia::canon

int main() { panthalia::canon::compare(); }
