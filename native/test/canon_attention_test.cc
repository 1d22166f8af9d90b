// Causal attention of canon-f32-v1, for every instruction set of this processor and numbers of threads, against loops that
// follow the document: what differs in any bit, and what was written out of bounds; and how far it is from softmax
// attention in binary64. Prints one JSON object.
#include <bit>
#include <cstdio>
#include <deque>
#include <set>
#include <string>

#include "exact_attention.h"
#include "kernels/canon/isa.h"
#include "kernels/canon/parallel_attention.h"
#include "plain_attention.h"
#include "samples.h"

namespace panthalia::canon {
namespace {

using plain::Row;
using Floats = samples::Fenced<float>;
using samples::Kind;

/** few_special: ordinary but for an infinity or a NaN here and there, so that most rows stay finite;  underflowing: so small
 *  that products round to zeros of both signs */
enum class Fill { ordinary, small, huge, few_special, underflowing };

Row filled(samples::Source& source, int64_t count, Fill fill) {
  switch (fill) {
    case Fill::ordinary: return source.values(count);
    case Fill::small: return source.values(count, Kind::small);
    case Fill::huge: return source.values(count, Kind::huge);
    case Fill::few_special: {
      Row row = source.values(count);
      for (const float each : {INFINITY, -INFINITY, NAN}) row[source.integers(1, count)[0]] = each;
      return row;
    }
    case Fill::underflowing: {
      Row row = source.values(count);
      for (float& x : row) x = std::copysign(0x1p-149f, x);
      return row;
    }
  }
  return {};
}

/** Which of the inputs are filled so; the others are ordinary. */
enum class Where { qkv, values, d_out };

struct Problem {
  AttentionShape shape;
  Fill fill = Fill::ordinary;
  Where where = Where::qkv;
};

struct Inputs {
  Row qkv, d_out;
};

Inputs inputs_of(const Problem& problem, samples::Source& source) {
  const auto [B, T, h, D] = problem.shape;
  const int64_t N = B * T, C = h * D;
  Inputs inputs{source.values(3 * N * C), source.values(N * C)};
  if (problem.where == Where::qkv) inputs.qkv = filled(source, 3 * N * C, problem.fill);
  if (problem.where == Where::d_out) inputs.d_out = filled(source, N * C, problem.fill);
  if (problem.where == Where::values) {
    const Row values = filled(source, N * C, problem.fill);
    for (int64_t n = 0; n < N; ++n) std::copy_n(&values[n * C], C, &inputs.qkv[n * 3 * C + 2 * C]);
  }
  return inputs;
}

std::vector<Problem> problems() {
  std::vector<Problem> list;
  for (const int64_t time : {1, 2, 5, 13, 16, 17, 33, 63, 64, 65, 77, 100, 131}) {
    for (const int64_t width : {1, 2, 7, 11, 13, 32, 33}) list.push_back({{1, time, 2, width}});
  }
  for (const int64_t width : {47, 48, 64, 65, 80, 96, 100, 128, 129}) list.push_back({{2, 77, 2, width}});
  for (const Fill fill : {Fill::small, Fill::huge, Fill::few_special, Fill::underflowing}) {
    for (const Where where : {Where::qkv, Where::values, Where::d_out}) {
      for (const int64_t time : {7, 64, 150}) list.push_back({{2, time, 2, 11}, fill, where});
      list.push_back({{1, 131, 1, 64}, fill, where});
    }
  }
  for (const int64_t time : {256, 1024, 1025, 1100, 2048, 2100}) list.push_back({{1, time, 1, 5}});
  list.push_back({{1, 1090, 1, 13}, Fill::underflowing, Where::values});
  list.push_back({{1, 1090, 1, 13}, Fill::underflowing, Where::d_out});
  list.push_back({{1, 9, 1, 1030}});
  list.push_back({{1, 66, 1, 2049}});
  return list;
}

float exp_of(float x) {
  float y;
  kernels_of(Isa::scalar).elementary(Elementary::exp, &x, &y, 1);
  return y;
}

class Comparison {
 public:
  int64_t compared = 0;
  std::set<std::string> differing, outside;
  double out_error = 0, d_qkv_error = 0;

