// The kernels of canon-f32-v1, but for products and attention, on every instruction set of this processor. Prints one
// JSON object.
//
//   panthalia_canon_test operators   against loops that follow the document: what differs in any bit
//   panthalia_canon_test mode        what the check, operators that begin a step, a pool's caller, its worker, initialisation and outer step say to floating-point modes that
//                                    would change bits
//   panthalia_canon_test time        nanoseconds of thread CPU time per element
#include <unistd.h>
#include <xmmintrin.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "engine/engine_error.h"
#include "engine/floating_point_mode.h"
#include "engine/initialise.h"
#include "engine/outer_step.h"
#include "kernels/canon/canon_operators.h"
#include "kernels/canon/isa.h"
#include "kernels/canon/thread_pool.h"
#include "plain_operators.h"
#include "refusal.h"
#include "samples.h"

namespace panthalia::canon {
namespace {

using plain::Row;
using samples::Fenced;
using samples::Kind;
using samples::kinds;
using samples::Source;
using samples::unwritten;

using Floats = Fenced<float>;
using Integers = Fenced<int64_t>;

/** One instruction set against the plain loops. */
class Comparison {
 public:
  explicit Comparison(Isa isa) : kernels(kernels_of(isa)) {}

  const Kernels& kernels;
  int64_t compared = 0;
  std::set<std::string> differing;

  void expect(const std::string& what, const Row& expected, const Row& received) {
    if (expected.size() != received.size()) differing.insert(what + ": size");
    for (size_t i = 0; i < expected.size(); ++i) {
      ++compared;
      if (std::isnan(expected[i]) && std::isnan(received[i])) continue;
      if (std::bit_cast<uint32_t>(expected[i]) != std::bit_cast<uint32_t>(received[i])) differing.insert(what);
    }
  }
  plain::Unary elementary(Elementary which) const {
    return [which](float x) {
      float y;
      kernels_of(Isa::scalar).elementary(which, &x, &y, 1);
      return y;
    };
  }
};

/** In two calls, as two threads would. */
template <typename Call>
void in_two(int64_t n, Call call) {
  call(0, n / 3);
  call(n / 3, n);
}

constexpr int64_t widths[] = {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 47, 65, 100, 129, 768};

void compare_elementary(Comparison& comparison, Source& source) {
  for (const Elementary which : {Elementary::exp, Elementary::log, Elementary::erf, Elementary::tanh}) {
    for (const int64_t n : widths) {
      Floats x(source.values(n)), out(unwritten(n));
      comparison.kernels.elementary(which, x, out, n);
      Row expected = x.values();
      for (float& each : expected) each = comparison.elementary(which)(each);
      comparison.expect("elementary", expected, out.values());
    }
  }
}

void compare_layer_norm(Comparison& comparison, Source& source, int64_t N, int64_t C, Kind kind) {
  const Row gain = source.values(C), d_out = source.values(N * C, kind), d_x_before = source.values(N * C);
  Floats x(source.values(N * C, kind)), out(unwritten(N * C)), mean(unwritten(N)), r(unwritten(N)), fenced_gain(gain);
  in_two(N, [&](int64_t begin, int64_t end) {
    comparison.kernels.layer_norm({x, fenced_gain, out, mean, r, C}, begin, end);
  });

  Floats fenced_d_out(d_out), d_x(d_x_before);
  const int64_t chunks = (N + column_chunk - 1) / column_chunk;
  Floats partials(unwritten(chunks * C)), d_gain(unwritten(C));
  in_two(chunks, [&](int64_t begin, int64_t end) {
    comparison.kernels.layer_norm_backward({fenced_d_out, x, fenced_gain, mean, r, d_x, partials, N, C}, begin, end);
  });
  in_two(C, [&](int64_t begin, int64_t end) {
    comparison.kernels.column_total(partials, chunks, C, d_gain, begin, end);
  });

  Row expected_out, expected_mean, expected_r, expected_d_x, expected_d_gain;
  for (int64_t n = 0; n < N; ++n) {
    const float* row = x + n * C;
    const plain::Norm norm = plain::layer_norm(row, gain);
    expected_out.insert(expected_out.end(), norm.out.begin(), norm.out.end());
    expected_mean.push_back(norm.mean);
    expected_r.push_back(norm.reciprocal_deviation);
    const Row through = plain::layer_norm_backward(&d_out[n * C], row, gain, norm.mean, norm.reciprocal_deviation);
    for (int64_t c = 0; c < C; ++c) expected_d_x.push_back(d_x_before[n * C + c] + through[c]);
  }
  for (int64_t c = 0; c < C; ++c) {
    expected_d_gain.push_back(plain::column_rule(N, [&](float sum, int64_t n) {
      return std::fma(d_out[n * C + c], (x[n * C + c] - expected_mean[n]) * expected_r[n], sum);
    }));
  }
  comparison.expect("layer_norm", expected_out, out.values());
  comparison.expect("layer_norm mean", expected_mean, mean.values());
  comparison.expect("layer_norm reciprocal deviation", expected_r, r.values());
  comparison.expect("layer_norm_backward", expected_d_x, d_x.values());
  comparison.expect("layer_norm_backward gain", expected_d_gain, d_gain.values());
}

void compare_embedding(Comparison& comparison, Source& source, int64_t B, int64_t T, int64_t C) {
  const int64_t V = 5, N = B * T;
  const std::vector<int64_t> tokens = source.integers(N, V);
  const Row token_table = source.values(V * C), position_table = source.values(T * C), d_out = source.values(N * C);
  Integers fenced_tokens(tokens);
  Floats fenced_token_table(token_table), fenced_position_table(position_table), out(unwritten(N * C));
  in_two(N, [&](int64_t begin, int64_t end) {
    comparison.kernels.embedding({fenced_tokens, fenced_token_table, fenced_position_table, out, T, C}, begin, end);
  });
  Floats fenced_d_out(d_out), d_tokens(token_table), d_positions(unwritten(T * C));
  const EmbeddingBackwardCall call{fenced_tokens, fenced_d_out, d_tokens, d_positions, N, T, C};
  in_two(C, [&](int64_t begin, int64_t end) { comparison.kernels.embedding_backward_tokens(call, begin, end); });
  in_two(T, [&](int64_t begin, int64_t end) { comparison.kernels.embedding_backward_positions(call, begin, end); });

  Row expected(N * C), expected_tokens = token_table, expected_positions;
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t c = 0; c < C; ++c) {
      expected[n * C + c] = token_table[tokens[n] * C + c] + position_table[n % T * C + c];
      expected_tokens[tokens[n] * C + c] += d_out[n * C + c];
    }
  }
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t c = 0; c < C; ++c) {
      expected_positions.push_back(
          plain::column_rule(B, [&](float sum, int64_t b) { return sum + d_out[(b * T + t) * C + c]; }));
    }
  }
  comparison.expect("embedding", expected, out.values());
  comparison.expect("embedding_backward_tokens", expected_tokens, d_tokens.values());
  comparison.expect("embedding_backward_positions", expected_positions, d_positions.values());
}

