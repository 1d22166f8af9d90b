// canon-f32-v1's CUDA kernels, run by the emulation on the CPU, against the operators of the CPU, bit for bit. Prints one JSON object.
//
//   elementary <stride>            SHA-256 of exp, log, erf and tanh of math.cuh, as in tests/fixtures/canon.json
//   operators <order>              every operator, over shapes with tails; what differs
//   products <order>               products, over tilings and splits; what differs
//   training <order> <steps> <shape ...>  state roots of both after every step
//   failures                       what a full and what a lost device throw
//   barrier <order>                a kernel without a barrier that it needs: the result depends on the order
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "cuda/cuda_operators.h"
#include "engine/trainer.h"
#include "kernels/canon/canon_operators.h"
#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"
#include "kernels/canon/launch.h"
#include "kernels/canon/math.cuh"
#include "test/plain_attention.h"

namespace panthalia {
namespace {

/** Ordinary values, and the ones that betray a wrong order or a lost sign: zeros of both signs, subnormals, large ones. */
class Source {
 public:
  explicit Source(uint32_t seed) : random_(seed) {}

  float value() {
    switch (random_() % 16) {
      case 0: return 0.0f;
      case 1: return -0.0f;
      case 2: return std::ldexp(uniform(), -140);
      case 3: return std::ldexp(uniform(), 6);
      default: return uniform();
    }
  }
  std::vector<float> values(int64_t count) {
    std::vector<float> list(static_cast<size_t>(count));
    for (float& each : list) each = value();
    return list;
  }
  std::vector<int64_t> tokens(int64_t count, int64_t vocabulary) {
    std::vector<int64_t> list(static_cast<size_t>(count));
    for (int64_t& each : list) each = random_() % 3 == 0 ? 1 % vocabulary : static_cast<int64_t>(random_()) % vocabulary;
    return list;
  }