  void run(Isa isa, ThreadPool& pool, const Problem& problem, const Inputs& inputs, const plain::Attention& expected) {
    const auto [B, T, h, D] = problem.shape;
    const Kernels& kernels = kernels_of(isa);
    const int64_t N = B * T, C = h * D;
    Floats qkv(inputs.qkv), d_out(inputs.d_out), out(samples::unwritten(N * C)), d_qkv(samples::unwritten(3 * N * C));
    Floats saved(samples::unwritten(attention_saved(B, T, h)));
    Floats workspace(samples::unwritten(attention_workspace(kernels, T, D, pool.threads())));
    attention(pool, kernels, {qkv, out, saved, B, T, h, D}, workspace);
    attention_backward(pool, kernels, {d_out, out, qkv, saved, d_qkv, B, T, h, D}, workspace);

    const std::string what = std::string(isa_name(isa)) + ", " + std::to_string(pool.threads()) + " threads, B " +
                             std::to_string(B) + " T " + std::to_string(T) + " h " + std::to_string(h) + " D " +
                             std::to_string(D) + ", fill " + std::to_string(static_cast<int>(problem.fill)) + " of " +
                             std::to_string(static_cast<int>(problem.where));
    expect_same(what + ": out", expected.out, out.values());
    expect_same(what + ": d_qkv", expected.d_qkv, d_qkv.values());
    if (!out.is_intact() || !saved.is_intact() || !d_qkv.is_intact() || !workspace.is_intact()) outside.insert(what);
  }

  void measure(AttentionShape shape, const Inputs& inputs, const plain::Attention& answer) {
    const plain::ExactAttention exact = plain::exact_attention(inputs.qkv, inputs.d_out, shape);
    out_error = std::max(out_error, relative_error(exact.out, answer.out));
    d_qkv_error = std::max(d_qkv_error, relative_error(exact.d_qkv, answer.d_qkv));
  }

 private:
  void expect_same(const std::string& what, const Row& expected, const Row& received) {
    for (size_t i = 0; i < expected.size(); ++i) {
      ++compared;
      if (std::isnan(expected[i]) && std::isnan(received[i])) continue;
      if (std::bit_cast<uint32_t>(expected[i]) != std::bit_cast<uint32_t>(received[i])) differing.insert(what);
    }
  }
  /** Of the vector, in the Euclidean norm. */
  static double relative_error(const std::vector<double>& exact, const Row& values) {
    double error = 0, norm = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      error += (values[i] - exact[i]) * (values[i] - exact[i]);
      norm += exact[i] * exact[i];
    }
    return norm == 0 ? std::sqrt(error) : std::sqrt(error / norm);
  }
};

void print_list(const char* key, const std::set<std::string>& list) {
  std::printf(",\"%s\":[", key);
  for (auto it = list.begin(); it != list.end(); ++it) {
    std::printf("%s\"%s\"", it == list.begin() ? "" : ",", it->c_str());
  }
  std::printf("]");
}

void compare() {
  Comparison comparison;
  samples::Source source(13);
  std::deque<ThreadPool> pools;
  for (const int threads : {1, 2, 3, 4, 8}) pools.emplace_back(threads);
  for (const Problem& problem : problems()) {
    const Inputs inputs = inputs_of(problem, source);
    const plain::Attention answer = plain::attention(inputs.qkv, inputs.d_out, problem.shape, exp_of);
    if (problem.fill == Fill::ordinary) comparison.measure(problem.shape, inputs, answer);
    for (const Isa isa : supported_isas()) {
      for (ThreadPool& pool : pools) comparison.run(isa, pool, problem, inputs, answer);
    }
  }
  std::set<std::string> isas;
  for (const Isa isa : supported_isas()) isas.insert(isa_name(isa));
  std::printf("{\"compared\":%lld,\"outError\":%g,\"dQkvError\":%g", static_cast<long long>(comparison.compared),
              comparison.out_error, comparison.d_qkv_error);
  print_list("isas", isas);
  print_list("differing", comparison.differing);
  print_list("outside", comparison.outside);
  std::printf("}\n");
}

}  // namespace
}  // namespace panthalia::canon

int main() { panthalia::canon::compare(); }