void compare_gelu(Comparison& comparison, Source& source, int64_t n, Kind kind) {
  const plain::Unary erf = comparison.elementary(Elementary::erf), exp = comparison.elementary(Elementary::exp),
                     tanh = comparison.elementary(Elementary::tanh);
  Floats x(source.values(n, kind)), d_out(source.values(n));
  auto compare = [&](const char* what, auto kernel, auto expected_at) {
    Floats out(unwritten(n));
    kernel(out);
    Row expected;
    for (int64_t i = 0; i < n; ++i) expected.push_back(expected_at(i));
    comparison.expect(what, expected, out.values());
  };
  const Kernels& kernels = comparison.kernels;
  compare("gelu_erf", [&](float* out) { kernels.gelu_erf(x, out, n); },
          [&](int64_t i) { return plain::gelu_erf(x[i], erf); });
  compare("gelu_tanh", [&](float* out) { kernels.gelu_tanh(x, out, n); },
          [&](int64_t i) { return plain::gelu_tanh(x[i], tanh); });
  compare("gelu_erf_backward", [&](float* out) { kernels.gelu_erf_backward(d_out, x, out, n); },
          [&](int64_t i) { return plain::gelu_erf_backward(d_out[i], x[i], erf, exp); });
  compare("gelu_tanh_backward", [&](float* out) { kernels.gelu_tanh_backward(d_out, x, out, n); },
          [&](int64_t i) { return plain::gelu_tanh_backward(d_out[i], x[i], tanh); });
}