 private:
  float uniform() { return std::ldexp(static_cast<float>(static_cast<int32_t>(random_() << 1)), -31); }
  std::minstd_rand random_;
};

std::string joined(std::initializer_list<int64_t> numbers) {
  std::string text;
  for (const int64_t number : numbers) text.append(text.empty() ? " " : "x").append(std::to_string(number));
  return text;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void print_list(const std::vector<std::string>& texts) {
  std::printf("[");
  for (size_t i = 0; i < texts.size(); ++i) std::printf("%s\"%s\"", i > 0 ? "," : "", texts[i].c_str());
  std::printf("]");
}

void print_comparison(int compared, const std::vector<std::string>& differing) {
  std::printf("{\"compared\":%d,\"differing\":", compared);
  print_list(differing);
  std::printf("}\n");
}

/** Runs one operator of both sets on copies of the same memory and notes what differs. */
class Comparison {
 public:
  Comparison() : cuda_(std::make_unique<CudaDevice>(0)), reference_(make_canon_operators(2, canon::best_isa())) {}

  void plan(const ModelShape& shape, BatchShape batch) {
    for (Operators* set : {static_cast<Operators*>(&cuda_), reference_.get()}) set->plan(shape, batch);
  }

  /** run(operators, memory) works on its own copy of each buffer of `memory`; what `outputs` names must be equal. */
  using Memory = std::map<std::string, std::vector<float>>;
  void check(const std::string& name, const Memory& memory, const std::vector<std::string>& outputs,
             const std::function<float(Operators&, Memory&)>& run) {
    Memory emulated = memory, expected = memory;
    const float a = run(cuda_, emulated), b = run(*reference_, expected);
    compared_ += 1;
    if (std::memcmp(&a, &b, sizeof a) != 0) differing_.push_back(name);
    for (const std::string& output : outputs) {
      if (!same_bits(emulated[output], expected[output])) differing_.push_back(name + " " + output);
    }
  }

  void expect(const std::string& name, const std::vector<float>& actual, const std::vector<float>& expected) {
    compared_ += 1;
    if (!same_bits(actual, expected)) differing_.push_back(name);
  }

  Operators& cuda() { return cuda_; }
  Operators& reference() { return *reference_; }
  void print() const { print_comparison(compared_, differing_); }

 private:
  int compared_ = 0;
  std::vector<std::string> differing_;
  CudaOperators cuda_;
  std::unique_ptr<Operators> reference_;
};

using Memory = Comparison::Memory;

Matrix matrix(std::vector<float>& values, int64_t rows) {
  return {values.data(), rows, static_cast<int64_t>(values.size()) / rows};
}

/** source: native/test/canon_elementary.cc, which does the same with the functions of the CPU */
void print_elementary(uint64_t stride) {
  using Function = float (*)(float);
  const std::pair<const char*, Function> functions[] = {
      {"exp", canon::cuda::exp}, {"log", canon::cuda::log}, {"erf", canon::cuda::erf}, {"tanh", canon::cuda::tanh}};
  const char* separator = "{";
  for (const auto& [name, function] : functions) {
    Sha256 sha;
    std::vector<float> results;
    for (uint64_t pattern = 0; pattern < (uint64_t{1} << 32); pattern += stride) {
      const float result = function(std::bit_cast<float>(static_cast<uint32_t>(pattern)));
      results.push_back(std::isnan(result) ? std::bit_cast<float>(0x7fc00000) : result);
      if (results.size() < 4096 && pattern + stride < (uint64_t{1} << 32)) continue;
      sha.update(results.data(), results.size() * sizeof(float));
      results.clear();
    }
    std::printf("%s\"%s\":\"%s\"", separator, name, to_hex(sha.finish()).c_str());
    separator = ",";
  }
  std::printf("}\n");
}

void compare_rows(Comparison& comparison, Source& source, int64_t N, int64_t C) {
  const std::string shape = joined({N, C});
  const Memory memory{{"x", source.values(N * C)},    {"gain", source.values(C)}, {"out", source.values(N * C)},
                      {"mean", source.values(N)},     {"r", source.values(N)},    {"d_out", source.values(N * C)},
                      {"stream", source.values(N * C)}, {"d_gain", source.values(C)}};
  comparison.check("layer_norm" + shape, memory, {"out", "mean", "r"}, [&](Operators& op, Memory& m) {
    op.layer_norm(matrix(m["x"], N), m["gain"], matrix(m["out"], N), {m["mean"], m["r"]});
    return 0.0f;
  });
  comparison.check("layer_norm_backward" + shape, memory, {"stream", "d_gain"}, [&](Operators& op, Memory& m) {
    op.layer_norm(matrix(m["x"], N), m["gain"], matrix(m["out"], N), {m["mean"], m["r"]});
    op.layer_norm_backward(matrix(m["d_out"], N), matrix(m["x"], N), m["gain"], {m["mean"], m["r"]},
                           matrix(m["stream"], N), m["d_gain"]);
    return 0.0f;
  });
  comparison.check("accumulate" + shape, memory, {"stream"}, [&](Operators& op, Memory& m) {
    op.accumulate(m["x"], m["stream"]);
    return 0.0f;
  });
}

void compare_linear(Comparison& comparison, Source& source, int64_t N, int64_t K, int64_t M) {
  const std::string shape = joined({N, K, M});
  const Memory memory{{"x", source.values(N * K)},     {"w", source.values(M * K)},   {"residual", source.values(N * M)},
                      {"out", source.values(N * M)},   {"up", source.values(N * M)},  {"d_out", source.values(N * M)},
                      {"d_x", source.values(N * K)},   {"d_w", source.values(M * K)}, {"up_in", source.values(N * K)}};
  comparison.check("linear_residual" + shape, memory, {"out"}, [&](Operators& op, Memory& m) {
    op.linear_residual(matrix(m["x"], N), matrix(m["w"], M), matrix(m["residual"], N), matrix(m["out"], N));
    return 0.0f;
  });
  comparison.check("linear_gelu" + shape, memory, {"up", "out"}, [&](Operators& op, Memory& m) {
    op.linear_gelu(matrix(m["x"], N), matrix(m["w"], M), matrix(m["up"], N), matrix(m["out"], N));
    return 0.0f;
  });
  comparison.check("linear_backward_input" + shape, memory, {"d_x"}, [&](Operators& op, Memory& m) {
    op.linear_backward_input(matrix(m["d_out"], N), matrix(m["w"], M), matrix(m["d_x"], N));
    return 0.0f;
  });
  comparison.check("linear_backward_input_gelu" + shape, memory, {"d_x"}, [&](Operators& op, Memory& m) {
    op.linear_backward_input_gelu(matrix(m["d_out"], N), matrix(m["w"], M), matrix(m["up_in"], N), matrix(m["d_x"], N));
    return 0.0f;
  });
  comparison.check("linear_backward_weight" + shape, memory, {"d_w"}, [&](Operators& op, Memory& m) {
    op.linear_backward_weight(matrix(m["d_out"], N), matrix(m["x"], N), matrix(m["d_w"], M));
    return 0.0f;
  });
}

void compare_attention(Comparison& comparison, Source& source, AttentionShape shape) {
  const int64_t N = shape.batch * shape.time, C = shape.heads * shape.head_width;
  const std::string name = joined({shape.batch, shape.time, shape.heads, shape.head_width});
  const int64_t saved = std::max(comparison.cuda().attention_saved(shape), comparison.reference().attention_saved(shape));
  const Memory memory{{"qkv", source.values(N * 3 * C)}, {"out", source.values(N * C)},
                      {"saved", source.values(saved)},   {"d_out", source.values(N * C)},
                      {"d_qkv", source.values(N * 3 * C)}};
  const auto run = [&](Operators& op, Memory& m) {
    op.attention(matrix(m["qkv"], N), shape, m["saved"], matrix(m["out"], N));
    op.attention_backward(matrix(m["d_out"], N), matrix(m["out"], N), matrix(m["qkv"], N), shape, m["saved"],
                          matrix(m["d_qkv"], N));
    return 0.0f;
  };
  comparison.check("attention" + name, memory, {"out", "d_qkv"}, run);
  Memory emulated = memory;
  run(comparison.cuda(), emulated);
  const auto plain = canon::plain::attention(memory.at("qkv"), memory.at("d_out"), shape, canon::cuda::exp);
  comparison.expect("attention, the plain loops' o" + name, emulated["out"], plain.out);
  comparison.expect("attention, the plain loops' gradients" + name, emulated["d_qkv"], plain.d_qkv);
}

void compare_ends(Comparison& comparison, Source& source, const ModelShape& shape, BatchShape batch) {
  const int64_t N = batch.count(), C = shape.width, V = shape.vocab_size;
  const std::string name = joined({batch.rows, batch.tokens, V, C});
  const std::vector<int64_t> tokens = source.tokens(N, V), targets = source.tokens(N, V);
  const Memory memory{{"wte", source.values(V * C)}, {"wpe", source.values(shape.block_size * C)},
                      {"out", source.values(N * C)}, {"logits", source.values(N * V)},
                      {"sums", source.values(N)},    {"d_out", source.values(N * C)}};
  comparison.check("embedding" + name, memory, {"out"}, [&](Operators& op, Memory& m) {
    op.embedding(tokens, batch.tokens, matrix(m["wte"], V), matrix(m["wpe"], shape.block_size), matrix(m["out"], N));
    return 0.0f;
  });
  comparison.check("embedding_backward" + name, memory, {"wte", "wpe"}, [&](Operators& op, Memory& m) {
    op.embedding_backward(tokens, batch.tokens, matrix(m["d_out"], N), matrix(m["wte"], V),
                          matrix(m["wpe"], shape.block_size));
    return 0.0f;
  });
  comparison.check("cross_entropy" + name, memory, {"logits"}, [&](Operators& op, Memory& m) {
    const float loss = op.cross_entropy(matrix(m["logits"], N), targets, m["sums"]);
    op.cross_entropy_backward(matrix(m["logits"], N), targets, m["sums"], 1.0f / static_cast<float>(3 * N));
    return loss;
  });

  const Layout layout(shape);
  const int64_t count = layout.parameter_count();
  Memory arenas{{"theta", source.values(count)}, {"g", source.values(count)}, {"m", source.values(count)},
                {"v", source.values(count)}};
  for (float& each : arenas["v"]) each = std::fabs(each);
  const InnerConstants inner{0.9f, 0.1f, 0.95f, 0.05f, 1e-8f, 1.0f};
  comparison.check("norm" + name, arenas, {}, [&](Operators& op, Memory& m) { return op.norm(layout, m["g"].data()); });
  auto adamw = [&](Operators& op, Memory& m) {
    const auto bad = op.adamw(layout, {m["theta"].data(), m["m"].data(), m["v"].data(), m["g"].data()}, inner,
                              {1e-3f, 1.5f, 0.99f}, 0.75f);
    return bad ? static_cast<float>(*bad) : -1.0f;
  };
  comparison.check("adamw" + name, arenas, {"theta", "m", "v"}, adamw);
  comparison.check("all_finite" + name, arenas, {}, [&](Operators& op, Memory& m) { return op.all_finite(m["g"]); });
  arenas["roots"] = {};
  for (const size_t count : {1, 2, 3}) {
    comparison.check("group_roots" + name, arenas, {"roots"}, [&](Operators& op, Memory& m) {
      const float* const hashed[] = {m["theta"].data(), m["m"].data(), m["v"].data()};
      Digest roots[3];
      op.group_roots(layout, std::span(hashed).first(count), roots);
      m["roots"].resize(count * sizeof(Digest) / sizeof(float));
      std::memcpy(m["roots"].data(), roots, count * sizeof(Digest));
      return 0.0f;
    });
  }
  arenas["g"][static_cast<size_t>(layout.tensors()[3].offset)] = INFINITY;
  comparison.check("adamw of an infinity" + name, arenas, {}, adamw);
  comparison.check("all_finite of an infinity" + name, arenas, {},
                   [&](Operators& op, Memory& m) { return op.all_finite(m["g"]); });
}

void compare_operators() {
  Comparison comparison;
  Source source(1);
  for (const Gelu gelu : {Gelu::erf, Gelu::tanh}) {
    const ModelShape large{50, 130, 1, 2, 1100, gelu};
    comparison.plan(large, {3, 130});
    for (const auto& [N, C] : {std::pair<int64_t, int64_t>{1, 1}, {5, 31}, {67, 32}, {129, 33}, {3, 1100}}) {
      compare_rows(comparison, source, N, C);
    }
    for (const auto& [N, K, M] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1}, {3, 5, 7}, {65, 33, 130}, {64, 64, 64},
                                  {20, 1024, 12}, {7, 1025, 9}, {70, 2060, 36}, {1030, 12, 20}}) {
      compare_linear(comparison, source, N, K, M);
    }
  }
  for (const AttentionShape& shape : {AttentionShape{1, 1, 1, 1}, {2, 64, 2, 8}, {2, 65, 3, 11}, {1, 130, 1, 64},
                                      {1, 5, 1, 70}, {1, 3, 1, 1030}, {1, 1100, 1, 2}}) {
    const int64_t width = shape.heads * shape.head_width;
    comparison.plan({11, shape.time, 1, shape.heads, width}, {shape.batch, shape.time});
    compare_attention(comparison, source, shape);
  }
  for (const auto& [shape, batch] :
       {std::pair<ModelShape, BatchShape>{{67, 19, 2, 3, 33}, {3, 17}}, {{1100, 8, 1, 1, 16}, {130, 1}}, {{1, 1, 1, 1, 1}, {1, 1}}}) {
    comparison.plan(shape, batch);
    compare_ends(comparison, source, shape, batch);
  }
  comparison.print();
}

/** Every layout, tile and number of chunks side by side gives the bits of the plain loops. */
void compare_products() {
  Source source(2);
  int compared = 0;
  std::vector<std::string> differing;
  const CudaDevice device(0);
  for (const auto& [rows, columns, depth] : {std::tuple<int64_t, int64_t, int64_t>{130, 70, 3100}, {128, 132, 4096}, {100, 200, 2064}, {5, 3, 2049}}) {
    const std::vector<float> a = source.values(rows * depth), b = source.values(columns * depth);
    for (const auto& [a_by_k, b_by_k] : {std::pair{true, true}, {true, false}, {false, false}}) {
      std::vector<float> expected(static_cast<size_t>(rows * columns));
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
          float value = 0;
          for (int64_t k = 0; k < depth;) {
            float chain = 0;
            const int64_t begin = k, end = std::min(depth, begin + 1024);
            for (; k < end; ++k) {
              chain = std::fma(a[a_by_k ? i * depth + k : k * rows + i], b[b_by_k ? j * depth + k : k * columns + j], chain);
            }
            value = begin == 0 ? chain : value + chain;
          }
          expected[i * columns + j] = value;
        }
      }
      for (const int block_rows : {96, 64}) {
        for (const int side_by_side : {1, 2, 3, 5}) {
          std::vector<float> out = source.values(rows * columns), chains = source.values(rows * columns * side_by_side);
          const canon::cuda::Operand left{a.data(), a_by_k ? depth : rows, a_by_k};
          const canon::cuda::Operand right{b.data(), b_by_k ? depth : columns, b_by_k};
          canon::cuda::product({left, right, out.data(), rows, columns, depth},
                               {chains.data(), static_cast<int64_t>(chains.size()), 132}, device.stream(),
                               {block_rows, side_by_side});
          compared += 1;
          if (!same_bits(out, expected)) {
            differing.push_back(joined({rows, columns, depth, a_by_k, b_by_k, block_rows, side_by_side}));
          }
        }
      }
    }
  }
  print_comparison(compared, differing);
}

