// The linear layers of the opsets on a CPU as products: what differs is how one is computed.
#pragma once

#include <utility>
#include <vector>

#include "engine/operators.h"
#include "kernels/canon/kernels.h"

namespace panthalia::canon {

class LinearOperators : public Operators {
 public:
  void linear(ConstMatrix x, ConstMatrix weight, Matrix out) final { product(forward(x, weight, out)); }
  void linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) final {
    GemmCall call = forward(x, weight, out);
    call.epilogue = Epilogue::residual;
    call.other = residual.data;
    product(call);
  }
  void linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) final {
    GemmCall call = forward(x, weight, out);
    call.epilogue = gelu_ == Gelu::erf ? Epilogue::gelu_erf : Epilogue::gelu_tanh;
    call.up = up.data;
    product(call);
  }
  void linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) final {
    product(backward(d_out, weight, d_x));
  }
  void linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) final {
    GemmCall call = backward(d_out, weight, d_up);
    call.epilogue = gelu_ == Gelu::erf ? Epilogue::gelu_erf_backward : Epilogue::gelu_tanh_backward;
    call.other = up.data;
    product(call);
  }
  void linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) final {
    product(of_weight(d_out, x, weight_gradient));
  }

 protected:
  virtual void product(const GemmCall& call) = 0;

  /** The products of a step over so many rows, one of each size, without their matrices. */
  static std::vector<GemmCall> products_of(const ModelShape& shape, int64_t rows) {
    const int64_t C = shape.width;
    std::vector<GemmCall> products;
    for (const auto& [outputs, inputs] :
         {std::pair{3 * C, C}, {C, C}, {4 * C, C}, {C, 4 * C}, {shape.vocab_size, C}}) {
      const ConstMatrix x(nullptr, rows, inputs), weight(nullptr, outputs, inputs), d_out(nullptr, rows, outputs);
      products.insert(products.end(), {forward(x, weight, {}), backward(d_out, weight, {}), of_weight(d_out, x, {})});
    }
    return products;
  }

  Gelu gelu_ = Gelu::erf;

 private:
  static GemmCall forward(ConstMatrix x, ConstMatrix weight, Matrix out) {
    return {.layout = GemmLayout::nt,
            .m = x.rows,
            .n = weight.rows,
            .k = x.cols,
            .a = x.data,
            .b = weight.data,
            .out = out.data};
  }
  static GemmCall backward(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) {
    return {.layout = GemmLayout::nn,
            .m = d_out.rows,
            .n = weight.cols,
            .k = weight.rows,
            .a = d_out.data,
            .b = weight.data,
            .out = d_x.data};
  }
  static GemmCall of_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) {
    return {.layout = GemmLayout::tn,
            .m = d_out.cols,
            .n = x.cols,
            .k = x.rows,
            .a = d_out.data,
            .b = x.data,
            .out = weight_gradient.data};
  }
};

}  // namespace panthalia::canon