void compare_cross_entropy(Comparison& comparison, Source& source, int64_t N, int64_t V, Kind kind) {
  const std::vector<int64_t> targets = source.integers(N, V);
  const Row logits = source.values(N * V, kind);
  const float share = 1.0f / static_cast<float>(3 * N);
  Integers fenced_targets(targets);
  Floats rows(logits), sums(unwritten(N)), losses(unwritten(N));
  const CrossEntropyCall call{rows, fenced_targets, sums, losses, V};
  in_two(N, [&](int64_t begin, int64_t end) { comparison.kernels.cross_entropy(call, begin, end); });
  in_two(N, [&](int64_t begin, int64_t end) { comparison.kernels.cross_entropy_backward(call, share, begin, end); });

  Row expected_sums, expected_losses, expected_gradient;
  for (int64_t n = 0; n < N; ++n) {
    const plain::Loss loss = plain::cross_entropy(&logits[n * V], V, targets[n], comparison.elementary(Elementary::exp),
                                                  comparison.elementary(Elementary::log));
    const Row gradient = plain::cross_entropy_backward(loss, targets[n], share);
    expected_sums.push_back(loss.sum);
    expected_losses.push_back(loss.loss);
    expected_gradient.insert(expected_gradient.end(), gradient.begin(), gradient.end());
  }
  comparison.expect("cross_entropy sums", expected_sums, sums.values());
  comparison.expect("cross_entropy losses", expected_losses, losses.values());
  comparison.expect("cross_entropy_backward", expected_gradient, rows.values());
}

void compare_sums(Comparison& comparison, Source& source, int64_t n, Kind kind) {
  const Row values = source.values(n, kind), total = source.values(n);
  Floats x(values), fenced_total(total);
  comparison.expect("row_sum", {plain::row_sum(values.data(), n)}, {comparison.kernels.row_sum(x, n)});
  if (n <= square_chunk) {
    comparison.expect("square_sum", {plain::square_sum(values)}, {comparison.kernels.square_sum(x, n)});
  }
  comparison.kernels.accumulate(x, fenced_total, n);
  Row expected = total;
  for (int64_t i = 0; i < n; ++i) expected[i] += values[i];
  comparison.expect("accumulate", expected, fenced_total.values());
  const float finite = std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  comparison.expect("all_finite", {finite}, {static_cast<float>(comparison.kernels.all_finite(x, n))});
}

void compare_adamw(Comparison& comparison, Source& source, int64_t n, Kind kind) {
  const Row gradients = source.values(n, kind);
  Row theta = source.values(n), m = source.values(n), v = source.values(n);
  for (float& each : v) each = std::fabs(each);
  // epsilon 0: 0 / 0 must be found in the elements, and not in the padding of the last vector
  const InnerConstants inner{0.9f, 0.1f, 0.95f, 0.05f, kind == Kind::small ? 0.0f : 1e-8f, 1.0f};
  const StepScalars scalars{3e-3f, 1.7f, 0.999f};
  const float scale = kind == Kind::huge ? 1.0f : 0.37f;
  Floats fenced_theta(theta), fenced_m(m), fenced_v(v), fenced_gradients(gradients);
  const AdamwSlices slices{fenced_theta, fenced_m, fenced_v, fenced_gradients, n};
  const bool finite = comparison.kernels.adamw(slices, inner, scalars, scalars.decay, scale);

  bool expected_finite = true;
  for (int64_t i = 0; i < n; ++i) {
    plain::adamw(theta[i], m[i], v[i], gradients[i], inner, scalars, scalars.decay, scale);
    expected_finite = expected_finite && std::isfinite(theta[i]) && std::isfinite(m[i]) && std::isfinite(v[i]);
  }
  comparison.expect("adamw theta", theta, fenced_theta.values());
  comparison.expect("adamw m", m, fenced_m.values());
  comparison.expect("adamw v", v, fenced_v.values());
  comparison.expect("adamw finite", {static_cast<float>(expected_finite)}, {static_cast<float>(finite)});
}

void compare_operators() {
  bool first = true;
  for (const Isa isa : supported_isas()) {
    Comparison comparison(isa);
    Source source(7);
    compare_elementary(comparison, source);
    for (const Kind kind : kinds) {
      for (const int64_t n : widths) {
        for (const int64_t rows : {1, 3, 64, 65}) {
          if (rows > 3 && n > 200) continue;  // plain loops are slow
          compare_layer_norm(comparison, source, rows, n, kind);
        }
        compare_gelu(comparison, source, n, kind);
        // Where NaN is among the logits, which of them is greatest is nobody's business.
        if (kind != Kind::special) compare_cross_entropy(comparison, source, 3, n, kind);
        compare_adamw(comparison, source, n, kind);
      }
      for (const int64_t n : {1, 31, 32, 33, 64, 95, 1000, 4095, 4096, 5001}) compare_sums(comparison, source, n, kind);
    }
    for (const int64_t n : widths) compare_embedding(comparison, source, 2, 7, n);
    compare_embedding(comparison, source, 130, 2, 19);
    compare_layer_norm(comparison, source, 200, 33, Kind::ordinary);

    std::printf("%s\"%s\":{\"compared\":%lld,\"differing\":[", first ? "{" : ",", isa_name(isa),
                static_cast<long long>(comparison.compared));
    for (auto it = comparison.differing.begin(); it != comparison.differing.end(); ++it) {
      std::printf("%s\"%s\"", it == comparison.differing.begin() ? "" : ",", it->c_str());
    }
    std::printf("]}");
    first = false;
  }
  std::printf("}\n");
}

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