/** Inner steps of a whole model, two micro-batches each. */
std::vector<std::string> train(std::unique_ptr<Operators> operators, const TrainerOptions& options, int64_t steps) {
  StopFlag stop;
  Trainer trainer(options, std::move(operators), stop);
  trainer.initialise(Seed{7});
  Source source(3);
  std::vector<std::string> roots;
  for (int64_t step = 0; step < steps; ++step) {
    const auto inputs = source.tokens(trainer.step_tokens(), options.model.vocab_size);
    const auto targets = source.tokens(trainer.step_tokens(), options.model.vocab_size);
    const StepResult result = trainer.inner_step(inputs, targets, {1e-2f, 3.0f, 0.999f});
    uint32_t loss, norm;
    std::memcpy(&loss, &result.loss, 4);
    std::memcpy(&norm, &result.gradient_norm, 4);
    roots.push_back(to_hex(trainer.state_root()) + " " + std::to_string(loss) + " " + std::to_string(norm));
  }
  return roots;
}

void compare_training(int64_t steps, const std::vector<int64_t>& sizes) {
  TrainerOptions options{{sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[7] == 0 ? Gelu::erf : Gelu::tanh},
                         {sizes[5], sizes[6]},
                         {0.9f, 0.1f, 0.95f, 0.05f, 1e-8f, 1.0f},
                         2};
  const auto cuda = train(std::make_unique<CudaOperators>(std::make_unique<CudaDevice>(0)), options, steps);
  const auto reference = train(make_canon_operators(2, canon::best_isa()), options, steps);
  std::printf("{\"cuda\":");
  print_list(cuda);
  std::printf(",\"reference\":");
  print_list(reference);
  std::printf("}\n");
}

/** Code and sentence of what `action` throws. */
std::string thrown(const std::function<void()>& action) {
  try {
    action();
    return "nothing";
  } catch (const EngineError& error) {
    return std::string(error_code_name(error.code())) + " " + error.what();
  }
}

void fail_devices() {
  const TrainerOptions options{{67, 19, 2, 3, 33}, {3, 17}, {0.9f, 0.1f, 0.95f, 0.05f, 1e-8f, 1.0f}};
  auto run = [&] { train(std::make_unique<CudaOperators>(std::make_unique<CudaDevice>(0)), options, 1); };
  const std::string healthy = thrown(run);
  cuda_emulation::limit_memory(1 << 20);
  const std::string full = thrown(run);
  cuda_emulation::heal_device();
  cuda_emulation::lose_device_after(40);
  const std::string lost = thrown(run);
  cuda_emulation::heal_device();
  const std::string other = thrown([] { CudaDevice device(7); });
  const std::string again = thrown(run);
  std::printf("{\"healthy\":\"%s\",\"full\":\"%s\",\"lost\":\"%s\",\"other\":\"%s\",\"again\":\"%s\",\"leaked\":%zu}\n",
              healthy.c_str(), full.c_str(), lost.c_str(), other.c_str(), again.c_str(),
              cuda_emulation::allocated_memory());
}