/** What a pool says whose workers began in this mode, to a caller in the ordinary one. A job may be over before a worker
 *  wakes, so jobs are given out until one has come or a second has passed. */
std::string refusal_of_worker(unsigned mxcsr) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(mxcsr);
  ThreadPool pool(2);
  _mm_setcsr(before);
  std::atomic<bool> worker_came = false;
  const double end = thread_seconds() + 1;
  return refusal([&] {
    while (!worker_came && thread_seconds() < end) {
      pool.run(1000, [&](int64_t, int thread) {
        if (thread == 1) worker_came = true;
      });
    }
  });
}

/** What is said to `work` on a thread in this mode. */
template <typename Work>
std::string refusal_in(unsigned mxcsr, Work work) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(mxcsr);
  const std::string answer = refusal(work);
  _mm_setcsr(before);
  return answer;
}

/** A model of two channels, its parameters in a file of a folder that goes with it. */
class SmallModel {
 public:
  SmallModel() : folder_(std::filesystem::temp_directory_path() / ("panthalia-mode-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(folder_);
    initialise();
    write_parameters(base(), layout_, theta_.data());
  }
  ~SmallModel() { std::filesystem::remove_all(folder_); }

  void initialise() { initialise_parameters(layout_, shape_.layers, Seed{}, theta_.data()); }
  void outer_step() const {
    apply_outer_step({shape_, base(), {}, {base()}, 0.7f, 0.9f, folder_ / "theta", folder_ / "momentum"});
  }

 private:
  std::string base() const { return folder_ / "base"; }

  ModelShape shape_{5, 3, 1, 1, 2};
  Layout layout_{shape_};
  Row theta_ = Row(layout_.parameter_count());
  std::filesystem::path folder_;
};

void print_modes() {
  struct Mode {
    const char* name;
    unsigned mxcsr;
  };
  constexpr Mode modes[] = {{"ordinary", 0x1f80},          {"flags", 0x1fbf},     {"flushToZero", 0x9f80},
                            {"denormalsAreZero", 0x1fc0},  {"towardZero", 0x7f80}, {"down", 0x3f80},
                            {"up", 0x5f80},                {"traps", 0x1d80}};
  SmallModel model;
  ThreadPool pool(1);
  const std::unique_ptr<Operators> operators = make_canon_operators(1, best_isa());
  bool first = true;
  for (const Mode& mode : modes) {
    const std::string caller = refusal_in(mode.mxcsr, check_floating_point_mode);
    const std::string step = refusal_in(mode.mxcsr, [&] { operators->enter(); });
    const std::string pool_caller = refusal_in(mode.mxcsr, [&] { pool.run(1, [](int64_t, int) {}); });
    const std::string initialisation = refusal_in(mode.mxcsr, [&] { model.initialise(); });
    const std::string outer_step = refusal_in(mode.mxcsr, [&] { model.outer_step(); });
    std::printf("%s\"%s\":{\"caller\":\"%s\",\"step\":\"%s\",\"poolCaller\":\"%s\",\"worker\":\"%s\"", first ? "{" : ",",
                mode.name, caller.c_str(), step.c_str(), pool_caller.c_str(), refusal_of_worker(mode.mxcsr).c_str());
    std::printf(",\"initialisation\":\"%s\",\"outerStep\":\"%s\"}", initialisation.c_str(), outer_step.c_str());
    first = false;
  }
  std::printf("}\n");
}

template <typename Work>
double nanoseconds(int64_t elements, Work work) {
  double best = INFINITY;
  for (double spent = 0; spent < 0.3;) {
    const double start = thread_seconds();
    work();
    const double seconds = thread_seconds() - start;
    spent += seconds;
    best = std::min(best, seconds / elements);
  }
  return 1e9 * best;
}

void print_times() {
  const int64_t N = 64, C = 768, V = 50304, n = N * C, many = 1 << 24;
  Source source(7);
  // No subnormals: a processor may take a hundred times as long over them, and training meets few.
  auto even = [](int64_t count) {
    Row row(count);
    for (int64_t i = 0; i < count; ++i) row[i] = static_cast<float>(i * 7919 % 1009 - 504) / 128.0f;
    return row;
  };
  Row x = even(n), d = even(n), out(n), gain(C, 1.0f), mean(N), r(N), partials(C), d_x(n), logits, sums(N), losses(N);
  Row theta(many, 0.1f), m(many, 0.1f), v(many, 0.1f), gradients(many, 0.1f);
  const std::vector<int64_t> tokens = source.integers(N, 100);
  Row table = even(100 * C);
  bool first = true;
  for (const Isa isa : supported_isas()) {
    const Kernels& kernels = kernels_of(isa);
    std::map<std::string, double> times;
    const LayerNormCall norm{x.data(), gain.data(), out.data(), mean.data(), r.data(), C};
    times["layer_norm"] = nanoseconds(n, [&] { kernels.layer_norm(norm, 0, N); });
    const LayerNormBackwardCall norm_backward{
        d.data(), x.data(), gain.data(), mean.data(), r.data(), d_x.data(), partials.data(), N, C};
    times["layer_norm_backward"] = nanoseconds(n, [&] { kernels.layer_norm_backward(norm_backward, 0, 1); });
    times["gelu_erf"] = nanoseconds(n, [&] { kernels.gelu_erf(x.data(), out.data(), n); });
    times["gelu_erf_backward"] = nanoseconds(n, [&] { kernels.gelu_erf_backward(d.data(), x.data(), out.data(), n); });
    times["gelu_tanh"] = nanoseconds(n, [&] { kernels.gelu_tanh(x.data(), out.data(), n); });
    times["gelu_tanh_backward"] =
        nanoseconds(n, [&] { kernels.gelu_tanh_backward(d.data(), x.data(), out.data(), n); });
    logits = even(4 * V);
    const Row fresh = logits;
    const CrossEntropyCall call{logits.data(), tokens.data(), sums.data(), losses.data(), V};
    const double copy = nanoseconds(4 * V, [&] { std::copy(fresh.begin(), fresh.end(), logits.begin()); });
    times["cross_entropy"] = nanoseconds(4 * V, [&] {
      std::copy(fresh.begin(), fresh.end(), logits.begin());
      kernels.cross_entropy(call, 0, 4);
    }) - copy;
    times["cross_entropy_backward"] = nanoseconds(4 * V, [&] { kernels.cross_entropy_backward(call, 1.0f, 0, 4); });
    const EmbeddingCall embedding{tokens.data(), table.data(), table.data(), out.data(), N, C};
    times["embedding"] = nanoseconds(n, [&] { kernels.embedding(embedding, 0, N); });
    const EmbeddingBackwardCall embedding_backward{tokens.data(), d.data(), table.data(), d_x.data(), N, N, C};
    times["embedding_backward_tokens"] =
        nanoseconds(n, [&] { kernels.embedding_backward_tokens(embedding_backward, 0, C); });
    times["square_sum"] = nanoseconds(many, [&] {
      for (int64_t i = 0; i < many; i += square_chunk) sums[0] = kernels.square_sum(&gradients[i], square_chunk);
    });
    times["accumulate"] = nanoseconds(many, [&] { kernels.accumulate(gradients.data(), theta.data(), many); });
    times["adamw"] = nanoseconds(many, [&] {
      kernels.adamw({theta.data(), m.data(), v.data(), gradients.data(), many}, {0.9f, 0.1f, 0.95f, 0.05f, 1e-8f, 1.0f},
                    {1e-5f, 1.0f, 1.0f}, 1.0f, 1.0f);
    });
    std::printf("%s\"%s\":{", first ? "{" : ",\n", isa_name(isa));
    for (auto it = times.begin(); it != times.end(); ++it) {
      std::printf("%s\"%s\":%.3f", it == times.begin() ? "" : ",", it->first.c_str(), it->second);
    }
    std::printf("}");
    first = false;
  }
  std::printf("}\n");
}

}  // namespace
}  // namespace panthalia::canon

int main(int count, char** arguments) {
  using namespace panthalia::canon;
  const std::string what = count > 1 ? arguments[1] : "";
  if (what == "operators") {
    compare_operators();
  } else if (what == "mode") {
    print_modes();
  } else if (what == "time") {
    print_times();
  } else {
    std::fprintf(stderr, "usage: operators | mode | time\n");
    return 2;
  }
}