struct OnePlace {
  float values[64];
};

/** Each thread gives a value to the next one, across warps. */
void unguarded(float* out, bool guarded) {
  auto& shared = canon::cuda::shared_memory<OnePlace>();
  shared.values[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (guarded) __syncthreads();
  out[threadIdx.x] = shared.values[(threadIdx.x + 1) % 64];
}

void miss_a_barrier() {
  int wrong[2] = {};
  for (const bool guarded : {true, false}) {
    std::vector<float> out(64);
    canon::cuda::launch(nullptr, 1, 64, unguarded, out.data(), guarded);
    for (int i = 0; i < 64; ++i) wrong[guarded] += !(out[i] == static_cast<float>((i + 1) % 64));
  }
  std::printf("{\"wrongWithBarrier\":%d,\"wrongWithout\":%d}\n", wrong[1], wrong[0]);
}

}  // namespace
}  // namespace panthalia

int main(int argc, char** argv) {
  using namespace panthalia;
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string action = words.empty() ? "" : words[0];
  const std::string order = words.size() > 1 ? words[1] : "";
  if (order == "descending") cuda_emulation::set_order(cuda_emulation::Order::descending);
  if (order == "shuffled") cuda_emulation::set_order(cuda_emulation::Order::shuffled);
  if (action == "elementary" && words.size() == 2) return print_elementary(std::stoull(words[1])), 0;
  if (action == "operators") return compare_operators(), 0;
  if (action == "products") return compare_products(), 0;
  if (action == "failures") return fail_devices(), 0;
  if (action == "barrier") return miss_a_barrier(), 0;
  if (action == "training" && words.size() == 11) {
    std::vector<int64_t> numbers;
    for (size_t i = 2; i < words.size(); ++i) numbers.push_back(std::stoll(words[i]));
    return compare_training(numbers[0], {numbers.begin() + 1, numbers.end()}), 0;
  }
  std::fprintf(stderr, "usage: elementary | operators | products | training | failures | barrier, with an order\n");
  return 2;
}
